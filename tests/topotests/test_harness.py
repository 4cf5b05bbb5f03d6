# SPDX-License-Identifier: GPL-2.0-or-later
"""The harness itself, on stock FRR and tunnels made by hand: what the other tests rely on."""
import pytest

from lib import bgpspeaker, kernel, netns, packet, traffic, vty, wait
from lib.mesh import host, island, loopback

MESH = {"name": "harness", "swmesh": False}


@pytest.fixture(scope="module")
def tunnels(mesh):
    """ip6gre between a1 and a2, with a key of its own in each direction."""
    for here, there, ikey, okey in ((1, 2, 101, 202), (2, 1, 202, 101)):
        netns.ip_batch("a%d" % here, [
            "link add g0 type ip6gre local %s remote %s encaplimit none hoplimit 64 ikey %d "
            "okey %d" % (loopback(here), loopback(there), ikey, okey),
            "link set g0 up", "route add %s dev g0" % island(there)])
    wait.until(lambda: traffic.reachable("h1", host(2), 0.5), "h1 reaches h2")
    return mesh


def test_bgp_converges(mesh):
    """Three sessions with the reflector; every AFBR hears the others' islands."""
    mesh["p"].wait_bgp(3)
    for n in mesh.numbers:
        others = {island(m) for m in mesh.numbers if m != n}

        def all_heard():
            routes = mesh["a%d" % n].json("bgpd", "show bgp ipv4 unicast")["routes"]
            return others <= set(routes)

        wait.until(all_heard, "a%d has the routes to %s" % (n, sorted(others)))


def test_core_has_no_ipv4(mesh):
    """The core router never gets an IPv4 route, so clear packets have nowhere to go."""
    mesh["p"].wait_bgp(3)
    assert kernel.routes("p", 4) == []


def test_vty(mesh):
    """Commands, JSON, configuration, and refusals with their text."""
    a1 = mesh["a1"]
    assert "2001:db8:c::100" in a1.json("bgpd", "show bgp summary")["ipv4Unicast"]["peers"]
    a1.configure("zebra", "interface lo\n description here\n")
    assert "description here" in a1.show("zebra", "show running-config")
    with pytest.raises(vty.VtyError) as err:
        a1.configure("zebra", "no such line\n")
    assert "no such line" in str(err.value)


def test_capture_decodes_gre(tunnels):
    """Each packet is seen once, at the port where it enters the core, with both headers."""
    mark = tunnels.capture.mark()
    assert None not in traffic.ping("h1", host(2), count=5)
    seen = tunnels.capture.packets(mark)
    assert packet.in_clear(seen, "10.0.0.0/8") == []
    for here, there, key in ((1, 2, 202), (2, 1, 101)):
        there_going = packet.select(
            seen, encap="gre", key=key, inner_src=host(here), inner_dst=host(there),
            src=loopback(here), dst=loopback(there), link="p-a%d" % here, proto="icmp")
        assert len(there_going) == 5, "\n".join(map(str, seen))
        assert all(p.outer.extensions == [] and p.inner.ttl == 63 for p in there_going)
    found = kernel.tunnels_to("a1", loopback(2), "ip6gre")
    assert [(t.ikey, t.okey, t.encaplimit, t.ttl, t.up) for t in found] == [
        (101, 202, False, 64, True)]


def test_capture_sees_clear_packets(tunnels):
    """A packet that leaves an AFBR in clear is found."""
    mark = tunnels.capture.mark()
    netns.ip_batch("a1", ["route add 10.77.0.0/16 via inet6 2001:db8:f:1::2 dev a1-p"])
    assert not traffic.reachable("h1", "10.77.0.1", 0.3)
    netns.ip_batch("a1", ["route del 10.77.0.0/16"])
    clear = packet.in_clear(tunnels.capture.packets(mark), "10.0.0.0/8")
    assert [(p.outer.src, p.outer.dst) for p in clear] == [(host(1), "10.77.0.1")]


def test_flow_counts_losses(tunnels):
    """A flow loses nothing on a good path, and tells which packets a cut cost."""
    flow = tunnels.flow("h1", host(2), "h2", rate=100)
    wait.until(lambda: flow.progress()[1] >= 100, "100 packets arrived")
    result = flow.stop()
    assert result.lost == [] and result.received == result.sent >= 100, str(result)

    flow = tunnels.flow("h1", host(2), "h2", rate=100)
    wait.until(lambda: flow.progress()[1] >= 50, "50 packets arrived")
    kernel.set_link("a2", "g0", False)
    sent = flow.progress()[0]
    wait.until(lambda: flow.progress()[0] >= sent + 20, "20 packets sent into the cut")
    netns.ip_batch("a2", ["link set g0 up", "route replace %s dev g0" % island(1)])
    received = flow.progress()[1]
    wait.until(lambda: flow.progress()[1] >= received + 20, "packets arrive again")
    result = flow.stop()
    lost = result.lost
    assert len(lost) >= 15 and lost == list(range(lost[0], lost[-1] + 1)), str(result)


def test_raw_speaker(mesh):
    """A raw speaker behind p: its route arrives, and it hears those of the mesh."""
    mesh["p"].configure("bgpd", "router bgp 65000\n neighbor 2001:db8:c::99 remote-as 65000\n"
                        " neighbor 2001:db8:c::99 passive\n"
                        " neighbor 2001:db8:c::99 capability extended-nexthop\n"
                        " address-family ipv4 unicast\n  neighbor 2001:db8:c::99 activate\n")
    netns.ip_batch("p", ["address add 2001:db8:c::99/128 dev lo nodad"])
    speaker = bgpspeaker.Speaker("p", "2001:db8:c::99", "2001:db8:c::100", 65000, "10.255.0.99")
    speaker.start()
    try:
        speaker.announce("10.99.0.0/24", loopback(1))
        wait.until(lambda: "10.99.0.0/24" in mesh["p"].json(
            "bgpd", "show bgp ipv4 unicast")["routes"], "p has the speaker's route")
        heard = speaker.wait_route(island(1))
        assert heard.nexthop == loopback(1) and heard.tea is None
        speaker.assert_up()
        speaker.send_raw(b"\0" * 16 + b"\0\x13\x04")
        wait.until(lambda: speaker.notifications, "a NOTIFICATION for a bad marker")
        assert speaker.notifications[0][:2] == (1, 1)
    finally:
        speaker.stop()


def test_kill_and_restart(mesh):
    """A daemon killed hard is gone at once and comes back."""
    daemon = mesh["a3"]["bgpd"]
    assert daemon.kill() == -9
    assert not daemon.alive()
    daemon.start()
    mesh["a3"].wait_bgp(1)
