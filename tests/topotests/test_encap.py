# SPDX-License-Identifier: GPL-2.0-or-later
"""4over6 between three AFBRs and a route reflector, encapsulation by encapsulation.

One mesh for all: it comes up with GRE without a key, then the encap-sets of all
AFBRs are changed to the next encapsulation while it runs (F1, F3, F4, F5).
"""
import dataclasses
import typing

import pytest

from lib import inject, kernel, netns, packet, probe, softwires, traffic, wait
from lib.mesh import gateway, host, island, loopback
from lib.softwires import CORE_MTU

MESH = {"name": "encap"}
ISLANDS = "10.0.0.0/8"
IPV6_MTU_MIN = 1280  # of a link (RFC 8200 section 5)
HOP_LIMIT = 64
ECT0, ECT1 = 2, 1


@dataclasses.dataclass
class Encapsulation:
    name: str
    lines: typing.Callable  # AFBR number -> encap-set lines
    encap: str  # as packet.decode() names it
    kind: str  # of the kernel's device
    overhead: int  # RFC 2473: 40; RFC 2784: 4 more; RFC 2890: 4 more
    key: typing.Callable  # AFBR number -> key that packets to it carry


ENCAPSULATIONS = [
    Encapsulation("gre", lambda n: ["tunnel 10 gre"], "gre", "ip6gre", 44, lambda n: None),
    Encapsulation("gre-keys", lambda n: ["tunnel 10 gre key %d" % (100 + n)], "gre", "ip6gre",
                  48, lambda n: 100 + n),
    Encapsulation("ip-in-ip", lambda n: ["tunnel 20 ip-in-ip"], "ip-in-ip", "ip6tnl", 40,
                  lambda n: None),
]


@pytest.fixture(scope="module", params=ENCAPSULATIONS, ids=lambda e: e.name)
def encapsulation(request, mesh):
    """All three AFBRs announce this encapsulation, and only this one is in the kernels."""
    this = request.param
    for n in mesh.numbers:
        softwires.set_tunnels(mesh["a%d" % n], *this.lines(n))
    for n, m in mesh.pairs():
        softwires.wait_kinds("a%d" % n, loopback(m), [(this.kind, this.key(n), this.key(m))])
        softwires.wait_sends("a%d" % n, island(m), loopback(m), this.kind, this.key(m))
    softwires.wait_talk(mesh)
    return this


def test_islands_talk(mesh, encapsulation):
    """Every island reaches every other one inside this encapsulation alone, with the key that
    the receiving AFBR announced, and no extension header (RFC 2473's encapsulation limit)."""
    this = encapsulation
    mark = mesh.capture.mark()
    for n, m in mesh.pairs():
        assert None not in traffic.ping("h%d" % n, host(m), count=3), "h%d to h%d" % (n, m)
    seen = mesh.capture.packets(mark)
    assert packet.in_clear(seen, ISLANDS) == []
    for n, m in mesh.pairs():
        crossed = packet.select(seen, inner_src=host(n), inner_dst=host(m), proto="icmp")
        assert len(crossed) == 6, "\n".join(map(str, crossed))  # requests and replies
        for one in crossed:
            assert (one.link, one.outer.src, one.outer.dst) == (
                "p-a%d" % n, loopback(n), loopback(m)), str(one)
            assert (one.encap, one.key) == (this.encap, this.key(m)), str(one)
            assert one.outer.extensions == [] and not one.outer.fragment, str(one)


def test_kernel_state(mesh, encapsulation):
    """One device for each peer; each SW-NHOP has a host route by the right one, the islands'
    routes point there, and the rest of the SW-NHOP prefix is unreachable."""
    this = encapsulation
    for n in mesh.numbers:
        node, others = "a%d" % n, [m for m in mesh.numbers if m != n]
        wait.until(lambda: len(kernel.tunnels(node)) == 2, "%s has two devices" % node)
        wait.until(lambda: len(softwires.host_routes(node)) == 2, "%s has two SW-NHOPs" % node)
        softwires.consistent(node)
        assert softwires.guarded(node)
        for m in others:
            tunnel = softwires.sends_by(node, island(m))
            assert (tunnel.local, tunnel.remote) == (loopback(n), loopback(m))
            assert tunnel.alias.startswith("swmesh:" + loopback(m)), tunnel.alias
            assert tunnel.mtu == CORE_MTU - this.overhead
            assert (tunnel.encaplimit, tunnel.ttl, tunnel.up) == (False, HOP_LIMIT, True)
            nhop = softwires.next_hop(node, island(m))
            assert softwires.host_routes(node)[nhop] == tunnel.name
    assert kernel.routes("p", 4) == []


def test_largest_packet(mesh, encapsulation):
    """A packet of the device's MTU crosses whole: no fragment, of the core's MTU outside."""
    size = CORE_MTU - encapsulation.overhead
    mark = mesh.capture.mark()
    probe.send("h1", host(2), size=size)
    crossed = wait.until(lambda: packet.select(
        mesh.capture.packets(mark, ["p-a1"]), inner_dst=host(2), proto="udp"), "it crosses")
    assert [(p.inner.length, p.outer.length, p.outer.fragment) for p in crossed] == [
        (size, CORE_MTU, False)]


def test_too_big_is_answered(mesh, encapsulation):
    """A larger packet gets ICMP "fragmentation needed" with the softwire's MTU, at its inner
    source, from the AFBR, and does not cross (F4)."""
    size = CORE_MTU - encapsulation.overhead
    mark = mesh.capture.mark()
    assert probe.too_big("h1", host(2), size + 1) == (gateway(1), size)
    probe.send("h1", host(3), size=200)
    wait.until(lambda: packet.select(mesh.capture.packets(mark), inner_dst=host(3)),
               "a later small packet crosses")
    seen = mesh.capture.packets(mark)
    assert packet.select(seen, inner_dst=host(2)) == []
    assert packet.in_clear(seen, ISLANDS) == []


def test_hop_limit(mesh, encapsulation):
    """The outer hop limit is the device's, whatever the inner TTL, which an AFBR lowers by one
    (RFC 2473 section 3.1: the tunnel is one hop). A TTL that ends at the AFBR ends there."""
    mark = mesh.capture.mark()
    for ttl in (255, 5, 2, 1):
        probe.send("h1", host(2), ttl=ttl)
    probe.send("h1", host(2), ttl=99)
    wait.until(lambda: any(p.inner.ttl == 98 for p in packet.select(
        mesh.capture.packets(mark), inner_dst=host(2))), "the last one crosses")
    crossed = packet.select(mesh.capture.packets(mark), inner_dst=host(2), proto="udp")
    assert [p.inner.ttl for p in crossed] == [254, 4, 1, 98]
    assert {p.outer.ttl for p in crossed} == {HOP_LIMIT}


def test_dscp_and_ecn(mesh, encapsulation):
    """The outer header has the inner DSCP (RFC 2983, uniform) and ECN (RFC 6040: an ECN-
    capable packet stays one inside the core, another one does not become one)."""
    values = [0, 46 << 2, 10 << 2 | ECT0, 34 << 2 | ECT1]
    mark = mesh.capture.mark()
    for tos in values:
        probe.send("h1", host(2), tos=tos)
    wait.until(lambda: len(packet.select(
        mesh.capture.packets(mark), inner_dst=host(2), proto="udp")) == len(values), "all cross")
    crossed = packet.select(mesh.capture.packets(mark), inner_dst=host(2), proto="udp")
    assert [p.inner.tos for p in crossed] == values
    assert [p.outer.tos for p in crossed] == values


def test_counters(mesh, encapsulation):
    """The devices count what crosses them, on both sides (F7)."""
    out, back = (softwires.sends_by("a%d" % n, island(m)) for n, m in ((1, 2), (2, 1)))
    probe.send("h1", host(2), count=20, interval=0.005)

    def counted():
        new_out, new_back = kernel.tunnels("a1")[out.name], kernel.tunnels("a2")[back.name]
        assert new_out.tx_packets - out.tx_packets >= 20, new_out
        assert new_back.rx_packets - back.rx_packets >= 20, new_back
        return True

    wait.until(counted, "20 packets are counted at both ends")


# -- once, at the last encapsulation --

@pytest.fixture(params=[1400, 1280])
def narrow_link(request, mesh):
    """The core link behind p, on the way to a2, has a smaller MTU. What was learned lasts ten
    minutes: the smallest comes last. By 1280, the least that IPv6 has, softwires carry less
    than a device for IPv6 has to."""
    with softwires.narrow_link(2, mtu=request.param):
        yield request.param
    netns.run("a1", ["ip", "-6", "route", "flush", "cache"])


def test_narrow_link_behind_the_core(mesh, encapsulation, narrow_link):
    """A narrow link further on makes itself known: p's ICMPv6 "packet too big" reaches a1, and
    the next large packet is answered to the inner source with the path's MTU less the
    overhead, or comes in fragments if it may; the devices at the link itself follow it at once
    (F4)."""
    size = narrow_link - encapsulation.overhead
    large = CORE_MTU - encapsulation.overhead

    asked = [large]

    def learned():
        answer = probe.too_big("h1", host(2), asked[-1], 1)
        if answer and answer[1] < asked[-1]:
            asked.append(answer[1])  # what a host does: the next link may be narrower still
        assert answer == (gateway(1), size), answer
        return True

    wait.until(learned, "h1 learns that packets to h2 are at most %d" % size)
    mark = mesh.capture.mark()
    probe.send("h1", host(2), size=size)
    crossed = wait.until(lambda: packet.select(
        mesh.capture.packets(mark, ["p-a1"]), inner_dst=host(2), proto="udp"), "it crosses")
    assert crossed[0].outer.length == narrow_link and not crossed[0].outer.fragment
    with inject.listener("h2", host(2), probe.PORT) as sock:

        def whole():
            probe.send("h1", host(2), size=large, df=False)
            return any(len(data) == large - 28 for data in inject.heard(sock, 1.0))

        wait.until(whole, "a large packet that may be fragmented arrives")
    device_mtu = max(size, IPV6_MTU_MIN)
    for node, n in (("a1", 2), ("a2", 1)):
        wait.until(lambda: softwires.sends_by(node, island(n)).mtu == device_mtu,
                   "%s's device has the narrow link's MTU" % node)
        softwire = softwires.shown(mesh, node, loopback(n))
        assert softwire["routeMtu"] == (size if size < IPV6_MTU_MIN else 0), softwire
        assert ("the core carries packets of 1280" in softwire["mtuNote"]) == (
            size < IPV6_MTU_MIN), softwire
        assert len(softwires.consistent(node) and softwires.host_routes(node)) == 2
    assert softwires.sends_by("a1", island(3)).mtu == CORE_MTU - encapsulation.overhead
