# SPDX-License-Identifier: GPL-2.0-or-later
"""How many softwires a neighbor may have: `maximum-softwires`, shares, and what
becomes of refused routes. A hostile neighbor has a distinct attribute for every route."""
import re
import struct

import pytest
from lib import bgpdut as dut
from lib import bgpspeaker as bgp
from lib import netns, vty, wait
from lib.bgplimits import agree, limits, row, settled

from conftest import run_topology

pytestmark = pytest.mark.no_tunnels

IN = ("route-map SOFTWIRE-IN in",)
# Of the second one bgpd stores the routes that are refused, of the third not.
STORED, HOSTILE, OTHER = 2, 3, 4
POOL, SHARE = 8192, 6144  # of all neighbors, and of one that is alone


@pytest.fixture(scope="module")
def net():
    yield from run_topology(dut.topology("", {n: IN for n in (STORED, HOSTILE, OTHER)}, dut.SWMESH))


@pytest.fixture()
def world(net):
    """Speakers without routes, no limit configured. What the test before had stored lingers for ten
    seconds and counts for shares, and twice a limit: the numbers below leave room for it."""
    world = dut.World(net, (STORED, HOSTILE, OTHER))
    router = world.router
    agree(router)
    yield world
    world.assert_fine()
    world.close()
    for line in re.findall(r"^ (.* maximum-softwires .*)$", running(router), re.M):
        configure(router, "no " + line)
    wait.until(lambda: not table(router), "the routes are gone")


def configure(router, *lines):
    router.configure("bgpd", "router bgp %d\n" % dut.ASN + "\n".join(lines) + "\n")


def running(router):
    return router.show("bgpd", "show running-config")


def prefix(number, family=10):
    return "%d.%d.%d.0/24" % (family, number >> 8, number & 255)


def update(speaker, number, tea, family=10):
    """The octets of an UPDATE with one IPv4 route."""
    hop = bytes(bgp.ipaddress.ip_address(speaker.local).packed)
    attributes = (speaker.base_attributes()
                  + bgp.attribute(bgp.MP_REACH, struct.pack("!HBB", 1, 1, 16) + hop + b"\0"
                                  + bgp.prefix_bytes(prefix(number, family)))
                  + bgp.attribute(bgp.TUNNEL_ENCAP, tea))
    body = struct.pack("!HH", 0, len(attributes)) + attributes
    return bgp.message(bgp.UPDATE, body)


def flood(speaker, numbers, family=10):
    """A distinct attribute for each route: another endpoint."""
    data = [update(speaker, n, dut.gre(None, "2a01:100:%x::%x" % (family, n + 1)), family)
            for n in numbers]
    for at in range(0, len(data), 500):
        speaker.send_raw(b"".join(data[at : at + 500]))


def withdraw(speaker, numbers):
    speaker.send_update(withdrawn=b"".join(bgp.prefix_bytes(prefix(n)) for n in numbers))


def table(router):
    """bgpd's routes. A withdrawn one is there until its work queue has run, when it is counted no
    more: so wait for what must be gone."""
    return router.json("bgpd", "show bgp ipv4 unicast")["routes"]


def has_routes(router, routes):
    wait.until(lambda: len(table(router)) == routes, "bgpd has %d routes" % routes)


def used(router):
    """SW-NHOPs that routes use, withdrawn ones included, as above."""
    return [hop for hop in router.json("bgpd", "show bgp softwire")["nextHops"]
            if hop["routesIpv4"]]


def uses(router, hops):
    wait.until(lambda: len(used(router)) == hops, "routes use %d SW-NHOPs" % hops)


def log_lines(router, text):
    with open(router.file("bgpd.log"), encoding="utf-8", errors="replace") as log:
        return [line for line in log if text in line]


def test_shares(world):
    """Neighbors that take all they can get leave something for the next one: three quarters of
    what the first leaves. With room there come those who have the fewest first."""
    router = world.router
    configure(router, "bgp maximum-softwires 64")
    assert " bgp maximum-softwires 64\n" in running(router)
    flood(world[HOSTILE], range(500))
    settled(router, HOSTILE, 48)  # 48 <= 3 * 16
    flood(world[OTHER], range(500), family=12)
    settled(router, OTHER, 12)  # 12 <= 3 * 4
    flood(world[STORED], range(8), family=11)
    settled(router, STORED, 3)  # 3 <= 3 * 1
    assert limits(router)["softwires"] == 63
    has_routes(router, 63)
    wait.until(lambda: row(router, STORED)["waiting"], "more are refused")
    assert len(log_lines(router, "no more are for it")) == 3
    withdraw(world[HOSTILE], range(48))
    settled(router, STORED, 8)
    assert row(router, STORED)["reason"] == ""


def test_limit(world):
    """Over the limit routes are refused before anything is stored; others' come in; when there is
    room the neighbor is asked for its routes."""
    router, hostile = world.router, world[HOSTILE]
    configure(router, "neighbor %s maximum-softwires 50" % dut.address(HOSTILE))
    before = row(router, HOSTILE)["routesRefused"]
    flood(hostile, range(2000))
    wait.until(lambda: row(router, HOSTILE)["routesRefused"] == before + 1950, "1950 are refused")
    settled(router, HOSTILE, 50)
    flood(world[STORED], range(3), family=11)
    settled(router, STORED, 3)
    has_routes(router, 53)
    uses(router, 53)
    assert len(log_lines(router, "maximum-softwires of 50 is reached")) == 1
    assert row(router, HOSTILE)["reason"] == "refused: maximum-softwires is reached"
    assert "refused: maximum-softwires is reached" in router.show("bgpd",
                                                                  "show bgp softwire limits")
    asked = hostile.refreshes
    withdraw(hostile, range(20))
    wait.until(lambda: hostile.refreshes > asked, "the hostile neighbor is asked for its routes")
    assert not row(router, HOSTILE)["waiting"]
    flood(hostile, range(20, 2000))
    settled(router, HOSTILE, 50)
    flood(world[STORED], range(3, 6), family=11)
    settled(router, STORED, 6)
    has_routes(router, 56)


def test_shared_softwires(world):
    """What another neighbor has already counts for the limit, too; a route that comes by both
    stays with the one that may have it."""
    router = world.router
    configure(router, "neighbor %s maximum-softwires 20" % dut.address(OTHER))
    for number in (STORED, OTHER):
        for n in range(24):
            world[number].announce(prefix(n), "fd00:9::77", dut.gre(None, "2a01:200::%x" % n))
        settled(router, number, 24 if number == STORED else 20)
    uses(router, 24)
    assert sorted(len(paths) for paths in table(router).values()) == [1] * 4 + [2] * 20
    withdraw(world[STORED], range(24))
    settled(router, STORED, 0)
    has_routes(router, 20)


def test_stored_routes_come_back(world):
    """A neighbor's refused routes come back out of Adj-RIB-In, without being asked for."""
    router, peer = world.router, world[STORED]
    configure(router, "neighbor %s maximum-softwires 60" % dut.address(STORED))
    flood(peer, range(66))
    settled(router, STORED, 60)
    withdraw(peer, range(60))
    settled(router, STORED, 6)
    wait.until(lambda: set(table(router)) == {prefix(n) for n in range(60, 66)},
               "those that were refused are there, and no others")
    assert not row(router, STORED)["waiting"] and peer.refreshes == 0


def test_limit_changes(world):
    """A smaller limit takes effect at once, a larger one brings back what was refused, as does
    none; warning-only lets all in."""
    router, peer = world.router, world[STORED]
    line = "neighbor %s maximum-softwires" % dut.address(STORED)
    flood(peer, range(10))
    settled(router, STORED, 10)
    for lines, softwires in ((line + " 3", 3), (line + " 7", 7), ("no " + line + " 7", 10),
                             (line + " 5", 5), (line + " 5 warning-only", 10)):
        configure(router, lines)
        settled(router, STORED, softwires)
        has_routes(router, softwires)
    assert row(router, STORED)["reason"] == "over its maximum-softwires, warning-only"
    flood(peer, range(10, 15))
    settled(router, STORED, 15)
    assert len(log_lines(router, "more softwires than its maximum-softwires of 5")) == 1


def test_limit_of_a_deaf_neighbor(world):
    """A smaller limit takes what is over it out, though the neighbor, whose routes bgpd does not
    store, does not send them again when it is asked to."""
    router, peer = world.router, world[OTHER]
    flood(peer, range(30))
    settled(router, OTHER, 30)
    configure(router, "neighbor %s maximum-softwires 20" % dut.address(OTHER))
    has_routes(router, 20)
    uses(router, 20)
    found = row(router, OTHER)
    assert found["softwires"] == 20
    flood(peer, range(30))
    wait.until(lambda: row(router, OTHER)["routesRefused"] == found["routesRefused"] + 10,
               "what is over it is refused")
    settled(router, OTHER, 20)
    has_routes(router, 20)


def test_made_up_next_hop(world):
    """Who knows a SW-NHOP, and sends it for a next hop, does not get round his limit by that."""
    router = world.router
    configure(router, "neighbor %s maximum-softwires 20" % dut.address(OTHER))
    teas = [dut.gre(None, "2a01:300::%x" % n) for n in range(24)]
    for n, tea in enumerate(teas):
        world[STORED].announce(prefix(n), "10.255.9.2", tea)
    settled(router, STORED, 24)
    hops = {hop["tea"]["propagate"]: hop["swNhop"] for hop in used(router)}
    denied = dut.counters(router, OTHER).get("denied", 0)
    for n, tea in enumerate(teas):
        world[OTHER].announce(prefix(n, 11), hops[tea.hex()], tea)
    wait.until(lambda: dut.counters(router, OTHER)["denied"] == denied + 24, "all are refused")
    has_routes(router, 24)
    withdraw(world[STORED], range(24))


GROUP = """router bgp %d
 neighbor LEAF peer-group
 neighbor LEAF remote-as internal
 neighbor LEAF passive
 neighbor LEAF maximum-softwires 4
 neighbor fd00:9::8 peer-group LEAF
 neighbor fd00:9::9 peer-group LEAF
 neighbor fd00:9::9 maximum-softwires 6 warning-only
 address-family ipv4 unicast
  neighbor LEAF activate
  neighbor LEAF route-map SOFTWIRE-IN in
""" % dut.ASN


def test_peer_group(world):
    """A group's limit is each member's, unless it has its own; the lines are written and read
    back; they go with what they are about."""
    router = world.router
    netns.ip_batch(dut.SPEAKERS, ["address add fd00:9::%d/64 dev bsp-bdut nodad" % n
                                  for n in (8, 9)])
    router.configure("bgpd", GROUP + " exit-address-family\n")
    members = [bgp.Speaker(dut.SPEAKERS, dut.address(n), dut.ROUTER, dut.ASN,
                           "10.255.9.%d" % n, ibgp=True).start() for n in (8, 9)]
    try:
        for member, family in zip(members, (18, 19)):
            flood(member, range(8), family)
        settled(router, 8, 4)
        settled(router, 9, 8)
        text = running(router)
        for line in re.findall(r"^ .*maximum-softwires.*$", GROUP, re.M):
            assert line + "\n" in text
        assert "fd00:9::8 maximum" not in text
        configure(router, "no neighbor fd00:9::9 maximum-softwires")
        settled(router, 9, 4)
        configure(router, "no neighbor LEAF maximum-softwires 4")
        for number in (8, 9):
            assert "maximum" not in row(router, number)
        for member in members:
            member.assert_up()
        configure(router, "neighbor LEAF maximum-softwires 9", "no neighbor LEAF peer-group")
        assert "maximum-softwires" not in running(router)
    finally:
        for member in members:
            member.stop()


def test_removed_neighbor(world):
    """What was said about a neighbor goes with it, also when a dynamic one has come since the
    operator's last command: nobody inherits it who is configured by the name later."""
    router, address = world.router, "fd00:9::8"
    configure(router, "neighbor %s remote-as 65008" % address,
              "neighbor %s tunnel-encapsulation" % address,
              "neighbor DYNAMIC peer-group", "neighbor DYNAMIC remote-as internal",
              "bgp listen range fd00:9::9/128 peer-group DYNAMIC",
              "address-family ipv4 unicast", "neighbor DYNAMIC activate")
    assert address + " tunnel-encapsulation" in running(router)
    netns.ip_batch(dut.SPEAKERS, ["address replace fd00:9::9/64 dev bsp-bdut nodad"])
    dynamic = bgp.Speaker(dut.SPEAKERS, "fd00:9::9", dut.ROUTER, dut.ASN, "10.255.9.9", ibgp=True)
    terminal = router["bgpd"].vty
    terminal.fresh()
    for line in ("configure terminal", "router bgp %d" % dut.ASN):
        assert terminal.execute(line)[0] == 0
    dynamic.start()
    try:
        assert terminal.execute("no neighbor %s" % address)[0] == 0
        assert address + " tunnel-encapsulation" not in running(router)
    finally:
        dynamic.stop()
        configure(router, "no bgp listen range fd00:9::9/128 peer-group DYNAMIC",
                  "no neighbor DYNAMIC peer-group")


def test_many_dynamic_neighbors(world):
    """What is counted about dynamic neighbors that are gone does not pile up."""
    router, count = world.router, 24
    configure(router, "neighbor DYNAMIC peer-group", "neighbor DYNAMIC remote-as internal",
              "bgp listen range fd00:9:0:0:1::/80 peer-group DYNAMIC",
              "address-family ipv4 unicast", "neighbor DYNAMIC activate")
    addresses = ["fd00:9::1:0:0:%x" % n for n in range(1, count + 1)]
    netns.ip_batch(dut.SPEAKERS, ["address add %s/64 dev bsp-bdut nodad" % a for a in addresses])
    try:
        for number, address in enumerate(addresses):
            one = bgp.Speaker(dut.SPEAKERS, address, dut.ROUTER, dut.ASN, "10.255.7.%d" % number,
                              ibgp=True).start()
            one.announce("10.70.0.0/24", "fd00:9::9", dut.gre())
            wait.until(lambda: "10.70.0.0/24" in table(router), "its route has come")
            one.stop()
            wait.until(lambda: not table(router), "it has gone")
        kept = [one["neighbor"] for one in router.json("bgpd", "show bgp softwire")["neighbors"]]
        assert addresses[-1] in kept and len(set(kept) & set(addresses)) < count
    finally:
        configure(router, "no bgp listen range fd00:9:0:0:1::/80 peer-group DYNAMIC",
                  "no neighbor DYNAMIC peer-group")


def test_churn(world):
    """Who announces and withdraws gets no more than its share of what is stored."""
    router, hostile = world.router, world[HOSTILE]
    configure(router, "bgp maximum-softwires 400")
    before = limits(router)["softwires"]
    for turn in range(3):
        refused = row(router, HOSTILE)["routesRefused"]
        flood(hostile, range(1000), family=30 + turn)
        wait.until(lambda: row(router, HOSTILE)["routesRefused"] > refused, "some are refused")
        for n in range(1000):
            hostile.withdraw(prefix(n, 30 + turn))
        settled(router, HOSTILE, 0)
        assert limits(router)["softwires"] <= 300 + before
    flood(world[STORED], range(50), family=11)
    settled(router, STORED, 50)


def memory(router, name):
    """Objects of a kind that bgpd has."""
    return int(re.search(r"^%s\s*:\s+(\d+)" % re.escape(name),
                         router.show("bgpd", "show memory"), re.M).group(1))


def test_flood(world):
    """40,000 attributes of a neighbor without a configured limit: it gets its share and no more,
    bgpd goes on, and another one's routes come in."""
    router, hostile = world.router, world[HOSTILE]
    before = row(router, HOSTILE)["routesRefused"]
    said = len(log_lines(router, "no more are for it"))
    flood(hostile, range(40000))
    flood(world[STORED], range(3), family=75)
    settled(router, STORED, 3)

    def all_read():
        found = row(router, HOSTILE)
        return found["softwires"] + found["routesRefused"] - before == 40000
    wait.until(all_read, "all UPDATEs are read")
    total = limits(router)
    assert total["maximum"] == POOL
    # Those of the tests before count for some seconds.
    assert SHARE - 400 < row(router, HOSTILE)["softwires"] <= SHARE
    has_routes(router, row(router, HOSTILE)["softwires"] + 3)
    assert memory(router, "SW-NHOP") <= 4 * total["softwires"] + 10
    # One, and another one in each minute in which there is room for a while.
    assert len(log_lines(router, "no more are for it")) - said <= 6
    wait.until(lambda: len(router.json("swmeshd", "show softwire")), "swmeshd answers")
    hostile.stop()
    settled(router, HOSTILE, 0)
    world.peers[HOSTILE] = dut.speaker(HOSTILE)


def test_refused_lines(world):
    """A limit of nobody, or a total of another instance than the default one, is refused. (The
    last test: a bgpd that loses a view listens no more.)"""
    router = world.router
    with pytest.raises(vty.VtyError) as refused:
        configure(router, "neighbor fd00:9::d maximum-softwires 5")
    assert "peer-group commands first" in refused.value.output
    with pytest.raises(vty.VtyError) as refused:
        router.configure("bgpd", "router bgp 65001 view OTHER\n bgp maximum-softwires 5\n")
    assert "Softwires are of the default instance" in refused.value.output
