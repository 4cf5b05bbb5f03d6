# SPDX-License-Identifier: GPL-2.0-or-later
"""Rekeying, and processes that are killed, under traffic: none of it in clear, ever (S9)."""
import pytest

from conftest import run_topology
from lib import kernel, netns, packet, routewatch, softwires, traffic, wait, xfrm
from lib.mesh import SW_NHOP_PREFIX, host, loopback
from lib.securemesh import PSK, SecureMesh, guarded_flows, wait_up

REKEYED = 4  # generations of CHILD_SAs to see
FAST = ("rekey ike 14", "rekey sa 6")
LIMIT = 120
GAP = 30  # seconds that new SAs may take, peers that have to find out included


@pytest.fixture(scope="module")
def mesh():
    """Three AFBRs whose SAs live for some seconds only."""
    yield from run_topology(SecureMesh(security=(*PSK, "esp aes256gcm16", *FAST, "dpd 3")))


@pytest.fixture
def flows(mesh):
    """Traffic between islands 1 and 2, both ways, and from 3 to 1, guarded."""
    yield from guarded_flows(mesh, 50, LIMIT)


def spis_seen(mesh, mark, n, m):
    """SPIs by which n has sent to m."""
    return {p.spi for p in packet.select(mesh.capture.packets(mark), encap="esp",
                                         src=loopback(n), dst=loopback(m))}


def one_of_each(mesh):
    """Each AFBR has one IKE_SA and one CHILD_SA with each other one, and the kernel no SA that
    charon does not know. (charon keeps the inbound one of a CHILD_SA for some seconds after
    it is rekeyed, in case packets come late.)"""
    for n in mesh.numbers:
        others = sorted(loopback(m) for m in mesh.numbers if m != n)
        states = xfrm.states("a%d" % n)
        sas = mesh["a%d" % n].charon.sas()
        assert sorted(sa["remote-host"] for sa in sas) == others, "IKE_SAs: %r" % sas
        children = [child for sa in sas for child in sa["children"]]
        installed = sorted(sa["remote-host"] for sa in sas for child in sa["children"]
                           if child["state"] == "INSTALLED")
        assert installed == others, "CHILD_SAs: %r" % sas
        known = {int(child[spi], 16) for child in children for spi in ("spi-in", "spi-out")
                 if spi in child}
        left = [s for s in states if s.spi not in known]
        assert not left, "a%d: SAs of nobody: %r" % (n, left)
    return True


def test_rekey(mesh, flows):
    """IKE_SAs and CHILD_SAs are rekeyed every few seconds: not one packet is lost."""
    mark = mesh.capture.mark()
    began = {n: mesh["a%d" % n].charon.established()[0]["uniqueid"] for n in (1, 2)}
    wait.until(lambda: len(spis_seen(mesh, mark, 1, 2)) >= REKEYED
               and len(spis_seen(mesh, mark, 3, 1)) >= REKEYED,
               "%d generations of SAs carried traffic" % REKEYED, LIMIT, 1)
    wait.until(lambda: all(began[n] not in [sa["uniqueid"] for sa in
                                            mesh["a%d" % n].charon.established()]
                           for n in began), "the IKE_SAs are new", LIMIT)
    for flow in flows:
        result = flow.stop()
        assert result.lost == [] and result.duplicates == 0, "%s: %s" % (flow.name, result)
    wait.until(lambda: one_of_each(mesh), "one of each", LIMIT)


def test_swmeshd_killed(mesh, flows):
    """swmeshd killed and started again: SAs, devices and routes stay, all the time; no packet
    is lost."""
    for n in (1, 2):
        assert mesh["a%d" % n]["swmeshd"].kill() == -9
    for flow in flows:
        softwires.wait_flowing(flow, 50)
    with routewatch.watching("a1", "a2") as watches:
        for n in (1, 2):
            mesh["a%d" % n]["swmeshd"].start()
        wait_up(mesh, LIMIT)
        for flow in flows:
            softwires.wait_flowing(flow, 100)
            result = flow.stop()
            assert result.lost == [], "%s: %s" % (flow.name, result)
        for watch in watches:
            assert watch.removed(SW_NHOP_PREFIX) == []
    wait.until(lambda: one_of_each(mesh), "one of each", LIMIT)


def test_charon_killed(mesh, flows):
    """charon killed and started again: what has an SA goes on until its peer gives it up;
    then new SAs are made by themselves, one for each pair."""
    assert mesh["a1"].charon.kill() == -9
    mesh["a1"].charon.start()
    for flow in flows:
        softwires.wait_flowing(flow, 50, LIMIT)
    wait_up(mesh, LIMIT)
    wait.until(lambda: one_of_each(mesh), "one of each", LIMIT)
    for flow in flows:
        softwires.wait_flowing(flow, 50, LIMIT)
        result = flow.stop()
        assert result.longest_gap < GAP, "%s: %s" % (flow.name, result)


def test_both_killed(mesh, flows):
    """charon and swmeshd of one AFBR killed together, and started the other way round."""
    for name in ("charon", "swmeshd"):
        assert mesh["a2"][name].kill() == -9
    mesh["a2"]["swmeshd"].start()
    mesh["a2"].charon.start()
    wait_up(mesh, LIMIT)
    for flow in flows:
        softwires.wait_flowing(flow, 50, LIMIT)
    wait.until(lambda: one_of_each(mesh), "one of each", LIMIT)


def test_charon_gone_for_long(mesh, flows):
    """charon stopped, which removes its SAs: the routes go at once, nothing leaves in clear; a
    device that is deleted meanwhile is made again; charon back, everything is."""
    mesh["a3"].charon.stop()
    for m in (1, 2):
        wait.until(lambda: mesh.assert_refused(3, m, "charon"), "a3 has lost its SA", LIMIT)
    assert softwires.host_routes("a3") == {}
    assert not traffic.reachable("h3", host(1), 0.5)
    before = {t.ifindex for t in kernel.tunnels("a3").values()}
    netns.ip_batch("a3", ["link del " + name for name in kernel.tunnels("a3")])
    wait.until(lambda: len({t.ifindex for t in kernel.tunnels("a3").values()} - before) == 2,
               "a3 has made its devices again", LIMIT)
    mesh["a3"].charon.start()
    wait_up(mesh, LIMIT)
    softwires.wait_flowing(flows[2], 50, LIMIT)
