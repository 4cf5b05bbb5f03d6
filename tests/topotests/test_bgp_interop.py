# SPDX-License-Identifier: GPL-2.0-or-later
"""GoBGP and BIRD beside our bgpd: a reflector and eBGP border with the module between them.

Two of them are its iBGP clients, two are external neighbors that may have attribute 23.
Behind each there is a raw speaker with an AS of its own, which announces through it and
sees, octet for octet, what it makes of what it was sent. GoBGP decodes attribute 23 and
encodes it again; BIRD knows it as octets only and passes on whatever it is given.
"""
import random

import pytest

from conftest import run_topology
from lib import bgpdut as dut
from lib import bgpspeaker as bgp
from lib import tea, wait
from lib.bgpspeaker import EXTENDED, OPTIONAL, PARTIAL, TRANSITIVE, TUNNEL_ENCAP
from lib.otherbgp import Bird, GoBgp, Neighbor, Other
from lib.topology import Link

pytestmark = pytest.mark.no_tunnels

# node -> (number in addresses, which, AS)
OTHERS = {"gobgp": (11, GoBgp, dut.ASN), "bird": (12, Bird, dut.ASN),
          "gobgpx": (13, GoBgp, 65013), "birdx": (14, Bird, 65014)}
WATCH = "bwatch"
VALUES = [dut.gre(1), dut.gre(2) + dut.ipip(), dut.gre(4, "192.0.2.77"),
          dut.gre(3, "2a01:100::1", dut.sub(222, b"q" * 280)),
          dut.tlv(321, dut.endpoint(), dut.sub(5, b"\0\1")),
          dut.gre(9, "2a01:100::1", dut.sub(2, b"\x08\0"),
                  dut.sub(4, b"\x03\x0b\0\0\0\0\0\7"), dut.sub(3, b"\0\1" + b"a" * 20))]
# Nobody but the module finds fault with these.
BROKEN = [b"", VALUES[0][:-1], VALUES[0] + b"\0", dut.tlv(2, dut.sub(1, b"\0\0\0\1")),
          dut.ipip("::1")]


def ours(number):
    return "fd00:9:%d::1" % number


def theirs(number):
    return "fd00:9:%d::2" % number


def watcher(number):
    return "fd00:a:%d::3" % number


def config():
    """The others as neighbors of the bgpd under test."""
    lines = ["router bgp %d" % dut.ASN]
    for number, _, asn in OTHERS.values():
        name = " neighbor " + theirs(number)
        lines += [name + " remote-as %d" % asn, name + " passive",
                  name + " capability extended-nexthop", name + " advertisement-interval 0"]
        if asn != dut.ASN:
            lines.append(name + " tunnel-encapsulation")
        for family in ("ipv4", "ipv6"):
            lines += [" address-family %s unicast" % family, " " + name + " activate"]
            if asn == dut.ASN:
                lines.append(" " + name + " route-reflector-client")
            lines.append(" exit-address-family")
    return "\n".join(lines + ["exit"])


@pytest.fixture(scope="module")
def net():
    topo = dut.topology(config())
    topo.nodes += [*OTHERS, WATCH]
    topo.ip_lines[dut.DUT] = []
    for name, (number, kind, asn) in OTHERS.items():
        behind = "fd00:a:%d::2" % number
        topo.routers[name] = Other(name, kind, asn, "10.255.9.%d" % number, [
            Neighbor(ours(number), theirs(number), dut.ASN),
            Neighbor(watcher(number), behind, 65100 + number, passive=True)])
        topo.links += [Link(dut.DUT, name, [ours(number) + "/64"], [theirs(number) + "/64"]),
                       Link(WATCH, name, [watcher(number) + "/64"], [behind + "/64"])]
        topo.ip_lines[dut.DUT].append("route add fd00:a:%d::/64 via %s" % (
            number, theirs(number)))
    yield from run_topology(topo)


class World:
    """Raw speakers: "ibgp" and "seen" at the bgpd under test, the others by the node that they
    are behind. table: prefix -> (who announced it, attribute 23)."""

    def __init__(self, topo):
        self.topo, self.router = topo, topo[dut.DUT]
        self.speakers = {"ibgp": dut.speaker(2), "seen": dut.speaker(3)}
        for name, (number, _, _) in OTHERS.items():
            self.speakers[name] = bgp.Speaker(
                WATCH, watcher(number), "fd00:a:%d::2" % number, 65100 + number,
                "10.255.10.%d" % number, ibgp=False)
            self.speakers[name].start()
        self.table = {}
        self.wait_sessions()

    def wait_sessions(self):
        addresses = {theirs(number) for number, _, _ in OTHERS.values()}
        wait.until(lambda: addresses <= self.router.bgp_established(len(addresses)),
                   "GoBGP and BIRD have their sessions")

    def drops(self):
        """neighbor -> how often its session ended."""
        peers = self.router.json("bgpd", "show bgp summary")["ipv4Unicast"]["peers"]
        return {address: peer["connectionsDropped"] for address, peer in peers.items()}

    def nexthop(self, who):
        return dut.address(2) if who == "ibgp" else watcher(OTHERS[who][0])

    def announce(self, who, prefix, value):
        self.speakers[who].announce(prefix, self.nexthop(who), value)
        self.table[prefix] = (who, value)

    def withdraw(self, prefix):
        who, _ = self.table.pop(prefix)
        self.speakers[who].withdraw(prefix)

    def expected(self, where):
        """What a raw speaker should have: all that it did not announce itself."""
        return {p: value for p, (who, value) in self.table.items() if who != where}

    def agree(self):
        """Everyone has the same prefixes with the same attribute 23."""
        for where in ("seen", *OTHERS):
            have = {p: u.tea for p, u in self.speakers[where].routes().items()}
            wanted = self.expected(where)
            assert have == wanted, "behind %s: %s" % (where, {
                p: (have.get(p, "no route"), wanted.get(p, "no route"))
                for p in have.keys() | wanted.keys() if have.get(p, 0) != wanted.get(p, 0)})
        return True

    def wait_agree(self):
        wait.until(self.agree, "all views agree")

    def clear(self):
        for prefix in list(self.table):
            self.withdraw(prefix)
        self.wait_agree()


@pytest.fixture(scope="module")
def world(net):
    made = World(net)
    yield made
    for speaker in made.speakers.values():
        speaker.stop()


@pytest.fixture(autouse=True)
def always(world):
    """Nothing resets, nobody is ever sent a stand-in type, and nothing stays behind."""
    before = world.drops()
    yield
    world.clear()
    assert world.drops() == before
    for speaker in world.speakers.values():
        speaker.assert_up()
    dut.assert_clean(world.speakers.values())


def prefixes(base):
    """One of each family for each of VALUES."""
    for number, value in enumerate(VALUES, 1):
        yield "10.%d.%d.0/24" % (base, number), value
        yield "2a01:%x:%x::/48" % (base, number), value


def tunnels(value):
    return [(t.kind, t.endpoint) for t in tea.parse(value)]


@pytest.mark.parametrize("who", ["ibgp", *OTHERS])
def test_octets_survive(world, who):
    """B8: what one announces, ours, GoBGP and BIRD have and pass on octet for octet; the
    Partial bit tells that BIRD does not know the attribute, and nobody clears it."""
    for prefix, value in prefixes(60):
        world.announce(who, prefix, value)
    world.wait_agree()
    by_bird = who in OTHERS and OTHERS[who][1] is Bird
    for where in ("seen", *OTHERS):
        partial = by_bird or where in OTHERS and OTHERS[where][1] is Bird
        for prefix in world.expected(where):
            flags = world.speakers[where].routes()[prefix].attributes[TUNNEL_ENCAP][0]
            assert flags & ~EXTENDED == OPTIONAL | TRANSITIVE | (PARTIAL if partial else 0), \
                "%s behind %s: flags %#x" % (prefix, where, flags)


def test_views_agree(world):
    """What GoBGP decodes and BIRD shows is what was announced, and what our bgpd shows."""
    for prefix, value in prefixes(61):
        world.announce("ibgp", prefix, value)
    world.wait_agree()
    for family in ("ipv4", "ipv6"):
        wanted = {p: v for p, (_, v) in world.table.items() if (":" in p) == (family == "ipv6")}
        for name in ("gobgp", "gobgpx"):
            have = world.topo[name].speaker.tunnels(family)
            assert have.keys() == wanted.keys()
            for prefix, value in wanted.items():
                assert [(t["type"], next(s["address"] for s in t["value"] if s["type"] == 6))
                        for t in have[prefix]["value"]] == tunnels(value), name
        for name in ("bird", "birdx"):
            have = world.topo[name].speaker.tunnels(family)
            assert have.keys() == wanted.keys()
            for prefix, value in wanted.items():
                octets, dots, _ = have[prefix].partition("...")  # it cuts long values short
                octets = bytes.fromhex(octets)
                assert (value.startswith(octets) if dots else value == octets), name
        table = world.router.json("bgpd", "show bgp %s unicast" % family)["routes"]
        assert table.keys() == wanted.keys()


def test_broken_through_bird(world):
    """B10: BIRD passes a broken attribute on; our bgpd takes the route as withdrawn, and the
    session stands. A good one brings it back to everybody."""
    for name in ("bird", "birdx"):
        for value in BROKEN:
            world.announce(name, "10.62.0.0/24", VALUES[0])
            world.wait_agree()
            world.speakers[name].announce("10.62.0.0/24", world.nexthop(name), value)
            del world.table["10.62.0.0/24"]
            world.wait_agree()
        world.announce(name, "10.62.0.0/24", VALUES[1])
        world.wait_agree()
        world.withdraw("10.62.0.0/24")
        world.wait_agree()


def test_border_filters(world):
    """B6: without `tunnel-encapsulation` no external neighbor has the attribute, nor is it
    taken from one; with it again, all have it again."""
    world.announce("ibgp", "10.63.0.0/24", VALUES[0])
    world.announce("gobgpx", "10.63.1.0/24", VALUES[1])
    world.announce("birdx", "10.63.2.0/24", VALUES[2])
    world.wait_agree()
    external = [theirs(OTHERS[name][0]) for name in ("gobgpx", "birdx")]
    world.router.configure("bgpd", "router bgp %d\n" % dut.ASN + "".join(
        " no neighbor %s tunnel-encapsulation\n" % address for address in external))

    def filtered():
        for where in OTHERS:
            for prefix, (who, value) in world.table.items():
                if who != where:
                    crosses = "gobgpx" in (who, where) or "birdx" in (who, where)
                    have = world.speakers[where].routes()[prefix].tea
                    assert have == (None if crosses else value), "%s behind %s" % (prefix, where)
        return True

    wait.until(filtered, "the attribute crosses the border nowhere")
    world.router.configure("bgpd", "router bgp %d\n" % dut.ASN + "".join(
        " neighbor %s tunnel-encapsulation\n" % address for address in external))
    world.wait_agree()


def test_churn(world):
    """After 150 changes by all, in bursts, all views agree."""
    choose = random.Random(7)
    choices = ["%s%d%s" % (before, n, after) for n in range(1, 9)
               for before, after in (("10.64.", ".0/24"), ("2a01:64:", "::/48"))]
    origin = {prefix: choose.choice(["ibgp", *OTHERS]) for prefix in choices}
    for _ in range(150):
        prefix = choose.choice(choices)
        if prefix in world.table and choose.random() < 0.3:
            world.withdraw(prefix)
        else:
            world.announce(origin[prefix], prefix, choose.choice([None, *VALUES]))
    world.wait_agree()
