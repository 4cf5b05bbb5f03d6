# SPDX-License-Identifier: GPL-2.0-or-later
"""Attribute 23 as raw BGP speakers send it: what is refused, mended and passed on."""
import struct

import pytest
from lib import bgpdut as dut
from lib import bgpspeaker as bgp
from lib import wait
from lib.bgpspeaker import EXTENDED, OPTIONAL, PARTIAL, TRANSITIVE, TUNNEL_ENCAP, attribute

from conftest import run_topology

pytestmark = pytest.mark.no_tunnels

GOOD = dut.gre(100)
TWO = dut.gre(7) + dut.ipip()
UNKNOWN = dut.gre(1, "2a01:100::1", dut.sub(200, b"x" * 300), dut.sub(77, b"")) \
    + dut.tlv(999, dut.endpoint(), dut.sub(255, b"yy"))


@pytest.fixture(scope="module")
def net():
    yield from run_topology(dut.topology())


@pytest.fixture(scope="module")
def world(net):
    made = dut.World(net)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def always(world):
    """Whatever a test sends: no session ends, no stand-in type is ever sent."""
    yield
    world.assert_fine()


def count(world, number, key):
    return dut.counters(world.router, number).get(key, 0)


def tea_at(world, number, prefix, value, limit=wait.LIMIT):
    """Wait until that speaker has the prefix with exactly this attribute 23."""
    def holds():
        update = world[number].routes().get(prefix)
        assert update, "no route"
        assert update.tea == value, "attribute %s" % (update.tea and update.tea.hex())
        return True
    wait.until(holds, "%s is sent %s with its attribute" % (dut.address(number), prefix), limit)
    return world[number].routes()[prefix]


def gone_at(world, number, prefix):
    wait.until(lambda: prefix not in world[number].routes(),
               "%s is withdrawn from %s" % (prefix, dut.address(number)))


PREFIXES = {"classic": ("10.1.0.0/24", "10.255.9.2"), "enhe": ("10.2.0.0/24", "fd00:9::2"),
            "ipv6": ("2a01:200::/48", "fd00:9::2")}


def hop_of(sender, nexthop):
    """The next hop of PREFIXES as that sender has it."""
    return nexthop.replace("9.2", "9.%d" % sender).replace("::2", "::%d" % sender)


@pytest.mark.parametrize("sender", [2, 4], ids=["ibgp", "ebgp"])
@pytest.mark.parametrize("value", [GOOD, TWO, UNKNOWN], ids=["one", "two", "unknown"])
def test_reflected_unchanged(world, value, sender):
    """B8, T1-T11: a legal attribute goes through a route reflector octet for octet."""
    for prefix, nexthop in PREFIXES.values():
        world[sender].announce(prefix, hop_of(sender, nexthop), value)
    for prefix, _ in PREFIXES.values():
        for receiver in (3, 5):
            update = tea_at(world, receiver, prefix, value)
            flags = update.attributes[TUNNEL_ENCAP][0]
            assert flags & ~EXTENDED == OPTIONAL | TRANSITIVE, hex(flags)
    for prefix, _ in PREFIXES.values():
        world[sender].withdraw(prefix)
    for prefix, _ in PREFIXES.values():
        gone_at(world, 3, prefix)


@pytest.mark.parametrize("flags", [PARTIAL, EXTENDED, PARTIAL | EXTENDED, 0x05])
def test_flags_kept(world, flags):
    """Partial and Extended Length go out as they came; the low half does not."""
    raw = attribute(TUNNEL_ENCAP, GOOD, OPTIONAL | TRANSITIVE | flags)
    world[2].announce("10.3.0.0/24", "fd00:9::2", extra=raw)
    update = tea_at(world, 3, "10.3.0.0/24", GOOD)
    assert update.attributes[TUNNEL_ENCAP][0] == OPTIONAL | TRANSITIVE | (flags & 0xf0)
    world[2].withdraw("10.3.0.0/24")
    gone_at(world, 3, "10.3.0.0/24")


# What the whole attribute looks like: treat-as-withdraw, RFC 9012 section 13.
REFUSED = {
    "empty": attribute(TUNNEL_ENCAP, b""),
    "not-transitive": attribute(TUNNEL_ENCAP, GOOD, OPTIONAL),
    "not-optional": attribute(TUNNEL_ENCAP, GOOD, TRANSITIVE),
    "well-known-non-transitive": attribute(TUNNEL_ENCAP, GOOD, 0),
    "tlv-header-cut": attribute(TUNNEL_ENCAP, GOOD + b"\0\2\0"),
    "tlv-overrun": attribute(TUNNEL_ENCAP, GOOD[:-1]),
    "subtlv-header-cut": attribute(TUNNEL_ENCAP, dut.tlv(2, dut.endpoint(), b"\1")),
    "subtlv-overrun": attribute(TUNNEL_ENCAP, dut.tlv(2, dut.endpoint(), b"\1\5\0")),
    "long-subtlv-overrun": attribute(
        TUNNEL_ENCAP, dut.tlv(2, dut.endpoint(), b"\xc8\xff\xff\0")),
    "no-endpoint": attribute(TUNNEL_ENCAP, dut.tlv(2, dut.sub(1, b"\0\0\0\1"))),
    "two-endpoints": attribute(TUNNEL_ENCAP, dut.tlv(2, dut.endpoint(), dut.endpoint())),
    "endpoint-length": attribute(TUNNEL_ENCAP, dut.tlv(2, dut.sub(6, b"\0" * 9))),
    "martian-endpoint": attribute(TUNNEL_ENCAP, dut.ipip("::1")),
    # Length and header against the end of the path attributes (B10).
    "attribute-overrun": struct.pack("!BBB", 0xc0, 23, 200) + GOOD,
    "attribute-overrun-extended": struct.pack("!BBH", 0xd0, 23, 0xffff) + GOOD,
    "extended-length-cut": struct.pack("!BBB", 0xd0, 23, 0),
    "length-missing": struct.pack("!BB", 0xc0, 23),
    "second-one-overruns": attribute(TUNNEL_ENCAP, GOOD) + struct.pack("!BBB", 0xc0, 23, 99),
}


@pytest.mark.parametrize("sender", [2, 4], ids=["ibgp", "ebgp"])
@pytest.mark.parametrize("name", REFUSED)
def test_treat_as_withdraw(world, name, sender):
    """B7, B10: the route goes, the session stays, the counter tells."""
    for prefix, nexthop in PREFIXES.values():
        world[sender].announce(prefix, hop_of(sender, nexthop), GOOD)
    for prefix, _ in PREFIXES.values():
        tea_at(world, 3, prefix, GOOD)
    before = count(world, sender, "withdrawn")
    for prefix, nexthop in PREFIXES.values():
        world[sender].announce(prefix, hop_of(sender, nexthop), extra=REFUSED[name])
    for prefix, _ in PREFIXES.values():
        gone_at(world, 3, prefix)
        gone_at(world, 5, prefix)
    entry = dut.counters(world.router, sender)
    assert entry["withdrawn"] == before + len(PREFIXES)
    assert entry["lastRefused"]["reason"]


def test_withdraw_beside_unreach(world):
    """NLRI beside MP_UNREACH_NLRI is withdrawn too: bgpd asks for no ORIGIN there."""
    world[2].announce("10.4.0.0/24", "10.255.9.2", GOOD)
    world[2].announce("2a01:204::/48", "fd00:9::2", GOOD)
    tea_at(world, 3, "10.4.0.0/24", GOOD)
    tea_at(world, 3, "2a01:204::/48", GOOD)
    unreach = attribute(bgp.MP_UNREACH, struct.pack("!HB", 2, 1)
                        + bgp.prefix_bytes("2a01:204::/48"))
    world[2].send_update(
        world[2].base_attributes() + attribute(bgp.NEXT_HOP, b"\x0a\xff\x09\x02") + unreach
        + attribute(TUNNEL_ENCAP, b""), bgp.prefix_bytes("10.4.0.0/24"))
    gone_at(world, 3, "10.4.0.0/24")
    gone_at(world, 3, "2a01:204::/48")


def test_withdraw_of_both_families(world):
    """One UPDATE with classic NLRI, MP_REACH_NLRI and withdrawn routes: all of it goes."""
    world[2].announce("10.5.0.0/24", "10.255.9.2", GOOD)
    world[2].announce("10.5.1.0/24", "10.255.9.2", GOOD)
    world[2].announce("2a01:205::/48", "fd00:9::2", GOOD)
    for prefix in ("10.5.0.0/24", "10.5.1.0/24", "2a01:205::/48"):
        tea_at(world, 3, prefix, GOOD)
    hop = bytes.fromhex("fd000009000000000000000000000002")
    reach = attribute(bgp.MP_REACH, struct.pack("!HBB", 2, 1, 16) + hop + b"\0"
                      + bgp.prefix_bytes("2a01:205::/48"))
    world[2].send_update(
        reach + world[2].base_attributes() + attribute(bgp.NEXT_HOP, b"\x0a\xff\x09\x02")
        + attribute(TUNNEL_ENCAP, GOOD[:-2]), bgp.prefix_bytes("10.5.0.0/24"),
        withdrawn=bgp.prefix_bytes("10.5.1.0/24"))
    for prefix in ("10.5.0.0/24", "10.5.1.0/24", "2a01:205::/48"):
        gone_at(world, 3, prefix)


@pytest.mark.parametrize("bad", [
    dut.tlv(2, dut.sub(1, b"\0\0\0\1")), dut.tlv(7, dut.sub(6, b"\0" * 7)),
    dut.tlv(7, dut.endpoint(), dut.endpoint()), dut.ipip("::1"), dut.tlv(2),
    dut.tlv(2, dut.sub(1, b"\0\0\0\1"), dut.sub(150, b"z" * 300))],
    ids=["missing", "length", "two", "martian", "empty", "long"])
def test_tlv_removed(world, bad):
    """B9: a TLV without a proper endpoint is not passed on, the others are."""
    before = count(world, 2, "trimmed")
    for value, left in ((bad + TWO, TWO), (GOOD + bad, GOOD),
                        (bad + GOOD + bad + UNKNOWN, GOOD + UNKNOWN)):
        for prefix, nexthop in PREFIXES.values():
            world[2].announce(prefix, nexthop, value)
        for prefix, _ in PREFIXES.values():
            tea_at(world, 3, prefix, left)
    assert count(world, 2, "trimmed") == before + 3 * len(PREFIXES)
    for prefix, _ in PREFIXES.values():
        world[2].withdraw(prefix)
        gone_at(world, 3, prefix)


def test_several_attributes(world):
    """RFC 7606 section 3(g): of several attributes 23 the first counts."""
    extra = b"".join(attribute(TUNNEL_ENCAP, v) for v in (GOOD, TWO, b"", UNKNOWN))
    before = count(world, 2, "duplicates")
    world[2].announce("10.6.0.0/24", "fd00:9::2", extra=extra)
    tea_at(world, 3, "10.6.0.0/24", GOOD)
    assert count(world, 2, "duplicates") == before + 3


def test_stand_in_from_outside(world):
    """Attributes of our stand-in types, marked as ours, are nothing to us; all taken at once."""
    forged = b"".join(attribute(kind, GOOD, OPTIONAL | TRANSITIVE | PARTIAL | mark)
                      for kind, mark in ((200, 0x9), (201, 0xa), (202, 0)))
    world[2].announce("10.7.0.0/24", "fd00:9::2", TWO, extra=forged)

    def holds():
        update = world[3].routes().get("10.7.0.0/24")
        assert update and update.tea == TWO, "not there"
        assert all(update.attributes.get(kind, (0, b""))[1] == GOOD for kind in (200, 201, 202))
        assert all(not update.attributes[kind][0] & 0xf for kind in (200, 201, 202))
        return True
    wait.until(holds, "the route is passed on with all four attributes")
    # All of them taken: no room for ours, so the route is refused; the session stays.
    full = b"".join(attribute(kind, b"", OPTIONAL | TRANSITIVE) for kind in dut.STAND_IN)
    world[2].announce("10.7.0.0/24", "fd00:9::2", TWO, extra=full)
    gone_at(world, 3, "10.7.0.0/24")
    # These came from outside and went out again, as any unknown attribute does.
    for number, peer in world.peers.items():
        gone_at(world, number, "10.7.0.0/24")
        for update in peer.updates:
            for kind in dut.STAND_IN:
                update.attributes.pop(kind, None)


def test_unknown_attribute_beside(world):
    """An attribute unknown to bgpd travels beside 23."""
    other = attribute(99, b"hello", OPTIONAL | TRANSITIVE)
    for extra in (other + attribute(TUNNEL_ENCAP, TWO), attribute(TUNNEL_ENCAP, GOOD) + other):
        world[2].announce("10.8.0.0/24", "fd00:9::2", extra=extra)
        update = tea_at(world, 3, "10.8.0.0/24", TWO if extra.startswith(other) else GOOD)
        assert update.attributes[99][1] == b"hello"


def test_end_of_rib(world):
    """An End-of-RIB, and an UPDATE with nothing but attributes, do no harm."""
    world[2].send_update()
    world[2].send_update(attribute(bgp.MP_UNREACH, struct.pack("!HB", 2, 1)))
    world[2].send_update(attribute(TUNNEL_ENCAP, GOOD))
    world[2].send_update(attribute(TUNNEL_ENCAP, b"\0"))
    world[2].announce("10.9.0.0/24", "fd00:9::2", GOOD)
    tea_at(world, 3, "10.9.0.0/24", GOOD)


def test_large(world):
    """As large as a message of 4096 octets holds."""
    value = GOOD + b"".join(dut.tlv(500 + i, dut.endpoint(), dut.sub(130, bytes([i]) * 700))
                            for i in range(5))
    world[2].announce("10.10.0.0/24", "fd00:9::2", value)
    tea_at(world, 3, "10.10.0.0/24", value)


def test_filtered_neighbors(world):
    """B6: eBGP neighbors without a line neither send nor get attribute or community."""
    community = attribute(bgp.EXT_COMMUNITY, bytes.fromhex("0002fde800000001")
                          + bytes.fromhex("030c000000000007"))
    only = attribute(bgp.EXT_COMMUNITY, bytes.fromhex("030c000000000002"))
    world[2].announce("10.11.0.0/24", "fd00:9::2", GOOD, extra=community)
    world[2].announce("10.11.1.0/24", "fd00:9::2", extra=only)
    update = tea_at(world, 5, "10.11.0.0/24", GOOD)
    assert bytes.fromhex("030c000000000007") in update.attributes[bgp.EXT_COMMUNITY][1]
    for closed in (6, 7):
        update = world[closed].wait_route("10.11.0.0/24")
        assert TUNNEL_ENCAP not in update.attributes
        assert update.attributes[bgp.EXT_COMMUNITY][1] == bytes.fromhex("0002fde800000001")
        assert bgp.EXT_COMMUNITY not in world[closed].wait_route("10.11.1.0/24").attributes
    world[6].announce("10.12.0.0/24", "fd00:9::6", GOOD, extra=community)
    world[6].announce("10.12.1.0/24", "fd00:9::6", extra=only)
    for receiver in (3, 5, 7):
        update = world[receiver].wait_route("10.12.0.0/24")
        assert TUNNEL_ENCAP not in update.attributes
        assert update.attributes[bgp.EXT_COMMUNITY][1] == bytes.fromhex("0002fde800000001")
        assert bgp.EXT_COMMUNITY not in \
            world[receiver].wait_route("10.12.1.0/24").attributes
    assert count(world, 6, "filtered") == 1
    assert count(world, 6, "communityFiltered") == 1


def test_filter_follows_configuration(world):
    """The line under router bgp opens and closes a neighbor without a reset."""
    line = "neighbor %s tunnel-encapsulation" % dut.address(7)
    world[2].announce("10.13.0.0/24", "fd00:9::2", GOOD)
    world[7].announce("10.14.0.0/24", "fd00:9::7", TWO)
    tea_at(world, 7, "10.13.0.0/24", None)
    tea_at(world, 3, "10.14.0.0/24", None)
    world.router.configure("bgpd", "router bgp %d\n%s out\n" % (dut.ASN, line))
    tea_at(world, 7, "10.13.0.0/24", GOOD)
    refreshes = world[7].refreshes
    world.router.configure("bgpd", "router bgp %d\n%s in\n" % (dut.ASN, line))
    wait.until(lambda: world[7].refreshes > refreshes, "the neighbor is asked for its routes")
    world[7].announce("10.14.0.0/24", "fd00:9::7", TWO)
    tea_at(world, 3, "10.14.0.0/24", TWO)
    assert " %s\n" % line in world.router.show("bgpd", "show running-config")
    world.router.configure("bgpd", "router bgp %d\nno %s\n" % (dut.ASN, line))
    assert line not in world.router.show("bgpd", "show running-config")
    tea_at(world, 7, "10.13.0.0/24", None)
    tea_at(world, 6, "10.13.0.0/24", None)


def test_filter_on_ibgp(world):
    """An iBGP neighbor can be filtered too; the line reads back."""
    line = "neighbor %s tunnel-encapsulation out" % dut.address(3)
    world[2].announce("10.15.0.0/24", "fd00:9::2", GOOD)
    tea_at(world, 3, "10.15.0.0/24", GOOD)
    world.router.configure("bgpd", "router bgp %d\nno %s\n" % (dut.ASN, line))
    tea_at(world, 3, "10.15.0.0/24", None)
    assert " no %s\n" % line in world.router.show("bgpd", "show running-config")
    world.router.configure("bgpd", "router bgp %d\n%s\n" % (dut.ASN, line))
    tea_at(world, 3, "10.15.0.0/24", GOOD)
    assert line not in world.router.show("bgpd", "show running-config")
