# SPDX-License-Identifier: GPL-2.0-or-later
"""What routes may come, which tunnels are announced, and what makes a tunnel infeasible.

A raw speaker beside the reflector announces whatever a test needs to all AFBRs.
"""
import pytest

from lib import kernel, packet, probe, softwires, tea, traffic, wait
from lib.mesh import RR, core_address, host, island, loopback
from lib.softwires import set_mesh, wait_no_route, wait_sends

MESH = {"name": "policy", "families": (4, 6), "sets": {
    n: {"EDGE": ["tunnel 10 gre", "payload ipv4 ipv6"]} for n in (1, 2, 3)}}
SPEAKER = softwires.remote(99)
PREFIX, PREFIX6 = "10.50.0.0/24", "2001:db8:e::/64"
INSIDE = "10.50.0.1"


@pytest.fixture(scope="module")
def speaker(mesh):
    softwires.wait_talk(mesh)
    with softwires.speaker(mesh) as one:
        yield one


@pytest.fixture(autouse=True)
def clean(mesh, speaker):
    """Every test leaves no route of the speaker's, and the islands talk."""
    yield
    speaker.assert_up()
    for prefix in (PREFIX, PREFIX6):
        speaker.withdraw(prefix)
    softwires.speaker_routes_gone(mesh, [PREFIX, PREFIX6])
    for n in mesh.numbers:
        wait.until(lambda: softwires.endpoints("a%d" % n) == {
            loopback(m) for m in mesh.numbers if m != n}, "a%d has its peers' devices" % n)
    softwires.wait_talk(mesh)


def has_path(router, prefix):
    family = "ipv6" if ":" in prefix else "ipv4"
    return prefix in router.json("bgpd", "show bgp %s unicast" % family)["routes"]


def wait_path(mesh, prefix, node="a1"):
    wait.until(lambda: has_path(mesh[node], prefix), "%s has heard of %s" % (node, prefix))


def not_resolvable(mesh, prefix, *reasons):
    """bgpd of a1 has the route, the kernel does not, and "show softwire" says why."""
    family = 6 if ":" in prefix else 4
    wait_path(mesh, prefix)

    def told():
        text = mesh["a1"].show("swmeshd", "show softwire detail")
        for reason in reasons:
            assert reason in text, "no '%s' in:\n%s" % (reason, text)
        return True

    wait.until(told, "a1 says why there is no softwire for %s" % prefix)
    wait.holds(lambda: kernel.route("a1", prefix, family) is None, "no route in the kernel", 1.5)


def outer_destinations(mesh, address, count=3):
    """{(outer destination, encap, key)} of packets that h1 sends to an address."""
    mark = mesh.capture.mark()
    probe.send("h1", address, count=count)

    def crossed():
        seen = mesh.capture.packets(mark, ["p-a1"])
        return [p for p in seen if address in (p.outer.dst, p.inner and p.inner.dst)]

    wait.until(lambda: len(crossed()) == count, "%d packets to %s cross" % (count, address))
    return {(p.outer.dst, p.encap, p.key) for p in crossed()}


# -- peer policy --

def test_route_without_attribute(mesh, speaker):
    """peer policy any: a route without the attribute is an ordinary one, its next hop in the
    core is used as it is. required: it is refused, and the islands go on. any: it is back."""
    speaker.announce(PREFIX, SPEAKER)
    wait.until(lambda: softwires.next_hop("a1", PREFIX), "a1 has the route")
    assert kernel.nexthop_devices(kernel.route("a1", PREFIX)) == ["a1-p"]
    assert outer_destinations(mesh, INSIDE) == {(INSIDE, None, None)}

    flow = mesh.flow("h1", host(2), "h2", rate=100)
    softwires.wait_flowing(flow)
    set_mesh(mesh["a1"], "peer policy required")
    wait_no_route("a1", PREFIX)
    wait_path(mesh, PREFIX, "a3")  # the policy is a1's alone
    assert kernel.route("a3", PREFIX)
    wait_sends("a1", island(2), loopback(2), "ip6gre")
    softwires.wait_flowing(flow)

    speaker.announce(PREFIX, SPEAKER, tea.gre(SPEAKER))
    wait_sends("a1", PREFIX, SPEAKER, "ip6gre")
    speaker.announce(PREFIX, SPEAKER)
    wait_no_route("a1", PREFIX)

    set_mesh(mesh["a1"], "no peer policy required")
    wait.until(lambda: kernel.route("a1", PREFIX), "a1 has the route again")
    assert kernel.nexthop_devices(kernel.route("a1", PREFIX)) == ["a1-p"]
    result = flow.stop()
    assert result.lost == [], str(result)


# -- what makes a tunnel infeasible --

def test_type_not_supported(mesh, speaker):
    """VXLAN alone: the route is not resolvable, "show softwire" says that vxlan is not
    supported, no device appears; with GRE beside it GRE is used (B1, B3, B8)."""
    speaker.announce(PREFIX, SPEAKER, tea.tunnel(tea.VXLAN, SPEAKER))
    not_resolvable(mesh, PREFIX, "vxlan", "not supported")
    assert SPEAKER not in softwires.endpoints("a1")
    speaker.announce(PREFIX, SPEAKER, tea.tunnel(tea.VXLAN, SPEAKER) + tea.gre(SPEAKER, 9))
    wait_sends("a1", PREFIX, SPEAKER, "ip6gre", 9)
    assert outer_destinations(mesh, INSIDE) == {(SPEAKER, "gre", 9)}


def test_type_not_announced_by_us(mesh, speaker):
    """ip-in-ip alone, which a1 supports but has in no encap-set: not resolvable, until a1's
    set has it."""
    speaker.announce(PREFIX, SPEAKER, tea.ip_in_ip(SPEAKER))
    not_resolvable(mesh, PREFIX, "ip-in-ip", "encap-set")
    mesh["a1"].configure("swmeshd", "softwire mesh\nencap-set EDGE\ntunnel 20 ip-in-ip\n")
    wait_sends("a1", PREFIX, SPEAKER, "ip6tnl")
    assert outer_destinations(mesh, INSIDE) == {(SPEAKER, "ip-in-ip", None)}
    mesh["a1"].configure("swmeshd", "softwire mesh\nencap-set EDGE\nno tunnel 20\n")
    wait_no_route("a1", PREFIX)


def test_endpoint_unreachable(mesh, speaker):
    """The core has no route to the endpoint: not resolvable, and it says so; when there is
    one the softwire comes up by itself (B3)."""
    far = "2001:db8:fa::1"
    speaker.announce(PREFIX, SPEAKER, tea.gre(far))
    not_resolvable(mesh, PREFIX, "no route to endpoint " + far)
    route = "ipv6 route %s/128 %s\n" % (far, core_address(1, "p"))
    mesh["a1"].configure("staticd", route)
    wait_sends("a1", PREFIX, far, "ip6gre")
    assert outer_destinations(mesh, INSIDE) == {(far, "gre", None)}
    mesh["a1"].configure("staticd", "no " + route)
    wait_no_route("a1", PREFIX)


def test_endpoint_of_another_family(mesh, speaker):
    """An IPv4 endpoint in an IPv6 core is no use, and said to be none."""
    speaker.announce(PREFIX, SPEAKER, tea.gre("192.0.2.7"))
    not_resolvable(mesh, PREFIX, "192.0.2.7", "transit core")


def test_endpoint_is_not_the_next_hop(mesh, speaker):
    """The endpoint sub-TLV decides where packets go, not the next hop (RFC 9012 section 3.1);
    with address family 0 it is the next hop."""
    speaker.announce(PREFIX, SPEAKER, tea.gre(loopback(2)))
    wait_sends("a1", PREFIX, loopback(2), "ip6gre")
    assert outer_destinations(mesh, INSIDE) == {(loopback(2), "gre", None)}
    speaker.announce(PREFIX, SPEAKER, tea.gre(None, 23))
    wait_sends("a1", PREFIX, SPEAKER, "ip6gre", 23)
    assert outer_destinations(mesh, INSIDE) == {(SPEAKER, "gre", 23)}


def test_second_key_of_one_endpoint(mesh, speaker):
    """A kernel device sends with one key: an endpoint that is announced with a second one
    needs a second gre tunnel of ours, and "show softwire" says so."""
    speaker.announce(PREFIX, SPEAKER, tea.gre(loopback(2), 22))
    not_resolvable(mesh, PREFIX, "announce one more gre tunnel")
    mesh["a1"].configure("swmeshd", "softwire mesh\nencap-set EDGE\ntunnel 15 gre key 15\n")
    wait_sends("a1", PREFIX, loopback(2), "ip6gre", 22)
    wait_sends("a1", island(2), loopback(2), "ip6gre", None)
    assert outer_destinations(mesh, INSIDE) == {(loopback(2), "gre", 22)}
    mesh["a1"].configure("swmeshd", "softwire mesh\nencap-set EDGE\nno tunnel 15\n")
    wait_no_route("a1", PREFIX)


def test_encapsulation_community(mesh, speaker):
    """The Encapsulation extended community alone says as much as a bare TLV (B2)."""
    community = bytes([3, 0x0C, 0, 0, 0, 0, 0, tea.GRE])
    speaker.announce(PREFIX, SPEAKER, extra=b"\xc0\x10\x08" + community)
    wait_sends("a1", PREFIX, SPEAKER, "ip6gre")
    assert outer_destinations(mesh, INSIDE) == {(SPEAKER, "gre", None)}


# -- recursion (B5) --

def test_endpoint_inside_a_softwire(mesh, speaker):
    """The way to an endpoint leads through a softwire (RFC 9012 section 7.2): that tunnel is
    not used, it is said why, and nothing is encapsulated twice."""
    inside = "2001:db8:e::1"
    speaker.announce(PREFIX6, SPEAKER, tea.gre(SPEAKER))
    wait_sends("a1", PREFIX6, SPEAKER, "ip6gre")
    mark = mesh.capture.mark()
    speaker.announce(PREFIX, SPEAKER, tea.gre(inside))
    not_resolvable(mesh, PREFIX, inside, "recursion")
    probe.send("h1", INSIDE, count=5)
    assert None not in traffic.ping("h1", host(2), count=3)
    seen = mesh.capture.packets(mark)
    assert packet.select(seen, inner_dst=inside) == []
    assert packet.select(seen, inner_dst=INSIDE) == []


def test_endpoint_routed_into_itself(mesh, speaker):
    """A route to the very endpoint of its own tunnel: the mutual recursion is noticed, the
    softwire does not flap for ever, and never is a softwire's packet sent into a softwire."""
    mine, own = "2001:db8:e::1", "2001:db8:e::1/128"
    less = "ipv6 route %s %s\n" % (PREFIX6, core_address(1, "p"))
    mesh["a1"].configure("staticd", less)
    mark = mesh.capture.mark()
    try:
        speaker.announce(own, SPEAKER, tea.gre(mine))
        wait.until(lambda: "recursion" in mesh["a1"].show("swmeshd", "show softwire detail"),
                   "a1 has noticed")
        probe.send("h1", mine, count=50, interval=0.1)
        twice = [p for p in mesh.capture.packets(mark) if p.inner and p.inner.proto in (47, 41, 4)]
        assert twice == [], str(twice[0])
        # Held back, each time longer: at most a few attempts in these seconds.
        wait.until(lambda: has_path(mesh["a1"], own), "a1 still has the path")
    finally:
        speaker.withdraw(own)
        softwires.speaker_routes_gone(mesh, [own])
        mesh["a1"].configure("staticd", "no " + less)


# -- the operator's own route-maps --

def test_called_from_a_route_map(mesh, speaker):
    """SOFTWIRE-IN and SOFTWIRE-OUT by "call" in the operator's own route-maps: softwires as
    before, and what those maps set is there, too."""
    speaker.announce(PREFIX, SPEAKER, tea.gre(SPEAKER))
    a1 = mesh["a1"]
    wait_sends("a1", PREFIX, SPEAKER, "ip6gre")
    a1.configure("bgpd", "route-map MINE-IN permit 10\nset local-preference 222\n"
                 "call SOFTWIRE-IN\nexit\n"
                 "route-map MINE-OUT permit 10\nset metric 333\ncall SOFTWIRE-OUT\nexit\n"
                 "router bgp 65000\naddress-family ipv4 unicast\n"
                 "neighbor %s route-map MINE-IN in\nneighbor %s route-map MINE-OUT out\n"
                 % (RR, RR))
    try:
        def so():
            paths = a1.json("bgpd", "show bgp ipv4 unicast " + PREFIX)["paths"]
            assert [p.get("locPrf") for p in paths] == [222], paths
            update = speaker.routes()[island(1)]
            assert update.attributes[4][1] == (333).to_bytes(4, "big")
            assert tea.parse(update.tea) == [
                tea.Tunnel(tea.GRE, loopback(1), None, (0x0800, 0x86DD))]
            return True

        wait.until(so, "both maps are at work")
        wait_sends("a1", PREFIX, SPEAKER, "ip6gre")
        assert outer_destinations(mesh, INSIDE) == {(SPEAKER, "gre", None)}
        softwires.wait_talk(mesh, [(1, 2), (2, 1)])
    finally:
        a1.configure("bgpd", "router bgp 65000\naddress-family ipv4 unicast\n"
                     "neighbor %s route-map SOFTWIRE-IN in\n"
                     "neighbor %s route-map SOFTWIRE-OUT out\nexit\nexit\n"
                     "no route-map MINE-IN\nno route-map MINE-OUT\n" % (RR, RR))


def test_several_encap_sets(mesh, speaker):
    """Several sets: the first by name is attached, "announce encap-set" names another,
    SOFTWIRE-OUT-NAME attaches one to the routes that a route-map chooses. All are received."""
    a1 = mesh["a1"]

    def announced(kind, key=None, payload=(0x0800, 0x86DD)):
        wanted = [tea.Tunnel(kind, loopback(1), key, payload)]

        def so():
            found = tea.parse(speaker.routes()[island(1)].tea)
            assert found == wanted, found
            return True

        wait.until(so, "a1 announces %r" % wanted)

    announced(tea.GRE)
    a1.configure("swmeshd", "softwire mesh\nencap-set ZEBRA\ntunnel 10 gre key 26\npayload ipv4\n"
                 "exit\nannounce encap-set ZEBRA\n")
    try:
        announced(tea.GRE, 26, (0x0800,))
        wait_sends("a2", island(1), loopback(1), "ip6gre", 26)
        softwires.wait_talk(mesh, [(2, 1), (1, 2)])
        for key in (None, 26):  # both sets' tunnels are there to receive
            wait.until(lambda: [t for t in kernel.tunnels_to("a1", loopback(2))
                                if t.ikey == key], "a1 receives key %s" % key)
        set_mesh(a1, "no announce encap-set ZEBRA")
        announced(tea.GRE)
        a1.configure("bgpd", "ip prefix-list MINE permit %s\n"
                     "route-map MINE-OUT permit 10\nmatch ip address prefix-list MINE\n"
                     "call SOFTWIRE-OUT-ZEBRA\nexit\nrouter bgp 65000\n"
                     "address-family ipv4 unicast\nneighbor %s route-map MINE-OUT out\n"
                     % (island(1), RR))
        announced(tea.GRE, 26, (0x0800,))
        wait_sends("a2", island(1), loopback(1), "ip6gre", 26)
    finally:
        a1.configure("bgpd", "router bgp 65000\naddress-family ipv4 unicast\n"
                     "neighbor %s route-map SOFTWIRE-OUT out\nexit\nexit\n"
                     "no route-map MINE-OUT\nno ip prefix-list MINE\n" % RR)
        a1.configure("swmeshd", "softwire mesh\nno encap-set ZEBRA\n")
    announced(tea.GRE)
