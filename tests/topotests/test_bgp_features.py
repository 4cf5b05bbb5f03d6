# SPDX-License-Identifier: GPL-2.0-or-later
"""Attribute 23 and what else bgpd can do: maximum-prefix, add-path, confederations, dynamic
neighbors, graceful restart, aggregates, VPN export, and a bgpd that is configured anew.

Each test has a "router bgp" of its own: that of the one before has been removed.
"""
import struct

import pytest
from lib import bgpdut as dut
from lib import bgpspeaker as bgp
from lib import netns, wait

from conftest import run_topology

pytestmark = pytest.mark.no_tunnels

TEA, OTHER = dut.gre(1) + dut.ipip(), dut.gre(2)
OURS_KEY = struct.pack("!BBI", 1, 4, 100)
MORE = ("fd00:9::11", "fd00:9::12")
PREFIX = "10.50.1.0/24"


@pytest.fixture(scope="module")
def net():
    topo = dut.topology("", swmeshd=dut.SWMESH)
    topo.ip_lines[dut.SPEAKERS] = ["address add %s/64 dev bsp-bdut nodad" % a for a in MORE]
    yield from run_topology(topo)


class World:
    """bgpd's configuration of one test, and its speakers."""

    def __init__(self, router):
        self.router, self.speakers = router, []

    def configure(self, text):
        """In place of what there is."""
        self.router.configure("bgpd", "no router bgp\n")
        self.router.configure("bgpd", text)

    def speaker(self, number, **options):
        self.speakers.append(dut.speaker(number, **options))
        return self.speakers[-1]

    def at(self, address, asn, **options):
        """A speaker that bgpdut does not know."""
        self.speakers.append(bgp.Speaker(
            dut.SPEAKERS, address, dut.ROUTER, asn, "10.255.9.%s" % address.rpartition(":")[2],
            **options).start())
        return self.speakers[-1]


@pytest.fixture()
def world(net):
    made = World(net[dut.DUT])
    yield made
    for peer in made.speakers:
        if peer.sock:
            peer.assert_up()
    dut.assert_clean(peer for peer in made.speakers if not peer.addpath)
    for peer in made.speakers:
        peer.stop()
    assert made.router["bgpd"].alive(), "bgpd has crashed"


def is_ours(update):
    return update.tea is not None and OURS_KEY in update.tea


def gone(peer, prefix):
    return prefix not in peer.routes()


def sees(peer, prefix, tea):
    """The route arrives with that attribute."""
    def right():
        update = peer.routes().get(prefix)
        assert update, "%s: %s has not come" % (peer.local, prefix)
        assert update.tea == tea, "%s: %s with %s" % (
            peer.local, prefix, update.tea and update.tea.hex())
        return True
    wait.until(right, "%s is sent %s with that attribute" % (peer.local, prefix))


def line(text, family="ipv4 unicast"):
    return "router bgp %d\n address-family %s\n  %s\n exit-address-family\nexit\n" % (
        dut.ASN, family, text)


def test_configured_anew(world):
    """"no router bgp", and the same again: sessions, SW-NHOPs and our encap-set are as before."""
    maps = {2: ("route-map SOFTWIRE-IN in",), 3: ("route-map SOFTWIRE-OUT out",)}
    for _ in range(2):
        world.configure(dut.config(line("network 10.99.0.0/24"), maps))
        sender, receiver = world.speaker(2), world.speaker(3)
        sender.announce(PREFIX, "fd00:9::2", TEA)
        wait.until(lambda receiver=receiver: is_ours(receiver.wait_route("10.99.0.0/24")),
                   "our own route has our attribute")

        def demanded():
            found = world.router.json("bgpd", "show bgp softwire")["nextHops"]
            return [(n["routesIpv4"], n["routesIpv6"]) for n in found] == [(1, 0)]
        wait.until(demanded, "the SW-NHOP has one route")
        assert dut.counters(world.router, 2)["received"] >= 1
        world.router.configure("bgpd", "no router bgp\n")
        for peer in (sender, receiver):
            wait.until(lambda peer=peer: not peer.established, "the session ends")
            peer.stop()
        wait.until(lambda: not any(
            n["routesIpv4"] for n in world.router.json("bgpd", "show bgp softwire")["nextHops"]),
            "the SW-NHOP has no routes")
        world.router.configure("bgpd", dut.config())


def test_maximum_prefix(world):
    """Routes that are withdrawn for a bad attribute do not count; when the limit is passed, bgpd
    ends the session, and the routes go."""
    world.configure(dut.config(line("neighbor fd00:9::4 maximum-prefix 2")))
    sender, receiver = world.speaker(4), world.speaker(3)
    sender.announce("10.51.1.0/24", "fd00:9::4", TEA)
    for n in range(10, 15):
        sender.announce("10.51.%d.0/24" % n, "fd00:9::4", b"\0")
    sender.announce("10.51.2.0/24", "fd00:9::4", TEA)
    sees(receiver, "10.51.2.0/24", TEA)
    sees(receiver, "10.51.1.0/24", TEA)
    sender.assert_up()
    assert dut.counters(world.router, 4)["withdrawn"] >= 5
    for n in (3, 4):  # bgpd counts a route after it has looked at the limit
        sender.announce("10.51.%d.0/24" % n, "fd00:9::4", TEA)
    wait.until(lambda: sender.notifications, "bgpd ends the session")
    assert sender.notifications[0][:2] == (6, 1)
    wait.until(lambda: gone(receiver, "10.51.1.0/24"), "the routes are withdrawn")
    sender.stop()


def send_path(speaker, number, tail=b"", tea=None):
    """PREFIX with a path identifier, in MP_REACH_NLRI; tail: octets after the attributes."""
    hop = struct.pack("!HBB", 1, 1, 16) + bytes.fromhex("fd000009") + bytes(11) + b"\2\0"
    value = hop + struct.pack("!I", number) + bgp.prefix_bytes(PREFIX)
    attributes = speaker.base_attributes() + bgp.attribute(bgp.MP_REACH, value)
    if tea is not None:
        attributes += bgp.attribute(bgp.TUNNEL_ENCAP, tea)
    speaker.send_update(attributes + tail)


def test_add_path(world):
    """Two paths of one prefix, each with its attribute; a broken one withdraws its own path alone,
    also where the attribute's header is cut off at the end of the list."""
    both, receive = (struct.pack("!BBHBB", 69, 4, 1, 1, way) for way in (3, 1))
    world.configure(dut.config(line("neighbor fd00:9::3 addpath-tx-all-paths")))
    sender = world.speaker(2, capabilities=both)
    receiver = world.speaker(3, capabilities=receive, addpath=True)

    def paths():
        """How many bgpd has."""
        shown = world.router.json("bgpd", "show bgp ipv4 unicast %s" % PREFIX)
        return len(shown.get("paths", ()))
    send_path(sender, 1, tea=TEA)
    send_path(sender, 2, tea=OTHER)
    wait.until(lambda: paths() == 2, "there are two paths")
    wait.until(lambda: {update.tea for update in receiver.updates if PREFIX in update.announced}
               == {TEA, OTHER}, "both are announced, each with its attribute")
    send_path(sender, 2, tea=b"\0")
    wait.until(lambda: paths() == 1, "the broken path is withdrawn")
    send_path(sender, 2, tea=OTHER)
    wait.until(lambda: paths() == 2, "it is back")
    for tail in (b"\xc0\x17", b"\xd0\x17", b"\xc0\x17\x00"):
        send_path(sender, 2, tail)
        wait.until(lambda: paths() == 1, "the cut off path is withdrawn")
        send_path(sender, 2, tea=OTHER)
        wait.until(lambda: paths() == 2, "it is back")


def test_confederation(world):
    """Members of a confederation are no eBGP neighbors: the attribute passes to and from them, but
    not out of the confederation."""
    text = """router bgp 64601
 bgp router-id 10.255.9.1
 no bgp default ipv4-unicast
 no bgp ebgp-requires-policy
 no bgp network import-check
 bgp confederation identifier %d
 bgp confederation peers 64602
""" % dut.ASN
    for address, asn in (("fd00:9::2", 64601), (MORE[0], 64602), (MORE[1], 65112)):
        text += """ neighbor {0} remote-as {1}
 neighbor {0} passive
 neighbor {0} capability extended-nexthop
 neighbor {0} advertisement-interval 0
""".format(address, asn)
    text += " address-family ipv4 unicast\n  network 10.99.0.0/24\n" + "".join(
        "  neighbor %s activate\n" % address for address in ("fd00:9::2", *MORE))
    text += "  neighbor %s route-map SOFTWIRE-OUT out\n exit-address-family\nexit\n" % MORE[0]
    world.configure(text)
    inside = world.at("fd00:9::2", 64601)
    member = world.at(MORE[0], 64602, ibgp=False, segment=3)
    outside = world.at(MORE[1], 65112, ibgp=False)
    inside.announce("10.53.1.0/24", "fd00:9::2", TEA)
    sees(member, "10.53.1.0/24", TEA)
    sees(outside, "10.53.1.0/24", None)
    assert is_ours(member.wait_route("10.99.0.0/24"))
    local_pref = bgp.attribute(bgp.LOCAL_PREF, struct.pack("!I", 100))
    member.announce("10.53.2.0/24", MORE[0], OTHER, extra=local_pref)
    sees(inside, "10.53.2.0/24", OTHER)
    sees(outside, "10.53.2.0/24", None)
    outside.announce("10.53.3.0/24", MORE[1], OTHER)
    sees(inside, "10.53.3.0/24", None)


def test_dynamic_neighbors(world):
    """bgp listen range: the peer-group's rule holds for neighbors that come, go and come again."""
    world.configure(dut.config("""router bgp %d
 neighbor DYN peer-group
 neighbor DYN remote-as external
 neighbor DYN capability extended-nexthop
 neighbor DYN advertisement-interval 0
 bgp listen range fd00:9::10/124 peer-group DYN
 address-family ipv4 unicast
  neighbor DYN activate
 exit-address-family
exit
""" % dut.ASN))
    sender = world.speaker(2)
    sender.announce(PREFIX, "fd00:9::2", TEA)
    first, second = (world.at(a, 65100 + n, ibgp=False) for n, a in enumerate(MORE))
    for peer in (first, second):
        sees(peer, PREFIX, None)
    world.router.configure("bgpd", "router bgp %d\nneighbor DYN tunnel-encapsulation\n" % dut.ASN)
    for peer in (first, second):
        sees(peer, PREFIX, TEA)
    first.announce("10.54.1.0/24", first.local, OTHER)
    sees(sender, "10.54.1.0/24", OTHER)
    first.stop()
    wait.until(lambda: gone(sender, "10.54.1.0/24"), "its route has gone with it")
    sees(world.at(MORE[0], 65100, ibgp=False), PREFIX, TEA)
    assert dut.counters(world.router, 2)["received"] >= 1


def test_graceful_restart(world):
    """A neighbor that restarts gracefully: its routes keep the attribute meanwhile, and have the
    new one afterwards."""
    def capability(flags):
        return struct.pack("!BBHHBB", 64, 6, flags << 12 | 60, 1, 1, 0x80)
    world.configure(dut.config())
    receiver = world.speaker(3)
    before = world.speaker(2, capabilities=capability(0))
    for n in (1, 2, 3):
        before.announce("10.55.%d.0/24" % n, "fd00:9::2", TEA)
    before.send_update()  # End-of-RIB
    sees(receiver, "10.55.3.0/24", TEA)
    known = len(receiver.updates)
    before.stop()

    def stale():
        return "S" in world.router.show("bgpd", "show bgp ipv4 unicast").split("Network")[1]
    wait.until(stale, "its routes are stale")
    after = world.speaker(2, capabilities=capability(8))
    after.announce("10.55.1.0/24", "fd00:9::2", TEA)
    after.announce("10.55.2.0/24", "fd00:9::2", OTHER)
    sees(receiver, "10.55.2.0/24", OTHER)
    assert not any("10.55.1.0/24" in update.withdrawn for update in receiver.updates[known:])
    after.send_update()
    wait.until(lambda: gone(receiver, "10.55.3.0/24"), "what is not announced again goes")
    sees(receiver, "10.55.1.0/24", TEA)


def test_aggregate(world):
    """An aggregate has none of its routes' attributes (RFC 4271 section 9.2.2.2 knows no way to
    merge them); announced with our own next hop it has ours."""
    world.configure(dut.config(line("aggregate-address 10.56.0.0/16"),
                               {3: ("route-map SOFTWIRE-OUT out",)}))
    sender, reflected, open_out = world.speaker(2), world.speaker(3), world.speaker(5)
    sender.announce("10.56.1.0/24", "fd00:9::2", TEA)
    sender.announce("10.56.2.0/24", "fd00:9::2", OTHER)
    sees(open_out, "10.56.1.0/24", TEA)
    sees(open_out, "10.56.0.0/16", None)
    wait.until(lambda: is_ours(reflected.wait_route("10.56.0.0/16")), "the aggregate has ours")
    sees(reflected, "10.56.2.0/24", OTHER)
    world.router.configure("bgpd", line("aggregate-address 10.56.0.0/16 summary-only"))
    wait.until(lambda: gone(reflected, "10.56.2.0/24"), "the routes are suppressed")
    sender.withdraw("10.56.1.0/24")
    sender.withdraw("10.56.2.0/24")
    wait.until(lambda: gone(reflected, "10.56.0.0/16"), "the aggregate goes with its last route")


def test_vpn_export(world):
    """export vpn: the VPN route carries the attribute on iBGP, and none to a filtered neighbor;
    SOFTWIRE-OUT attaches nothing to it, since its packets are MPLS."""
    text = " address-family ipv4 vpn\n" + "".join(
        "  neighbor %s activate\n" % dut.address(n) for n in (3, 5, 6))
    text += "  neighbor %s route-map SOFTWIRE-OUT out\n exit-address-family\n" % dut.address(5)
    world.configure(dut.config("router bgp %d\n%s address-family ipv4 unicast\n"
                               "  rd vpn export 65000:1\n  rt vpn both 65000:1\n"
                               "  label vpn export 77\n  export vpn\n exit-address-family\nexit\n"
                               % (dut.ASN, text)))
    families = ((1, 1), (1, bgp.SAFI_VPN))
    sender = world.speaker(2)
    inside, open_out, closed = (world.speaker(n, families=families) for n in (3, 5, 6))
    value = struct.pack("!HHI", 0, 65000, 1) + bgp.prefix_bytes(PREFIX)[1:]
    vpn = "1/128 %s" % (bytes([24 + 64 + 24]) + value).hex()
    sender.announce(PREFIX, "10.255.9.2", TEA)
    sees(inside, vpn, TEA)
    sees(open_out, vpn, TEA)
    sees(closed, vpn, None)
    sender.announce(PREFIX, "10.255.9.2", OTHER)
    sees(inside, vpn, OTHER)
    sender.announce(PREFIX, "10.255.9.2")
    for peer in (inside, open_out, closed):
        sees(peer, vpn, None)
    sender.announce(PREFIX, "10.255.9.2", b"\0")
    for peer in (inside, open_out, closed):
        wait.until(lambda peer=peer: gone(peer, vpn), "a broken attribute withdraws it")
