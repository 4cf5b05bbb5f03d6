# SPDX-License-Identifier: GPL-2.0-or-later
"""SOFTWIRE-OUT attaches our encap-set where the next hop that goes out is ours, and only there.

Whose next hop goes out is bgpd's to decide: each test has it decide in another way, and looks at
next hop and attribute 23 of the very UPDATE. Where the next hop is another's, the route's own
attribute is unchanged.
"""
import struct
from ipaddress import ip_address

import pytest
from lib import bgpdut as dut
from lib import bgpspeaker as bgp
from lib import netns, wait
from lib.topology import Link

from conftest import run_topology

pytestmark = pytest.mark.no_tunnels

FAR = 8  # an eBGP neighbor on another subnet
NEAR4, FAR4 = 9, 10  # eBGP over IPv4 without RFC 8950, on the LAN of the others and on another one
EXTRA = """router bgp %d
 coalesce-time 10
 neighbor fd00:9::4 disable-connected-check
 neighbor fd00:9::6 tunnel-encapsulation
 neighbor fd00:8::8 remote-as 65008
 neighbor fd00:8::8 passive
 neighbor fd00:8::8 capability extended-nexthop
 neighbor fd00:8::8 advertisement-interval 0
 neighbor fd00:8::8 tunnel-encapsulation
 address-family ipv4 unicast
  network 10.99.0.0/24
  neighbor fd00:8::8 activate
  neighbor fd00:8::8 route-map SOFTWIRE-OUT out
 exit-address-family
 address-family ipv6 unicast
  network 2a01:499::/48
  neighbor fd00:8::8 activate
  neighbor fd00:8::8 route-map SOFTWIRE-OUT out
 exit-address-family
exit
%s
route-map OWN permit 10
 set ipv6 next-hop global fd00:9::1
 call SOFTWIRE-OUT
route-map OTHER permit 10
 call SOFTWIRE-OUT
 on-match next
route-map OTHER permit 20
 set ipv6 next-hop global fd00:9::77
route-map MAPPED permit 10
 set ipv6 next-hop global ::ffff:10.255.9.1
 call SOFTWIRE-OUT
"""
OVER_IPV4 = """router bgp {asn}
 neighbor {0} remote-as {1}
 neighbor {0} passive
 neighbor {0} advertisement-interval 0
 neighbor {0} tunnel-encapsulation
 address-family ipv4 unicast
  neighbor {0} activate
  neighbor {0} route-map SOFTWIRE-OUT out
 exit-address-family
 address-family ipv6 unicast
  neighbor {0} activate
  neighbor {0} route-map SOFTWIRE-OUT out
 exit-address-family
exit
"""
EXTRA = EXTRA % (dut.ASN, OVER_IPV4.format("10.255.9.9", 65009, asn=dut.ASN)
                 + OVER_IPV4.format("10.255.8.8", 65010, asn=dut.ASN))
OUT = "route-map SOFTWIRE-OUT out"
MAPS = {2: (OUT,), 3: (OUT,), 4: ("route-server-client",), 5: ("route-server-client", OUT),
        6: (OUT,)}
OWN = ("fd00:9::1", "fd00:8::1", "::ffff:10.255.9.1", "10.255.9.1", "10.255.8.1")
THEIRS = dut.gre(1) + dut.ipip()
OURS_KEY = struct.pack("!BBI", 1, 4, 100)
ROUTES = ("10.40.0.0/24", "2a01:400::/48")  # with the attribute
BARE = "10.41.0.0/24"  # without


@pytest.fixture(scope="module")
def net():
    topo = dut.topology(EXTRA, MAPS, dut.SWMESH)
    topo.nodes.append("bfar")
    topo.links.append(Link(dut.DUT, "bfar", ["fd00:8::1/64", "10.255.8.1/24"],
                           ["fd00:8::8/64", "10.255.8.8/24"]))
    topo.ip_lines[dut.SPEAKERS] = ["address add 10.255.9.9/24 dev bsp-bdut"]
    topo.ip_lines[dut.DUT] = ["route add 2001:db8:77::/64 via fd00:9::2"]
    yield from run_topology(topo)


@pytest.fixture(scope="module")
def peers(net):
    made = {n: dut.speaker(n) for n in (2, 3, 4, 5, 6)}
    made[FAR] = bgp.Speaker("bfar", "fd00:8::8", "fd00:8::1", 65008, "10.255.8.8",
                            ibgp=False).start()
    for number, node, net4, asn in ((NEAR4, dut.SPEAKERS, "10.255.9.%d", 65009),
                                    (FAR4, "bfar", "10.255.8.%d", 65010)):
        made[number] = bgp.Speaker(node, net4 % (9 if number == NEAR4 else 8), net4 % 1, asn,
                                   "10.255.%d.1" % number, ibgp=False, ext_nexthop=False).start()
    wait.until(lambda: is_ours(made[3].wait_route("2a01:499::/48")), "our own have our attribute")
    yield made
    for peer in made.values():
        peer.stop()


@pytest.fixture()
def router(net, peers):
    """All routes of a test are gone afterwards, and then what it has configured.

    coalesce-time: bgpd never withdraws a route from a neighbor that has moved to another update
    group and still waits for its announcements there."""
    undo = []
    net[dut.DUT].undo = undo
    yield net[dut.DUT]
    for number in (2, 4):
        for prefix in (*ROUTES, BARE):
            peers[number].withdraw(prefix)
    for peer in peers.values():
        wait.until(lambda peer=peer: not set(peer.routes()) & {*ROUTES, BARE},
                   "all is withdrawn from %s" % peer.local)
        peer.assert_up()
    for lines in undo:
        net[dut.DUT].configure("bgpd", lines)
    dut.assert_clean(peers.values())


def bgp_lines(router, *lines, family=()):
    """Lines below router bgp, and below both address families, for the rest of the test."""
    def text(before):
        words = ["router bgp %d" % dut.ASN, *(before + line for line in lines)]
        for name in dut.FAMILIES if family else ():
            words += ["address-family %s" % name, *(before + line for line in family), "exit"]
        return "\n".join(words) + "\n"
    router.configure("bgpd", text(""))
    router.undo.append(text("no "))


def is_ours(update):
    return update.tea is not None and OURS_KEY in update.tea


def announce(sender, hop):
    for prefix in ROUTES:
        sender.announce(prefix, hop, THEIRS)
    sender.announce(BARE, hop)


def expect(receiver, hops, prefixes=(*ROUTES, BARE)):
    """The routes arrive with one of these next hops, and the attribute that belongs to it."""
    ours = set(hops) <= set(OWN)

    def right():
        for prefix in prefixes:
            update = receiver.routes().get(prefix)
            assert update, "%s has not come" % prefix
            what = "%s: next hop %s, attribute %s" % (
                prefix, update.nexthop, update.tea and update.tea.hex())
            assert update.nexthop in hops, what
            if ours:
                assert is_ours(update), what
            else:
                assert update.tea == (None if prefix == BARE else THEIRS), what
        return True
    wait.until(right, "%s is sent next hop and attribute of one router" % receiver.local)


def test_reflected(router, peers):
    """A reflector with allow-outbound-policy: another's next hop keeps his attribute."""
    bgp_lines(router, "bgp route-reflector allow-outbound-policy")
    announce(peers[2], "fd00:9::2")
    expect(peers[3], ["fd00:9::2"])


def test_reflected_next_hop_self(router, peers):
    """next-hop-self, which does not hold for reflected routes (bgp_route.c:2443)."""
    bgp_lines(router, "bgp route-reflector allow-outbound-policy",
              family=["neighbor fd00:9::3 next-hop-self"])
    announce(peers[2], "fd00:9::2")
    expect(peers[3], ["fd00:9::2"])
    wait.until(lambda: is_ours(peers[3].wait_route("10.99.0.0/24")), "our own route has ours")


@pytest.mark.parametrize("policy", [True, False])
def test_forced(router, peers, policy):
    """next-hop-self force makes the next hop ours, whether the reflector may change attributes
    or not: so is the attribute. A changed encap-set is announced again."""
    bgp_lines(router, *["bgp route-reflector allow-outbound-policy"] * policy,
              family=["neighbor fd00:9::3 next-hop-self force"])
    announce(peers[2], "fd00:9::2")
    expect(peers[3], OWN)
    router.configure("swmeshd", "softwire mesh\nencap-set EDGE\ntunnel 5 ip-in-ip\n")
    wait.until(lambda: (peers[3].routes()[ROUTES[0]].tea or b"")[:2] == b"\0\7",
               "the new order is announced")
    router.configure("swmeshd", "softwire mesh\nencap-set EDGE\nno tunnel 5\n")
    expect(peers[3], OWN)


def test_third_party(router, peers):
    """An eBGP neighbor on the subnet of the next hop gets that one, with the attribute that came
    with it; one on another subnet gets our address and our attribute. (bgpd knows no IPv6 next
    hop of a third party for IPv4.)"""
    announce(peers[2], "fd00:9::2")
    expect(peers[6], ["fd00:9::2"], ROUTES[1:])
    expect(peers[6], OWN, (ROUTES[0], BARE))
    expect(peers[FAR], OWN)


def test_far_next_hop(router, peers):
    """A next hop on nobody's subnet becomes ours on eBGP."""
    announce(peers[2], "2001:db8:77::1")
    expect(peers[6], OWN)
    expect(peers[FAR], OWN)


def test_transparent(router, peers):
    """Between clients of a route server the next hop stays; but our own routes have ours."""
    wait.until(lambda: is_ours(peers[5].wait_route("2a01:499::/48")), "our own route has ours")
    announce(peers[4], "fd00:9::4")
    expect(peers[5], ["fd00:9::4"])
    announce(peers[4], "2001:db8:77::1")
    expect(peers[5], ["2001:db8:77::1"])
    expect(peers[FAR], OWN)


def test_unchanged(router, peers):
    """attribute-unchanged next-hop."""
    bgp_lines(router, family=["neighbor fd00:8::8 attribute-unchanged next-hop"])
    announce(peers[2], "2001:db8:77::1")
    expect(peers[FAR], ["2001:db8:77::1"])


def test_route_map(router, peers):
    """A route-map sets the next hop, before or after ours: another's, or an address of ours."""
    def use(name):
        router.configure("bgpd", "router bgp %d\n" % dut.ASN + "".join(
            "address-family %s\nneighbor fd00:8::8 route-map %s out\nexit\n" % (family, name)
            for family in dut.FAMILIES))
    use("OWN")
    announce(peers[2], "2001:db8:77::1")
    expect(peers[FAR], ["fd00:9::1"])
    use("OTHER")
    expect(peers[FAR], ["fd00:9::77"])
    use("SOFTWIRE-OUT")
    expect(peers[FAR], ["fd00:8::1"])


def test_ipv4_next_hop(router, peers):
    """A route with an IPv4 next hop, to a neighbor that takes IPv6 ones: bgpd writes its own."""
    peers[2].announce(ROUTES[0], "10.255.9.2", THEIRS)
    update = wait.until(lambda: peers[FAR].routes().get(ROUTES[0]), "the route comes")
    assert update.nexthop in OWN and is_ours(update), (update.nexthop, update.tea)


def sees(receiver, prefix, hop, ours):
    """What is sent of a route: this next hop, and the attribute of whose it is."""
    def right():
        update = receiver.routes().get(prefix)
        assert update and ip_address(update.nexthop) == ip_address(hop), update
        assert is_ours(update) if ours else update.tea == THEIRS, update.tea
        return True
    wait.until(right, "%s is sent %s with %s" % (receiver.local, prefix, hop))


@pytest.mark.parametrize("hop", ["10.255.9.2", "10.255.9.77"])
def test_third_party_ipv4(router, peers, hop):
    """An IPv4 next hop of a third router, our neighbor or not: who is on its subnet gets that,
    with the attribute that came with it, over IPv4; another one our address and our attribute."""
    peers[2].announce(ROUTES[0], hop, THEIRS)
    sees(peers[NEAR4], ROUTES[0], hop, False)
    sees(peers[FAR4], ROUTES[0], "10.255.8.1", True)
    sees(peers[NEAR4], "10.99.0.0/24", "10.255.9.1", True)  # our own


def test_third_party_ipv4_of_a_softwire(router, peers):
    """The same when we reach the next hop by a softwire: SOFTWIRE-IN has put the SW-NHOP in its
    place."""
    bgp_lines(router, family=["neighbor fd00:9::2 route-map SOFTWIRE-IN in"])
    peers[2].announce(ROUTES[0], "10.255.9.2", THEIRS)

    def softwires():
        return [n["swNhop"] for n in router.json("bgpd", "show bgp softwire")["nextHops"]]
    (nhop,) = wait.until(softwires, "the route has a SW-NHOP")
    route = ["ip", "-6", "route", "add", nhop + "/128", "dev", "bdut-bsp", "proto", "77"]
    netns.run(dut.DUT, route)
    try:
        sees(peers[NEAR4], ROUTES[0], "10.255.9.2", False)
        sees(peers[FAR4], ROUTES[0], "10.255.8.1", True)
    finally:
        route[3] = "del"
        netns.run(dut.DUT, route)


def test_mapped_next_hop(router, peers):
    """An IPv4-mapped next hop is an IPv4 one (B13): another's, or ours."""
    hop = "::ffff:10.255.9.77"
    bgp_lines(router, family=["neighbor fd00:8::8 attribute-unchanged next-hop"])
    for prefix in ROUTES:
        peers[2].announce(prefix, hop, THEIRS)
        sees(peers[FAR], prefix, hop, False)
    sees(peers[NEAR4], ROUTES[0], "10.255.9.1", True)  # bgpd has no IPv4 next hop for it
    router.configure("bgpd", "router bgp %d\naddress-family ipv6 unicast\n"
                     "neighbor fd00:8::8 route-map MAPPED out\n" % dut.ASN)
    try:
        sees(peers[FAR], ROUTES[1], "::ffff:10.255.9.1", True)
    finally:
        router.configure("bgpd", "router bgp %d\naddress-family ipv6 unicast\n"
                         "neighbor fd00:8::8 route-map SOFTWIRE-OUT out\n" % dut.ASN)


def test_community(router, peers):
    """An Encapsulation community means a tunnel to the next hop: it stays with the next hop."""
    community = bgp.attribute(bgp.EXT_COMMUNITY, struct.pack("!BBIH", 3, 12, 0, 2))
    peers[2].announce(ROUTES[0], "fd00:9::2", extra=community)
    near = wait.until(lambda: peers[5].routes().get(ROUTES[0]), "the route comes")
    assert near.nexthop == "fd00:9::2" and near.tea is None
    assert near.attributes[bgp.EXT_COMMUNITY][1] == community[3:]
    far = wait.until(lambda: peers[FAR].routes().get(ROUTES[0]), "the route comes")
    assert far.nexthop in OWN and is_ours(far)
    assert bgp.EXT_COMMUNITY not in far.attributes


def test_refreshed(router, peers):
    """A refresh for one of several neighbors splits their subgroup and announces all in one go:
    with the attribute."""
    before = len(peers[3].updates)
    for _ in range(3):
        peers[3].send(bgp.ROUTE_REFRESH, struct.pack("!HBB", bgp.AFI_IPV4, 0, bgp.SAFI_UNICAST))
        wait.until(lambda: any("10.99.0.0/24" in update.announced
                               for update in peers[3].updates[before:]), "announced again")
        again = [update for update in peers[3].updates[before:]
                 if "10.99.0.0/24" in update.announced]
        assert all(is_ours(update) for update in again)
        before = len(peers[3].updates)
