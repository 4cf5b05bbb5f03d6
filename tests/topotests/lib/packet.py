# SPDX-License-Identifier: GPL-2.0-or-later
"""Decodes what crosses a core link, outer and inner headers, into plain objects."""
import dataclasses
import functools
import ipaddress
import struct
import typing

ETH_IPV4, ETH_IPV6, ETH_TEB = 0x0800, 0x86DD, 0x6558
IPPROTO_NAMES = {1: "icmp", 6: "tcp", 17: "udp", 50: "esp", 51: "ah", 58: "icmpv6", 89: "ospf",
                 115: "l2tp"}
# IPv6 extension headers (RFC 8200 section 4) and, for each, its name.
EXTENSIONS = {0: "hop-by-hop", 43: "routing", 60: "destination-options"}
FRAGMENT = 44


@dataclasses.dataclass
class IpHeader:
    version: int
    src: str
    dst: str
    proto: int  # of what follows, extension headers skipped
    ttl: int  # TTL or hop limit
    tos: int  # TOS octet or traffic class
    length: int  # of the whole packet by its header
    extensions: typing.List[str]  # names of IPv6 extension headers
    fragment: bool  # a fragment, the first included


@dataclasses.dataclass
class Packet:
    time_ns: int  # kernel's receive time, nanoseconds since the epoch
    link: str  # "p-a1": the interface that saw it
    outer: IpHeader
    encap: str  # gre, ip-in-ip, esp, ah, l2tp; None when it is not a tunnel's
    key: int  # GRE key, None without
    inner: typing.Optional[IpHeader]  # None when there is none or it is encrypted
    proto: str  # of the innermost header decoded: icmp, udp, tcp...
    sport: int
    dport: int
    payload: bytes  # behind the innermost header decoded
    raw: bytes
    spi: typing.Optional[int] = None  # of ESP or AH
    seq: typing.Optional[int] = None

    def __str__(self):
        text = "%s %s > %s" % (self.link, self.outer.src, self.outer.dst)
        if self.encap:
            text += " %s" % self.encap
            if self.key is not None:
                text += " key %d" % self.key
            if self.spi is not None:
                text += " spi %08x seq %d" % (self.spi, self.seq)
        if self.inner:
            text += " [%s > %s]" % (self.inner.src, self.inner.dst)
        return "%s %s" % (text, self.proto)


@functools.lru_cache(None)
def _address(octets):
    """As text; a capture has few addresses, each many times."""
    return str(ipaddress.ip_address(octets))


@functools.lru_cache(None)
def _inside(address, prefixes):
    addr = ipaddress.ip_address(address)
    nets = map(ipaddress.ip_network, prefixes)
    return any(n.version == addr.version and addr in n for n in nets)


def _ipv4(data):
    if len(data) < 20:
        return None, b""
    ihl = (data[0] & 15) * 4
    total, _, flags = struct.unpack_from("!HHH", data, 2)
    header = IpHeader(4, _address(bytes(data[12:16])), _address(bytes(data[16:20])), data[9], data[8], data[1], total,
                      [], bool(flags & 0x3FFF))
    return header, data[ihl:total]


def _ipv6(data):
    if len(data) < 40:
        return None, b""
    first, length, proto, limit = struct.unpack_from("!IHBB", data)
    header = IpHeader(6, _address(bytes(data[8:24])), _address(bytes(data[24:40])), proto, limit,
                      first >> 20 & 0xFF, length + 40, [], False)
    rest = data[40 : 40 + length]
    while header.proto in EXTENSIONS and len(rest) >= 8:
        header.extensions.append(EXTENSIONS[header.proto])
        header.proto, size = rest[0], rest[1] * 8 + 8
        rest = rest[size:]
    if header.proto == FRAGMENT and len(rest) >= 8:
        header.fragment = True
        header.proto, rest = rest[0], rest[8:]
    return header, rest


def ip_packet(data):
    """(header, what follows), by the version nibble; (None, b"") when it is no IP packet."""
    version = data[0] >> 4 if data else 0
    if version == 4:
        return _ipv4(data)
    if version == 6:
        return _ipv6(data)
    return None, b""


def _gre(data):
    """(key, ethertype, payload) of a GRE packet (RFC 2784, RFC 2890)."""
    if len(data) < 4:
        return None, None, b""
    flags, ethertype = struct.unpack_from("!HH", data)
    at, key = 4, None
    if flags & 0x8000:  # checksum
        at += 4
    if flags & 0x2000:  # key
        if len(data) < at + 4:
            return None, None, b""
        key = struct.unpack_from("!I", data, at)[0]
        at += 4
    if flags & 0x1000:  # sequence number
        at += 4
    return key, ethertype, data[at:]


def _tunnel(outer, rest):
    """(encapsulation, key, inner header, what follows it)."""
    if outer.proto == 47:
        key, ethertype, rest = _gre(rest)
        if ethertype in (ETH_IPV4, ETH_IPV6):
            inner, rest = ip_packet(rest)
            return "gre", key, inner, rest
        return "gre", key, None, rest
    if outer.proto in (4, 41):
        inner, rest = ip_packet(rest)
        return "ip-in-ip", None, inner, rest
    if outer.proto in (50, 51, 115):
        return IPPROTO_NAMES[outer.proto], None, None, rest
    return None, None, None, rest


def _security(outer, rest):
    """(SPI, sequence number) of ESP (RFC 4303) or AH (RFC 4302), else (None, None)."""
    at = {50: 0, 51: 4}.get(outer.proto)
    if at is None or len(rest) < at + 8:
        return None, None
    return struct.unpack_from("!II", rest, at)


def decode(frame, time_ns=0, link=""):
    """A Packet of an Ethernet frame that carries IP, else None."""
    if len(frame) < 14:
        return None
    ethertype = struct.unpack_from("!H", frame, 12)[0]
    if ethertype not in (ETH_IPV4, ETH_IPV6):
        return None
    outer, rest = ip_packet(frame[14:])
    if not outer:
        return None
    spi, seq = _security(outer, rest)
    encap, key, inner, rest = _tunnel(outer, rest)
    number = (inner or outer).proto
    proto = IPPROTO_NAMES.get(number, str(number))
    sport = dport = None
    payload = rest
    if proto in ("udp", "tcp") and len(rest) >= 8:
        sport, dport = struct.unpack_from("!HH", rest)
        payload = rest[8:] if proto == "udp" else rest
    return Packet(time_ns, link, outer, encap, key, inner, proto, sport, dport, payload, frame,
                  spi, seq)


def select(packets, **wanted):
    """Packets all of whose named properties are as wanted.

    Properties: encap, key, spi, link, proto, sport, dport, src, dst (outer), inner_src,
    inner_dst, inner_version. A network ("10.2.0.0/24") matches any address in it;
    ANY matches everything but None.
    """
    return [p for p in packets if all(_matches(p, k, v) for k, v in wanted.items())]


ANY = object()


def _property(packet, name):
    if name.startswith("inner_"):
        return getattr(packet.inner, name[6:], None)
    if name in ("src", "dst"):
        return getattr(packet.outer, name)
    return getattr(packet, name)


def _matches(packet, name, wanted):
    value = _property(packet, name)
    if wanted is ANY:
        return value is not None
    if isinstance(wanted, str) and "/" in wanted and value is not None:
        net, addr = ipaddress.ip_network(wanted), ipaddress.ip_address(value)
        return net.version == addr.version and addr in net
    return value == wanted


def in_clear(packets, *prefixes):
    """Packets to or from the islands' prefixes that are not inside a tunnel."""
    return [p for p in packets if not p.encap and (
        _inside(p.outer.src, prefixes) or _inside(p.outer.dst, prefixes))]


# What carries an inner packet that anybody can read: IPv4, IPv6, GRE, L2TPv3.
ENCAPSULATIONS = (4, 41, 47, 115)
IKE_PORTS = (500, 4500)
NEIGHBOUR_DISCOVERY = range(133, 138)  # ICMPv6 types (RFC 4861)


def unprotected(packets):
    """Packets of softwires outside of ESP and AH (S9)."""
    return [p for p in packets if p.outer.proto in ENCAPSULATIONS]


def not_ipsec(packets, endpoints):
    """Packets between the AFBRs' endpoints that are neither ESP, AH nor IKE."""
    return [p for p in packets if p.outer.src in endpoints and p.outer.dst in endpoints
            and not _ipsec(p)]


def _ipsec(packet):
    if packet.outer.proto in (50, 51):
        return True
    if packet.proto == "udp" and not packet.encap:
        return packet.dport in IKE_PORTS or packet.sport in IKE_PORTS
    if packet.proto == "icmpv6" and not packet.encap:
        if packet.payload[0] in NEIGHBOUR_DISCOVERY:
            return True
        # An error about one of these?
        about, _ = ip_packet(packet.payload[8:])
        return about is not None and about.proto in (17, 50, 51)
    return False
