# SPDX-License-Identifier: GPL-2.0-or-later
"""A hostile peer on the live bgpd: attribute 23 never ends a session (B10), nor does worse.

SWMESH_FUZZ_UPDATES UPDATEs (default 20000, with sanitizers 5000) of lib.fuzzupdate with the seed
SWMESH_FUZZ_SEED, in sessions of lib.fuzzpeers. Whatever resets a session is sent without attribute 23 to a bgpd without
the module, and must reset that session too. A finding is named by seed, batch and index, and
SWMESH_FUZZ_BATCH=N runs that batch alone.
"""
import itertools
import os
import re
import struct

import pytest
from lib import bgpdut as dut
from lib import bgpspeaker as bgp
from lib import fuzzpeers, paths, wait
from lib import fuzzupdate as fuzz
from lib.bgpspeaker import attribute

from conftest import run_topology

pytestmark = pytest.mark.no_tunnels

SEED = os.environ.get("SWMESH_FUZZ_SEED", "1")
UPDATES = int(os.environ.get("SWMESH_FUZZ_UPDATES", "5000" if paths.SANITIZERS else "20000"))
ONLY = os.environ.get("SWMESH_FUZZ_BATCH")
BATCHES = [int(ONLY)] if ONLY else range(-(-UPDATES // fuzz.BATCH))
ROUNDS = 20  # batches in one test function, each of which has its own time limit
GENUINE = {"10.200.0.0/24": dut.gre(5), "2a01:2000::/48": dut.gre(6) + dut.ipip()}
# What must not be left over. Attributes of VPN routes are not among it: FRR 8.4.4 leaks them.
MEMORY = ("BGP route", "SW-NHOP")


class Run:
    """Both routers, who watches, and what was found."""

    def __init__(self, topo):
        self.topo, self.router = topo, topo[dut.DUT]
        self.tested = fuzzpeers.Side(self.router)
        self.stock = fuzzpeers.Side(topo[fuzzpeers.STOCK])
        self.watchers = {n: fuzzpeers.Watcher(n).start() for n in (
            fuzzpeers.WATCHER, fuzzpeers.CLOSED, fuzzpeers.CLOSED_LABELED)}
        self.genuine = bgp.Speaker(
            fuzzpeers.peers(dut.DUT), dut.address(fuzzpeers.GENUINE), dut.ROUTER, dut.ASN, "10.255.9.2").start()
        self.genuine.announce("10.200.0.0/24", "10.255.9.2", GENUINE["10.200.0.0/24"])
        self.genuine.announce("2a01:2000::/48", "fd00:9::2", GENUINE["2a01:2000::/48"])
        self.processes = {r.name: r["bgpd"].process.pid for r in topo.routers.values()}
        self.with_tea, self.resets, self.findings = {}, 0, []
        self.await_genuine()
        self.memory = self.memory_now()

    def close(self):
        for speaker in (self.genuine, *self.watchers.values()):
            speaker.stop()

    # -- one batch --

    def batch(self, number):
        try:
            self.send_batch(number)
        finally:  # a session that is left over keeps its neighbor from later ones
            self.tested.close()
            self.stock.close()

    def send_batch(self, number):
        """Send it all; a session that ends is replaced, and the message is looked into."""
        plan = fuzz.plan(SEED, number)
        session, at, since = self.tested.open(plan), 0, 0
        messages = [fuzz.message(SEED, number, i, plan, session.number)
                    for i in range(fuzz.BATCH)]
        while True:
            taken = session.send([m.body for m in messages[at:]])
            sent = messages[at:] if taken is None else messages[at : at + taken]
            self.count(session.number, sent)
            if taken is None:
                break
            session.close()
            at += taken
            self.look_into(number, at - 1, since, messages, plan, session)
            if at == len(messages):
                return
            session, since = self.tested.open(plan), at
        self.await_expected(number, messages[since:], plan)
        session.close()

    def count(self, neighbor, sent):
        self.with_tea[neighbor] = self.with_tea.get(neighbor, 0) + sum(
            fuzz.has_tea(m.body) for m in sent)

    def look_into(self, number, index, since, messages, plan, session):
        """A session was reset by that message: so must be the stock bgpd's without 23."""
        self.resets += 1
        where = "seed %s, batch %d, index %d (%s, %s)" % (
            SEED, number, index, plan, session.speaker.notifications)
        assert self.alive(), "bgpd ended: %s: %s" % (where, messages[index].body.hex())
        bodies = [fuzz.without_tea(m.body) for m in messages[since : index + 1]]
        if self.stock_resets(plan, bodies[-1:]):
            return
        if fuzz.split(bodies[-1]) and self.stock_resets(plan, [fuzz.only_routes(bodies[-1])]):
            return
        if not self.resets_alone(plan, messages[index]) and self.stock_resets(plan, bodies):
            return
        self.findings.append("%s: %s" % (where, messages[index].body.hex()))

    def stock_resets(self, plan, bodies):
        session = self.stock.open(plan)
        taken = session.send(bodies)
        session.close()
        return taken is not None

    def resets_alone(self, plan, message):
        session = self.tested.open(plan)
        taken = session.send([message.body])
        self.count(session.number, [message])
        session.close()
        return taken is not None

    # -- what must hold --

    def await_expected(self, number, messages, plan):
        """Routes with a legal attribute are there, those with a malformed one are not."""
        expected = {}
        for message in messages:
            expected.update(message.expected)
        if plan.kind.softwires:
            return
        table = self.watchers[fuzzpeers.WATCHER].table

        def so():
            for prefix, value in expected.items():
                if value == fuzz.GONE:
                    assert prefix not in table, "%s is there" % prefix
                else:
                    assert prefix in table, "%s is not there" % prefix
                    assert table[prefix] == value, "%s has %s, not %s" % (
                        prefix, table[prefix], value)
            return True
        wait.until(so, "routes are as they should be: seed %s, batch %d (%s)" % (
            SEED, number, plan), 30, 0.01)

    def await_genuine(self):
        for number, watcher in self.watchers.items():
            if number == fuzzpeers.CLOSED_LABELED:
                continue
            for prefix, value in GENUINE.items():
                wanted = None if watcher.filtered else value
                wait.until(lambda: watcher.table.get(prefix, "") == wanted,
                           "watcher %d has %s" % (number, prefix), 30)

    def alive(self):
        return all(r["bgpd"].alive() for r in self.topo.routers.values())

    def assert_fine(self):
        """Both daemons are those that were started, and nothing has leaked or been said."""
        assert not self.findings, "\n".join(self.findings)
        assert self.alive()
        assert self.processes == {
            r.name: r["bgpd"].process.pid for r in self.topo.routers.values()}
        for watcher in self.watchers.values():
            watcher.assert_up()
            assert not watcher.wrong, watcher.wrong
        self.genuine.assert_up()
        self.await_genuine()
        with open(self.router.file("bgpd.log"), errors="replace") as log:
            bad = [line for line in log if re.search("ssertion|eceived signal", line)]
        assert not bad, bad[:20]

    def memory_now(self):
        """Type -> how many objects, of those that must not be left over."""
        shown = dict(re.findall(r"^(\S[^:\n]*?) *: +(\d+)",
                                self.router.show("bgpd", "show memory"), re.M))
        return {name: int(shown.get(name, 0)) for name in MEMORY}


@pytest.fixture(scope="module")
def net():
    yield from run_topology(fuzzpeers.topology())


@pytest.fixture(scope="module")
def run(net):
    made = Run(net)
    yield made
    made.close()


@pytest.mark.parametrize("first", BATCHES[::ROUNDS], ids=lambda n: "seed-%s-batch-%d" % (SEED, n))
def test_no_reset(run, first):
    """B10: no session ends over attribute 23, legal ones pass, malformed ones withdraw (B7, B8), a
    filtered neighbor is sent none (B6)."""
    for number in itertools.islice(BATCHES, BATCHES.index(first), BATCHES.index(first) + ROUNDS):
        run.batch(number)
    run.assert_fine()


# Found by it. Routes without ORIGIN, AS_PATH or NEXT_HOP, from a neighbor with graceful restart: with
# attribute 23, or the community of a filtered neighbor, taken from bgpd's eyes it accepted them, and
# crashed when they became reachable.
TEA = attribute(bgp.TUNNEL_ENCAP, dut.gre(1))
NO_AS_PATH = {"alone": TEA,
              "community": attribute(bgp.EXT_COMMUNITY, bytes.fromhex("030c000000000002")),
              "unreach": attribute(bgp.NEXT_HOP, fuzz.hop4(3)) + TEA + attribute(
                  bgp.MP_UNREACH, struct.pack("!HB", 2, 1) + bgp.prefix_bytes("2a01:f00::/48"))}


@pytest.mark.parametrize("name", NO_AS_PATH)
@pytest.mark.parametrize("kind", [k for k in fuzz.KINDS if (1, 1) in k.families],
                         ids=lambda kind: kind.name)
def test_no_as_path(run, kind, name):
    """RFC 7606 section 3(d): treat-as-withdraw."""
    session = run.tested.open(fuzz.Plan(kind, fuzz.UNICAST, False, False, True, True))
    prefix = "10.201.0.0/24"
    body = fuzz.body_of(b"", NO_AS_PATH[name], bgp.prefix_bytes(prefix))
    assert session.send([body]) is None
    run.count(session.number, [fuzz.Message(body)])
    assert prefix not in run.router.json("bgpd", "show bgp ipv4 unicast")["routes"]
    session.close()


# Found by it. When an attribute of an eBGP neighbor is malformed, bgpd takes what follows in the list
# for routes: so what stands for attribute 23 must not follow.
FOLLOWING = {"one": TEA, "two": TEA + TEA,
             "trimmed": attribute(bgp.TUNNEL_ENCAP, dut.tlv(7) + dut.gre(1)),
             "community": attribute(bgp.EXT_COMMUNITY, bytes.fromhex("030c000000000002"))}


@pytest.mark.parametrize("name", FOLLOWING)
@pytest.mark.parametrize("kind", [k for k in fuzz.KINDS if k.name in ("open", "closed")],
                         ids=lambda kind: kind.name)
def test_after_malformed(run, kind, name):
    """B10: the route of an UPDATE whose MED is malformed is withdrawn, attribute 23 or not."""
    session = run.tested.open(fuzz.Plan(kind, fuzz.UNICAST, False, False, False, True))
    speaker, prefix = session.speaker, "10.202.0.0/24"
    malformed = attribute(bgp.MED, b"\1")
    tail = malformed + FOLLOWING[name] if name != "community" else FOLLOWING[name] + malformed
    body = fuzz.body_of(b"", speaker.base_attributes() + attribute(
        bgp.NEXT_HOP, fuzz.hop4(session.number)) + tail, bgp.prefix_bytes(prefix))
    assert session.send([body]) is None, "the session was reset"
    run.count(session.number, [fuzz.Message(body)])
    assert prefix not in run.router.json("bgpd", "show bgp ipv4 unicast")["routes"]
    session.close()


@pytest.mark.parametrize("stray", ["c017", "d017"])
@pytest.mark.parametrize("kind", [k for k in fuzz.KINDS if (1, 1) in k.families],
                         ids=lambda kind: kind.name)
def test_nothing_but_stray(run, kind, stray):
    """B10: found by it: two octets as the whole list, from a neighbor with path identifiers."""
    session = run.tested.open(fuzz.Plan(kind, fuzz.UNICAST, True, False, False, True))
    routes = bytes(4) + bgp.prefix_bytes("10.203.0.0/24")
    body = fuzz.body_of(routes, bytes.fromhex(stray), routes)
    assert session.send([body, fuzz.body_of(b"", bytes.fromhex(stray), b"")]) is None
    run.count(session.number, [fuzz.Message(body)] * 2)
    session.close()


def test_all_counted(run):
    """The module has counted every UPDATE with the attribute."""
    shown = {entry["neighbor"]: entry["received"] for entry in
             run.router.json("bgpd", "show bgp softwire")["neighbors"]}
    assert {dut.address(n): count for n, count in run.with_tea.items() if count} == {
        name: count for name, count in shown.items()
        if name != dut.address(fuzzpeers.GENUINE) and count}


def test_nothing_left(run):
    """All hostile sessions have ended: their routes, attributes and SW-NHOPs have gone."""
    def gone():
        for watcher in run.watchers.values():
            left = {prefix for prefix in watcher.table if " " not in prefix} - set(GENUINE)
            assert not left, sorted(left)[:5]
        assert not run.router.json("bgpd", "show bgp softwire")["nextHops"]
        assert run.memory_now() == run.memory
        return True
    wait.until(gone, "nothing is left", 60)
    run.assert_fine()
    print("seed %s: %d UPDATEs, %d resets that a bgpd without the module has, too" % (
        SEED, run.tested.taken, run.resets))
