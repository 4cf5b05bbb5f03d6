# SPDX-License-Identifier: GPL-2.0-or-later
"""Attribute 23 with routes of other families than unicast (RFC 9012 section 6), and what bgpd
itself decides by an attribute: dampening, what is malformed."""
import socket
import struct

import pytest
from lib import bgpdut as dut
from lib import bgpspeaker as bgp
from lib import fuzzupdate as fuzz
from lib import wait
from lib.bgpspeaker import EXT_COMMUNITY, EXTENDED, MP_REACH, MP_UNREACH, attribute

from conftest import run_topology

pytestmark = pytest.mark.no_tunnels

FAMILIES = ("ipv4 unicast", "ipv4 vpn", "l2vpn evpn")
CAPABILITIES = ((1, 1), (1, 128), (25, 70))
EXTRA = """router bgp %d
 address-family ipv4 unicast
  bgp dampening
 exit-address-family
exit
""" % dut.ASN
TWO = dut.gre(7) + dut.ipip()
UNKNOWN = dut.gre(1, "2a01:100::1", dut.sub(200, b"x" * 300)) + dut.tlv(999, dut.endpoint())
VXLAN = struct.pack("!BBIH", 3, 12, 0, 8)  # Encapsulation community of an EVPN route (RFC 8365)
GRE_COMMUNITY = struct.pack("!BBIH", 3, 12, 0, 2)
TARGET = struct.pack("!BBHI", 0, 2, dut.ASN, 1)
RD = struct.pack("!HHI", 0, dut.ASN, 1)


@pytest.fixture(scope="module")
def net():
    yield from run_topology(dut.topology(EXTRA, families=FAMILIES))


@pytest.fixture(scope="module")
def world(net):
    """Speakers 2 and 3 are clients of the reflector, 4 an open eBGP neighbor, 6 a filtered one."""
    made = dut.World(net, (2, 3, 4, 6), families=CAPABILITIES)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def always(world):
    """Whatever a test sends: no session ends, no stand-in type is ever sent."""
    yield
    world.assert_fine()


# -- routes of each family: AFI, SAFI, the NLRI, and the next hop of speaker n --

def label(value):
    return struct.pack("!I", value << 4 | 1)[1:]


def hop(n):
    return socket.inet_aton("10.255.9.%d" % n)


def vpn(prefix, number):
    net = bgp.prefix_bytes(prefix)
    return bytes([net[0] + 24 + 64]) + label(number) + RD + net[1:]


def evpn(address):
    """Inclusive multicast (type 3)."""
    value = RD + bytes(4) + bytes([32]) + socket.inet_aton(address)
    return bytes([3, len(value)]) + value


def reach(afi, safi, nexthop, nlri, flags=0x80):
    return attribute(MP_REACH, struct.pack("!HBB", afi, safi, len(nexthop)) + nexthop + b"\0"
                     + nlri, flags)


ROUTES = {
    "vpn": lambda n: reach(1, 128, bytes(8) + hop(n), vpn("10.128.0.0/24", 100)),
    "evpn": lambda n: reach(25, 70, hop(n), evpn("10.0.0.70")),
}
KEYS = {"vpn": "1/128 ", "evpn": "25/70 "}
COMMUNITIES = attribute(EXT_COMMUNITY, TARGET + VXLAN)


def send(world, n, family, tea):
    """A route of the family with this attribute 23 (None: without)."""
    extra = attribute(23, tea) if tea is not None else b""
    world[n].send_update(world[n].base_attributes() + ROUTES[family](n) + COMMUNITIES + extra)


def withdraw(world, n, family):
    value = {"vpn": struct.pack("!HB", 1, 128) + vpn("10.128.0.0/24", 100),
             "evpn": struct.pack("!HB", 25, 70) + evpn("10.0.0.70")}[family]
    world[n].send_update(attribute(MP_UNREACH, value))


def route_at(world, number, family):
    """The Update by which that speaker has the family's route now, or None."""
    for key, update in world[number].routes().items():
        if key.startswith(KEYS[family]):
            return update
    return None


def tea_at(world, number, family, value):
    def so():
        update = route_at(world, number, family)
        assert update, "no route"
        assert update.tea == value, "attribute %s" % (update.tea and update.tea.hex())
        return update
    return wait.until(so, "speaker %d has the %s route with its attribute" % (number, family))


def none_at(world, number, family):
    wait.until(lambda: not route_at(world, number, family),
               "speaker %d has no %s route" % (number, family))


@pytest.mark.parametrize("family", ROUTES)
@pytest.mark.parametrize("value", [TWO, UNKNOWN], ids=["two", "unknown"])
def test_reflected(world, family, value):
    """B8, section 6: a legal attribute with several tunnels passes a reflector octet for octet,
    and the filter (B6) keeps it from an eBGP neighbor; an EVPN route's community stays."""
    send(world, 2, family, value)
    tea_at(world, 3, family, value)
    filtered = tea_at(world, 6, family, None)
    tea_at(world, 4, family, value)
    assert VXLAN in filtered.attributes[EXT_COMMUNITY][1]
    withdraw(world, 2, family)
    none_at(world, 3, family)


@pytest.mark.parametrize("family", ROUTES)
def test_filtered_in(world, family):
    """B6: what a filtered eBGP neighbor sends of attribute 23 is taken out, in any family."""
    send(world, 6, family, TWO)
    tea_at(world, 3, family, None)
    withdraw(world, 6, family)
    none_at(world, 3, family)
    send(world, 4, family, TWO)
    tea_at(world, 3, family, TWO)
    withdraw(world, 4, family)
    none_at(world, 3, family)


# One TLV, whose last sub-TLV takes two or three octets: bgpd's own parser counts them as left
# over and resets the session.
TAILS = {"three octets": "0007000b060600000000000007012e", "two octets": "0007000a06060000000000000700",
         "unknown type": "03e7000b06060000000000000001" + "00"}


@pytest.mark.parametrize("family", ROUTES)
@pytest.mark.parametrize("tail", TAILS)
def test_short_last_sub_tlv(world, family, tail):
    """B10: a legal attribute whose last sub-TLV is short does not end the session, and goes on."""
    value = bytes.fromhex(TAILS[tail])
    send(world, 2, family, value)
    tea_at(world, 3, family, value)
    withdraw(world, 2, family)
    none_at(world, 3, family)


def test_family_not_activated(world):
    """B10: nor does it with a family that was never activated for the neighbor, IPv6 VPN."""
    nlri = bytes([24 + 64 + 32]) + label(7) + RD + bytes.fromhex("2a010200")
    world[2].send_update(world[2].base_attributes() + reach(2, 128, bytes(24), nlri)
                         + attribute(23, bytes.fromhex(TAILS["three octets"])))
    send(world, 2, "vpn", TWO)
    tea_at(world, 3, "vpn", TWO)
    withdraw(world, 2, "vpn")
    none_at(world, 3, "vpn")


def test_endpoints_safi(world):
    """B11: routes of SAFI 7 are endpoints themselves: a TLV without one is no error."""
    before = dut.counters(world.router, 2)
    value = struct.pack("!HB", 1, 7) + bytes([4]) + hop(2) + b"\0" + bytes([32]) + hop(2)
    world[2].send_update(world[2].base_attributes() + attribute(MP_REACH, value)
                         + attribute(23, dut.tlv(7)))
    wait.until(lambda: dut.counters(world.router, 2).get("accepted", 0)
               > before.get("accepted", 0), "it is accepted")
    assert dut.counters(world.router, 2).get("withdrawn", 0) == before.get("withdrawn", 0)


# -- an UPDATE with routes in two places --

def test_communities_beside_vpn(world):
    """B6: an Encapsulation community for IPv4 routes is filtered even when MP_REACH_NLRI, in the
    same message, is of another family."""
    world[6].send_update(
        world[6].base_attributes() + attribute(bgp.NEXT_HOP, hop(6)) + ROUTES["vpn"](6)
        + attribute(EXT_COMMUNITY, TARGET + GRE_COMMUNITY), bgp.prefix_bytes("10.14.0.0/24"))
    update = world[3].wait_route("10.14.0.0/24")
    assert GRE_COMMUNITY not in update.attributes[EXT_COMMUNITY][1]
    assert TARGET in update.attributes[EXT_COMMUNITY][1]
    world[6].withdraw("10.14.0.0/24")
    withdraw(world, 6, "vpn")
    none_at(world, 3, "vpn")


# -- what bgpd counts --

def test_dampening(world):
    """The same UPDATE again and again is no flap: a route with the attribute is not dampened."""
    prefix = "10.16.0.0/24"
    for _ in range(8):
        world[4].announce(prefix, "10.255.9.4", TWO)
    world[4].announce("10.17.0.0/24", "10.255.9.4")
    world[3].wait_route("10.17.0.0/24")
    assert world[3].wait_route(prefix).tea == TWO
    shown = world.router.show("bgpd", "show bgp ipv4 unicast " + prefix)
    assert "ampen" not in shown and "enalty" not in shown, shown
    for one in (prefix, "10.17.0.0/24"):
        world[4].withdraw(one)


# -- two octets that begin like attribute 23, at the end of the list --

STRAY = bytes([0xc0, 23])
VPN, PREFIX = vpn("10.128.0.0/24", 100), bgp.prefix_bytes("10.15.0.0/24")
SENDS_IDS = struct.pack("!BBHBBHBB", 69, 8, 1, 1, 2, 1, 128, 2)  # RFC 7911


@pytest.fixture(scope="module", params=["plain", "path-ids"])
def path_id(world, request):
    """What is in front of each prefix that speaker 2 sends, of IPv4 unicast and VPN."""
    def connect(**options):
        world[2].stop()
        world.peers[2] = dut.speaker(2, families=CAPABILITIES, **options)
    if request.param == "plain":
        yield b""
        return
    connect(capabilities=SENDS_IDS)
    yield b"\0\0\0\1"
    connect()


def reach_vpn(path_id, flags=0x80):
    return reach(1, 128, bytes(8) + hop(2), path_id + VPN, flags)


def unreach_vpn(path_id, flags=0x80):
    return attribute(MP_UNREACH, struct.pack("!HB", 1, 128) + path_id + VPN, flags)


# name -> of a path identifier: attributes before the stray octets, NLRI, withdrawn routes
STRAYS = {
    "reach": lambda i: (reach_vpn(i), b"", b""),
    "reach, extended": lambda i: (reach_vpn(i, 0x80 | EXTENDED), b"", b""),
    "unreach": lambda i: (unreach_vpn(i), b"", b""),
    "unreach, extended": lambda i: (unreach_vpn(i, 0x80 | EXTENDED), b"", b""),
    "unreach with NLRI": lambda i: (unreach_vpn(i), i + PREFIX, b""),
    "alone": lambda i: (b"", b"", b""),
    "with NLRI": lambda i: (b"", i + PREFIX, b""),
    "with withdrawn": lambda i: (b"", b"", i + PREFIX),
}


@pytest.mark.parametrize("form", STRAYS)
def test_stray_octets(world, path_id, form):
    """B10, RFC 7606 section 4: they do not end the session; the routes in the message are
    withdrawn, and what comes after it is taken: a message that is rewritten keeps its place."""
    attributes, nlri, withdrawn = STRAYS[form](path_id)
    sender = world[2]
    sender.send_update(sender.base_attributes() + attribute(bgp.NEXT_HOP, hop(2))
                       + attribute(23, TWO), path_id + PREFIX)
    sender.send_update(sender.base_attributes() + reach_vpn(path_id) + COMMUNITIES
                       + attribute(23, TWO))
    world[3].wait_route("10.15.0.0/24")
    tea_at(world, 3, "vpn", TWO)
    before = dut.counters(world.router, 2)["withdrawn"]
    body = fuzz.body_of(withdrawn, attributes + STRAY, nlri)
    again = fuzz.body_of(b"", sender.base_attributes() + reach_vpn(path_id) + COMMUNITIES
                         + attribute(23, UNKNOWN), b"")
    sender.send_raw(b"".join(bgp.message(bgp.UPDATE, one) for one in (body, again)))
    tea_at(world, 3, "vpn", UNKNOWN)
    assert dut.counters(world.router, 2)["withdrawn"] == before + 1
    if nlri or withdrawn:
        wait.until(lambda: "10.15.0.0/24" not in world[3].routes(), "it is withdrawn")
    sender.send_update(attributes + STRAY, nlri, withdrawn)
    if attributes:
        none_at(world, 3, "vpn")
    sender.send_update(unreach_vpn(path_id), withdrawn=path_id + PREFIX)
    none_at(world, 3, "vpn")
    wait.until(lambda: "10.15.0.0/24" not in world[3].routes(), "all is withdrawn")
