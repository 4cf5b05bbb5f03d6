# SPDX-License-Identifier: GPL-2.0-or-later
"""BGP sessions: our own address on one goes and comes back while it stays up; and one that ends as
it comes up, or meets a busy bgpd."""
import concurrent.futures
import socket
import time

import pytest
from lib import bgpdut as dut
from lib import bgpspeaker as bgp
from lib import netns, wait

from conftest import run_topology

pytestmark = pytest.mark.no_tunnels

PREFIX = "10.60.0.0/24"
OWN = """router bgp %d
 address-family ipv4 unicast
  network %s
 exit-address-family
exit
""" % (dut.ASN, PREFIX)
MAPPED = "::ffff:aff:901"  # of the router-id: what bgpd falls back to
DEVICE = dut.DUT + "-" + dut.SPEAKERS


@pytest.fixture(scope="module")
def net():
    yield from run_topology(dut.topology(OWN))


@pytest.fixture(scope="module")
def speaker(net):
    one = dut.speaker(2)
    yield one
    one.stop()


def test_address_blinks_before_established(net):
    """The address goes and comes back when bgpd has connected from it and the session is not up
    yet: what is announced then has it for its next hop."""
    router, words = net[dut.DUT], "%s/64 dev %s" % (dut.ROUTER, DEVICE)
    one = dut.new_speaker(3)

    def blink():
        netns.ip_batch(dut.DUT, ["address del " + words])
        wait.until(lambda: dut.ROUTER not in router.show("zebra", "show interface " + DEVICE),
                   "zebra has forgotten it")
        router.show("bgpd", "show bgp summary")  # by then bgpd has been told
        netns.ip_batch(dut.DUT, ["address add %s nodad" % words])
        wait.until(lambda: dut.ROUTER in router.show("zebra", "show interface " + DEVICE),
                   "zebra has it again")
        router.show("bgpd", "show bgp summary")

    router.configure("bgpd", "router bgp %d\nno neighbor %s passive\nneighbor %s timers connect 1\n"
                     % (dut.ASN, one.local, one.local))
    try:
        one.accept(blink)
        one.wait_route(PREFIX)
        wait.until(lambda: one.routes()[PREFIX].nexthop == dut.ROUTER,
                   "our address is the next hop", 20)
        one.assert_up()
    finally:
        one.stop()


def announce_another(router, prefix):
    router.configure("bgpd", "router bgp %d\naddress-family ipv4 unicast\nnetwork %s\n" % (
        dut.ASN, prefix))


@pytest.mark.parametrize("longer", [False, True], ids=["blinks", "is away"])
def test_address(net, speaker, longer):
    """ifreload, netplan and keepalived take an address off and put it on again: routes have it for
    their next hop again within seconds, and the session has never gone."""
    router, another = net[dut.DUT], "10.61.%d.0/24" % longer
    words = "%s/64 dev %s" % (dut.ROUTER, DEVICE)
    speaker.wait_route(PREFIX)
    netns.ip_batch(dut.DUT, ["address del " + words])

    def own():
        shown = router.json("bgpd", "show bgp neighbors " + speaker.local)
        return shown[speaker.local]["nexthopGlobal"]

    if longer:
        wait.until(lambda: own() != dut.ROUTER, "bgpd has forgotten it")
        announce_another(router, another)
        wait.until(lambda: own() == MAPPED, "it announces the router-id in its place")
    netns.ip_batch(dut.DUT, ["address add %s nodad" % words])
    wait.until(lambda: own() == dut.ROUTER, "bgpd has it again", 20)
    if not longer:
        announce_another(router, another)
    for prefix in (another, PREFIX):
        wait.until(lambda: prefix in speaker.routes()
                   and speaker.routes()[prefix].nexthop == dut.ROUTER,
                   "our address is the next hop of " + prefix, 20)
    speaker.assert_up()


class Unlucky(bgp.Speaker):
    """bgpd ends the first of its sessions as soon as it is up."""

    router, sessions = None, 0

    def connect(self):
        super().connect()
        self.sessions += 1
        if self.sessions == 1:
            wait.until(lambda: self.local in self.router.bgp_established(1), "bgpd has it")
            self.router.show("bgpd", "clear bgp %s" % self.local)
            wait.until(lambda: not self.established, "it has ended")


def test_session_that_ends_as_it_comes_up(net):
    """A speaker that has started has a session at bgpd's end, too (as bgpd has a race)."""
    one = Unlucky(dut.SPEAKERS, dut.address(4), dut.ROUTER, 65004, "10.255.9.4", ibgp=False)
    one.router = net[dut.DUT]
    one.start()
    assert one.sessions == 2 and one.local in one.router.bgp_established(1)
    one.stop()


def test_bgpd_reads_nothing(net):
    """A busy bgpd that reads nothing for more than a second: what a speaker sends only waits."""
    one = dut.speaker(5)
    one.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    keepalives = bgp.message(bgp.KEEPALIVE) * 20000
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with net[dut.DUT]["bgpd"].frozen():
            sending = pool.submit(one.send_raw, keepalives)
            time.sleep(1.5)
        sending.result(wait.LIMIT)
    one.assert_up()
    one.stop()
