# SPDX-License-Identifier: GPL-2.0-or-later
"""UPDATEs of a hostile peer, each a function of (seed, batch, index): the same again at any time.

plan() says what the session of a batch is like, message() makes one UPDATE for it. Attribute 23 is
there none to three times, anywhere in the list, with any flags, length form, length and contents;
around it are routes of any family, other attributes, now and then broken ones. No I/O here.
"""
import dataclasses
import ipaddress
import random
import socket
import struct
import typing

from . import bgpdut as dut
from . import bgpspeaker as bgp
from .bgpspeaker import EXTENDED, OPTIONAL, PARTIAL, TRANSITIVE, TUNNEL_ENCAP, attribute

BATCH = 250  # UPDATEs in one session
SECOND = 1 << 20  # added to a message's serial number for another prefix of it
GONE = "gone"  # what is expected of a prefix: no route

UNICAST = ((1, 1), (2, 1))
MANY = UNICAST + ((1, 2), (2, 2), (1, 128), (2, 128), (25, 70), (1, 133), (2, 133))
LABELED = ((1, 4), (2, 4), (1, 128), (2, 128))
# Nobody activates these: SAFI 7, 73 and 132, VPLS, link state, flow specifications of a VPN.
NEVER = ((1, 7), (2, 7), (1, 73), (2, 73), (1, 132), (25, 65), (16388, 71), (1, 134), (3, 9))
ADD_PATH = tuple(f for f in MANY + LABELED if f[1] != 133)


@dataclasses.dataclass(frozen=True)
class Kind:
    """What kind of neighbor a hostile peer is; numbers: its addresses, taken in turn."""

    name: str
    asn: int
    families: tuple
    numbers: tuple
    passes: bool  # attribute 23 goes through
    softwires: bool = False  # SOFTWIRE-IN and SOFTWIRE-OUT

    @property
    def ibgp(self):
        return self.asn == dut.ASN


KINDS = (
    Kind("ibgp", dut.ASN, MANY, (20, 21, 22), True),
    Kind("open", 65004, MANY, (30, 31, 32), True),
    Kind("closed", 65006, MANY, (40, 41, 42), False),
    Kind("ibgp-labeled", dut.ASN, LABELED, (50, 51, 52), True),
    Kind("closed-labeled", 65007, LABELED, (60, 61, 62), False),
    Kind("softwires", dut.ASN, UNICAST, (70, 71, 72), True, True),
)


@dataclasses.dataclass(frozen=True)
class Plan:
    """One session: the neighbor's kind, and what the OPEN offers."""

    kind: Kind
    families: tuple  # negotiated
    add_path: bool  # path identifiers (RFC 7911) in front of prefixes
    extended: bool  # messages of up to 65535 octets (RFC 8654)
    restart: bool  # graceful restart (RFC 4724)
    four_octets: bool  # AS numbers (RFC 6793)

    def room(self):
        """Octets for attributes. FRR 8.4.4 crashes when it has attributes, of whatever type, that
        are too long to be announced again (bgp_updgrp_packet.c, "attributes too long"): so only
        what is taken out is long."""
        return 65000 if self.extended and not self.kind.passes else 3500


@dataclasses.dataclass
class Message:
    body: bytes
    # prefix -> the value of attribute 23 that it has in the end, None: no attribute, GONE: no route
    expected: typing.Dict[str, typing.Union[bytes, str, None]] = dataclasses.field(
        default_factory=dict)


def plan(seed, batch):
    rng = random.Random("%s/%s" % (seed, batch))
    kind = KINDS[batch % len(KINDS)]
    families = kind.families
    if rng.random() < 0.2:
        families = families[:1] + tuple(f for f in families[1:] if rng.random() < 0.5)
    return Plan(kind, families, add_path=rng.random() < 0.3, extended=rng.random() < 0.3,
                restart=rng.random() < 0.3, four_octets=rng.random() < 0.8)


# -- routes --

def hop4(number):
    return socket.inet_aton("10.255.9.%d" % number)


def hop6(number):
    return ipaddress.ip_address("fd00:9::%d" % number).packed


def prefix_of(serial, afi):
    """A prefix of that message and of no other."""
    if afi == 1:
        return "%s/32" % ipaddress.ip_address((10 << 24 | 64 << 16) + serial)
    return "%s/128" % ipaddress.ip_address((0x2a010f00 << 96) + serial)


def label(rng):
    return struct.pack("!I", rng.randrange(16, 1 << 20) << 4 | 1)[1:]


RD = struct.pack("!HHI", 0, dut.ASN, 1)
ESI = bytes(10)


def evpn(rng, address):
    kind = rng.choice((1, 2, 2, 3, 3, 4, 5))
    value = {
        1: lambda: RD + ESI + bytes(4) + label(rng),
        2: lambda: RD + ESI + bytes(4) + b"\x30" + rng.randbytes(6)
        + rng.choice((b"\0", b"\x20" + address)) + label(rng),
        3: lambda: RD + bytes(4) + b"\x20" + address,
        4: lambda: RD + ESI + b"\x20" + address,
        5: lambda: RD + ESI + bytes(4) + b"\x18" + address + bytes(4) + label(rng),
    }[kind]()
    return bytes([kind, len(value)]) + value


def flow(rng, afi, net):
    """A flow specification: a destination, now and then a protocol."""
    part = b"\1" + net[:1] + (b"\0" if afi == 2 else b"") + net[1:]
    if rng.random() < 0.5:
        part += bytes([3, 0x81, rng.choice((1, 6, 17))])
    return bytes([len(part)]) + part


def nlri(rng, afi, safi, serial):
    net = bgp.prefix_bytes(prefix_of(serial, 2 if afi == 2 else 1))
    if safi in (1, 2):
        return net
    if safi == 4:
        return bytes([net[0] + 24]) + label(rng) + net[1:]
    if safi == 128:
        return bytes([net[0] + 88]) + label(rng) + RD + net[1:]
    if safi == 70:
        return evpn(rng, net[1:5])
    if safi == 133:
        return flow(rng, afi, net)
    if safi == 7:
        return net
    return rng.randbytes(rng.randrange(1, 30))


def path_id(rng, made_for, family):
    if made_for.add_path and family in made_for.families and family in ADD_PATH:
        return struct.pack("!I", rng.randrange(3))
    return b""


def next_hop(rng, afi, safi, number):
    if safi == 133:
        return b""
    if safi == 128:
        return bytes(8) + (hop4(number) if afi == 1 else hop6(number))
    if afi == 2 or (afi == 1 and rng.random() < 0.5):
        return hop6(number)
    return hop4(number)


def reach(rng, made_for, family, serial, number):
    hop = next_hop(rng, *family, number)
    return struct.pack("!HBB", *family, len(hop)) + hop + b"\0" + b"".join(
        path_id(rng, made_for, family) + nlri(rng, *family, serial + i * SECOND)
        for i in range(rng.choice((1, 1, 1, 2))))


def unreach(rng, made_for, family, serial):
    if rng.random() < 0.15:
        return struct.pack("!HB", *family)  # End-of-RIB
    return struct.pack("!HB", *family) + path_id(rng, made_for, family) + nlri(rng, *family, serial)


# -- attribute 23: contents --

HOSTS = ("2a01:100::1", "2a01:100::2", "203.0.113.9", "198.18.9.9", "fd00:9::2", "10.255.9.2",
         "2001:db8::1")
MARTIANS = ("::1", "127.0.0.1", "0.0.0.0", "fe80::1", "240.0.0.1")
TYPES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 19, 999, 65535)
SUBS = (1, 1, 2, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 77, 127, 128, 150, 200, 253, 255)
GOOD_HOSTS = ("2a01:100::1", "2a01:100::2", "10.255.9.2", "fd00:9::2")


def some_sub(rng):
    size = rng.choice((0, 0, 1, 2, 2, 4, 4, 8, 12, 22, rng.randrange(60)))
    return dut.sub(rng.choice(SUBS), rng.randbytes(size))


def some_tlv(rng, hosts=HOSTS, endpoints=1, types=TYPES):
    subs = [some_sub(rng) for _ in range(rng.choice((0, 0, 1, 1, 2, 3)))]
    for _ in range(endpoints):
        subs.insert(rng.randrange(len(subs) + 1), dut.endpoint(rng.choice(hosts)))
    return dut.tlv(rng.choice(types), *subs)


def legal(rng):
    return b"".join(some_tlv(rng, GOOD_HOSTS) for _ in range(rng.choice((1, 1, 1, 2, 3))))


def refused(rng):
    """Malformed as a whole: treat-as-withdraw (RFC 9012 section 13)."""
    value = some_tlv(rng, GOOD_HOSTS)
    return rng.choice((
        lambda: b"", lambda: value[:-1], lambda: value + rng.randbytes(rng.randrange(1, 4)),
        # Of an unknown type these would pass.
        lambda: some_tlv(rng, HOSTS, rng.choice((0, 2)), (1, 2, 7, 8)),
        lambda: dut.tlv(2, dut.endpoint(), b"\1"), lambda: dut.tlv(7, dut.sub(6, b"\0" * 9)),
        lambda: dut.tlv(2, dut.endpoint(), b"\1\5\0"),
        lambda: dut.tlv(2, dut.endpoint(), b"\xc8\xff\xff\0")))()


def mutated(rng):
    value = bytearray(legal(rng))
    for _ in range(rng.randint(1, 6)):
        value[rng.randrange(len(value))] = rng.randrange(256)
    return bytes(value)


def short_tail(rng):
    """A last sub-TLV of two or three octets, for bgpd's own parser left over octets."""
    tail = bytes([rng.randrange(256)]) + rng.choice((b"\0", b"\0\0", b"\1\x2e", b"\1", b""))
    body = dut.endpoint(rng.choice(HOSTS)) + tail
    return struct.pack("!HH", rng.choice(TYPES), len(body)) + body


def long_value(rng, room):
    value = some_tlv(rng)
    size = min(room - 800, rng.choice((300, 1000, 3000, 60000)))
    while len(value) < size:
        value += dut.tlv(rng.choice(TYPES), dut.endpoint(rng.choice(HOSTS)), dut.sub(
            rng.choice((128, 222)), rng.randbytes(rng.randrange(500))))
    return value


def contents(rng, room):
    return rng.choices((
        lambda: legal(rng), lambda: mutated(rng), lambda: refused(rng), lambda: short_tail(rng),
        lambda: rng.randbytes(rng.randrange(40)), lambda: long_value(rng, room),
        lambda: legal(rng)[: rng.randrange(60)], lambda: some_tlv(rng, MARTIANS) + legal(rng),
        lambda: some_tlv(rng, endpoints=rng.choice((0, 2))) + legal(rng),
    ), (30, 20, 10, 10, 8, 3, 8, 4, 7))[0]()


# -- attribute 23: flags, length --

def header(rng, size):
    """Flags, type and length for that many octets; a lie now and then."""
    flags = OPTIONAL | TRANSITIVE
    if rng.random() < 0.25:
        flags = rng.randrange(256)
    elif rng.random() < 0.3:
        flags |= PARTIAL
    flags = flags | EXTENDED if size > 255 or rng.random() < 0.2 else flags & ~EXTENDED
    if rng.random() < 0.1:
        flags ^= EXTENDED  # the length is taken for another form
    if rng.random() < 0.12:
        size = rng.choice((0, 1, size + 1, max(size - 1, 0), 255, 65535, rng.randrange(300)))
    if flags & EXTENDED:
        return struct.pack("!BBH", flags, TUNNEL_ENCAP, size)
    return struct.pack("!BBB", flags, TUNNEL_ENCAP, min(size, 255))


def tunnel_encap(rng, room):
    value = contents(rng, room)
    return header(rng, len(value)) + value


# -- what is around it --

def as_path(rng, made_for):
    if made_for.kind.ibgp and rng.random() < 0.7:
        return b""
    return struct.pack("!BBI" if made_for.four_octets else "!BBH", 2, 1,
                       made_for.kind.asn if not made_for.kind.ibgp else 64999)


def base(rng, made_for):
    found = [attribute(bgp.ORIGIN, bytes([rng.randrange(3)])),
             attribute(bgp.AS_PATH, as_path(rng, made_for))]
    if made_for.kind.ibgp:
        found.append(attribute(bgp.LOCAL_PREF, struct.pack("!I", 100)))
    return found


TARGET = struct.pack("!BBHI", 0, 2, dut.ASN, 1)
COMMUNITIES = (TARGET, bytes.fromhex("030c000000000002"), bytes.fromhex("030c000000000008"),
               bytes.fromhex("030b000000000064"))


def beside(rng):
    """A harmless attribute: one bgpd knows, one it does not, one that looks like a stand-in."""
    return rng.choice((
        lambda: attribute(bgp.MED, rng.randbytes(4)),
        lambda: attribute(bgp.COMMUNITY, rng.randbytes(4 * rng.randint(1, 4))),
        lambda: attribute(bgp.EXT_COMMUNITY, b"".join(
            rng.choices(COMMUNITIES, k=rng.randint(1, 3)))),
        lambda: attribute(32, rng.randbytes(12), OPTIONAL | TRANSITIVE),
        lambda: attribute(rng.choice((33, 37, 38, 99, 240)), rng.randbytes(rng.randrange(20)),
                          OPTIONAL | rng.choice((0, TRANSITIVE, TRANSITIVE | PARTIAL))),
        lambda: attribute(rng.randrange(200, 208), legal(rng),
                          OPTIONAL | TRANSITIVE | rng.choice((0, 9, 10)))))()


def broken(rng):
    """An attribute for which bgpd withdraws or resets, with 23 or without."""
    return rng.choice((
        lambda: attribute(bgp.ORIGIN, b"\7"), lambda: attribute(bgp.MED, b"\1"),
        lambda: attribute(bgp.COMMUNITY, b"\1\2\3"),
        lambda: attribute(bgp.EXT_COMMUNITY, TARGET + b"\1"),
        lambda: attribute(99, b"", TRANSITIVE), lambda: b"\xc0\x63\xff\0",
        lambda: attribute(bgp.MP_REACH, rng.randbytes(rng.randrange(12))),
        lambda: attribute(bgp.MP_UNREACH, rng.randbytes(rng.randrange(6)))))()


def body_of(withdrawn, attributes, routes):
    return struct.pack("!H", len(withdrawn)) + withdrawn + struct.pack(
        "!H", len(attributes)) + attributes + routes


# -- whole messages --

def clean(rng, made_for, serial, number):
    """A route of IPv4 or IPv6 and nothing wrong but, now and then, what attribute 23 says."""
    afi = rng.choice((1, 1, 2)) if (2, 1) in made_for.families else 1
    classic = afi == 1 and rng.random() < 0.6
    found, routes = base(rng, made_for), b""
    ids = path_id(rng, made_for, (afi, 1))
    net = bgp.prefix_bytes(prefix_of(serial, afi))
    if classic:
        found.append(attribute(bgp.NEXT_HOP, hop4(number)))
        routes = ids + net
    else:
        hop = hop6(number)
        found.append(attribute(bgp.MP_REACH, struct.pack("!HBB", afi, 1, len(hop)) + hop + b"\0"
                               + ids + net))
    good = rng.random() < 0.7
    value = legal(rng) if good else refused(rng)
    flags = OPTIONAL | TRANSITIVE | rng.choice((0, 0, PARTIAL, EXTENDED, 5))
    copies = [attribute(TUNNEL_ENCAP, value, flags)]
    copies += [attribute(TUNNEL_ENCAP, contents(rng, 300)) for _ in range(
        rng.choice((0, 0, 0, 1, 2)))]
    if rng.random() < 0.3:
        found.append(attribute(99, rng.randbytes(5), OPTIONAL | TRANSITIVE))
    # The first copy counts, so they keep their order.
    places = sorted(rng.randrange(len(found) + 1) for _ in copies)
    for place, copy in reversed(list(zip(places, copies))):
        found.insert(place, copy)
    if not made_for.kind.passes:
        value = None
    return Message(body_of(b"", b"".join(found), routes),
                   {prefix_of(serial, afi): value if good else GONE})


def hostile(rng, made_for, serial, number):
    """Anything."""
    found, routes, withdrawn = [], b"", b""
    classic = made_for.families[0] == (1, 1)
    ids = path_id(rng, made_for, (1, 1))
    gone = SECOND + max(serial - rng.randrange(BATCH), 0)
    if rng.random() < 0.9:
        found = base(rng, made_for)
    if classic and rng.random() < 0.4:
        routes = ids + nlri(rng, 1, 1, serial)
        if rng.random() < 0.97:
            found.append(attribute(bgp.NEXT_HOP, hop4(number)))
    if classic and rng.random() < 0.15:
        withdrawn = ids + nlri(rng, 1, 1, gone)
    pick = made_for.families if rng.random() < 0.93 else made_for.kind.families
    if rng.random() < 0.6:
        found.append(attribute(bgp.MP_REACH, reach(rng, made_for, rng.choice(pick), serial, number),
                               OPTIONAL | rng.choice((0, 0, EXTENDED))))
    if rng.random() < 0.15:
        found.append(attribute(bgp.MP_UNREACH, unreach(
            rng, made_for, rng.choice(pick), gone)))
    if rng.random() < 0.002:
        found.append(attribute(bgp.MP_UNREACH, unreach(rng, made_for, rng.choice(NEVER), serial)))
    elif rng.random() < 0.002:
        found.append(attribute(bgp.MP_REACH, reach(
            rng, made_for, rng.choice(NEVER), serial, number)))
    kinds = set()
    for extra in [beside(rng) for _ in range(rng.choice((0, 0, 1, 2)))]:
        if extra[1] not in kinds:
            found.append(extra)
        kinds.add(extra[1])
    if rng.random() < 0.1:
        found = found[:rng.randrange(len(found) + 1)]  # mandatory ones are missing
    if rng.random() < 0.004:
        found.append(broken(rng))
    if rng.random() < 0.3:
        rng.shuffle(found)
    room = made_for.room() - sum(map(len, found))
    for _ in range(rng.choice((0, 1, 1, 1, 1, 1, 1, 2, 2, 3))):
        copy = tunnel_encap(rng, room)
        room -= len(copy)
        if room > 0:
            found.insert(rng.choice((0, len(found), rng.randrange(len(found) + 1))), copy)
    tail = b""
    if rng.random() < 0.08:
        tail = rng.choice((b"\xc0\x17", b"\xd0\x17", b"\x17\x17", b"\xd0\x17\0", b"\xc0\x17\7",
                           b"\xd0\x17\0\1"))
    elif rng.random() < 0.003:
        tail = rng.randbytes(rng.randrange(1, 4))
    body = body_of(withdrawn, b"".join(found) + tail, routes)
    if rng.random() < 0.001:
        at = rng.choice((1, 2 + len(withdrawn), 3 + len(withdrawn)))
        body = body[:at] + rng.randbytes(1) + body[at + 1:]
    return Message(body)


def message(seed, batch, index, made_for, number):
    """One UPDATE's body for a neighbor with that address, and what must come of it."""
    rng = random.Random("%s/%s/%s" % (seed, batch, index))
    serial = (batch * BATCH + index) % SECOND
    if made_for.families[0] == (1, 1) and rng.random() < 0.35:
        return clean(rng, made_for, serial, number)
    while True:
        made = hostile(rng, made_for, serial, number)
        if not is_fatal(made.body):
            return made


# -- the same without attribute 23 --

def split(body):
    """The withdrawn routes, the attributes as a list of (type or None, octets), the routes; None
    when the three lengths do not fit. What follows an attribute that passes the end of the list
    belongs to it, and of less than two octets the type is None."""
    if len(body) < 4:
        return None
    withdrawn = 2 + struct.unpack_from("!H", body)[0]
    if withdrawn + 2 > len(body):
        return None
    at = withdrawn + 2
    end = at + struct.unpack_from("!H", body, withdrawn)[0]
    if end > len(body):
        return None
    found = []
    while at < end:
        left, size = end - at, None
        if left >= 3 and not body[at] & EXTENDED:
            size = 3 + body[at + 2]
        elif left >= 4 and body[at] & EXTENDED:
            size = 4 + struct.unpack_from("!H", body, at + 2)[0]
        if size is None or size > left:
            size = left
        found.append((body[at + 1] if left >= 2 else None, body[at : at + size]))
        at += size
    return body[2:withdrawn], found, body[end:]


def has_tea(body):
    parts = split(body)
    return bool(parts) and any(kind == TUNNEL_ENCAP for kind, _ in parts[1])


IGNORED = b"\x80\xc8\0"  # optional, not transitive, of no assigned type


def without_tea(body):
    """Less all attributes 23. bgpd does not look at routes without any attribute: instead of the
    only one there is one that it ignores."""
    parts = split(body)
    if not parts:
        return body
    rest = b"".join(raw for kind, raw in parts[1] if kind != TUNNEL_ENCAP)
    if parts[1] and not rest and parts[2]:
        rest = IGNORED
    return body_of(parts[0], rest, parts[2])


def only_routes(body):
    """What bgpd sees of an UPDATE that the module refuses. A malformed MP_REACH_NLRI resets (RFC 7606
    section 5.3), even where a bgpd alone would have stopped at an attribute before it."""
    withdrawn, found, routes = split(body)
    rest = b"".join(raw for kind, raw in found if kind in (bgp.MP_REACH, bgp.MP_UNREACH))
    return body_of(withdrawn, rest or IGNORED, routes)


def is_fatal(body):
    """Whether FRR 8.4.4 crashes over it, with or without the module and attribute 23: it takes
    routes without an AS_PATH beside MP_UNREACH_NLRI or an End-of-RIB (CVE-2023-47234, 47235)."""
    parts = split(body)
    found = dict(one for one in parts[1] if one[0] != TUNNEL_ENCAP) if parts else {}
    if not found or not parts[2]:
        return False
    value = found.get(bgp.MP_REACH, b"")
    value = value[4 if value[:1] and value[0] & EXTENDED else 3:]
    end_of_rib = len(value) > 3 and len(value) <= 5 + value[3]
    return end_of_rib or (bgp.AS_PATH not in found and bgp.MP_REACH not in found)
