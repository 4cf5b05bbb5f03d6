# SPDX-License-Identifier: GPL-2.0-or-later
"""A hundred softwires on one AFBR: a raw speaker beside the reflector plays the others.

Each has a next hop, an endpoint and a GRE key of its own; every third one speaks
ip-in-ip alone, so that one AFBR's devices of both kinds are many.
"""
import pytest

from lib import kernel, packet, probe, softwires, tea, wait
from lib.softwires import remote as endpoint

COUNT = 100
MESH = {"name": "scale", "numbers": [1],
        "sets": {1: {"EDGE": ["tunnel 10 gre key 1", "tunnel 20 ip-in-ip", "payload ipv4"]}}}
NUMBERS = range(1, COUNT + 1)
LIMIT = 180


def prefix(i):
    return "10.100.%d.0/24" % i


def is_gre(i):
    return i % 3 != 0


def attribute(i):
    return tea.gre(endpoint(i), 5000 + i, (4,)) if is_gre(i) else tea.ip_in_ip(endpoint(i), (4,))


@pytest.fixture(scope="module")
def remote(mesh):
    """The speaker has announced all."""
    with softwires.speaker(mesh) as one:
        for i in NUMBERS:
            one.announce(prefix(i), endpoint(i), attribute(i))
        yield one


def devices_to_all(numbers):
    """Assert that exactly these remote AFBRs have devices, and each its SW-NHOP."""
    tunnels = kernel.tunnels("a1").values()
    remotes = {t.remote for t in tunnels}
    wanted = {endpoint(i) for i in numbers}
    assert remotes == wanted, "%d of %d; too many: %s; missing: %s" % (
        len(remotes), len(wanted), sorted(remotes - wanted)[:5], sorted(wanted - remotes)[:5])
    assert len(softwires.host_routes("a1")) == len(wanted)
    routes = {r["dst"]: r for r in kernel.routes("a1", 4) if r.get("protocol") == "bgp"}
    assert set(routes) == {prefix(i) for i in numbers}, "%d routes" % len(routes)
    return {t.name: t for t in tunnels}, routes


def wait_devices(numbers):
    numbers = list(numbers)
    return wait.until(lambda: devices_to_all(numbers), "a1 has %d softwires" % len(numbers), LIMIT)


def carries_all(mesh, numbers):
    """A packet to each island is seen in the core, to the right endpoint with the right key."""
    mark = mesh.capture.mark()
    for i in numbers:
        probe.send("h1", "10.100.%d.1" % i)
    wait.until(lambda: len(packet.select(mesh.capture.packets(mark), inner_dst="10.100.0.0/16"))
               >= len(numbers), "%d packets in the core" % len(numbers))
    seen = mesh.capture.packets(mark)
    assert packet.in_clear(seen, "10.0.0.0/8") == []
    found = {p.inner.dst: (p.outer.dst, p.encap, p.key)
             for p in packet.select(seen, inner_dst="10.100.0.0/16")}
    assert found == {
        "10.100.%d.1" % i: (endpoint(i), "gre", 5000 + i) if is_gre(i)
        else (endpoint(i), "ip-in-ip", None) for i in numbers}


def test_hundred_softwires(mesh, remote):
    """Each of 100 remote AFBRs has its devices, SW-NHOP and route in the kernel, and what is
    sent to its island leaves to its endpoint, by its type, with its key."""
    tunnels, routes = wait_devices(NUMBERS)
    for i in NUMBERS:
        tunnel = tunnels[routes[prefix(i)]["dev"]]
        assert (tunnel.remote, tunnel.kind) == (
            endpoint(i), "ip6gre" if is_gre(i) else "ip6tnl")
    softwires.consistent("a1")
    carries_all(mesh, NUMBERS)


def test_more_routes_need_no_more_softwires(mesh, remote):
    """Ten routes more by a next hop and attribute that is there: the same SW-NHOP and device,
    nothing new in the kernel but the routes."""
    tunnels, _ = wait_devices(NUMBERS)
    hosts = softwires.host_routes("a1")
    more = ["10.200.%d.0/24" % i for i in range(10)]
    for one in more:
        remote.announce(one, endpoint(7), attribute(7))
    for one in more:
        softwires.wait_sends("a1", one, endpoint(7), "ip6gre", 5007)
    assert {softwires.next_hop("a1", one) for one in more} == {
        softwires.next_hop("a1", prefix(7))}
    assert softwires.host_routes("a1") == hosts
    assert {t.name: t.ifindex for t in kernel.tunnels("a1").values()} == {
        t.name: t.ifindex for t in tunnels.values()}
    for one in more:
        remote.withdraw(one)
    for one in more:
        softwires.wait_no_route("a1", one)


def test_half_withdrawn(mesh, remote):
    """Fifty go: their devices, SW-NHOPs and routes go, those of the others are not touched."""
    before, _ = wait_devices(NUMBERS)
    for i in range(1, COUNT // 2 + 1):
        remote.withdraw(prefix(i))
    rest = range(COUNT // 2 + 1, COUNT + 1)
    after, _ = wait_devices(rest)
    assert {n: t.ifindex for n, t in after.items()} == {
        n: t.ifindex for n, t in before.items() if n in after}
    carries_all(mesh, rest)


def test_session_ends(mesh, remote):
    """The speaker's session ends: nothing of the softwires stays in the kernel."""
    remote.stop()
    wait.until(lambda: not kernel.tunnels("a1") and not softwires.host_routes("a1"),
               "all devices and SW-NHOPs are gone", LIMIT)
    assert [r for r in kernel.routes("a1", 4) if r.get("protocol") == "bgp"] == []
    assert softwires.guarded("a1")
