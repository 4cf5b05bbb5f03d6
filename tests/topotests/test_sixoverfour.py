# SPDX-License-Identifier: GPL-2.0-or-later
"""6over4: IPv6 islands over an IPv4-only core (F2), GRE and IP-in-IP.

IPv6 routes come by BGP sessions over IPv4, with next hop ::ffff:a.b.c.d (B13).
"""
import pytest

from conftest import run_topology
from lib import inject, kernel, netns, packet, probe, softwires, traffic, wait
from lib.mesh import gateway, host, island
from lib.mesh4 import Mesh4, loopback
from lib.softwires import CORE_MTU

ISLANDS = [island(n, 6) for n in (1, 2, 3)]


@pytest.fixture(scope="module")
def mesh():
    yield from run_topology(Mesh4())


# name, encap-set lines by AFBR, what the packets are, key to AFBR n, device, overhead
ENCAPSULATIONS = {
    "gre": (lambda n: ["tunnel 10 gre"], "gre", lambda n: None, "gre", 24),
    "gre-keys": (lambda n: ["tunnel 10 gre key %d" % (600 + n)], "gre", lambda n: 600 + n,
                 "gre", 28),
    "ip-in-ip": (lambda n: ["tunnel 20 ip-in-ip"], "ip-in-ip", lambda n: None, "sit", 20),
}


@pytest.fixture(scope="module", params=list(ENCAPSULATIONS))
def encapsulation(request, mesh):
    lines, encap, key, kind, overhead = ENCAPSULATIONS[request.param]
    for n in mesh.numbers:
        softwires.set_tunnels(mesh["a%d" % n], *lines(n))
    for n, m in mesh.pairs():
        softwires.wait_kinds("a%d" % n, loopback(m), [(kind, key(n), key(m))])
        softwires.wait_sends("a%d" % n, island(m, 6), loopback(m), kind, key(m))
    softwires.wait_talk(mesh, family=6)
    return encap, key, kind, overhead


def test_next_hops(mesh, encapsulation):
    """The IPv6 routes' next hops are IPv4-mapped on the wire (B13); in the kernel they are
    SW-NHOPs by the softwire's device. The core has no IPv6 route to an island."""
    for n, m in mesh.pairs():
        shown = mesh["a%d" % n].show("bgpd", "show bgp softwire json")
        assert loopback(m) in shown, shown
        nhop = softwires.next_hop("a%d" % n, island(m, 6))
        assert softwires.is_sw_nhop(nhop)
        assert (softwires.host_routes("a%d" % n)[nhop]
                == softwires.sends_by("a%d" % n, island(m, 6)).name)
    for n in mesh.numbers:
        assert softwires.guarded("a%d" % n)
        wait.until(lambda: softwires.consistent("a%d" % n), "a%d is consistent" % n)
    assert not [r for r in kernel.routes("p", 6) if r["dst"] in ISLANDS]


def test_islands_talk(mesh, encapsulation):
    """All islands talk by IPv6, inside this encapsulation alone."""
    encap, key, _, _ = encapsulation
    mark = mesh.capture.mark()
    for n, m in mesh.pairs():
        assert None not in traffic.ping("h%d" % n, host(m, 6), count=3)
    seen = mesh.capture.packets(mark)
    assert packet.in_clear(seen, *ISLANDS) == []
    for n, m in mesh.pairs():
        crossed = packet.select(seen, inner_src=host(n, 6), inner_dst=host(m, 6))
        assert len(crossed) >= 6, "\n".join(map(str, crossed))
        assert {(p.outer.src, p.outer.dst, p.encap, p.key) for p in crossed} == {
            (loopback(n), loopback(m), encap, key(m))}


def test_mtu(mesh, encapsulation):
    """The device's MTU is the path's less the overhead; the largest packet crosses whole, a
    larger one is answered to its inner source with ICMPv6 "packet too big" (F4)."""
    _, _, _, overhead = encapsulation
    size = CORE_MTU - overhead
    assert softwires.sends_by("a1", island(2, 6)).mtu == size
    mark = mesh.capture.mark()
    probe.send("h1", host(2, 6), size=size)
    crossed = wait.until(lambda: packet.select(
        mesh.capture.packets(mark, ["p-a1"]), inner_dst=host(2, 6), proto="udp"), "it crosses")
    assert [(p.outer.length, p.outer.fragment) for p in crossed] == [(CORE_MTU, False)]
    router, mtu = probe.too_big("h1", host(2, 6), size + 1)
    assert (router, mtu) == (gateway(1, 6), size)


def test_outer_header(mesh, encapsulation):
    """TTL of its own, the inner DSCP and ECN (F5)."""
    mark = mesh.capture.mark()
    probe.send("h1", host(2, 6), ttl=5, tos=46 << 2)
    probe.send("h1", host(2, 6), ttl=200, tos=10 << 2 | 2)

    def crossed():
        return packet.select(mesh.capture.packets(mark), inner_dst=host(2, 6), proto="udp")

    wait.until(lambda: len(crossed()) == 2, "both cross")
    assert [(p.outer.ttl, p.outer.tos, p.inner.ttl) for p in crossed()] == [
        (64, 46 << 2, 4), (64, 10 << 2 | 2, 199)]


NARROW = 576  # what every IPv4 host takes
IPV6_MTU_MIN = 1280  # of a link (RFC 8200 section 5)


@pytest.fixture()
def narrow_link(mesh):
    """The link between a1 and p carries 576 octets: a1's own, and one further on for a2."""
    with softwires.narrow_link(1, mtu=NARROW):
        yield
    netns.run("a2", ["ip", "route", "flush", "cache"])


@pytest.mark.parametrize("n,m", [(1, 2), (2, 1)])
def test_narrow_core(mesh, encapsulation, narrow_link, n, m):
    """An IPv6 packet of 1280 octets crosses a core that carries less, in fragments, whether the
    narrow link is the AFBR's own or it hears of it by ICMP (RFC 4213 section 3.2.2, RFC 1191);
    what is larger is answered to its inner source."""
    mark = mesh.capture.mark()
    with inject.listener("h%d" % m, host(m, 6), probe.PORT) as sock:

        def arrives():
            probe.send("h%d" % n, host(m, 6), size=IPV6_MTU_MIN)
            return any(len(data) == IPV6_MTU_MIN - 48 for data in inject.heard(sock, 0.5))

        wait.until(arrives, "h%d gets a packet of %d octets" % (m, IPV6_MTU_MIN))
    outer = [p.outer for p in mesh.capture.packets(mark) if p.outer and p.outer.src == loopback(n)
             and p.outer.fragment]
    assert n != 1 or outer and max(p.length for p in outer) <= NARROW, outer
    answer = probe.too_big("h%d" % n, host(m, 6), IPV6_MTU_MIN + 1)
    assert answer == (gateway(n, 6), IPV6_MTU_MIN), answer
    shown = softwires.shown(mesh, "a%d" % n, loopback(m))
    assert (shown["mtu"], shown["routeMtu"]) == (IPV6_MTU_MIN, 0), shown
    assert "carries packets of %d octets" % NARROW in shown["mtuNote"], shown
    assert "in fragments" in shown["mtuNote"], shown
