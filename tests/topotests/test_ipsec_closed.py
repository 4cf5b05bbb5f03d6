# SPDX-License-Identifier: GPL-2.0-or-later
"""A protected softwire fails closed (S9): drop policies and filter are there before anything else
and outlive everything else; what is forged, replayed or in clear is dropped and counted (S8)."""
import contextlib
import socket

import pytest

from conftest import run_topology
from lib import inject, kernel, netns, nft, packet, softwires, wait, xfrm
from lib.mesh import host, loopback
from lib.securemesh import LIMIT, SecureMesh, wait_up

PORT = 4712
GRE = 47


@pytest.fixture(scope="module")
def mesh():
    yield from run_topology(SecureMesh("closed", numbers=(1, 2)))


@pytest.fixture(scope="module")
def settled(mesh):
    wait_up(mesh)
    softwires.wait_talk(mesh)
    wait.until(lambda: nft.elements("a2", "softwires"), "a2's filter knows its device")
    return mesh


def guards(node):
    """(direction, protocol) of swmeshd's drop policies."""
    return {(p.direction, p.proto) for p in xfrm.policies(node)
            if p.action == "block" and "::/0" in (p.src, p.dst)}


BOTH = {("in", GRE), ("out", GRE)}


@contextlib.contextmanager
def counting(node="a2"):
    before = nft.counters(node)
    yield lambda: {name: n - before.get(name, 0) for name, n in nft.counters(node).items()
                   if n != before.get(name, 0)}


def dropped_in(node):
    """What IPsec has dropped on its way in, for want of protection."""
    stat = xfrm.statistics(node)
    return sum(stat[name] for name in ("XfrmInNoPols", "XfrmInPolBlock", "XfrmInTmplMismatch",
                                       "XfrmInNoStates"))


def clear_packet(data):
    """As a1's softwire to a2 would send it, but for the protection."""
    return inject.gre(loopback(1), loopback(2), inject.udp(host(1), host(2), PORT, data))


def test_in_place(settled):
    """Drop policies both ways for the encapsulation's protocol, behind charon's in order; the
    AFBRs are known to the filter as protected ones."""
    for n in settled.numbers:
        node = "a%d" % n
        assert guards(node) == BOTH
        lowest = [p.priority for p in xfrm.policies(node) if p.action == "block"]
        others = [p.priority for p in xfrm.policies(node) if p.tmpl]
        assert others and max(others) < min(lowest)
        assert len(nft.elements(node, "protected6")) == 1 and not nft.elements(node, "open6")


def test_clear_is_dropped(settled):
    """GRE in clear between the right addresses: dropped and counted by the filter, and by IPsec
    alone when there is no filter (S8)."""
    with inject.listener("h2", host(2), PORT) as sock:
        with counting() as moved:
            inject.send("p", *(clear_packet(b"clear") for _ in range(5)))
            assert inject.heard(sock) == []
            assert moved() == {"clear": 5}
        softwires.set_mesh(settled["a2"], "filter off")
        wait.until(lambda: not nft.present("a2"), "the table is gone")
        before = dropped_in("a2")
        inject.send("p", *(clear_packet(b"clear") for _ in range(5)))
        assert inject.heard(sock) == []
        assert dropped_in("a2") == before + 5
    softwires.set_mesh(settled["a2"], "no filter off")
    wait.until(lambda: nft.elements("a2", "protected6"), "the table is there again")


def test_replay_is_dropped(settled):
    """A packet of ESP that was captured and is sent again arrives once, and is counted (S2)."""
    mark = settled.capture.mark()
    with inject.listener("h2", host(2), PORT) as sock:
        with netns.inside("h1"):
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with sender:
            sender.sendto(b"once", (host(2), PORT))
        wait.until(lambda: inject.heard(sock) == [b"once"], "it arrives")
        seen = [p for p in packet.select(settled.capture.packets(mark), encap="esp",
                                         src=loopback(1), dst=loopback(2), link="p-a1")]
        assert seen
        before = xfrm.statistics("a2")["XfrmInStateSeqError"]
        for one in seen:
            inject.replay("p", one)
        assert inject.heard(sock) == []
        assert xfrm.statistics("a2")["XfrmInStateSeqError"] == before + len(seen)


@pytest.mark.parametrize("what", ["policy", "state"])
def test_flushed(settled, what):
    """Somebody flushes the kernel's policies, or SAs, under traffic: nothing in clear, the drop
    policies are back, and in the end so is the softwire."""
    mark = settled.capture.mark()
    flow = settled.flow("h1", host(2), "h2", rate=200)
    softwires.wait_flowing(flow)
    netns.run("a1", ["ip", "xfrm", what, "flush"])
    wait.until(lambda: guards("a1") == BOTH, "a1 drops again")
    softwires.wait_flowing(flow, limit=LIMIT)
    flow.stop()
    settled.assert_protected(mark)
    wait_up(settled)
    assert guards("a1") == BOTH


def test_swmeshd_killed(settled):
    """swmeshd is dead, the SAs go: the drop policies stand, and the table, too. A new run takes
    them over and the softwire comes back."""
    swmeshd, mark = settled["a1"]["swmeshd"], settled.capture.mark()
    flow = settled.flow("h1", host(2), "h2", rate=100)
    softwires.wait_flowing(flow)
    swmeshd.kill()
    softwires.wait_flowing(flow)
    ends = {"out": (loopback(1), loopback(2)), "in": (loopback(2), loopback(1))}
    netns.run("a1", ["ip", "xfrm", "state", "flush"])
    for direction, (src, dst) in ends.items():
        netns.run("a1", ["ip", "xfrm", "policy", "delete", "src", src, "dst", dst,
                         "proto", "gre", "dir", direction])
    sent = flow.progress()[0]
    wait.until(lambda: flow.progress()[0] >= sent + 100, "packets go on")
    assert guards("a1") == BOTH and nft.present("a1")
    swmeshd.start()
    assert guards("a1") == BOTH
    softwires.wait_flowing(flow, limit=LIMIT)
    flow.stop()
    settled.assert_protected(mark)


def test_icmp_error_quotes_nothing(settled):
    """A device is gone while packets for it arrive: the kernel's ICMP error would quote, in clear,
    what IPsec has opened. It is dropped and counted."""
    mark = settled.capture.mark()
    flow = settled.flow("h1", host(2), "h2", rate=50)
    softwires.wait_flowing(flow)
    with counting() as moved, settled["a2"]["swmeshd"].frozen():
        netns.ip_batch("a2", ["link del " + name for name in kernel.tunnels("a2")])
        wait.until(lambda: moved().get("clear-sent"), "a2 stops an ICMP error")
    softwires.wait_flowing(flow, limit=LIMIT)
    flow.stop()
    wait_up(settled)
    settled.assert_only_ipsec(mark)


def protected(node):
    """Protocols for which the node has charon's policies."""
    return {p.proto for p in xfrm.policies(node) if p.tmpl}


def test_policies_of_a_dead_charon(settled):
    """charon dies, and the tunnel that it protected is none any more when the next one comes: its
    policies go, which would stop that protocol in clear for ever."""
    def use(kind):
        for n in settled.numbers:
            softwires.set_tunnels(settled["a%d" % n], "tunnel 10 " + kind)

    charon = settled["a1"].charon
    use("ip-in-ip")
    wait.until(lambda: 4 in protected("a1"), "IP-in-IP is protected", LIMIT)
    softwires.wait_talk(settled, limit=LIMIT)
    charon.kill()
    use("gre")
    charon.start()
    wait_up(settled)
    wait.until(lambda: protected("a1") == {GRE}, "the old policies are gone", LIMIT)
    softwires.wait_talk(settled)
    wait.until(settled.assert_one_each, "one of each", LIMIT)


@pytest.mark.parametrize("zebra, bgpd, seconds", [(1, 2, 20), (2, 1, 60)])
def test_frr_frozen(settled, zebra, bgpd, seconds):
    """zebra of one AFBR and bgpd of the other one stand still, longer than BGP's hold time, the
    second time as long as swmeshd waits for a bgpd: nothing is in clear, swmeshd answers all
    the time, and afterwards all is whole by itself."""
    mark = settled.capture.mark()
    flow = settled.flow("h1", host(2), "h2", rate=50)
    softwires.wait_flowing(flow)
    with settled["a%d" % zebra]["zebra"].frozen(), settled["a%d" % bgpd]["bgpd"].frozen():
        wait.holds(lambda: all(settled["a%d" % n].json("swmeshd", "show softwire")["status"]
                               for n in settled.numbers), "swmeshd answers", seconds, 1)
        assert loopback(bgpd) not in settled["p"].bgp_established(0)
    wait_up(settled)
    softwires.wait_talk(settled)
    softwires.wait_flowing(flow, limit=LIMIT)
    flow.stop()
    for n in settled.numbers:
        node = "a%d" % n
        wait.until(lambda: softwires.consistent(node) and len(softwires.host_routes(node)) == 1
                   and guards(node) == BOTH, node + " is whole", LIMIT)
    wait.until(settled.assert_one_each, "one of each", LIMIT)
    settled.assert_protected(mark)


def wait_gone(node):
    """Until nothing of swmeshd's is left; never is there a device without the policy that drops
    what it sends."""
    disorder = []

    def gone():
        closed = guards(node)  # asked first: a device seen later was there then, too
        devices = kernel.tunnels(node)
        if devices and closed != BOTH:
            disorder.append((closed, devices))
        return disorder or not (kernel.leftovers(node) or closed or nft.present(node))

    wait.until(gone, "%s has let go" % node, LIMIT)
    assert disorder == []


def test_removed(settled):
    """No softwire mesh: devices go, then drop policies and table, with nothing in clear on the
    way; and it all comes again."""
    mark = settled.capture.mark()
    flow = settled.flow("h1", host(2), "h2", rate=100)
    softwires.wait_flowing(flow)
    settled["a1"].configure("swmeshd", "no softwire mesh\n")

    wait_gone("a1")
    flow.stop()
    settled.give([1])
    wait_up(settled)
    softwires.wait_talk(settled)
    settled.assert_protected(mark)


def test_security_taken_away_and_given(settled):
    """A set that needs no protection any more is used in clear, without drop policies; one that
    needs it again is in clear no more from the moment they are there."""
    flow = settled.flow("h1", host(2), "h2", rate=100)
    for n in settled.numbers:
        softwires.set_mesh(settled["a%d" % n], "encap-set EDGE", "no security")
    for n in settled.numbers:
        wait.until(lambda: not guards("a%d" % n) and nft.elements("a%d" % n, "open6"),
                   "a%d takes GRE in clear" % n)
    softwires.wait_talk(settled)
    mark = settled.capture.mark()
    softwires.wait_flowing(flow)
    assert packet.select(settled.capture.packets(mark), encap="gre", inner_dst=host(2))

    for n in settled.numbers:
        softwires.set_mesh(settled["a%d" % n], "encap-set EDGE", "security CORE")
    for n in settled.numbers:
        wait.until(lambda: guards("a%d" % n) == BOTH, "a%d drops GRE in clear" % n)
    mark = settled.capture.mark()
    softwires.wait_flowing(flow, limit=LIMIT)
    flow.stop()
    wait_up(settled)
    settled.assert_protected(mark)


def test_leftovers(settled):
    """What a run left behind that the next one is not configured for stays for the grace time,
    and goes in order: never a device without the policy that drops."""
    router, mark = settled["a1"], settled.capture.mark()
    daemon, config = router["swmeshd"], router.configs["swmeshd"]
    flow = settled.flow("h1", host(2), "h2", rate=100)
    softwires.wait_flowing(flow)
    daemon.kill()
    router.configs["swmeshd"] = ""
    router.write_config("swmeshd")
    daemon.options += ["--grace", "5"]
    try:
        daemon.start()
        assert guards("a1") == BOTH and nft.present("a1") and kernel.tunnels("a1")
        wait_gone("a1")
        flow.stop()
    finally:
        router.configs["swmeshd"] = config
        router.write_config("swmeshd")
        daemon.options = daemon.options[:-2]
        daemon.restart()
    wait_up(settled)
    softwires.wait_talk(settled)
    settled.assert_protected(mark)
