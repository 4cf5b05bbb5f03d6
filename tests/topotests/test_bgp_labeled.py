# SPDX-License-Identifier: GPL-2.0-or-later
"""Attribute 23 with labeled routes (RFC 8277). bgpd has them in place of unicast ones, so they need
neighbors of their own."""
import socket
import struct

import pytest
from lib import bgpdut as dut
from lib import bgpspeaker as bgp
from lib import wait
from lib.bgpspeaker import MP_REACH, MP_UNREACH, attribute

from conftest import run_topology

pytestmark = pytest.mark.no_tunnels

PREFIX = "10.40.0.0/24"
LABELED = struct.pack("!HB", bgp.AFI_IPV4, bgp.SAFI_LABELED)
TWO = dut.gre(7) + dut.ipip()


@pytest.fixture(scope="module")
def net():
    yield from run_topology(dut.topology(families=("ipv4 labeled-unicast",)))


@pytest.fixture(scope="module")
def speakers(net):
    """Two clients of the reflector and a filtered eBGP neighbor."""
    made = {n: dut.speaker(n, families=((bgp.AFI_IPV4, bgp.SAFI_LABELED),)) for n in (2, 3, 6)}
    yield made
    for one in made.values():
        one.assert_up()
        one.stop()


def nlri(label):
    net = bgp.prefix_bytes(PREFIX)
    return bytes([net[0] + 24]) + struct.pack("!I", label << 4 | 1)[1:] + net[1:]


def announce(speaker, label):
    hop = socket.inet_aton("10.255.9.2")
    value = LABELED + bytes([len(hop)]) + hop + b"\0" + nlri(label)
    speaker.send_update(speaker.base_attributes() + attribute(MP_REACH, value)
                        + attribute(bgp.TUNNEL_ENCAP, TWO))


def wait_tea(speaker, value):
    def so():
        found = [update for key, update in speaker.routes().items() if key.startswith("1/4 ")]
        assert found and found[-1].tea == value, found
        return True
    wait.until(so, "%s is sent the labeled route with its attribute" % speaker.local)


def test_reflected(speakers):
    """B6, B8: the attribute passes to a client unchanged, and not to a filtered neighbor."""
    announce(speakers[2], 50)
    wait_tea(speakers[3], TWO)
    wait_tea(speakers[6], None)


def test_new_label(net, speakers):
    """The route is announced again with another label and nothing else changed: zebra gets it."""
    def labels():
        routes = net[dut.DUT].json("zebra", "show ip route " + PREFIX).get(PREFIX, [])
        return [hop["labels"] for route in routes for hop in route["nexthops"] if "labels" in hop]

    for label in (100, 200, 300):
        announce(speakers[2], label)
        wait.until(lambda: labels() == [[label]], "zebra has label %d" % label)


def test_withdrawn(net, speakers):
    """And it goes again."""
    speakers[2].send_update(attribute(MP_UNREACH, LABELED + nlri(300)))
    wait.until(lambda: PREFIX not in net[dut.DUT].json("zebra", "show ip route"), "it is gone")
