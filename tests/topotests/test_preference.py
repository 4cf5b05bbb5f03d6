# SPDX-License-Identifier: GPL-2.0-or-later
"""Which tunnel is used: preference, fallback, and encap-sets that change while traffic flows.

The announced attribute is read by a raw BGP speaker; what the AFBRs make of it is seen
in their kernels and in the core.
"""
import pytest

from lib import kernel, packet, softwires, tea, traffic, wait
from lib.mesh import RR, host, island, loopback
from lib.softwires import set_tunnels, wait_sends

BOTH = ["tunnel 10 gre", "tunnel 20 ip-in-ip", "payload ipv4 ipv6"]
MESH = {"name": "preference", "families": (4, 6), "sets": {n: {"EDGE": BOTH} for n in (1, 2, 3)}}
ISLANDS = ["10.0.0.0/8"] + [island(n, 6) for n in (1, 2, 3)]
PROTOCOLS = (0x0800, 0x86DD)
RECOVERY = 8.0  # seconds without a packet at a change: far less than any BGP or grace timer


@pytest.fixture(scope="module")
def listener(mesh):
    """A raw speaker that hears what the AFBRs announce."""
    with softwires.speaker(mesh) as one:
        yield one


@pytest.fixture(autouse=True)
def as_configured(mesh, listener):
    """Every test starts and ends with GRE preferred everywhere and ip-in-ip second; no BGP
    session ever goes down, and not one packet of the islands crosses the core in clear."""
    def settle():
        for n in mesh.numbers:
            set_tunnels(mesh["a%d" % n], *BOTH[:2])
        for n, m in mesh.pairs():
            for family in mesh.families:
                wait_sends("a%d" % n, island(m, family), loopback(m), "ip6gre")
        softwires.wait_talk(mesh)

    settle()
    mark = mesh.capture.mark()
    before = {n: softwires.sessions(mesh["a%d" % n]) for n in mesh.numbers}
    yield
    settle()
    assert {n: softwires.sessions(mesh["a%d" % n]) for n in mesh.numbers} == before
    listener.assert_up()
    assert packet.in_clear(mesh.capture.packets(mark), *ISLANDS) == []


def announced(listener, n, *tunnels, family=4):
    """Wait until AFBR n announces exactly these [(type, key)], with its own endpoint."""
    wanted = [tea.Tunnel(kind, loopback(n), key, PROTOCOLS) for kind, key in tunnels]

    def so():
        update = listener.routes().get(island(n, family))
        assert update, "no route"
        assert update.nexthop == loopback(n), "next hop %s" % update.nexthop
        assert tea.parse(update.tea) == wanted, tea.parse(update.tea)
        return True

    wait.until(so, "a%d announces %r" % (n, wanted))


def crossed(mesh, n, m, count=3):
    """{(encap, key)} of packets that h(n) sends to h(m) now, as seen in the core."""
    mark = mesh.capture.mark()
    for family in mesh.families:
        assert None not in traffic.ping("h%d" % n, host(m, family), count=count)
    seen = mesh.capture.packets(mark)
    return {(p.encap, p.key) for family in mesh.families
            for p in packet.select(seen, inner_src=host(n, family), inner_dst=host(m, family))}


def test_preferred(mesh, listener):
    """Both types announced by all: every AFBR sends by GRE, for both families, by one device;
    the other type's device is there to receive."""
    for n, m in mesh.pairs():
        assert crossed(mesh, n, m) == {("gre", None)}
        assert softwires.kinds_to("a%d" % n, loopback(m)) == [
            ("ip6gre", None, None), ("ip6tnl", None, None)]
        assert (softwires.sends_by("a%d" % n, island(m, 4)).name
                == softwires.sends_by("a%d" % n, island(m, 6)).name)
    for n in mesh.numbers:
        for family in mesh.families:
            announced(listener, n, (tea.GRE, None), (tea.IP_IN_IP, None), family=family)


def test_fallback_when_one_side_drops_a_type(mesh, listener):
    """a2 drops GRE: it and its peers fall back to ip-in-ip within seconds, a1 and a3 go on by
    GRE and lose nothing; a2 takes GRE up again, and GRE is used again."""
    others = mesh.flow("h1", host(3), "h3", rate=100)
    flows = [mesh.flow("h1", host(2), "h2", rate=100), mesh.flow("h2", host(1), "h1", rate=100)]
    for flow in flows:
        softwires.wait_flowing(flow)
    set_tunnels(mesh["a2"], "tunnel 20 ip-in-ip")
    announced(listener, 2, (tea.IP_IN_IP, None))
    for n, m in ((1, 2), (2, 1), (3, 2), (2, 3)):
        wait_sends("a%d" % n, island(m), loopback(m), "ip6tnl")
    for flow in flows:
        softwires.wait_flowing(flow)
    assert crossed(mesh, 1, 2) == crossed(mesh, 2, 1) == {("ip-in-ip", None)}
    assert crossed(mesh, 1, 3) == {("gre", None)}
    softwires.wait_kinds("a2", loopback(1), [("ip6tnl", None, None)])
    for flow in flows:
        result = flow.stop()
        assert result.longest_gap < RECOVERY, "%s: %s" % (flow.name, result)

    set_tunnels(mesh["a2"], *BOTH[:2])
    announced(listener, 2, (tea.GRE, None), (tea.IP_IN_IP, None))
    for n, m in ((1, 2), (2, 1)):
        wait_sends("a%d" % n, island(m), loopback(m), "ip6gre")
    assert crossed(mesh, 1, 2) == {("gre", None)}
    result = others.stop()
    assert result.lost == [], str(result)


def test_opposite_preferences(mesh, listener):
    """a1 prefers GRE and a2 ip-in-ip: each sends as it prefers and receives what the other
    prefers, so the two directions differ."""
    set_tunnels(mesh["a2"], "tunnel 5 ip-in-ip", "tunnel 10 gre")
    wait_sends("a2", island(1), loopback(1), "ip6tnl")
    wait_sends("a1", island(2), loopback(2), "ip6gre")
    softwires.wait_talk(mesh, [(1, 2), (2, 1)])
    assert crossed(mesh, 1, 2) == {("gre", None)}
    assert crossed(mesh, 2, 1) == {("ip-in-ip", None)}
    assert crossed(mesh, 2, 3) == {("ip-in-ip", None)}
    assert crossed(mesh, 3, 2) == {("gre", None)}
    for n, m in ((1, 2), (2, 1)):
        assert softwires.kinds_to("a%d" % n, loopback(m)) == [
            ("ip6gre", None, None), ("ip6tnl", None, None)]


def test_key_changes_on_the_fly(mesh, listener):
    """a2's GRE gets a key, then another one, then none: each is announced at once without
    clearing a session, peers send with it, and traffic recovers within seconds."""
    flow = mesh.flow("h1", host(2), "h2", rate=100)
    back = mesh.flow("h2", host(1), "h1", rate=100)
    softwires.wait_flowing(flow)
    for key in (200, 4000000000, None):
        line = "tunnel 10 gre" + (" key %d" % key if key else "")
        set_tunnels(mesh["a2"], line, "tunnel 20 ip-in-ip")
        announced(listener, 2, (tea.GRE, key), (tea.IP_IN_IP, None))
        for n in (1, 3):
            wait_sends("a%d" % n, island(2), loopback(2), "ip6gre", key)
            # a2 receives with its own key and sends with n's, which is none.
            softwires.wait_kinds("a2", loopback(n), [("ip6gre", key, None),
                                                     ("ip6tnl", None, None)])
        softwires.wait_flowing(flow)
        softwires.wait_flowing(back)
        assert crossed(mesh, 1, 2) == {("gre", key)}
        assert crossed(mesh, 2, 1) == {("gre", None)}
    for one in (flow, back):
        result = one.stop()
        assert result.longest_gap < RECOVERY, "%s: %s" % (one.name, result)


def test_type_added_and_removed(mesh, listener):
    """A type that only one side adds changes nothing for what is used; when the other side
    has it too it is used as preferred; taken away again, its devices go."""
    for n in (1, 2):
        set_tunnels(mesh["a%d" % n], "tunnel 20 ip-in-ip")
    wait_sends("a1", island(2), loopback(2), "ip6tnl")
    wait_sends("a2", island(1), loopback(1), "ip6tnl")
    softwires.wait_kinds("a1", loopback(2), [("ip6tnl", None, None)])
    flow = mesh.flow("h1", host(2), "h2", rate=100)
    softwires.wait_flowing(flow)

    set_tunnels(mesh["a1"], "tunnel 10 gre key 7", "tunnel 20 ip-in-ip")
    announced(listener, 1, (tea.GRE, 7), (tea.IP_IN_IP, None))
    wait.until(lambda: kernel.tunnels_to("a1", loopback(2), "ip6gre"), "a1 can receive GRE")
    assert crossed(mesh, 1, 2) == crossed(mesh, 2, 1) == {("ip-in-ip", None)}

    set_tunnels(mesh["a2"], *BOTH[:2])
    wait_sends("a2", island(1), loopback(1), "ip6gre", 7)
    wait_sends("a1", island(2), loopback(2), "ip6gre", None)
    softwires.wait_talk(mesh, [(1, 2), (2, 1)])
    assert crossed(mesh, 2, 1) == {("gre", 7)}
    assert crossed(mesh, 1, 2) == {("gre", None)}

    set_tunnels(mesh["a1"], "tunnel 20 ip-in-ip")
    wait_sends("a2", island(1), loopback(1), "ip6tnl")
    wait_sends("a1", island(2), loopback(2), "ip6tnl")
    softwires.wait_kinds("a1", loopback(2), [("ip6tnl", None, None)])
    softwires.wait_flowing(flow)
    result = flow.stop()
    assert result.longest_gap < RECOVERY, str(result)


def test_payload_families(mesh, listener):
    """A set that carries IPv4 only is attached to IPv4 routes only, with one Protocol Type;
    IPv6 routes then have no attribute, and no peer tunnels for them."""
    a2 = mesh["a2"]
    a2.configure("swmeshd", "softwire mesh\nencap-set EDGE\nno payload ipv6\n")
    try:
        def so():
            routes = listener.routes()
            four = tea.parse(routes[island(2)].tea)
            assert [t.protocols for t in four] == [(0x0800,)] * 2, four
            assert routes[island(2, 6)].tea is None, tea.parse(routes[island(2, 6)].tea)
            return True

        wait.until(so, "a2 announces its tunnels for IPv4 alone")
        wait_sends("a1", island(2), loopback(2), "ip6gre")
        wait.until(lambda: softwires.sends_by("a1", island(2, 6)) is None,
                   "a1 does not tunnel IPv6 to a2")
        wait_sends("a1", island(3, 6), loopback(3), "ip6gre")
        assert None not in traffic.ping("h1", host(2), count=3)
    finally:
        a2.configure("swmeshd", "softwire mesh\nencap-set EDGE\npayload ipv6\n")


def test_peer_that_carries_the_other_family_only(mesh, listener):
    """An announced tunnel whose Protocol Type names IPv4 only is not used for an IPv6 route
    (RFC 9012 section 3.4.1): not resolvable, and "show softwire" says why."""
    prefix, far = "2001:db8:99::/64", softwires.remote(1)
    listener.announce(prefix, far, tea.gre(far, None, (4,)))
    try:
        wait.until(lambda: prefix in mesh["a1"].json(
            "bgpd", "show bgp ipv6 unicast")["routes"], "a1 has heard of %s" % prefix)
        wait.until(lambda: "does not carry ipv6" in mesh["a1"].show(
            "swmeshd", "show softwire detail"), "a1 says why")
        wait.holds(lambda: kernel.route("a1", prefix, 6) is None, "no route", 1.0)
        listener.announce(prefix, far, tea.gre(far, None, (4, 6)))
        wait_sends("a1", prefix, far, "ip6gre")
    finally:
        listener.withdraw(prefix)
    softwires.speaker_routes_gone(mesh, [prefix])
    wait.until(lambda: far not in softwires.endpoints("a1"), "its devices are gone")
    assert RR not in softwires.endpoints("a1")
