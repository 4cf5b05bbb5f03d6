# SPDX-License-Identifier: GPL-2.0-or-later
"""SOFTWIRE-IN, SOFTWIRE-OUT, SW-NHOPs and the talk with swmeshd, against raw BGP speakers.

No tunnel is needed: what swmeshd would do to bring a softwire up, a host route for its SW-NHOP,
the test does itself, by a route of another protocol number.
"""
import signal

import pytest
from lib import bgpdut as dut
from lib import bgpspeaker as bgp
from lib import kernel, netns, wait
from lib.bgpspeaker import EXT_COMMUNITY, attribute

from conftest import run_topology

pytestmark = pytest.mark.no_tunnels

SWMESH = """softwire mesh
 transit ipv6 source fd00:9::1
 encap-set EDGE
  tunnel 10 gre key 100
  payload ipv4
  payload ipv6
 exit
 encap-set SIX
  tunnel 10 ip-in-ip
  payload ipv6
 exit
exit
"""
MAPS = {2: ("route-map SOFTWIRE-IN in",), 3: ("route-map SOFTWIRE-OUT out",),
        5: ("route-map CALLS out",)}
CALLS = """route-map CALLS permit 10
 call SOFTWIRE-OUT-SIX
 set metric 3
route-map COLOURED permit 10
 set sr-te color 5
 call SOFTWIRE-IN
"""
PREFIX = "fd53:574d:4553:4800:"
TEA = dut.gre(1)
HOPS = {"10.40.0.0/24": "fd00:9::2", "10.40.1.0/24": "10.255.9.2",
        "2a01:400::/48": "fd00:9::2", "2a01:401::/48": "::ffff:10.255.9.2"}
TEST_PROTOCOL = 77


@pytest.fixture(scope="module")
def net():
    yield from run_topology(dut.topology(CALLS, MAPS, SWMESH))


@pytest.fixture(scope="module")
def peers(net):
    made = {n: dut.speaker(n) for n in (2, 3, 4, 5)}
    yield made
    for peer in made.values():
        peer.stop()


@pytest.fixture()
def router(net, peers):
    """With the module and swmeshd in agreement; all routes gone afterwards."""
    wait.until(lambda: talk(net[dut.DUT])["state"] == "synced", "bgpd and swmeshd agree")
    yield net[dut.DUT]
    for prefix in list(routes(net[dut.DUT])):
        if not prefix.startswith("10.99."):
            peers[2].withdraw(prefix)
            peers[4].withdraw(prefix)
    for peer in peers.values():
        peer.assert_up()


def show(router):
    return router.json("bgpd", "show bgp softwire")


def talk(router):
    return show(router)["swmeshd"]


def routes(router):
    """Prefix -> (valid, next hops) of the (only) path."""
    found = {}
    for family in ("ipv4", "ipv6"):
        table = router.json("bgpd", "show bgp %s unicast" % family)["routes"]
        for prefix, paths in table.items():
            found[prefix] = (bool(paths[0].get("valid")),
                             [hop["ip"] for hop in paths[0]["nexthops"]])
    return found


def sw_nhop(router, prefix):
    """The SW-NHOP that a route has."""
    def has():
        hops = [hop for hop in routes(router)[prefix][1] if hop.startswith(PREFIX)]
        assert hops, routes(router)[prefix]
        return hops[0]
    wait.until(lambda: prefix in routes(router), "%s is there" % prefix)
    return wait.until(has, "%s has a SW-NHOP" % prefix)


def host_route(router, nhop, add=True):
    netns.run(dut.DUT, ["ip", "-6", "route", "add" if add else "del", nhop + "/128", "dev",
                        "bdut-bsp", "proto", str(TEST_PROTOCOL)])


def valid(router, prefix):
    return routes(router).get(prefix, (False,))[0]


def announce_all(peers, tea=TEA):
    for prefix, hop in HOPS.items():
        peers[2].announce(prefix, hop, tea)


def test_sw_nhops(router, peers):
    """A SW-NHOP for each next hop, form and family; invalid until its host route is there (B3)."""
    announce_all(peers)
    found = {prefix: sw_nhop(router, prefix) for prefix in HOPS}
    assert len(set(found.values())) == 4  # what carries IPv4 need not carry IPv6
    assert not any(valid(router, prefix) for prefix in HOPS)
    assert not any(prefix in peers[3].routes() for prefix in HOPS)
    for nhop in set(found.values()):
        host_route(router, nhop)
    for prefix in HOPS:
        wait.until(lambda: valid(router, prefix), "%s is valid" % prefix)
        # Reflected: the route's own next hop and attribute, never the SW-NHOP.
        update = peers[3].wait_route(prefix)
        assert update.tea == TEA
        assert update.nexthop.replace("::ffff:aff:902", "::ffff:10.255.9.2") in (
            HOPS[prefix], "::ffff:" + HOPS[prefix]), update.nexthop

    def in_kernel():
        for family in (4, 6):
            text = netns.run(dut.DUT, ["ip", "-%d" % family, "route", "show", "proto", "bgp"])
            for prefix in HOPS:
                if (":" in prefix) == (family == 6):
                    line = [one for one in text.splitlines() if one.startswith(prefix)]
                    assert line and found[prefix] in line[0], text
        return True
    wait.until(in_kernel, "zebra has given the routes to the kernel, by their SW-NHOPs")
    for nhop in set(found.values()):
        host_route(router, nhop, False)
    for prefix in HOPS:
        wait.until(lambda: not valid(router, prefix), "%s is invalid again" % prefix)
        wait.until(lambda: prefix not in peers[3].routes(), "%s is withdrawn" % prefix)
    for peer in peers.values():
        assert not any(PREFIX in str(update.nexthop) for update in peer.updates)


def test_next_hop_was_ours(router, peers):
    """A next hop's address is put on us for a moment (a cloned router): its routes cannot be used
    meanwhile, and can again as soon as it is gone, though nothing has changed for their SW-NHOP."""
    prefix, hop = "10.41.0.0/24", "2a01:700::9"
    peers[2].announce(prefix, hop, TEA)
    nhop = sw_nhop(router, prefix)
    host_route(router, nhop)
    wait.until(lambda: valid(router, prefix), "it is valid")
    netns.run(dut.DUT, ["ip", "address", "add", hop + "/128", "dev", "lo", "nodad"])
    wait.until(lambda: hop in router.show("zebra", "show ipv6 route connected"), "it is ours")
    host_route(router, nhop, False)
    wait.until(lambda: not valid(router, prefix), "without its host route it is not")
    host_route(router, nhop)
    wait.until(lambda: nhop in router.show("zebra", "show ipv6 route"), "zebra has the host route")
    wait.holds(lambda: not valid(router, prefix), "a next hop of our own is none", 1)
    netns.run(dut.DUT, ["ip", "address", "del", hop + "/128", "dev", "lo"])
    wait.until(lambda: valid(router, prefix), "it is valid again")
    host_route(router, nhop, False)


def test_prefix_changes(router, peers):
    """Another SW-NHOP prefix while routes are there: they get SW-NHOPs out of it, each is counted
    once, and nothing stays of the old ones; and back again at once."""
    announce_all(peers)
    before = {prefix: sw_nhop(router, prefix) for prefix in HOPS}

    def known():
        return {n["swNhop"]: n["routesIpv4"] + n["routesIpv6"]
                for n in router.json("swmeshd", "show softwire")["swNhops"]}

    def moved(start):
        now = known()
        assert len(now) == len(HOPS) and set(now.values()) == {1}, now
        assert all(nhop.startswith(start) for nhop in now), now
        hops = [routes(router)[prefix][1] for prefix in HOPS]
        assert all(any(hop in now for hop in of_one) for of_one in hops), hops
        return True

    wait.until(lambda: moved(PREFIX), "swmeshd knows the SW-NHOPs")
    for line, start in (("sw-nhop prefix fd77:1::/64", "fd77:1:"), ("no sw-nhop prefix", PREFIX)):
        router.configure("swmeshd", "softwire mesh\n%s\n" % line)
        wait.until(lambda: moved(start), "all SW-NHOPs are of %s" % start)
    assert {prefix: sw_nhop(router, prefix) for prefix in HOPS} == before


# Two endpoints whose SW-NHOPs have the same low 32 bits, by the machine id that this router has
# and with this next hop: found by trying 200,000.
ONE, SAME = "2a01:100::3606", "2a01:100::4ff0"
FIRST, SECOND = "10.46.0.0/24", "10.46.1.0/24"


def test_collision(router, peers):
    """Two pairs with one SW-NHOP, by a prefix that leaves 32 bits: it stays the first one's, the
    second one's routes are refused, by whomever they come, rather than sent to the wrong AFBR.
    They come in when the first is gone, and swmeshd has heard of that; or by another prefix."""
    nhop, hop = "fd77:1::9a25:b24", HOPS["10.40.0.0/24"]

    def has(endpoint):
        """The module and swmeshd have the SW-NHOP for that one."""
        teas = [n["tea"]["propagate"] for n in show(router)["nextHops"] if n["swNhop"] == nhop]
        ends = [n["candidates"][0]["endpoint"] for n in router.json(
            "swmeshd", "show softwire detail")["swNhops"] if n["swNhop"] == nhop]
        return (teas, ends) == ([dut.gre(None, endpoint).hex()], [endpoint])

    def use(line, prefixes, start):
        router.configure("swmeshd", "softwire mesh\n%s\n" % line)
        wait.until(lambda: {p: hops[-1][:len(start)] for p, (_, hops) in routes(router).items()
                            if p in (FIRST, SECOND)} == dict.fromkeys(prefixes, start),
                   "with '%s' there are %s" % (line, prefixes))

    use("sw-nhop prefix fd77:1::/96", [], "")
    try:
        peers[2].announce(FIRST, hop, dut.gre(None, ONE))
        wait.until(lambda: has(ONE), "it is the first one's")
        denied = dut.counters(router, 2).get("denied", 0)
        peers[2].announce(SECOND, hop, dut.gre(None, SAME))
        wait.until(lambda: dut.counters(router, 2)["denied"] > denied, "the second is refused")
        use("no sw-nhop prefix", [FIRST, SECOND], PREFIX)
        use("sw-nhop prefix fd77:1::/96", [FIRST], "fd77:1::")
        assert has(ONE)
        with router["swmeshd"].frozen():
            peers[2].withdraw(FIRST)
            wait.holds(lambda: SECOND not in routes(router),
                       "swmeshd, and so the kernel, has the first one's softwire", 13)
        wait.until(lambda: has(SAME) and SECOND in routes(router), "the second comes in")
    finally:
        router.configure("swmeshd", "softwire mesh\nno sw-nhop prefix\n")


def test_keys_change(router, peers):
    """S5: an AFBR that changes its keys keeps its SW-NHOP; no route is withdrawn meanwhile.

    Each route passes on the very attribute it came with (B8), and swmeshd is told the latest.
    """
    old, new = bytes(range(20)), bytes(range(100, 120))

    def tea(*hashes):
        keys = [dut.sub(3, b"\0\1" + one) for one in hashes]
        return dut.gre(1, "2a01:100::1", *keys, dut.sub(253, b"SWPK" + hashes[-1]))

    def told():
        afbrs = router.json("swmeshd", "show softwire afbr")["afbrs"]
        found = [one["announcedKeys"] for one in afbrs if one["endpoint"] == "2a01:100::1"]
        return sorted(found[0]) if found else None

    def sent(prefix, value):
        update = peers[3].routes().get(prefix)
        return update is not None and update.tea == value

    prefixes = ["10.40.0.0/24", "10.40.2.0/24", "2a01:400::/48", "10.40.1.0/24"]
    hops = dict(HOPS, **{"10.40.2.0/24": HOPS["10.40.0.0/24"]})
    wait.until(lambda: not set(prefixes) & set(routes(router)), "none of them is there yet")
    for prefix in prefixes:
        peers[2].announce(prefix, hops[prefix], tea(old))
    found = {prefix: sw_nhop(router, prefix) for prefix in prefixes}
    assert len(set(found.values())) == 3
    peers[2].announce("10.40.3.0/24", hops["10.40.0.0/24"], TEA)
    assert sw_nhop(router, "10.40.3.0/24") not in found.values()  # not protected
    peers[2].withdraw("10.40.3.0/24")
    for nhop in set(found.values()):
        host_route(router, nhop)
    try:
        for prefix in prefixes:
            wait.until(lambda: sent(prefix, tea(old)), "%s is passed on" % prefix)
        wait.until(lambda: told() == [old.hex()], "swmeshd is told the key")
        mark = len(peers[3].updates)
        for value in (tea(old, new), tea(new)):
            peers[2].announce(prefixes[0], hops[prefixes[0]], value)
            wait.until(lambda: sent(prefixes[0], value), "the first has the new attribute")
            assert not any(sent(prefix, value) for prefix in prefixes[1:])  # its own each
            for prefix in prefixes[1:]:
                peers[2].announce(prefix, hops[prefix], value)
            for prefix in prefixes:
                wait.until(lambda: sent(prefix, value), "%s has the new attribute" % prefix)
                assert sw_nhop(router, prefix) == found[prefix]
                assert valid(router, prefix)
        wait.until(lambda: told() == [new.hex()], "swmeshd is told the new key alone")
        assert not any(update.withdrawn for update in peers[3].updates[mark:])
        entries = [one for one in show(router)["nextHops"] if one["swNhop"] in found.values()]
        assert len(entries) == 3
        assert {one["tea"]["propagate"] for one in entries} == {tea(new).hex()}
    finally:
        for nhop in set(found.values()):
            host_route(router, nhop, False)


def test_default_route_never_counts(router, peers):
    """Neither a default route nor one to a shorter prefix stands in for a SW-NHOP.

    The tunnel is VXLAN, which no set of ours has: swmeshd never brings such a softwire up,
    though its endpoint can be reached by the default route.
    """
    router.configure("zebra", "ip nht resolve-via-default\nipv6 nht resolve-via-default\n")
    lines = ["default via fd00:9::4", "fd53:574d::/32 dev bdut-bsp",
             "fd53:574d:4553:4800::/65 dev bdut-bsp", "fd53:574d:4553:4800:8000::/65 dev bdut-bsp"]
    for line in lines:
        netns.run(dut.DUT, ["ip", "-6", "route", "add", *line.split()])
    try:
        announce_all(peers, dut.tlv(8, dut.endpoint()))
        peers[2].announce("10.41.0.0/24", "2a01:dead::1")  # no TEA: the default route counts
        wait.until(lambda: valid(router, "10.41.0.0/24"), "the default route resolves others")
        for prefix in HOPS:
            sw_nhop(router, prefix)
        text = router.show("zebra", "show ipv6 nht")
        assert text.count(PREFIX) >= 3, text
        wait.holds(lambda: not any(valid(router, prefix) for prefix in HOPS),
                   "no SW-NHOP is resolved", 3)
    finally:
        for line in lines:
            netns.run(dut.DUT, ["ip", "-6", "route", "del", *line.split()])
        router.configure("zebra", "no ip nht resolve-via-default\n"
                                  "no ipv6 nht resolve-via-default\n")


def test_told_once(router, peers):
    """swmeshd hears of a softwire once, with the number of routes, however many there are."""
    before = talk(router)["itemsOut"]
    began = talk(router)["framesIn"]
    for i in range(500):
        peers[2].announce("10.%d.%d.0/24" % (100 + i // 250, i % 250), "fd00:9::2", TEA)

    def counted():
        return [n for n in show(router)["nextHops"] if n["routesIpv4"] == 500]
    entry = wait.until(counted, "500 routes are counted")[0]
    assert entry["neighbors"] == [dut.address(2)] and entry["nextHop"] == "fd00:9::2"
    wait.until(lambda: "500 IPv4 routes" in router.show("swmeshd", "show softwire detail"),
               "swmeshd knows the number")
    hellos = talk(router)["framesIn"] - began + 2
    assert talk(router)["itemsOut"] - before <= 8 + hellos
    for i in range(500):
        peers[2].withdraw("10.%d.%d.0/24" % (100 + i // 250, i % 250))
    wait.until(lambda: entry["swNhop"] not in router.show("swmeshd", "show softwire detail"),
               "swmeshd is told that nobody uses it")
    assert not [n for n in show(router)["nextHops"] if n["swNhop"] == entry["swNhop"]]


def test_community_alone(router, peers):
    """B2: the Encapsulation extended community counts as a TLV with the next hop for endpoint."""
    community = attribute(EXT_COMMUNITY, bytes.fromhex("030c000000000002"))
    peers[2].announce("10.42.0.0/24", "fd00:9::2", extra=community)
    nhop = sw_nhop(router, "10.42.0.0/24")
    entry = [n for n in show(router)["nextHops"] if n["swNhop"] == nhop][0]
    assert [t["name"] for t in entry["tea"]["tunnels"]] == ["gre"]
    assert entry["tea"]["propagate"] == "000200080606000000000000"


def test_peer_policy(router, peers):
    """Without the attribute: as it is, or refused under "peer policy required"."""
    peers[2].announce("10.43.0.0/24", "fd00:9::2")
    wait.until(lambda: valid(router, "10.43.0.0/24"), "the route is valid")
    router.configure("swmeshd", "softwire mesh\npeer policy required\n")
    wait.until(lambda: "10.43.0.0/24" not in routes(router), "the route is refused")
    assert dut.counters(router, 2)["denied"] > 0
    router.configure("swmeshd", "softwire mesh\nno peer policy required\n")
    wait.until(lambda: valid(router, "10.43.0.0/24"), "the route is back (soft reconfiguration)")


def test_announced(router, peers):
    """SOFTWIRE-OUT gives routes of our own the encap-set; a change needs no new session."""
    router.configure("bgpd", """router bgp %d
address-family ipv4 unicast
network 10.99.0.0/24
exit
address-family ipv6 unicast
network 2a01:499::/48
exit
""" % dut.ASN)
    peers[4].announce("10.44.0.0/24", "fd00:9::4")  # eBGP: next hop stays, no attribute

    def kinds(number, prefix):
        update = peers[number].routes().get(prefix)
        return update and update.tea and update.tea[:2].hex()
    wait.until(lambda: kinds(3, "10.99.0.0/24") == "0002", "GRE is announced")
    wait.until(lambda: kinds(3, "2a01:499::/48") == "0002", "GRE is announced for IPv6")
    # CALLS: SIX carries IPv6 alone.
    wait.until(lambda: kinds(5, "2a01:499::/48") == "0007", "SIX is announced by name")
    assert peers[5].wait_route("10.99.0.0/24").tea is None
    assert peers[5].routes()["10.99.0.0/24"].attributes[bgp.MED][1] == b"\0\0\0\3"
    assert peers[3].wait_route("10.44.0.0/24").tea is None
    router.configure("swmeshd", "softwire mesh\nencap-set EDGE\ntunnel 5 ip-in-ip\n")
    wait.until(lambda: kinds(3, "10.99.0.0/24") == "0007", "the new order is announced")
    router.configure("swmeshd", "softwire mesh\nannounce encap-set SIX\n")
    wait.until(lambda: peers[3].routes()["10.99.0.0/24"].tea is None, "SIX carries no IPv4")
    router.configure("swmeshd", "softwire mesh\nno announce encap-set SIX\n"
                                "encap-set EDGE\nno tunnel 5\n")
    wait.until(lambda: kinds(3, "10.99.0.0/24") == "0002", "GRE is back")


def test_coloured(router, peers):
    """"set sr-te color" of a route-map that calls ours: the route resolves by its softwire, and is
    counted."""
    lines = "router bgp %d\naddress-family ipv4 unicast\nneighbor %s route-map %%s in\n" % (
        dut.ASN, dut.address(2))
    router.configure("bgpd", lines % "COLOURED")
    peers[2].announce("10.47.0.0/24", "fd00:9::2", TEA)
    nhop = sw_nhop(router, "10.47.0.0/24")
    host_route(router, nhop)
    wait.until(lambda: valid(router, "10.47.0.0/24"), "the route is valid")
    wait.until(lambda: [n["routesIpv4"] for n in show(router)["nextHops"]
                        if n["swNhop"] == nhop] == [1], "it is counted")
    host_route(router, nhop, False)
    wait.until(lambda: not valid(router, "10.47.0.0/24"), "the route is invalid")
    router.configure("bgpd", lines % "SOFTWIRE-IN")


def test_route_maps_stay(router, peers):
    """Our route-maps are no configuration, and come back when removed."""
    text = router.show("bgpd", "show running-config")
    assert "route-map SOFTWIRE" not in [line.split(" permit")[0] for line in text.splitlines()]
    router.configure("bgpd", "route-map SOFTWIRE-IN permit 10\nset metric 5\n")
    assert "route-map SOFTWIRE-IN permit 10" in router.show("bgpd", "show running-config")
    router.configure("bgpd", "no route-map SOFTWIRE-IN\n")
    assert "route-map SOFTWIRE-IN" not in [
        line.split(" permit")[0] for line in
        router.show("bgpd", "show running-config").splitlines()]
    assert "softwire-next-hop" in router.show("bgpd", "show route-map SOFTWIRE-IN")
    peers[2].announce("10.45.0.0/24", "fd00:9::2", TEA)
    # Long before bgpd's timer for changed maps (5 s): neighbors must not use the removed one, whose
    # memory is free, until then.
    wait.until(lambda: "10.45.0.0/24" in routes(router), "the new map is used", 3)
    sw_nhop(router, "10.45.0.0/24")


def test_swmeshd_killed(router, peers):
    """swmeshd killed and restarted: SW-NHOPs stay the same, both sides resynchronise."""
    announce_all(peers)
    before = {prefix: sw_nhop(router, prefix) for prefix in HOPS}
    nhop = before["10.40.0.0/24"]
    host_route(router, nhop)
    wait.until(lambda: valid(router, "10.40.0.0/24"), "the route is valid")
    resyncs, full = talk(router)["resyncs"], talk(router)["fullStates"]
    router["swmeshd"].kill()
    wait.holds(lambda: valid(router, "10.40.0.0/24"), "the route stays valid", 1)
    router["swmeshd"].start()
    wait.until(lambda: talk(router)["resyncs"] > resyncs and talk(router)["fullStates"] > full
               and talk(router)["state"] == "synced", "both sides have asked for all")
    assert valid(router, "10.40.0.0/24")
    assert {prefix: sw_nhop(router, prefix) for prefix in HOPS} == before
    wait.until(lambda: nhop in router.show("swmeshd", "show softwire detail"),
               "swmeshd knows the softwire")
    host_route(router, nhop, False)


def test_zebra_restarted(router, peers):
    """zebra restarted: the talk goes on, next-hop tracking works again."""
    announce_all(peers)
    nhop = sw_nhop(router, "10.40.0.0/24")
    router["zebra"].stop(signal.SIGTERM)
    router["zebra"].start()
    host_route(router, nhop)
    wait.until(lambda: valid(router, "10.40.0.0/24"), "the route is valid")
    wait.until(lambda: talk(router)["state"] == "synced" and talk(router)["connected"],
               "bgpd and swmeshd agree")
    host_route(router, nhop, False)
    wait.until(lambda: not valid(router, "10.40.0.0/24"), "the route is invalid")
    assert kernel.routes(dut.DUT, 4) is not None


def test_bgpd_restarted(net, router, peers):
    """bgpd restarted: the same SW-NHOPs, and swmeshd forgets what is gone."""
    announce_all(peers)
    before = {prefix: sw_nhop(router, prefix) for prefix in HOPS}
    router["bgpd"].restart()
    for number in list(peers):
        peers[number].stop()
        peers[number] = dut.speaker(number)
    peers[2].announce("10.40.0.0/24", "fd00:9::2", TEA)
    assert sw_nhop(router, "10.40.0.0/24") == before["10.40.0.0/24"]
    wait.until(lambda: before["10.40.1.0/24"] not in
               router.show("swmeshd", "show softwire detail"), "swmeshd forgets the others")
    wait.until(lambda: before["10.40.0.0/24"] in router.show("swmeshd", "show softwire detail"),
               "and has heard of the first")


def test_configured_while_the_address_is_away(router, peers):
    """The transit source goes, a tunnel changes meanwhile, and it comes back: the module then
    announces what is configured now."""
    source = "fd00:9:77::1"

    def configure(*lines):
        router.configure("swmeshd", "softwire mesh\n" + "\n".join(lines) + "\n")

    def announced():
        (edge,) = [s for s in show(router)["encapSets"] if s["name"] == "EDGE"]
        return edge["tea"]["propagate"] if edge["announced"] else ""

    netns.ip_batch(dut.DUT, ["address add %s/128 dev lo nodad" % source])
    try:
        wait.until(lambda: source in router.show("zebra", "show interface lo"), "zebra has it")
        configure("transit ipv6 source " + source)
        before = wait.until(announced, "EDGE is announced")
        netns.ip_batch(dut.DUT, ["address del %s/128 dev lo" % source])
        wait.until(lambda: router.json("swmeshd", "show softwire json")["status"]
                   == "waiting-for-address", "swmeshd waits for it")
        configure("encap-set EDGE", "tunnel 10 gre key 101")
        wait.until(lambda: not announced(), "nothing is announced without it")
        netns.ip_batch(dut.DUT, ["address add %s/128 dev lo nodad" % source])
        now = wait.until(announced, "EDGE is announced again")
        assert now != before and "01040000006" in now  # the key: 0x65
    finally:
        configure("transit ipv6 source fd00:9::1", "encap-set EDGE", "tunnel 10 gre key 100")
        netns.ip_batch(dut.DUT, ["address del %s/128 dev lo" % source])
    wait.until(announced, "all is as before")
