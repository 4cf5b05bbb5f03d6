# SPDX-License-Identifier: GPL-2.0-or-later
"""An endpoint must be reached through the core, and nothing else is where SW-NHOPs are.

    bsp (speaker)  fd00:9::2  ---+
    core2          fd00:8::2  ---+-- bdut --- lan  10.1.0.2, 2a01:1::2

bdut is an AFBR of an IPv6 core with an IPv4 island on lan. No tunnel is needed to see what
swmeshd makes of a way; test_mesh_basic.py sees the same in the kernel and on the wire.
"""
import pytest

from conftest import run_topology
from lib import bgpdut as dut
from lib import netns, wait
from lib.config import mesh_lines, refused
from lib.topology import Link

pytestmark = pytest.mark.no_tunnels

SWMESH = """\
softwire mesh
 transit ipv6 source %s
 encap-set EDGE
  tunnel 10 gre
  payload ipv4
 exit
exit
""" % dut.ROUTER
CORE, CORE2, LAN = "bdut-bsp", "bdut-core2", "bdut-lan"
BY_CORE, BY_CORE2, BY_LAN = "fd00:9::2", "fd00:8::2", "2a01:1::2"
REMOTE, NEIGHBOR, OWN = "2a01:100::1", "2a01:1::2", "2a01:9::1"
ENDPOINTS = {REMOTE: "10.40.0.0/24", NEIGHBOR: "10.41.0.0/24", OWN: "10.42.0.0/24"}
AT_LAN = "leaves by %s, where an island is (10.1.0.1/24)" % LAN


@pytest.fixture(scope="module")
def net():
    topo = dut.topology("", {2: ("route-map SOFTWIRE-IN in",)}, SWMESH, routes())
    topo.nodes += ["core2", "lan"]
    topo.links[0].a_addresses = [dut.ROUTER + "/64"]
    topo.links += [Link(dut.DUT, "core2", ["fd00:8::1/64"], [BY_CORE2 + "/64"]),
                   Link(dut.DUT, "lan", ["10.1.0.1/24", "2a01:1::1/64"],
                        ["10.1.0.2/24", NEIGHBOR + "/64"])]
    topo.ip_lines[dut.DUT] = ["address add %s/128 dev lo nodad" % OWN]
    yield from run_topology(topo)


@pytest.fixture(scope="module")
def speaker(net):
    one = dut.speaker(2)
    for host, prefix in ENDPOINTS.items():
        one.announce(prefix, dut.address(2), dut.gre(None, host))
    yield one
    one.stop()


@pytest.fixture()
def router(net, speaker):
    """With REMOTE behind the core, whatever the test before left."""
    one = net[dut.DUT]
    settled(one, REMOTE, "")
    yield one
    speaker.assert_up()
    one.configure("swmeshd", "no softwire mesh\n" + SWMESH)


def routes(*gateways):
    return "".join("ipv6 route %s/128 %s\n" % (REMOTE, via) for via in gateways or (BY_CORE,))


def way(router, *gateways):
    """REMOTE's route has these gateways and no others."""
    every = {BY_CORE, BY_CORE2, BY_LAN}
    router.configure("staticd", routes(*gateways) + "".join(
        "no ipv6 route %s/128 %s\n" % (REMOTE, via) for via in every - set(gateways)))


def afbr(router, endpoint):
    found = {one["endpoint"]: one for one in router.json("swmeshd", "show softwire afbr")["afbrs"]}
    assert endpoint in found, "no %s among %s" % (endpoint, sorted(found))
    return found[endpoint]


def settled(router, endpoint, reason):
    """Until it is reachable (no reason), or not for this reason."""
    def so():
        one = afbr(router, endpoint)
        assert reason in one["reason"] and one["reachable"] == (not reason), one
        states = [sw["state"] for sw in one["softwires"]]
        assert states and all((state == "down") == bool(reason) for state in states), one
        if reason:
            assert all(sw["reason"] == one["reason"] and not sw["device"]
                       for sw in one["softwires"]), one
        return one

    return wait.until(so, "%s: %s" % (endpoint, reason or "reachable"))


def test_in_our_island(router):
    """A host of the island's LAN is no AFBR: nothing is made for it, and that is said and logged.
    Nor is this router itself."""
    one = settled(router, NEIGHBOR, AT_LAN)
    assert "'transit interface %s'" % LAN in one["reason"]
    assert one["reason"] in router.show("swmeshd", "show softwire")
    with open(router.file("swmeshd.log")) as log:
        assert "AFBR %s is not used: %s" % (NEIGHBOR, one["reason"]) in log.read()
    settled(router, OWN, "ends in this router (lo)")
    data = router.show("swmeshd", "show yang operational-data /frr-swmesh:swmesh/state")
    assert one["reason"] in data


def test_route_moves(router):
    """From the core to the island and back; by both at once it is no way either, by two
    interfaces of the core it is."""
    way(router, BY_LAN)
    settled(router, REMOTE, AT_LAN)
    way(router, BY_CORE)
    settled(router, REMOTE, "")
    way(router, BY_CORE, BY_LAN)
    settled(router, REMOTE, AT_LAN)
    way(router, BY_CORE, BY_CORE2)
    settled(router, REMOTE, "")
    way(router, BY_CORE)


def test_address_comes(router):
    """An interface becomes the island's with its first IPv4 address, unless that is link-local,
    and is the core's again without it. A core that has both families is named."""
    def address(what, text):
        netns.ip_batch(dut.DUT, ["address %s %s dev %s" % (what, text, CORE)])

    address("add", "169.254.9.1/16")
    address("add", "192.0.2.1/30")
    settled(router, REMOTE, "where an island is (192.0.2.1/30)")
    address("del", "192.0.2.1/30")
    settled(router, REMOTE, "")
    address("add", "192.0.2.1/30")
    settled(router, REMOTE, "where an island is (192.0.2.1/30)")
    router.configure("swmeshd", "softwire mesh\ntransit interface %s\n" % CORE)
    settled(router, REMOTE, "")
    address("del", "192.0.2.1/30")
    address("del", "169.254.9.1/16")


def test_named_interfaces(router):
    """With 'transit interface' these are the core and no other ones."""
    router.configure("swmeshd", "softwire mesh\ntransit interface %s\n" % CORE2)
    settled(router, REMOTE, "leaves by %s; if the core is there" % CORE)
    settled(router, NEIGHBOR, "leaves by %s" % LAN)
    assert "The core is behind %s\n" % CORE2 in router.show("swmeshd", "show softwire")
    router.configure("swmeshd", "softwire mesh\ntransit interface %s\n" % CORE)
    settled(router, REMOTE, "")
    assert router.json("swmeshd", "show softwire")["transitInterfaces"] == [CORE2, CORE]
    assert mesh_lines(router).startswith(
        "softwire mesh\n transit ipv6 source %s\n transit interface %s\n transit interface %s\n"
        % (dut.ROUTER, CORE2, CORE))
    router.configure("swmeshd", "softwire mesh\nno transit interface %s\n" % CORE)
    settled(router, REMOTE, "leaves by %s" % CORE)
    router.configure("swmeshd", "softwire mesh\nno transit interface %s\n" % CORE2)
    settled(router, REMOTE, "")


def test_prefix_list(router):
    """With 'transit prefix-list' an endpoint needs its permission, too. A list that is not there,
    or is empty, permits none."""
    router.configure("swmeshd", "softwire mesh\ntransit prefix-list AFBRS\n")
    settled(router, REMOTE, "there is no ipv6 prefix-list AFBRS")
    entry = "ipv6 prefix-list AFBRS seq 10 permit 2a01::/16\n"
    router.configure("swmeshd", "ipv6 prefix-list AFBRS description ours\n" + entry)
    settled(router, REMOTE, "")
    settled(router, NEIGHBOR, AT_LAN)
    router.configure("swmeshd", "no " + entry)
    settled(router, REMOTE, "does not permit endpoint " + REMOTE)
    router.configure("swmeshd", entry)
    settled(router, REMOTE, "")
    router.configure("swmeshd", "ipv6 prefix-list AFBRS seq 5 deny 2a01:100::/32\n")
    settled(router, REMOTE, "does not permit endpoint " + REMOTE)
    text = router.show("swmeshd", "show running-config")
    assert "ipv6 prefix-list AFBRS seq 10 permit 2a01::/16\n" in text
    assert " transit prefix-list AFBRS\n" in text
    assert "; endpoints by prefix-list AFBRS\n" in router.show("swmeshd", "show softwire")
    router.configure("swmeshd", "no ipv6 prefix-list AFBRS\n")
    settled(router, REMOTE, "there is no ipv6 prefix-list AFBRS")
    router.configure("swmeshd", "softwire mesh\nno transit prefix-list\n")
    settled(router, REMOTE, "")


@pytest.mark.parametrize("prefix", ["2a01:1::/96", "2a01:1::/64", "2a01::/16"])
def test_overlapping_prefix_refused(router, prefix):
    """A SW-NHOP prefix that overlaps a connected one, by containing it or inside of it."""
    output = refused(router, ["sw-nhop prefix " + prefix])
    for words in ("sw-nhop prefix " + prefix, "overlaps 2a01:", "choose another one"):
        assert words in output, output


def test_overlap_with_other_lines(router):
    """... or that has a neighbor in it which is named below."""
    router.configure("swmeshd", "softwire mesh\nprotect bgp neighbor fd00:77::1\n")
    output = refused(router, ["sw-nhop prefix fd00:77::/64"])
    assert "protect bgp neighbor fd00:77::1 is inside the sw-nhop prefix" in output


def test_overlap_comes_later(router):
    """An address that comes into the prefix is warned of and shown for as long as it is there."""
    address = "fd53:574d:4553:4800::1/64"
    told = "%s on %s" % (address, LAN)

    def shown():
        return router.json("swmeshd", "show softwire")["swNhopOverlap"]

    assert shown() == ""
    netns.ip_batch(dut.DUT, ["address add %s dev %s nodad" % (address, LAN)])
    wait.until(lambda: shown() == told, "it is shown")
    assert "SW-NHOPs overlap %s: choose another" % told in router.show("swmeshd", "show softwire")
    assert told in router.show(
        "swmeshd", "show yang operational-data /frr-swmesh:swmesh/state")
    with open(router.file("swmeshd.log")) as log:
        assert "sw-nhop prefix fd53:574d:4553:4800::/64 overlaps " + told in log.read()
    netns.ip_batch(dut.DUT, ["address del %s dev %s" % (address, LAN)])
    wait.until(lambda: shown() == "", "it is gone")
