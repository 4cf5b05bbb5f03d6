# SPDX-License-Identifier: GPL-2.0-or-later
"""Routes that leak into a VRF carry the attribute too, and never its stand-in type; those that leak
out of one are announced with ours. A way to an endpoint that leaks out of one counts when the
operator names its interface."""
import pytest
from lib import bgpdut as dut
from lib import bgpspeaker as bgp
from lib import wait
from lib.topology import Link

from conftest import run_topology

RED = """router bgp %d vrf red
 bgp router-id 10.255.8.1
 no bgp default ipv4-unicast
 neighbor 10.255.8.2 remote-as %d
 neighbor 10.255.8.2 passive
 neighbor 10.255.8.2 advertisement-interval 0
 address-family ipv4 unicast
  neighbor 10.255.8.2 activate
  import vrf default
 exit-address-family
exit
router bgp %d
 address-family ipv4 unicast
  import vrf red
 exit-address-family
exit
""" % (dut.ASN, dut.ASN, dut.ASN)
SWMESH = """softwire mesh
 transit ipv6 source fd00:9::1
 encap-set EDGE
  tunnel 10 gre key 100
  payload ipv4
 exit
exit
"""
MAPS = {3: ("route-map SOFTWIRE-IN in", "route-map SOFTWIRE-OUT out")}
REMOTE = "2a01:100::1"
VALUES = [dut.gre(1), dut.gre(2) + dut.ipip(), dut.ipip(), None]


@pytest.fixture(scope="module")
def net():
    topo = dut.topology(RED, MAPS, SWMESH,
                        "ipv6 route %s/128 fd00:5::2 nexthop-vrf red\n" % REMOTE)
    topo.nodes.append("bred")
    topo.links.append(Link(dut.DUT, "bred", [], ["10.255.8.2/24", "fd00:5::2/64"]))
    topo.ip_lines[dut.DUT] = ["link add red type vrf table 10", "link set red up",
                              "link set bdut-bred master red",
                              "address add 10.255.8.1/24 dev bdut-bred",
                              "address add fd00:5::1/64 dev bdut-bred nodad"]
    yield from run_topology(topo)


def red_speaker():
    return bgp.Speaker("bred", "10.255.8.2", "10.255.8.1", dut.ASN, "10.255.8.2",
                       ext_nexthop=False, families=[(1, 1)]).start()


def test_leaked(net):
    """New, changed and broken routes: the VRF's neighbor has what the default VRF has."""
    sender, red = dut.speaker(2), red_speaker()
    try:
        for value in VALUES * 3:
            sender.announce("10.60.0.0/24", "10.255.9.2", value)
            for other in VALUES:  # several changes in one read of bgpd
                sender.announce("10.60.1.0/24", "10.255.9.2", other)

            def agrees():
                update = red.routes().get("10.60.0.0/24")
                assert update, "no route; bgpd has %s" % net[dut.DUT].show(
                    "bgpd", "show bgp vrf red ipv4 unicast")
                assert update.tea == value, update.tea
                return True
            wait.until(agrees, "the VRF's neighbor has the attribute")
        sender.announce("10.60.0.0/24", "10.255.9.2", b"\0")
        wait.until(lambda: "10.60.0.0/24" not in red.routes(), "the route is withdrawn")
        for peer in (sender, red):
            peer.assert_up()
        dut.assert_clean([sender, red])
    finally:
        sender.stop()
        red.stop()


def test_imported(net):
    """A route from a VRF, which bgpd announces with our own next hop, gets the encap-set."""
    red, receiver = red_speaker(), dut.speaker(3, ext_nexthop=False)
    try:
        red.announce("10.61.0.0/24", "10.255.8.2")

        def attached():
            update = receiver.routes().get("10.61.0.0/24")
            assert update, "no route"
            assert update.nexthop == "10.255.9.1", update.nexthop
            assert b"\1\4\0\0\0\x64" in (update.tea or b""), update.tea
            return True
        wait.until(attached, "our next hop, and our attribute")
        for peer in (red, receiver):
            peer.assert_up()
    finally:
        red.stop()
        receiver.stop()


def test_endpoint_in_vrf(net):
    """The addresses of a VRF's interfaces are not known, so that none is taken for the core's
    unless it is named."""
    router = net[dut.DUT]
    sender = dut.speaker(3)

    def told():
        found = router.json("swmeshd", "show softwire afbr")["afbrs"]
        return [one["reason"] for one in found if one["endpoint"] == REMOTE]

    try:
        sender.announce("10.62.0.0/24", dut.address(3), dut.gre(None, REMOTE))
        other = "the way to %s leaves by bdut-bred in another VRF; if the core is there, enter " \
            "'transit interface bdut-bred'" % REMOTE
        wait.until(lambda: told() == [other], "it is not used")
        router.configure("swmeshd", "softwire mesh\ntransit interface bdut-bred\n")
        wait.until(lambda: told() == [""], "it is")
        sender.assert_up()
    finally:
        sender.stop()
