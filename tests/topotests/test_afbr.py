# SPDX-License-Identifier: GPL-2.0-or-later
"""AFBRs and links that come and go.

    h1 - a1 - p - a2 - h2     h2's island is dual-homed: a3 has a link to h2, too, and
                  a3 --/      announces 10.2.0.0/24 as well. The reflector sends all
                  | - h3      paths (RFC 7911), so a1 knows both.

F1: a packet enters the softwire whose endpoint is its BGP next hop.
"""
import signal

import pytest

from conftest import run_topology
from lib import kernel, packet, softwires, traffic, wait
from lib.mesh import Mesh, core_address, host, island, loopback
from lib.topology import Link

ISLANDS = "10.0.0.0/8"
MESH = {
    "name": "afbr",
    "extra_links": [Link("a3", "h2", ["10.32.0.1/24"], ["10.32.0.2/24"])],
    "ip_lines": {"a3": ["route add 10.2.0.0/24 via 10.32.0.2"]},
}


# a3 announces island 2 too, with a lower preference.
SECOND = """
router bgp 65000
 address-family ipv4 unicast
  network 10.2.0.0/24
  neighbor 2001:db8:c::100 route-map SECOND out
 exit-address-family
exit
ip prefix-list SECOND permit 10.2.0.0/24
route-map SECOND permit 10
 match ip address prefix-list SECOND
 set local-preference 50
 call SOFTWIRE-OUT
route-map SECOND permit 20
 call SOFTWIRE-OUT
"""
ALL_PATHS = """
router bgp 65000
 address-family ipv4 unicast
  neighbor AFBR addpath-tx-all-paths
"""


@pytest.fixture(scope="module")
def mesh():
    topo = Mesh(**MESH)
    topo["a3"].configs["bgpd"] += SECOND
    topo["p"].configs["bgpd"] += ALL_PATHS
    yield from run_topology(topo)


@pytest.fixture(scope="module", autouse=True)
def up(mesh):
    settled(mesh)


def paths(router, prefix):
    """[(next hop, is it valid)] of all paths that bgpd has; a path's SW-NHOP comes second."""
    found = router.json("bgpd", "show bgp ipv4 unicast " + prefix)
    return [(path["nexthops"][0]["ip"], path.get("valid", False))
            for path in found.get("paths", [])]


def settled(mesh):
    """Everything is up and as it is meant to be."""
    for n in (1, 3):
        softwires.wait_sends("a%d" % n, island(4 - n), loopback(4 - n), "ip6gre")
    softwires.wait_sends("a1", island(2), loopback(2), "ip6gre")
    softwires.wait_sends("a2", island(1), loopback(1), "ip6gre")
    softwires.wait_sends("a2", island(3), loopback(3), "ip6gre")
    wait.until(lambda: len(paths(mesh["a1"], island(2))) == 2, "a1 has both paths to island 2")
    softwires.wait_talk(mesh, [(1, 2), (2, 1), (1, 3), (3, 1)])
    for n in mesh.numbers:
        wait.until(lambda: softwires.consistent("a%d" % n), "a%d is consistent" % n)


def test_second_path_is_known(mesh):
    """a1 has both paths to island 2, both valid, both by softwires; it uses a2's."""
    def so():
        found = paths(mesh["a1"], island(2))
        assert len(found) == 2 and all(valid for _, valid in found), found
        return True

    wait.until(so, "both paths are valid")
    mark = mesh.capture.mark()
    assert None not in traffic.ping("h1", host(2), count=3)
    crossed = packet.select(mesh.capture.packets(mark), inner_dst=host(2))
    assert {p.outer.dst for p in crossed} == {loopback(2)}


def test_afbr_removed_and_added(mesh):
    """a3 leaves the mesh (its configuration goes, its bgpd and swmeshd stop) and comes back,
    while traffic flows between the others: not one packet of theirs is lost. While it is away
    nothing of it is in the others' kernels, and nothing of swmeshd's in its own. It stays a
    router of the core."""
    flows = [mesh.flow("h1", host(2), "h2", rate=100), mesh.flow("h2", host(1), "h1", rate=100)]
    for flow in flows:
        softwires.wait_flowing(flow)

    mesh["a3"].configure("swmeshd", "no softwire mesh\n")
    wait.until(lambda: kernel.leftovers("a3") == [], "a3's kernel has nothing of swmeshd's")
    for daemon in ("swmeshd", "bgpd"):
        assert mesh["a3"][daemon].stop() == 0
    for n in (1, 2):
        softwires.wait_no_route("a%d" % n, island(3))
        wait.until(lambda: loopback(3) not in softwires.endpoints("a%d" % n),
                   "a%d has no device to a3" % n)
        wait.until(lambda: len(softwires.host_routes("a%d" % n)) == 1, "a%d: one SW-NHOP" % n)
        softwires.consistent("a%d" % n)
    assert not traffic.reachable("h1", host(3), 0.5)

    for daemon in ("bgpd", "swmeshd"):
        mesh["a3"][daemon].start()
    settled(mesh)
    for flow in flows:
        softwires.wait_flowing(flow)
        result = flow.stop()
        assert result.lost == [] and result.received > 200, "%s: %s" % (flow.name, result)


def test_afbr_dies(mesh):
    """All daemons of a2 are killed and its core link fails: a1 takes a3's path to island 2
    by itself, traffic goes on, and of a2 nothing is left in a1's kernel in the end. When a2
    is back it is used again."""
    flow = mesh.flow("h1", host(2), "h2", rate=100)
    bystander = mesh.flow("h1", host(3), "h3", rate=100)
    softwires.wait_flowing(flow)
    mark = mesh.capture.mark()
    for daemon in mesh["a2"].daemons.values():
        daemon.kill()
    kernel.set_link("p", "p-a2", False)
    softwires.wait_sends("a1", island(2), loopback(3), "ip6gre")
    softwires.wait_flowing(flow)
    wait.until(lambda: loopback(2) not in softwires.endpoints("a1"), "a1 has no device to a2")
    wait.until(lambda: len(softwires.host_routes("a1")) == 1, "a1 has a3's SW-NHOP alone")
    softwires.consistent("a1")
    after = mesh.capture.mark()
    softwires.wait_flowing(flow)
    seen = mesh.capture.packets(after)
    assert {p.outer.dst for p in packet.select(seen, inner_dst=host(2))} == {loopback(3)}

    kernel.set_link("p", "p-a2", True)
    mesh["a2"].start()
    settled(mesh)
    assert packet.in_clear(mesh.capture.packets(mark), ISLANDS) == []
    result = bystander.stop()
    assert result.lost == [], "h1 to h3: %s" % result
    result = flow.stop()
    assert result.longest_gap < 20, str(result)


def test_endpoint_unreachable_while_bgp_says_nothing(mesh):
    """Only a1 loses its route to a2's endpoint, BGP knows nothing of it: a1's softwire is down,
    its SW-NHOP has no route, and a3's path is used; a2's is used again when there is a way."""
    flow = mesh.flow("h1", host(2), "h2", rate=100)
    softwires.wait_flowing(flow)
    before = softwires.sessions(mesh["a1"])
    route = "ipv6 route %s/128 %s\n" % (loopback(2), core_address(1, "p"))
    mesh["a1"].configure("staticd", "no " + route)
    softwires.wait_sends("a1", island(2), loopback(3), "ip6gre")
    wait.until(lambda: len(softwires.host_routes("a1")) == 1, "a1 has a3's SW-NHOP alone")
    softwires.wait_flowing(flow)
    mesh["a1"].configure("staticd", route)
    settled(mesh)
    assert softwires.sessions(mesh["a1"]) == before
    result = flow.stop()
    assert result.longest_gap < 8, str(result)


def test_core_link_down(mesh):
    """a1's core link goes down under traffic: no softwire of its is up, its routes to islands
    are gone, not one packet leaves in clear; when the link is back all recovers. a3 and a2
    go on without losing a packet."""
    bystander = mesh.flow("h3", "10.32.0.2", "h2", rate=100)
    cut = mesh.flow("h1", host(3), "h3", rate=200)
    softwires.wait_flowing(cut)
    mark = mesh.capture.mark()
    kernel.set_link("p", "p-a1", False)
    softwires.wait_no_route("a1", island(3))
    softwires.wait_no_route("a1", island(2))
    wait.until(lambda: softwires.host_routes("a1") == {}, "a1 has no SW-NHOP")
    received = cut.progress()[1]
    kernel.set_link("p", "p-a1", True)
    settled(mesh)
    wait.until(lambda: cut.progress()[1] > received + 50, "traffic flows again")
    cut.stop()
    assert packet.in_clear(mesh.capture.packets(mark), ISLANDS) == []
    result = bystander.stop()
    assert result.lost == [], str(result)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_bgpd_restarted(mesh, number):
    """bgpd of a1 ends and starts again: all converges to the same devices and SW-NHOPs (they
    are made from next hop and attribute, so they are the same), with no leftovers."""
    def state():
        return (softwires.host_routes("a1"),
                {t.name: (t.kind, t.remote) for t in kernel.tunnels("a1").values()},
                {p: softwires.next_hop("a1", island(p)) for p in (2, 3)})

    wait.until(lambda: len(state()[0]) == 2, "a1 has two SW-NHOPs")
    before = state()
    flow = mesh.flow("h1", host(3), "h3", rate=100)
    softwires.wait_flowing(flow)
    mark = mesh.capture.mark()
    mesh["a1"]["bgpd"].stop(number)
    softwires.wait_no_route("a1", island(3))
    mesh["a1"]["bgpd"].start()
    mesh["a1"].wait_bgp(1)
    settled(mesh)
    assert state() == before
    softwires.wait_flowing(flow)
    flow.stop()
    assert packet.in_clear(mesh.capture.packets(mark), ISLANDS) == []


def test_reflector_restarted(mesh):
    """The reflector's bgpd is killed and starts again: all sessions and softwires return."""
    mesh["p"]["bgpd"].kill()
    for n in mesh.numbers:
        wait.until(lambda: not mesh["a%d" % n].json("bgpd", "show bgp ipv4 unicast")["routes"]
                   .get("10.%d.0.0/24" % (n % 3 + 1)), "a%d has lost its routes" % n)
    mesh["p"]["bgpd"].start()
    mesh["p"].wait_bgp(3)
    settled(mesh)
    assert kernel.routes("p", 4) == []
