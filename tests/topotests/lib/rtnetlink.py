# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes of routes as the kernel tells of them in a namespace: every one, however short it
holds. The kernel tells before the change is over, so what has happened has been told."""
import socket
import struct
import typing

from . import netns

NETLINK_ROUTE = 0
RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_ROUTE = 0x40, 0x400
RTM_NEWROUTE, RTM_DELROUTE = 24, 25
RTN_UNICAST = 1
RTA_DST = 1
SO_RCVBUFFORCE = 33
PROTOCOL_AT = 16 + 5  # rtm_protocol, behind the netlink header
NLMSGHDR = struct.Struct("=IHHII")
RTMSG = struct.Struct("=BBBBBBBBI")
RTATTR = struct.Struct("=HH")


class Change(typing.NamedTuple):
    kind: int  # RTM_*
    family: int
    protocol: int
    destination: bytes


def listener(node):
    """A socket that is not bound yet, so that it can be given a filter."""
    with netns.inside(node):
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    return sock


def listen(sock):
    sock.bind((0, RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE))


def messages(data):
    """Type and body of each netlink message in what was received."""
    at = 0
    while at + NLMSGHDR.size <= len(data):
        length, kind = NLMSGHDR.unpack_from(data, at)[:2]
        yield kind, data[at + NLMSGHDR.size : at + length]
        at += (length + 3) & ~3


def changes(data):
    """Those of unicast routes with a destination, in what was received."""
    for kind, body in messages(data):
        change = _change(kind, body) if kind in (RTM_NEWROUTE, RTM_DELROUTE) else None
        if change:
            yield change


def _change(kind, body):
    family, _, _, _, _, protocol, _, route, _ = RTMSG.unpack_from(body)
    at = RTMSG.size
    while route == RTN_UNICAST and at + RTATTR.size <= len(body):
        length, name = RTATTR.unpack_from(body, at)
        if name == RTA_DST:
            return Change(kind, family, protocol, body[at + RTATTR.size : at + length])
        at += (length + 3) & ~3
    return None
