# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets a second through a protected softwire.

The yardstick is the same tunnel with the same SAs made by hand: the devices as swmeshd made
them, ESP with the same algorithm and the same policies, in namespaces of the same kind
without any of our rules. One host blasts UDP, the interface of the other one counts.
In between, the same mesh with `filter off`: what the table takes for itself.
"""
import socket
import subprocess
import time

from lib import kernel, mesh, netns, nft, securemesh, softwires, topology, wait

OCTETS, PORT = 64, 9
SECONDS, LEAD = 4.0, 1.0  # measured, and before that
ESP = "aead rfc4106(gcm(aes)) 0x%s 128"
OURS = dict(security=[*securemesh.PSK, "ike proposal aes256gcm16-prfsha384-x25519",
                      "esp aes256gcm16"], numbers=(1, 2))


class Bare(securemesh.SecureMesh):
    """Nobody captures the core: that would take a share of each packet."""

    def up(self, capture_links=()):
        topology.Topology.up(self, capture_links)


def received(node, device):
    link = kernel.ip(node, "-s", "link", "show", "dev", device)[0]
    return link["stats64"]["rx"]["packets"]


def rate(program):
    """Packets a second that reach h2 from h1."""
    with netns.inside("h2"):
        sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sink.bind(("", PORT))  # or the kernel would answer each
    blaster = subprocess.Popen(netns.argv("h1", [
        program, mesh.host(2), str(PORT), str(SECONDS + 2 * LEAD), str(OCTETS)]),
        stdout=subprocess.DEVNULL)
    time.sleep(LEAD)
    before, began = received("h2", "h2-a2"), time.monotonic()
    time.sleep(SECONDS)
    after, ended = received("h2", "h2-a2"), time.monotonic()
    assert blaster.wait() == 0
    sink.close()
    assert after - before > 100, "only %d packets arrived" % (after - before)
    return (after - before) / (ended - began)


def ours(program):
    """Packets a second with the filter and without it, and a1's tunnel device as it is."""
    under = Bare("throughput", **OURS)
    try:
        under.up()
        securemesh.wait_up(under)
        wait.until(lambda: kernel.route("a1", mesh.island(2)), "a1 has the route", 60)
        wait.until(lambda: kernel.route("a2", mesh.island(1)), "a2 has the route", 60)
        wait.until(lambda: all(nft.elements(node, "protected6") for node in ("a1", "a2")),
                   "the filters are filled", 60)
        found = rate(program)
        filter_off(under)
        return found, rate(program), next(iter(kernel.tunnels("a1").values()))
    finally:
        under.down()


def filter_off(under):
    for node in ("a1", "a2"):
        softwires.set_mesh(under[node], "filter off")
        wait.until(lambda: not nft.present(node), node + " has no table", 60)


def by_hand(program, device):
    under = mesh.Mesh("byhand", numbers=(1, 2), swmesh=False)
    try:
        under.wire()
        for n, other in ((1, 2), (2, 1)):
            netns.ip_batch("a%d" % n, edge_lines(n, other, device))
            with netns.inside("a%d" % n):
                netns.write_sysctl("net/ipv4/ip_forward", 1)
        netns.ip_batch("p", ["route add %s/128 via %s" % (
            mesh.loopback(n), mesh.core_address(n, "a")) for n in (1, 2)])
        with netns.inside("p"):
            netns.write_sysctl("net/ipv6/conf/all/forwarding", 1)
        return rate(program)
    finally:
        under.down()


def edge_lines(n, other, device):
    """What one end needs: way, tunnel, two SAs and two policies."""
    local, remote = mesh.loopback(n), mesh.loopback(other)
    lines = ["route add %s/128 via %s" % (remote, mesh.core_address(n, "p")),
             "link add sw1 mtu %d type %s local %s remote %s hoplimit %d encaplimit none" % (
                 device.mtu, device.kind, local, remote, device.ttl),
             "link set sw1 up", "route add %s dev sw1" % mesh.island(other)]
    for src, dst in ((local, remote), (remote, local)):
        spi = 0x1000 + int(src[-1])
        lines.append("xfrm state add src %s dst %s proto esp spi %#x reqid 1 mode transport "
                     "replay-window 32 %s" % (src, dst, spi, ESP % ("a5" * 36)))
        lines.append("xfrm policy add src %s/128 dst %s/128 proto gre dir %s tmpl src %s dst %s "
                     "proto esp reqid 1 mode transport" % (
                         src, dst, "out" if src == local else "in", src, dst))
    return lines


def run(program, repeat, tell):
    """In turn: {"ours": [packets a second], "off": [...], "hand": [...]}."""
    found = {"ours": [], "off": [], "hand": []}
    for turn in range(repeat):
        speed, off, device = ours(program)
        found["ours"].append(speed)
        found["off"].append(off)
        found["hand"].append(by_hand(program, device))
        tell("throughput, turn %d: %.0f packets a second, filter off %.0f, by hand %.0f" % (
            turn + 1, speed, off, found["hand"][-1]))
    return found
