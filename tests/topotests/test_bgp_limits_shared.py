# SPDX-License-Identifier: GPL-2.0-or-later
"""Softwires that several neighbors' routes use: whose share they are, and until when."""
import struct

import pytest
from lib import bgpdut as dut
from lib import bgpspeaker as bgp
from lib import wait
from lib.bgplimits import agree, limits, row, settled, wait_row

from conftest import run_topology

pytestmark = pytest.mark.no_tunnels

IN = ("route-map SOFTWIRE-IN in",)
# Of the first one bgpd stores the routes that are refused.
STORED, FIRST, OTHER = 2, 3, 4
AFBR = "fd00:9::77"


@pytest.fixture(scope="module")
def net():
    yield from run_topology(dut.topology("", {n: IN for n in (STORED, FIRST, OTHER)}, dut.SWMESH))


@pytest.fixture()
def world(net):
    """Speakers without routes."""
    world = dut.World(net, (STORED, FIRST, OTHER))
    router = world.router
    agree(router)
    yield world
    world.assert_fine()
    world.close()


def set_total(router, total):
    router.configure("bgpd", "router bgp %d\n %s\n" % (
        dut.ASN, "bgp maximum-softwires %d" % total if total else "no bgp maximum-softwires"))


def prefix(number):
    return "10.%d.%d.0/24" % (number >> 8, number & 255)


def announce(speaker, numbers):
    """Routes of another AFBR, which any neighbor may send: one distinct attribute each."""
    for n in numbers:
        speaker.announce(prefix(n), AFBR, dut.gre(None, "2a01:400::%x" % (n + 1)))


def withdraw(speaker, numbers):
    for n in numbers:
        speaker.withdraw(prefix(n))


def test_hand_over(world):
    """One neighbor brings softwires in, another one announces the same, the first withdraws: what
    it has taken over counts for the other one, so that both together get what any two do. Nothing
    is lost to the one who stays; what was refused comes when there is room."""
    router, first, other = world.router, world[FIRST], world[OTHER]
    wait.until(lambda: not limits(router)["softwires"], "no softwire is stored")
    set_total(router, 64)
    announce(first, range(60))
    settled(router, FIRST, 48)  # 48 <= 3 * 16
    announce(other, range(48))
    settled(router, OTHER, 48)
    withdraw(first, range(60))
    settled(router, FIRST, 0)
    announce(first, range(100, 112))
    settled(router, FIRST, 12)  # 12 <= 3 * 4
    before = row(router, OTHER)["routesRefused"]
    announce(other, range(100, 112))
    wait_row(router, OTHER, "routesRefused", before + 12)
    assert row(router, OTHER)["softwires"] == 48 and row(router, OTHER)["waiting"]
    assert row(router, OTHER)["reason"].startswith("refused: no more of all neighbors'")
    announce(world[STORED], range(200, 203))
    settled(router, STORED, 3)  # 3 <= 3 * 1
    assert limits(router)["softwires"] == 63
    before = row(router, STORED)["routesRefused"]
    announce(world[STORED], range(100, 112))
    wait_row(router, STORED, "routesRefused", before + 12)
    set_total(router, 72)
    settled(router, STORED, 15)  # 15 <= 3 * 9
    assert limits(router)["softwires"] == 63
    set_total(router, 0)


MANY = 40000  # routes: more than one look at a SW-NHOP visits


def announce_many(speaker, tea):
    """Routes with one attribute, as many in an UPDATE as it holds."""
    hop = bytes(bgp.ipaddress.ip_address(AFBR).packed)
    data = b""
    for at in range(0, MANY, 800):
        routes = b"".join(struct.pack("!BBH", 24, 20, n) for n in range(at, at + 800))
        attributes = (speaker.base_attributes()
                      + bgp.attribute(bgp.MP_REACH,
                                      struct.pack("!HBB", 1, 1, 16) + hop + b"\0" + routes)
                      + bgp.attribute(bgp.TUNNEL_ENCAP, tea))
        body = struct.pack("!HH", 0, len(attributes)) + attributes
        data += bgp.message(bgp.UPDATE, body)
    speaker.send_raw(data)


def hop_of(router, tea):
    (found,) = [hop for hop in router.json("bgpd", "show bgp softwire")["nextHops"]
                if hop["tea"]["propagate"] == tea.hex()]
    return found


def test_many_routes(world):
    """One neighbor's route stands behind more routes of another one's with the same SW-NHOP than
    are visited at a time. Its use is found, goes with the route, and comes back."""
    router, first, other = world.router, world[FIRST], world[OTHER]
    tea = dut.gre(None, "2a01:500::1")
    router.show("bgpd", "debug bgp softwire nexthop")

    def looks():
        with open(router.file("bgpd.log"), encoding="utf-8", errors="replace") as log:
            return log.read().count("looking for who uses it goes on later")
    other.announce("10.99.0.0/24", AFBR, tea)
    settled(router, OTHER, 1)
    announce_many(first, tea)
    wait.until(lambda: hop_of(router, tea)["routesIpv4"] == MANY + 1, "all routes are there")
    seen = looks()

    def looked_twice():
        """The tables change, so that it is looked at who uses what."""
        first.announce("10.99.1.0/24", AFBR, tea)
        first.withdraw("10.99.1.0/24")
        return looks() >= seen + 2
    wait.until(looked_twice, "the second look goes on later, so the first one is over")
    assert row(router, OTHER)["softwires"] == 1 and row(router, FIRST)["softwires"] == 1
    other.withdraw("10.99.0.0/24")
    settled(router, OTHER, 0)
    assert row(router, FIRST)["softwires"] == 1
    other.announce("10.99.0.0/24", AFBR, tea)
    settled(router, OTHER, 1)
    router.show("bgpd", "no debug bgp softwire nexthop")
