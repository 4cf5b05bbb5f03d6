# SPDX-License-Identifier: GPL-2.0-or-later
"""A topology as data, and its life: namespaces, veth pairs, addresses, routers.

    topo = Topology("mesh", nodes=[...], links=[Link(...)], routers=[Router(...)])
    topo.up(); ...; topo.down()
"""
import dataclasses
import os
import shutil
import typing

from . import capture, netns, paths, router, traffic

ACTIVE = []  # topologies that are up, for collect.py


@dataclasses.dataclass
class Link:
    """A veth pair. Each end is named NODE-PEER, with its addresses."""

    a: str
    b: str
    a_addresses: typing.Sequence[str] = ()
    b_addresses: typing.Sequence[str] = ()
    mtu: int = 1500

    @property
    def a_device(self):
        return device(self.a, self.b)

    @property
    def b_device(self):
        return device(self.b, self.a)


def device(node, peer):
    return "%s-%s" % (node, peer)


def facing(node, address):
    """The router that has the address on a link to the node; None when no topology has one."""
    for topo in ACTIVE:
        for link in topo.links:
            if link.b == node and address in [a.partition("/")[0] for a in link.a_addresses]:
                return topo.routers.get(link.a)
    return None


class Topology:
    """nodes: names; ip_lines: node -> ip(8) commands run there once the links are up."""

    cloned = False

    def __init__(self, name, nodes, links, routers=(), ip_lines=None, sysctls=None):
        self.name, self.nodes, self.links = name, list(nodes), list(links)
        self.routers = {r.name: r for r in routers}
        self.ip_lines = ip_lines or {}
        self.sysctls = sysctls or {}
        self.capture = None
        self.flows = []

    def __getitem__(self, name):
        return self.routers[name]

    # -- life --

    def up(self, capture_links=()):
        """Bring all up. capture_links: (node, peer) whose incoming packets to record."""
        self.wire()
        ACTIVE.append(self)
        if capture_links:
            self.capture = capture.Capture(
                self.folder(), [(node, device(node, peer)) for node, peer in capture_links])
        router.start_all(self.routers.values())

    def folder(self):
        return os.path.join(paths.WORK, "topology-" + self.name)

    def wire(self):
        """Namespaces, links, addresses: no daemons."""
        shutil.rmtree(self.folder(), ignore_errors=True)
        netns.create(self.nodes)
        netns.ip_batch(None, [
            "link add %s netns %s mtu %d type veth peer name %s netns %s mtu %d" % (
                link.a_device, link.a, link.mtu, link.b_device, link.b, link.mtu)
            for link in self.links])
        self.give_machine_ids()
        for node in self.nodes:
            lines = self.node_lines(node)
            if lines:
                netns.ip_batch(node, lines)
        for node, settings in self.sysctls.items():
            with netns.inside(node):
                for key, value in settings.items():
                    netns.write_sysctl(key, value)

    def node_lines(self, node):
        lines = []
        for link in self.links:
            for end, dev, addresses in ((link.a, link.a_device, link.a_addresses),
                                        (link.b, link.b_device, link.b_addresses)):
                if end == node:
                    lines.append("link set %s up" % dev)
                    lines += ["address add %s dev %s%s" % (
                        a, dev, " nodad" if ":" in a else "") for a in addresses]
        return lines + list(self.ip_lines.get(node, ()))

    def give_machine_ids(self):
        """Routers are machines of their own: ip-netns(8) lays these over /etc. Copies of one
        virtual machine (self.cloned) have the same."""
        for number, node in enumerate(self.nodes, 1):
            folder = os.path.join("/etc/netns", node)
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, "machine-id"), "w") as file:
                file.write("%032x\n" % (0x5357 << 64 | (1 if self.cloned else number)))

    def down(self):
        """Stop and remove all; returns complaints of daemons that ended badly."""
        errors = []
        for flow in self.flows:
            flow.abandon()
        for one in self.routers.values():
            errors += one.stop()
        if self.capture:
            self.capture.stop()
        netns.delete(self.nodes)
        for one in self.routers.values():
            one.remove()
        for node in self.nodes:
            shutil.rmtree(os.path.join("/etc/netns", node), ignore_errors=True)
        if self in ACTIVE:
            ACTIVE.remove(self)
        return errors

    # -- traffic --

    def flow(self, source, address, target, **options):
        """A traffic.Flow that teardown ends if the test does not."""
        one = traffic.Flow(source, address, target, **options)
        self.flows.append(one)
        return one
