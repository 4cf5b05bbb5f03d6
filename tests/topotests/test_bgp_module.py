# SPDX-License-Identifier: GPL-2.0-or-later
"""Loading the module, and its lines under "router bgp"."""
import os
import re
import subprocess

import pytest
from lib import bgpdut as dut
from lib import bgpspeaker as bgp
from lib import netns, paths, vty, wait

from conftest import run_topology

pytestmark = pytest.mark.no_tunnels

MODULE = "bgpd_swmesh.so"
GROUP = """router bgp %d
neighbor CE peer-group
neighbor CE passive
neighbor CE capability extended-nexthop
neighbor CE advertisement-interval 0
neighbor CE tunnel-encapsulation out
neighbor fd00:9::8 remote-as 65008
neighbor fd00:9::8 peer-group CE
neighbor fd00:9::9 remote-as 65009
neighbor fd00:9::9 peer-group CE
no neighbor fd00:9::9 tunnel-encapsulation
address-family ipv4 unicast
neighbor CE activate
""" % dut.ASN


@pytest.fixture(scope="module")
def net():
    yield from run_topology(dut.topology())


def start_with(folder):
    """bgpd with the module of that folder, as a dry run: (exit status, what it says)."""
    done = subprocess.run(
        [paths.FRR + "/bgpd", "-C", "-f", "/dev/null", "-N", "modtest", "-M", "swmesh",
         "--moduledir", folder], capture_output=True, text=True, env=paths.ENV, timeout=60)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(bool(os.environ.get("SWMESH_SANITIZERS")),
                    reason="a sanitizer's library has to be loaded before the module")
def test_other_version_refused(tmp_path):
    """A module built for another FRR is refused with a message that says which is which."""
    assert start_with(paths.module_dir())[0] == 0
    with open(os.path.join(paths.module_dir(), MODULE), "rb") as file:
        data = file.read()
    assert data.count(b"8.4.4\0") >= 1
    (tmp_path / MODULE).write_bytes(data.replace(b"8.4.4\0", b"8.4.9\0"))
    status, said = start_with(str(tmp_path))
    assert status not in (0, -11, -6), said
    assert "built for FRR 8.4.9, but this is FRR 8.4.4" in said


def test_peer_group(net):
    """A peer group's line holds for its members, unless a member has its own."""
    router = net[dut.DUT]
    netns.ip_batch(dut.SPEAKERS, ["address add fd00:9::%d/64 dev bsp-bdut nodad" % n
                                  for n in (8, 9)])
    router.configure("bgpd", GROUP)
    sender = dut.speaker(2)
    members = [bgp.Speaker(dut.SPEAKERS, dut.address(n), dut.ROUTER, 65000 + n,
                           "10.255.9.%d" % n, ibgp=False).start() for n in (8, 9)]
    try:
        sender.announce("10.80.0.0/24", "fd00:9::2", dut.gre(1))
        assert members[0].wait_route("10.80.0.0/24").tea == dut.gre(1)
        assert members[1].wait_route("10.80.0.0/24").tea is None
        for member in members:  # what comes in is filtered from both
            member.announce("10.81.%d.0/24" % (member.asn - 65000), member.local, dut.gre(2))
        for n in (8, 9):
            assert sender.wait_route("10.81.%d.0/24" % n).tea is None
        text = router.show("bgpd", "show running-config")
        assert " neighbor CE tunnel-encapsulation out\n" in text
        assert " no neighbor fd00:9::9 tunnel-encapsulation out\n" in text
        assert "fd00:9::8 tunnel" not in text
        router.configure("bgpd", "router bgp %d\nno neighbor CE tunnel-encapsulation\n" % dut.ASN)
        wait.until(lambda: members[0].routes()["10.80.0.0/24"].tea is None,
                   "the member is filtered again")
        for peer in (sender, *members):
            peer.assert_up()
    finally:
        for peer in (sender, *members):
            peer.stop()


def test_lines_go_with_neighbors(net):
    """The line of a neighbor that is removed is gone for one of the same name later."""
    router = net[dut.DUT]
    lines = "router bgp %d\nneighbor fd00:9::c remote-as 65012\n" % dut.ASN
    own = "neighbor fd00:9::c tunnel-encapsulation\n"
    router.configure("bgpd", lines + own)
    assert " " + own in router.show("bgpd", "show running-config")
    router.configure("bgpd", "router bgp %d\nno neighbor fd00:9::c\n" % dut.ASN)
    router.configure("bgpd", lines)
    assert own not in router.show("bgpd", "show running-config")


def test_remote_as_changed(net):
    """A line that says what holds by default is not kept: an iBGP neighbor that becomes external is
    filtered, whatever was said before, until it is allowed then; and "no" leads back."""
    router, name = net[dut.DUT], "fd00:9::e"
    netns.ip_batch(dut.SPEAKERS, ["address add %s/64 dev bsp-bdut nodad" % name])
    lines = """router bgp %d
neighbor fd00:9::e remote-as %%d
neighbor fd00:9::e passive
neighbor fd00:9::e advertisement-interval 0
neighbor fd00:9::e capability extended-nexthop
%%sneighbor fd00:9::e tunnel-encapsulation
address-family ipv4 unicast
neighbor fd00:9::e activate
""" % dut.ASN
    again = "router bgp %d\n%%sneighbor fd00:9::e tunnel-encapsulation\n" % dut.ASN
    sender = dut.speaker(2)
    sender.announce("10.82.0.0/24", "fd00:9::2", dut.gre(1))

    def peer(asn):
        return bgp.Speaker(dut.SPEAKERS, name, dut.ROUTER, asn, "10.255.9.14",
                           ibgp=asn == dut.ASN).start()

    def kept():
        return "%s tunnel-encapsulation" % name in router.show("bgpd", "show running-config")
    router.configure("bgpd", lines % (dut.ASN, ""))
    inside = peer(dut.ASN)
    try:
        assert inside.wait_route("10.82.0.0/24").tea == dut.gre(1) and not kept()
    finally:
        inside.stop()
    router.configure("bgpd", "router bgp %d\nneighbor %s remote-as 65014\n" % (dut.ASN, name))
    outside = peer(65014)
    try:
        assert outside.wait_route("10.82.0.0/24").tea is None
        router.configure("bgpd", again % "")
        wait.until(lambda: outside.routes()["10.82.0.0/24"].tea == dut.gre(1), "it is allowed")
        assert kept()
        router.configure("bgpd", again % "no ")
        wait.until(lambda: outside.routes()["10.82.0.0/24"].tea is None, "it is filtered again")
        assert not kept()
        for one in (sender, outside):
            one.assert_up()
    finally:
        for one in (sender, outside):
            one.stop()


def test_refused_lines(net):
    """A line about nobody is refused as bgpd refuses its own."""
    with pytest.raises(vty.VtyError) as refused:
        net[dut.DUT].configure("bgpd", "router bgp %d\nneighbor fd00:9::d tunnel-encapsulation\n"
                               % dut.ASN)
    assert "peer-group commands first" in refused.value.output


def entries(router, name):
    """(number, action) of a route-map's entries, as bgpd has them."""
    shown = router.show("bgpd", "show route-map " + name)
    return [(int(number), action) for action, number in re.findall(
        r"^ (permit|deny), sequence (\d+)", shown, re.M)]


@pytest.mark.parametrize("name", ["SOFTWIRE-IN", "SOFTWIRE-OUT"])
def test_operators_last_entry(net, name):
    """An operator's entry with the number of ours is not replaced (the northbound has a pointer to
    it, and bgpd crashed at its next line): ours goes in front of it, and back to its place."""
    router, lines = net[dut.DUT], "route-map %s deny 65535\n" % name
    for _ in range(3):
        router.configure("bgpd", lines)
        router.configure("bgpd", lines + "match metric 7\nset metric 8\n")
    wait.until(lambda: entries(router, name) == [(65534, "permit"), (65535, "deny")],
               "both entries are there")
    router.configure("bgpd", "route-map %s deny 65534\nmatch metric 9\n" % name)
    wait.until(lambda: entries(router, name) == [(65533, "permit"), (65534, "deny"),
                                                 (65535, "deny")], "all entries are there")
    router.configure("bgpd", "no route-map %s\n" % name)
    wait.until(lambda: entries(router, name) == [(65535, "permit")], "ours is there alone")
