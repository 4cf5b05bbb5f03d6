# SPDX-License-Identifier: GPL-2.0-or-later
"""What strangers may do to IKE, while two AFBRs have to find each other again: first messages
forged in the other's name, and AFBRs that do not exist, announced by a member of the mesh. And
what comes of daemons that do not run for a while."""
import time

import pytest

from conftest import run_topology
from lib import inject, softwires, tea, wait
from lib.mesh import host, loopback
from lib.securemesh import PSK, SecureMesh, wait_up

LIMIT = 120
EVERY = 3  # seconds between two forged messages
# Seconds until the pair is up again, emulated. Once an AFBR may wait for the other one, which
# seems to have begun; a handshake takes a second or two.
BOUND_FORGED = 30
BOUND_BOGUS = 20
BOGUS = 40  # AFBRs that nobody has ever seen
HANDSHAKES = 4


@pytest.fixture(scope="module")
def mesh():
    """Two AFBRs, the group key, and few handshakes at a time."""
    yield from run_topology(SecureMesh(
        "hostile", numbers=(1, 2), security=(*PSK, "esp aes256gcm16", "dpd 300"),
        softwire={n: "ike handshakes %d" % HANDSHAKES for n in (1, 2)}))


def lose_all(mesh):
    """a1's charon takes its IKE_SA down, and tells a2's; when that was."""
    began = time.monotonic()
    mesh["a1"].charon.vici.request("terminate", {"ike": "swmesh-" + loopback(2), "timeout": -1})
    wait.until(lambda: not mesh["a2"].charon.established(loopback(1)), "a2 has lost it", LIMIT)
    return began


def wait_pair(mesh, since, bound):
    """Until a1 and a2 protect what they exchange again, within so many seconds."""
    def both():
        for n, m in mesh.pairs():
            found = [s["state"] for s in mesh.softwires(n, m)]
            assert found == ["up"], "a%d: %s" % (n, mesh.peers(n)[loopback(m)])
            assert mesh["a%d" % n].charon.established(loopback(m))
        return True
    wait.until(both, "a1 and a2 are up again", bound - (time.monotonic() - since))


def test_forged_initiation(mesh):
    """While somebody sends each of the two a first message in the other's name every few
    seconds, they come up again: that makes each of them wait once, and it says for what."""
    wait_up(mesh)
    ends = [(loopback(n), loopback(m)) for n, m in mesh.pairs()]
    with inject.repeated("p", EVERY, lambda: [inject.ike_sa_init(*pair) for pair in ends]):
        wait.until(lambda: all("is initiating an IKE_SA" in mesh["a%d" % n].charon.output()
                               for n in mesh.numbers), "both have been sent one", LIMIT)
        began = lose_all(mesh)
        reasons = set()

        def up():
            for n, m in mesh.pairs():
                reasons.update(s["reason"] for s in mesh.softwires(n, m) if s["state"] != "up")
                reasons.add(mesh.peers(n)[loopback(m)]["reason"])
            return wait_pair(mesh, time.monotonic(), 0) or True
        wait.until(up, "a1 and a2 are up again", BOUND_FORGED - (time.monotonic() - began))
        assert any("first message" in reason for reason in reasons), reasons


def prefix(i):
    return "10.100.%d.0/24" % i


def has_peers(mesh, n, count):
    assert len(mesh.peers(n)) == count, "%d peers" % len(mesh.peers(n))
    return True


def assert_log_let_go(mesh):
    """swmeshd, which reads charon's log, ends while charon has much to log: charon, which would
    log that it cannot send its log, and that again, has not even noticed."""
    a1 = mesh["a1"]

    def retransmits():
        return a1.charon.output().count("retransmit")

    # The pair may be back before charon has tried a bogus AFBR a second time.
    wait.until(retransmits, "charon retransmits to the bogus AFBRs", LIMIT)
    stopped = a1["swmeshd"].stop()
    before = retransmits()
    a1["swmeshd"].start()
    assert stopped == 0
    wait.until(lambda: retransmits() > before, "charon goes on logging", LIMIT)
    assert [line for line in a1.charon.output().splitlines() if "vici" in line
            and ("unknown" in line or "error" in line)] == []


def test_bogus_afbrs(mesh):
    """Forty AFBRs that do not answer take a small part of the handshakes: two that were up
    before do not wait for them, and the one pair recovers as fast as without."""
    wait_up(mesh)
    numbers = range(1, BOGUS + 1)
    with softwires.speaker(mesh) as one:
        for i in numbers:
            one.announce(prefix(i), softwires.remote(i), tea.gre(softwires.remote(i), 1, (4,)))
        # Now all that may be under way is, and the others wait.
        for n in mesh.numbers:
            node = mesh["a%d" % n]
            wait.until(lambda: has_peers(mesh, n, BOGUS + 1), "a%d has them all" % n, LIMIT)
            wait.until(lambda: node.json("swmeshd", "show softwire security json")[
                "handshakes"]["waiting"] > BOGUS / 2, "most of them wait at a%d" % n, LIMIT)
        wait_pair(mesh, lose_all(mesh), BOUND_BOGUS)
        assert_log_let_go(mesh)
        for i in numbers:
            one.withdraw(prefix(i))
        softwires.speaker_routes_gone(mesh, [prefix(i) for i in numbers])
    for n in mesh.numbers:
        wait.until(lambda: has_peers(mesh, n, 1), "they are gone", LIMIT)


def shown(mesh, n):
    """What AFBR n tells of its charon."""
    return mesh["a%d" % n].json("swmeshd", "show softwire security json")["charon"]


def spis(charon):
    """Of its IKE_SAs and CHILD_SAs."""
    sas = charon.established()
    return {sa["initiator-spi"] for sa in sas} | {
        child["spi-out"] for sa in sas for child in sa["children"]
        if child["state"] == "INSTALLED"}


def test_frozen(mesh):
    """a1's swmeshd and a2's charon do not run for a minute: no packet is lost. a2 says that
    charon hangs, until it answers again; a1's swmeshd finds answers waiting for it and takes
    nobody for dead."""
    wait_up(mesh)
    softwires.wait_talk(mesh)
    flow = mesh.flow("h1", host(2), "h2", rate=20)
    before = shown(mesh, 1)
    a1, a2 = mesh["a1"], mesh["a2"]
    old = spis(a1.charon)

    def asked():
        return a1.charon.output().count("vici rekey IKE_SA")

    asked_before = asked()
    a1.show("swmeshd", "clear softwire security all")
    # The last that it asks for; what comes of all that is for it to read afterwards.
    wait.until(lambda: asked() > asked_before, "a1's charon is asked", LIMIT, 0.01)
    with a1["swmeshd"].frozen():
        wait.until(lambda: spis(a1.charon) and not spis(a1.charon) & old, "rekeyed", LIMIT)
        # What a1's charon asks while a2's is frozen would make it give a2 up after 48 s.
        for charon in (a1.charon, a2.charon):
            wait.until(lambda: [len(sa["children"]) for sa in charon.sas()] == [1],
                       "the SAs before have gone", LIMIT)
        with a2.charon.frozen():
            a2.show("swmeshd", "clear softwire security all")
            wait.until(lambda: shown(mesh, 2)["hangs"], "a2 says that charon hangs", LIMIT, 1)
            assert "HANGS" in a2.show("swmeshd", "show softwire security")
    wait.until(lambda: shown(mesh, 2)["state"] == "up" and not shown(mesh, 2)["hangs"],
               "a2's charon answers again", LIMIT)
    wait_up(mesh, LIMIT)
    softwires.wait_flowing(flow, 20)
    assert flow.stop().lost == []
    after = shown(mesh, 1)
    assert (after["connects"], after["failures"], after["state"]) == (
        before["connects"], before["failures"], "up"), after
