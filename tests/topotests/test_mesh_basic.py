# SPDX-License-Identifier: GPL-2.0-or-later
"""The main job: IPv4 islands over an IPv6-only core, GRE without a key (F1, F2, F3)."""
import pytest

from lib import capture, inject, kernel, nft, packet, probe, softwires, tea, traffic, wait
from lib.mesh import SW_NHOP_PREFIX, core_address, host, island, loopback, softwire_config

MESH = {"name": "basic"}
GRE_OVERHEAD = 40 + 4  # IPv6 and GRE headers
COUNT = 5
# Attributes that a route of the mesh may carry: the private code never reaches the wire.
KNOWN = {1, 2, 4, 5, 9, 10, 14, 15, 23}


@pytest.fixture(scope="module")
def settled(mesh):
    """The mesh once all islands reach each other."""
    softwires.wait_talk(mesh)
    return mesh


def test_islands_talk(settled):
    """Softwires come up by themselves and every island reaches every other one (F1)."""
    for n, m in settled.pairs():
        answers = traffic.ping("h%d" % n, host(m), count=3)
        assert None not in answers, "h%d to h%d: %r" % (n, m, answers)


def test_devices(settled):
    """One ip6gre device for each other AFBR, set up as it should be (F4)."""
    for n, m in settled.pairs():
        tunnels = kernel.tunnels_to("a%d" % n, loopback(m))
        assert len(tunnels) == 1, tunnels
        tunnel = tunnels[0]
        assert (tunnel.kind, tunnel.local, tunnel.ikey, tunnel.okey) == (
            "ip6gre", loopback(n), None, None)
        assert tunnel.up and not tunnel.encaplimit and tunnel.ttl
        assert tunnel.mtu == 1500 - GRE_OVERHEAD
        assert tunnel.alias.startswith("swmesh:") and loopback(m) in tunnel.alias
    for n in settled.numbers:
        assert len(kernel.tunnels("a%d" % n)) == len(settled.numbers) - 1


def test_routes(settled):
    """BGP's routes go by a SW-NHOP through the device; its prefix is guarded."""
    for n, m in settled.pairs():
        node = "a%d" % n
        entry = kernel.route(node, island(m))
        assert entry["protocol"] == "bgp", entry
        assert softwires.is_sw_nhop(softwires.next_hop(node, island(m)))
        assert softwires.sends_by(node, island(m)).remote == loopback(m)
    for n in settled.numbers:
        assert softwires.guarded("a%d" % n)
        softwires.consistent("a%d" % n)


def test_core_carries_gre_only(settled):
    """In the core each of the islands' packets is inside GRE without a key; none in clear."""
    for n, m in settled.pairs():
        mark = settled.capture.mark()
        assert None not in traffic.ping("h%d" % n, host(m), count=COUNT)
        seen = settled.capture.packets(mark)
        assert packet.in_clear(seen, "10.0.0.0/8") == []
        for here, there in ((n, m), (m, n)):
            inside = packet.select(
                seen, encap="gre", key=None, src=loopback(here), dst=loopback(there),
                inner_src=host(here), inner_dst=host(there), proto="icmp",
                link="p-a%d" % here)
            assert len(inside) == COUNT, "\n".join(map(str, seen))
            assert all(not p.outer.extensions for p in inside)
        islands = packet.select(seen, inner_version=4)
        assert len(islands) == 2 * COUNT, "\n".join(map(str, islands))


def test_reflector_passes_attribute(settled):
    """What a peer of the reflector hears: the original next hop, the attribute, no SW-NHOP."""
    with softwires.speaker(settled) as speaker:
        for n in settled.numbers:
            heard = speaker.wait_route(island(n))
            assert heard.nexthop == loopback(n)
            assert tea.parse(heard.tea) == [tea.Tunnel(
                tea.GRE, loopback(n), None, (tea.PROTOCOLS[4],))]
        for update in speaker.updates:
            assert set(update.attributes) <= KNOWN, update
        speaker.assert_up()


def test_show(settled):
    """show softwire and show bgp softwire tell the same as the kernel (JSON and text)."""
    for n in settled.numbers:
        text = settled["a%d" % n].show("swmeshd", "show softwire")
        rows = {row[0]: row for row in map(str.split, text.splitlines()) if len(row) > 4}
        for m in settled.numbers:
            assert (loopback(m) in rows) == (m != n), text
        for tunnel in kernel.tunnels("a%d" % n).values():
            assert tunnel.name in rows[tunnel.remote] and "up" in rows[tunnel.remote], text
        assert settled["a%d" % n].json("swmeshd", "show softwire")
        assert settled["a%d" % n].json("bgpd", "show bgp softwire")


def test_running_config_reads_back(settled):
    """What show running-config prints is accepted as input and changes nothing."""
    a1 = settled["a1"]

    def ours():
        text = a1.show("swmeshd", "show running-config")
        return text[text.index("softwire mesh") :].split("\nend\n")[0]

    before, devices = ours(), kernel.tunnels("a1")
    a1.configure("swmeshd", before)
    assert ours() == before
    assert set(kernel.tunnels("a1")) == set(devices)
    assert [t.ifindex for t in kernel.tunnels("a1").values()] == [
        t.ifindex for t in devices.values()]


ENDPOINT_AT_LAN, BEHIND_LAN, PORT = host(1, 6), "10.50.0.0/24", 4713


def no_afbr(a1, endpoint, *prefixes):
    """Assert that a1's kernel has nothing for an endpoint, and that a1 says why."""
    assert "the way to %s leaves by a1-h1, where an island is" % endpoint in a1.show(
        "swmeshd", "show softwire")
    assert [kernel.route("a1", prefix) for prefix in prefixes] == [None] * len(prefixes)
    assert kernel.tunnels_to("a1", endpoint) == []
    let_in = nft.elements("a1", "open6")
    assert let_in and not [e for e in let_in if '"%s"' % endpoint in e], let_in
    return True


def test_endpoint_in_island(settled):
    """A host of island 1 that somebody announces as an endpoint, and a2's endpoint while a1's
    route to it leads into the island: no device, no route, nothing sent there, what comes from
    there dropped. When the route is back, so is the softwire."""
    a1 = settled["a1"]
    by_core, by_lan = ("ipv6 route %s/128 %s\n" % (loopback(2), via)
                       for via in (core_address(1, "p"), ENDPOINT_AT_LAN))
    lan = capture.Capture(settled.folder(), [("h1", "h1-a1")])
    try:
        with softwires.speaker(settled) as speaker:
            speaker.announce(BEHIND_LAN, softwires.remote(99), tea.gre(ENDPOINT_AT_LAN))
            a1.configure("staticd", "no " + by_core + by_lan)
            for endpoint, prefix in ((ENDPOINT_AT_LAN, BEHIND_LAN), (loopback(2), island(2))):
                wait.until(lambda: no_afbr(a1, endpoint, prefix), "%s is no AFBR" % endpoint)
            mark, before = lan.mark(), nft.counters("a1")["unknown-source"]
            for address in ("10.50.0.1", host(2)):
                probe.send("h1", address, count=3)
            inside = inject.udp(host(2), host(1), PORT, b"from the island")
            inject.send("h1", *(inject.gre(source, loopback(1), inside)
                                for source in (ENDPOINT_AT_LAN, loopback(2))))
            wait.until(lambda: nft.counters("a1")["unknown-source"] == before + 2, "dropped")
            assert packet.select(lan.packets(mark), encap="gre") == []
            a1.configure("staticd", "no " + by_lan + by_core)
            softwires.wait_sends("a1", island(2), loopback(2), "ip6gre")
            speaker.withdraw(BEHIND_LAN)
            softwires.speaker_routes_gone(settled, [BEHIND_LAN])
    finally:
        lan.stop()
    softwires.wait_talk(settled, [(1, 2), (2, 1)])


def test_removed_for_good(settled):
    """no softwire mesh leaves nothing behind; configured again, all comes back."""
    a3 = settled["a3"]
    a3.configure("swmeshd", "no softwire mesh\n")
    wait.until(lambda: not kernel.leftovers("a3"), "nothing of swmeshd's is left in a3")
    assert kernel.tunnels("a3") == {}
    assert kernel.route("a3", SW_NHOP_PREFIX, 6) is None
    for n in (1, 2):  # a3 announces its island still, but without a tunnel
        wait.until(lambda: not softwires.sends_by("a%d" % n, island(3)),
                   "a%d sends to %s by no softwire" % (n, island(3)))
    assert traffic.reachable("h1", host(2)), "the others' traffic goes on"
    a3.configure("swmeshd", softwire_config(3))
    softwires.wait_talk(settled)
