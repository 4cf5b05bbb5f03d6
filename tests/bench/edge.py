# SPDX-License-Identifier: GPL-2.0-or-later
"""An AFBR under load and the speaker that feeds it: two namespaces, one link.

    bnr (zebra, bgpd, with the mesh also swmeshd) ---- bns (the sender)

Tunnel endpoints are 2001:db8:e::1 and up; the router reaches them through bns.
"""
import ipaddress
import os

import bulk
import routes
from lib import mesh, netns, paths, topology, wait
from lib.router import Router

ROUTER, SENDER = "bnr", "bns"
ROUTER_ADDRESS, SENDER_ADDRESS = "2001:db8:f::1", "2001:db8:f::2"
LOOPBACK = "2001:db8:c::1"
ENDPOINTS = "2001:db8:e::/64"
ASN = 65000
IKE_PROPOSAL, ESP_PROPOSAL = "aes256gcm16-prfsha384-x25519", "aes256gcm16"
PSK = b"a group key for a benchmark"
PSK_FILE = os.path.join(paths.WORK, ROUTER, "mesh.psk")
PRIMER = 0x0A000000  # 10.0.0.0: the routes that come first, one for each next hop

def softwire_config(protected=False):
    """One encap-set; protected: by ESP, with a group key in the router's file PSK."""
    lines = ["softwire mesh", " transit ipv6 source %s" % LOOPBACK]
    if protected:
        lines += [" security CORE", "  ike group-psk file %s" % PSK_FILE,
                  "  ike proposal %s" % IKE_PROPOSAL, "  esp %s" % ESP_PROPOSAL, " exit"]
    lines += [" encap-set EDGE", "  tunnel 10 gre", "  payload ipv4"]
    if protected:
        lines.append("  security CORE")
    return "\n".join(lines + [" exit", "exit", ""])


def endpoints(count):
    return [routes.address("2001:db8:e::", i) for i in range(1, count + 1)]


def bgp_config(policy=None, extra=""):
    """bgpd with one iBGP neighbor; policy: the name of its inbound route-map.

    extra comes first: bgpd uses a route-map defined later only after some seconds.
    """
    lines = [extra, "router bgp %d" % ASN, " bgp router-id 10.255.0.1",
             " no bgp default ipv4-unicast",
             " neighbor %s remote-as %d" % (SENDER_ADDRESS, ASN),
             " neighbor %s passive" % SENDER_ADDRESS,
             " neighbor %s capability extended-nexthop" % SENDER_ADDRESS,
             " address-family ipv4 unicast", "  neighbor %s activate" % SENDER_ADDRESS]
    if policy:
        lines.append("  neighbor %s route-map %s in" % (SENDER_ADDRESS, policy))
    return "\n".join(lines + [" exit-address-family", "exit", ""])


def wires(routers=()):
    """The namespaces, the link and the addresses."""
    return topology.Topology(
        "bench", [ROUTER, SENDER],
        [topology.Link(ROUTER, SENDER, [ROUTER_ADDRESS + "/64"], [SENDER_ADDRESS + "/64"])],
        routers,
        {ROUTER: ["address add %s/128 dev lo nodad" % LOOPBACK,
                  "route add %s via %s" % (ENDPOINTS, SENDER_ADDRESS)],
         SENDER: ["route add %s/128 via %s" % (LOOPBACK, ROUTER_ADDRESS),
                  "route add local %s dev lo" % ENDPOINTS]},
        # Whoever answers for all endpoints has none of them as an address of its own.
        {SENDER: {"net/ipv6/ip_nonlocal_bind": 1}})


def far_end():
    """Whoever answers IKE for all endpoints."""
    return Router(SENDER, {}, charon={})


def load_far_end(charon):
    """One connection for whatever address it is asked by: it only responds."""
    charon.vici.request("load-shared", {"id": "mesh", "type": "IKE", "data": PSK})
    charon.vici.request("load-conn", {"far": {
        "version": "2", "local_addrs": [ENDPOINTS], "remote_addrs": [LOOPBACK],
        "proposals": [IKE_PROPOSAL], "mobike": "no", "unique": "never",
        "local-1": {"auth": "psk"}, "remote-1": {"auth": "psk", "id": LOOPBACK},
        "children": {"c": {"mode": "transport", "local_ts": ["dynamic[47]"],
                           "remote_ts": ["dynamic[47]"], "esp_proposals": [ESP_PROPOSAL]}}}})


class Edge:
    """One run: up(), feed, measure, down(). module: is ours loaded? softwires: swmeshd, too;
    protected: with a charon at both ends, the far one for all endpoints."""

    def __init__(self, policy=None, extra="", module=False, softwires=False, bgpd_options=(),
                 protected=False):
        configs = {"zebra": "", "bgpd": bgp_config(policy, extra)}
        if softwires:
            configs["swmeshd"] = softwire_config(protected)
        options = list(bgpd_options) + (mesh.module_options() if module else [])
        self.router = Router(ROUTER, configs, {"bgpd": options},
                             charon={} if protected else None,
                             files={"mesh.psk": PSK} if protected else None)
        self.far = far_end() if protected else None
        self.topology = wires([self.router] + ([self.far] if protected else []))
        self.speaker = bulk.BulkSpeaker(
            SENDER, SENDER_ADDRESS, ROUTER_ADDRESS, ASN, "10.255.0.2",
            families=((bulk.bgpspeaker.AFI_IPV4, bulk.bgpspeaker.SAFI_UNICAST),))

    def __enter__(self):
        try:
            self.topology.up()
            if self.far:
                load_far_end(self.far.charon)
            self.speaker.start()
        except BaseException:
            self.topology.down()
            raise
        return self

    def __exit__(self, kind, value, trace):
        """SIGKILL: withdrawing many routes in good order takes longer than to measure them."""
        daemons = self.router.daemons.values()
        dead = [daemon.name for daemon in daemons if not daemon.alive()]
        for daemon in daemons:
            daemon.kill()
        self.speaker.stop()
        self.topology.down()
        assert kind or not dead, "ended while it was measured: %s" % ", ".join(dead)

    def pid(self, daemon):
        return self.router[daemon].process.pid

    def accepted(self):
        """Routes that bgpd has from the sender."""
        peers = self.router.json("bgpd", "show bgp ipv4 unicast summary")["peers"]
        return peers[SENDER_ADDRESS]["pfxRcd"]

    def wait_accepted(self, count, limit=120):
        wait.until(lambda: self.accepted() == count, "bgpd accepts %d routes" % count, limit, 0.5)
        self.speaker.assert_up()

    def wait_mesh_known(self):
        """swmeshd has told bgpd's module its configuration and encap-set."""
        wait.until(lambda: self.router.json("bgpd", "show bgp softwire")["encapSets"],
                   "bgpd knows the encap-set")

    def prime(self, nexthops):
        """One route for each next hop, and a kernel host route to wherever it points now.

        An address of the SW-NHOP prefix resolves by a host route only (which a softwire
        would bring); giving the stock side the same lets both do the same work.
        """
        primers = routes.updates(len(nexthops), nexthops, 1, PRIMER)
        self.speaker.send_bulk(b"".join(primers))
        self.wait_accepted(len(primers))
        targets = set()
        for number in range(len(nexthops)):
            prefix = routes.address("10.0.0.0", number << 8) + "/24"
            answer = self.router.json("bgpd", "show bgp ipv4 unicast " + prefix)
            targets |= {hop["ip"] for path in answer["paths"] for hop in path["nexthops"]}
        netns.ip_batch(ROUTER, [
            "route replace %s/128 via %s proto static" % (target, SENDER_ADDRESS)
            for target in sorted(targets)])
        self.wait_installed(len(primers))
        return sorted(targets, key=ipaddress.ip_address)

    def installed(self):
        """iBGP routes that zebra has put into the kernel."""
        summary = self.router.json("zebra", "show ip route summary")
        return sum(entry["fib"] for entry in summary["routes"] if entry["type"] == "ibgp")

    def wait_installed(self, count, limit=120):
        wait.until(lambda: self.installed() == count,
                   "zebra installs %d BGP routes" % count, limit, 0.5)
