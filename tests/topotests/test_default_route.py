# SPDX-License-Identifier: GPL-2.0-or-later
"""A default route in the AFBR never catches the packets of a softwire that is down (B3).

a1 has an IPv6 default route to the core router, and zebra may be told to resolve
next hops by it. An islands' packet that took it would leave in clear: p's port would see
it. Every way to lose the softwire is tried under traffic, and the whole transition is
recorded.

What is expected of an IPv4 default route, which is the operator's own for E-IP
packets: it is ordinary routing. Longest match decides, so it carries what no BGP
route covers. While BGP has a path with a softwire, the default does not carry that
island's packets; once the path is gone for good, because the route has no feasible
tunnel (RFC 9012 section 6: not resolvable), it does as it would for any prefix
that is not known. So the tests in clear below are made without one, and one test has it.
"""
import pytest

from lib import kernel, netns, packet, softwires, traffic, wait
from lib.mesh import core_address, host, island, loopback
from lib.softwires import set_tunnels, wait_sends

MESH = {"name": "default"}
ISLANDS = "10.0.0.0/8"
CORE = core_address(1, "p")
RATE = 200


def set_nht(mesh, on):
    for family in ("ip", "ipv6"):
        mesh["a1"].configure("zebra", "%s%s nht resolve-via-default\n" % (
            "" if on else "no ", family))


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "resolve-via-default"])
def default_route(request, mesh):
    """a1's IPv6 default route to the core, with and without resolution by it."""
    set_nht(mesh, request.param)
    mesh["a1"].configure("staticd", "ipv6 route ::/0 %s\n" % CORE)
    wait.until(lambda: kernel.route("a1", "default", 6), "a1 has a default route")
    yield request.param
    mesh["a1"].configure("staticd", "no ipv6 route ::/0 %s\n" % CORE)
    set_nht(mesh, False)


@pytest.fixture
def traffic_of_a1(mesh, default_route):
    """Flows from h1 to h2 and h3 throughout; at the end both work again, and not one packet
    of the islands has crossed the core in clear at any time."""
    settled(mesh)
    mark = mesh.capture.mark()
    flows = {m: mesh.flow("h1", host(m), "h%d" % m, rate=RATE) for m in (2, 3)}
    for flow in flows.values():
        softwires.wait_flowing(flow)
    yield flows
    settled(mesh)
    for flow in flows.values():
        softwires.wait_flowing(flow)
        flow.stop()
    seen = mesh.capture.packets(mark)
    clear = packet.in_clear(seen, ISLANDS)
    assert clear == [], "%d in clear, of them: %s" % (len(clear), clear[0])
    assert len(packet.select(seen, inner_dst=host(2))) > 50  # the capture did see them


def settled(mesh):
    for n, m in ((1, 2), (2, 1), (1, 3)):
        wait_sends("a%d" % n, island(m), loopback(m), "ip6gre")
    softwires.wait_talk(mesh, [(1, 2), (1, 3)])


def stays_down(flow, packets=100):
    """The softwire is down: the kernel has no way to the island, and many packets later none
    has arrived."""
    softwires.wait_no_route("a1", island(2))
    wait.until(lambda: len(softwires.host_routes("a1")) == 1, "a1 has a3's SW-NHOP alone")
    assert softwires.guarded("a1")
    sent, received = flow.progress()
    wait.until(lambda: flow.progress()[0] >= sent + packets, "%d packets more" % packets)
    assert flow.progress()[1] == received
    assert kernel.route("a1", island(2)) is None
    resolved = netns.run("a1", ["ip", "route", "get", host(2)], check=False)
    assert " dev " not in resolved, resolved


def test_sw_nhop_is_guarded(mesh, default_route):
    """An address of the SW-NHOP prefix that has no host route goes nowhere, default route or
    not; zebra knows no way to it either."""
    settled(mesh)
    assert softwires.guarded("a1")
    answer = netns.run("a1", ["ip", "-6", "route", "get", "fd53:574d:4553:4800::1"], check=False)
    assert " dev a1-p" not in answer, answer
    route = mesh["a1"].show("zebra", "show ipv6 route fd53:574d:4553:4800::1")
    assert "unreachable" in route or "blackhole" in route or "ICMP" in route, route


def test_no_common_tunnel_type(mesh, traffic_of_a1):
    """a2 announces ip-in-ip alone, which a1 does not have."""
    set_tunnels(mesh["a2"], "tunnel 20 ip-in-ip")
    stays_down(traffic_of_a1[2])
    assert "no feasible tunnel" in mesh["a1"].show("swmeshd", "show softwire")
    set_tunnels(mesh["a2"], "tunnel 10 gre")


def test_endpoint_unreachable(mesh, traffic_of_a1):
    """a1 has no way to a2's endpoint: the route to it is a discard route, the default route
    covers it no more."""
    a1 = mesh["a1"]
    by_core, nowhere = ("ipv6 route %s/128 %s\n" % (loopback(2), via) for via in (CORE, "Null0"))
    a1.configure("staticd", "no " + by_core + nowhere)
    stays_down(traffic_of_a1[2])
    a1.configure("staticd", "no " + nowhere + by_core)


def test_endpoint_by_default_route_only(mesh, default_route, traffic_of_a1):
    """The host route to a2's endpoint goes, the default route covers it: the softwire is up or
    down as zebra is told to resolve by a default route, and what leaves is encapsulated."""
    a1, flow = mesh["a1"], traffic_of_a1[2]
    a1.configure("staticd", "no ipv6 route %s/128 %s\n" % (loopback(2), CORE))
    if default_route:
        wait.until(lambda: kernel.route("a1", loopback(2), 6) is None, "the host route is gone")
        softwires.wait_flowing(flow)
        wait_sends("a1", island(2), loopback(2), "ip6gre")
    else:
        stays_down(flow)
    a1.configure("staticd", "ipv6 route %s/128 %s\n" % (loopback(2), CORE))


def test_device_deleted(mesh, traffic_of_a1):
    """Someone deletes the softwire's device: swmeshd makes it again, three times over; the
    other softwire loses nothing."""
    for _ in range(3):
        softwires.replace_device("a1", softwires.sends_by("a1", island(2)))
        wait_sends("a1", island(2), loopback(2), "ip6gre")
        softwires.wait_flowing(traffic_of_a1[2])
    result = traffic_of_a1[3].progress()
    softwires.wait_flowing(traffic_of_a1[3])
    assert result[0] - result[1] < 5, "h1 to h3: %d sent, %d received" % result
    wait.until(lambda: softwires.consistent("a1"), "a1 is consistent")


def test_device_set_down(mesh, traffic_of_a1):
    """Someone sets the softwire's device down: it is set up again."""
    device = softwires.sends_by("a1", island(2))
    kernel.set_link("a1", device.name, False)
    wait.until(lambda: any(t.up for t in kernel.tunnels_to("a1", loopback(2))), "it is up again")
    wait_sends("a1", island(2), loopback(2), "ip6gre")


def test_host_route_deleted(mesh, traffic_of_a1):
    """Someone deletes the SW-NHOP's host route: it is made again."""
    nhop = softwires.next_hop("a1", island(2))
    netns.ip_batch("a1", ["route delete %s" % nhop])
    wait.until(lambda: nhop in softwires.host_routes("a1"), "the host route is there again")
    wait_sends("a1", island(2), loopback(2), "ip6gre")


def test_mesh_removed(mesh, traffic_of_a1):
    """"no softwire mesh" and back: the routes that SOFTWIRE-IN took in for softwires do not
    become ordinary ones by the way."""
    a1 = mesh["a1"]
    text = a1.configs["swmeshd"]
    a1.configure("swmeshd", "no softwire mesh\n")
    wait.until(lambda: kernel.tunnels("a1") == {}, "a1 has no softwire")
    a1.configure("swmeshd", text)


def test_ipv4_default_route(mesh, default_route):
    """With an IPv4 default route by an IPv6 next hop in the core: what BGP has a path for is
    still encapsulated, what it has none for takes the default route (see above)."""
    settled(mesh)
    netns.ip_batch("a1", ["route add 0.0.0.0/0 via inet6 %s dev a1-p" % CORE])
    try:
        mark = mesh.capture.mark()
        assert None not in traffic.ping("h1", host(2), count=10)
        assert not traffic.reachable("h1", "10.99.0.1", 0.3)
        seen = mesh.capture.packets(mark)
        assert len(packet.select(seen, encap="gre", inner_dst=host(2), proto="icmp")) == 10
        assert {p.outer.dst for p in packet.in_clear(seen, ISLANDS)} == {"10.99.0.1"}
    finally:
        netns.ip_batch("a1", ["route delete 0.0.0.0/0"])
