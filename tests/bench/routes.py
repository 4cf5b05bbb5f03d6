# SPDX-License-Identifier: GPL-2.0-or-later
"""Ready-made UPDATEs: many IPv4 routes, IPv6 next hops, a tunnel attribute each.

A full table's shape: every UPDATE has its own AS path and communities and some
prefixes that share them. The next hops go round. All bytes are made before a
measurement begins.
"""
import ipaddress
import struct

from lib import bgpspeaker as bgp

FIRST = 0x10000000  # 16.0.0.0: routes are /24s from here on
TUNNEL_GRE = 2
SUB_PROTOCOL, SUB_ENDPOINT = 2, 6
AF_IPV6 = 2
ETHERTYPE_IPV4 = 0x0800


def address(base, number):
    """The number-th address above a base."""
    return str(ipaddress.ip_address(base) + number)


def tea_one_gre(endpoint):
    """A Tunnel Encapsulation attribute's value: one GRE tunnel to the endpoint, for IPv4."""
    packed = ipaddress.ip_address(endpoint).packed
    subs = struct.pack("!BBIH", SUB_ENDPOINT, 22, 0, AF_IPV6) + packed
    subs += struct.pack("!BBH", SUB_PROTOCOL, 2, ETHERTYPE_IPV4)
    return struct.pack("!HH", TUNNEL_GRE, len(subs)) + subs


def message(attributes):
    body = struct.pack("!HH", 0, len(attributes)) + attributes
    return bgp.MARKER + struct.pack("!HB", 19 + len(body), bgp.UPDATE) + body


def update(number, prefixes, nexthop, tea):
    """One UPDATE whose path and communities are of this number alone."""
    path = struct.pack("!BBIII", 2, 3, 64512 + number % 400, 4200000000 + number,
                       4210000000 + number % 7000)
    communities = struct.pack("!II", 65000 << 16 | number % 300, 65001 << 16 | number % 17)
    reach = struct.pack("!HBB", bgp.AFI_IPV4, bgp.SAFI_UNICAST, 16)
    reach += ipaddress.ip_address(nexthop).packed + b"\0" + prefixes
    attributes = (
        bgp.attribute(bgp.ORIGIN, b"\0") + bgp.attribute(bgp.AS_PATH, path)
        + bgp.attribute(bgp.LOCAL_PREF, struct.pack("!I", 100))
        + bgp.attribute(bgp.COMMUNITY, communities) + bgp.attribute(bgp.MP_REACH, reach)
        + bgp.attribute(bgp.TUNNEL_ENCAP, tea))
    return message(attributes)


def updates(count, nexthops, per_update=10, first=FIRST):
    """UPDATEs (a list of bytes) for count routes; each next hop is a tunnel's endpoint."""
    made = []
    for number, start in enumerate(range(0, count, per_update)):
        prefixes = b"".join(
            b"\x18" + struct.pack("!I", first + (i << 8))[:3]
            for i in range(start, min(start + per_update, count)))
        nexthop = nexthops[number % len(nexthops)]
        made.append(update(number, prefixes, nexthop, tea_one_gre(nexthop)))
    return made
