# SPDX-License-Identifier: GPL-2.0-or-later
"""The Tunnel Encapsulation attribute in a few lines, independent of the code under test.

Written from RFC 9012 sections 2 and 3, for the raw BGP speaker to send and to read.
"""
import dataclasses
import hashlib
import ipaddress
import struct
import typing

L2TPV3, GRE, IPSEC_TUNNEL, IPIP_IPSEC, IP_IN_IP, VXLAN = 1, 2, 4, 5, 7, 8
ENCAPSULATION, PROTOCOL, AUTHENTICATOR, COLOR, ENDPOINT = 1, 2, 3, 4, 6
PUBLIC_KEY = 253  # experimental, swmesh's: "SWPK" and a SubjectPublicKeyInfo
SHA1 = 1  # RFC 5566's one type of authenticator
PROTOCOLS = {4: 0x0800, 6: 0x86DD}


def sub_tlv(kind, value):
    """Length has two octets from type 128 on (RFC 9012 section 2)."""
    return struct.pack("!BB" if kind < 128 else "!BH", kind, len(value)) + value


def endpoint_value(address):
    """address None: the next hop is the endpoint (address family 0)."""
    if address is None:
        return struct.pack("!IH", 0, 0)
    packed = ipaddress.ip_address(address).packed
    return struct.pack("!IH", 0, 1 if len(packed) == 4 else 2) + packed


def tunnel(kind, endpoint=None, key=None, payload=(), extra=b""):
    """One TLV. payload: families 4, 6; extra: more sub-TLVs as bytes."""
    value = sub_tlv(ENDPOINT, endpoint_value(endpoint))
    if key is not None:
        value += sub_tlv(ENCAPSULATION, struct.pack("!I", key))
    value += b"".join(sub_tlv(PROTOCOL, struct.pack("!H", PROTOCOLS[f])) for f in payload)
    value += extra
    return struct.pack("!HH", kind, len(value)) + value


def authenticator(spki):
    """RFC 5566: SHA-1 of the public key."""
    return sub_tlv(AUTHENTICATOR, struct.pack("!H", SHA1) + hashlib.sha1(spki).digest())


def public_key(spki):
    return sub_tlv(PUBLIC_KEY, b"SWPK" + spki)


def sub_tlvs(body):
    """(type, value) of each sub-TLV of a tunnel's."""
    found = []
    while body:
        length, at = (body[1], 2) if body[0] < 128 else (
            struct.unpack_from("!H", body, 1)[0], 3)
        found.append((body[0], body[at : at + length]))
        body = body[at + length :]
    return found


def gre(endpoint=None, key=None, payload=(), extra=b""):
    return tunnel(GRE, endpoint, key, payload, extra)


def ip_in_ip(endpoint=None, payload=()):
    return tunnel(IP_IN_IP, endpoint, None, payload)


@dataclasses.dataclass(frozen=True)
class Tunnel:
    kind: int
    endpoint: typing.Optional[str]
    key: typing.Optional[int]
    protocols: typing.Tuple[int, ...]


def parse(value):
    """The attribute's value as a list of Tunnel; None (no attribute) stays None."""
    if value is None:
        return None
    found = []
    while value:
        kind, length = struct.unpack_from("!HH", value)
        found.append(_parse_tunnel(kind, value[4 : 4 + length]))
        value = value[4 + length :]
    return found


def _parse_tunnel(kind, body):
    endpoint, key, protocols = None, None, []
    for sub, data in sub_tlvs(body):
        if sub == ENDPOINT and len(data) > 6:
            endpoint = str(ipaddress.ip_address(data[6:]))
        elif sub == ENCAPSULATION and kind == GRE:
            key = struct.unpack("!I", data)[0]
        elif sub == PROTOCOL:
            protocols.append(struct.unpack("!H", data)[0])
    return Tunnel(kind, endpoint, key, tuple(protocols))
