# SPDX-License-Identifier: GPL-2.0-or-later
"""No stand-in type ever on the wire, and the right attribute in the end, whatever the order.

Operations come from a random generator with a fixed seed: announcements, withdrawals, broken
attributes, route refreshes, soft clears, policy changes, sessions that go and return.
"""
import random
import struct

import pytest
from lib import bgpdut as dut
from lib import bgpspeaker as bgp
from lib import wait
from lib.bgpspeaker import OPTIONAL, PARTIAL, TRANSITIVE, attribute

from conftest import run_topology

pytestmark = pytest.mark.no_tunnels

PREFIXES = ["10.%d.%d.0/24" % (20 + i % 2, i) for i in range(6)] \
    + ["2a01:3%02x::/48" % i for i in range(6)]
VALUES = [None, dut.gre(1), dut.gre(2) + dut.ipip(), dut.ipip(),
          dut.gre(3, "2a01:100::1", dut.sub(222, b"q" * 280)),
          dut.tlv(321, dut.endpoint(), dut.sub(5, b"\0\1"))]
OTHER = attribute(99, b"other", OPTIONAL | TRANSITIVE | PARTIAL)
MAPS = """route-map RAISE permit 10
 set metric 77
exit
"""


@pytest.fixture(scope="module")
def net():
    yield from run_topology(dut.topology(MAPS))


class Run:
    """The speakers, and what each has announced last."""

    def __init__(self, router, seed):
        self.router, self.random = router, random.Random(seed)
        self.peers = {n: dut.speaker(n) for n in dut.PEERS}
        self.sent = {2: {}, 4: {}}
        self.everything = []  # speakers of sessions that ended, with what they got

    def nexthop(self, sender, prefix):
        if prefix.startswith("10.21."):
            return "10.255.9.%d" % sender
        return "fd00:9::%d" % sender

    def state(self, number):
        shown = self.router.json("bgpd", "show bgp neighbors %s" % dut.address(number))
        return shown[dut.address(number)]["bgpState"]

    # -- operations --

    def announce(self):
        sender, prefix = self.random.choice([2, 4]), self.random.choice(PREFIXES)
        value = self.random.choice(VALUES)
        extra = OTHER if self.random.random() < 0.3 else b""
        self.peers[sender].announce(prefix, self.nexthop(sender, prefix), value, extra)
        self.sent[sender][prefix] = value

    def announce_many(self):
        """All prefixes in one burst, each changing several times."""
        sender = self.random.choice([2, 4])
        for value in self.random.sample(VALUES, 3):
            for prefix in PREFIXES:
                self.peers[sender].announce(prefix, self.nexthop(sender, prefix), value)
                self.sent[sender][prefix] = value

    def withdraw(self):
        sender, prefix = self.random.choice([2, 4]), self.random.choice(PREFIXES)
        self.peers[sender].withdraw(prefix)
        self.sent[sender].pop(prefix, None)

    def broken(self):
        sender, prefix = self.random.choice([2, 4]), self.random.choice(PREFIXES)
        good = self.random.choice(VALUES[1:])
        bad = self.random.choice([good[:-1], b"", good + b"\0"])
        self.peers[sender].announce(prefix, self.nexthop(sender, prefix), bad)
        self.sent[sender].pop(prefix, None)

    def refresh(self):
        """A neighbor asks for everything, in the middle of a burst."""
        number = self.random.choice([3, 5, 6, 7])
        self.announce()
        self.peers[number].send(bgp.ROUTE_REFRESH, struct.pack("!HBB", 1, 0, 1))
        self.peers[number].send(bgp.ROUTE_REFRESH, struct.pack("!HBB", 2, 0, 1))
        self.announce()

    def soft(self):
        self.announce()
        self.router.show("bgpd", self.random.choice(
            ["clear bgp * soft out", "clear bgp ipv4 unicast %s soft in" % dut.address(2),
             "clear bgp ipv6 unicast %s soft in" % dut.address(2)]))

    def policy(self):
        neighbor, where = self.random.choice([(2, "in"), (3, "out"), (5, "out"), (7, "out")])
        no = self.random.choice(["", "no "])
        family = self.random.choice(["ipv4", "ipv6"])
        lines = "%sneighbor %s route-map RAISE %s" % (no, dut.address(neighbor), where)
        self.announce()
        self.router.configure("bgpd", "router bgp %d\naddress-family %s unicast\n%s\n" % (
            dut.ASN, family, lines))

    def flap(self):
        """A receiver's session ends and comes back; what it was sent stays on record."""
        number = self.random.choice([3, 5, 7])
        self.peers[number].stop()
        self.everything.append(self.peers[number])
        self.announce()
        wait.until(lambda: self.state(number) != "Established", "the end was noticed")
        self.peers[number] = dut.speaker(number)

    OPERATIONS = ("announce", "announce", "announce_many", "withdraw", "broken", "refresh",
                  "soft", "policy", "flap")

    # -- in the end --

    def expected(self, prefix):
        """The attribute of the best path: the iBGP one's AS path is shorter."""
        for sender in (2, 4):
            if prefix in self.sent[sender]:
                return True, self.sent[sender][prefix]
        return False, None

    def agree(self, number, strip):
        table = self.peers[number].routes()
        for prefix in PREFIXES:
            there, value = self.expected(prefix)
            assert (prefix in table) == there, "%d: %s there: %s" % (number, prefix, not there)
            if there:
                wanted = None if strip else value
                assert table[prefix].tea == wanted, "%d: %s has %s, not %s" % (
                    number, prefix, table[prefix].tea, wanted)
        return True

    def stop(self):
        for peer in self.peers.values():
            peer.stop()
        for number in self.peers:
            wait.until(lambda: self.state(number) != "Established", "the end was noticed")


@pytest.mark.parametrize("seed", range(3))
def test_any_order(net, seed):
    """After every operation all that was ever sent is clean; in the end all tables agree."""
    run = Run(net[dut.DUT], seed)
    try:
        for _ in range(40):
            getattr(run, run.random.choice(Run.OPERATIONS))()
            for peer in run.peers.values():
                peer.assert_up()
            dut.assert_clean(list(run.peers.values()) + run.everything)
        for number in run.peers:
            run.peers[number].assert_up()
        for number in (3, 5, 6, 7):
            wait.until(lambda: run.agree(number, number in (6, 7)),
                       "speaker %d has what was announced (seed %d)" % (number, seed))
        dut.assert_clean(list(run.peers.values()) + run.everything)
    finally:
        run.stop()
    wait.until(lambda: not net[dut.DUT].json("bgpd", "show bgp ipv4 unicast")["routes"],
               "the routes have gone with the sessions")


def test_same_again(net):
    """Routes announced again unchanged, as after a refresh, change no best path."""
    router = net[dut.DUT]
    peer, watch = dut.speaker(2), dut.speaker(3)

    def state():
        return [router.json("bgpd", "show bgp %s unicast" % family)["tableVersion"]
                for family in ("ipv4", "ipv6")]

    def announce(value):
        for prefix in PREFIXES:
            peer.announce(prefix, "fd00:9::2", value)
        received = dut.counters(router, 2)["received"]
        peer.announce("10.31.0.0/24", "fd00:9::2", dut.tlv(7))  # refused: counted, no route
        wait.until(lambda: dut.counters(router, 2)["received"] > received, "all is read")

    try:
        peer.announce("10.31.0.0/24", "fd00:9::2", dut.tlv(7))
        wait.until(lambda: dut.counters(router, 2).get("received"), "the module counts")
        announce(VALUES[2])
        wait.until(lambda: set(PREFIXES) <= set(watch.routes()), "all are there")
        before = state()
        announce(VALUES[2])
        wait.holds(lambda: state() == before, "no path has changed", 1)
        announce(VALUES[3])
        wait.until(lambda: all(watch.routes()[p].tea == VALUES[3] for p in PREFIXES),
                   "a change is announced")
        assert state() > before
    finally:
        peer.stop()
        watch.stop()


def test_mutated_updates(net):
    """Attributes 23 with octets changed at random: the session never ends over them."""
    rng = random.Random(5)
    peer = dut.speaker(2)
    other = dut.speaker(4)
    watch = dut.speaker(3)
    try:
        for _ in range(300):
            value = bytearray(rng.choice(VALUES[1:]))
            for _ in range(rng.randint(1, 6)):
                value[rng.randrange(len(value))] = rng.randrange(256)
            raw = bytearray(attribute(23, bytes(value)))
            if rng.random() < 0.3:
                raw[0] = rng.randrange(256) & 0xf0
            sender = rng.choice([peer, other])
            prefix = rng.choice(PREFIXES)
            hop = "fd00:9::2" if sender is peer else "fd00:9::4"
            sender.announce(prefix, hop, extra=bytes(raw))
        for sender, hop in ((peer, "fd00:9::2"), (other, "fd00:9::4")):
            sender.announce("10.30.0.0/24", hop, VALUES[1])
        wait.until(lambda: "10.30.0.0/24" in watch.routes(), "all of it was read")
        for speaker in (peer, other, watch):
            speaker.assert_up()
        dut.assert_clean([peer, other, watch])
    finally:
        for speaker in (peer, other, watch):
            speaker.stop()
