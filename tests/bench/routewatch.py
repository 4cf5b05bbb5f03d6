# SPDX-License-Identifier: GPL-2.0-or-later
"""When did the kernel get its routes? Listens to rtnetlink in a namespace."""
import ctypes
import select
import socket
import struct
import time

from lib import netns

NETLINK_ROUTE = 0
RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_ROUTE = 0x40, 0x400
RTM_NEWROUTE = 24
RTN_UNICAST = 1
RTA_DST = 1
SO_RCVBUFFORCE = 33
SO_ATTACH_FILTER = 26
# Classic BPF: load an octet, jump if equal, return.
LOAD_OCTET, JUMP_EQUAL, RETURN = 0x30, 0x15, 0x06
PROTOCOL_AT = 16 + 5  # rtm_protocol, behind the netlink header
NLMSGHDR = struct.Struct("=IHHII")
RTMSG = struct.Struct("=BBBBBBBBI")
RTATTR = struct.Struct("=HH")


def only_protocols(sock, protocols):
    """The kernel drops all other routes' messages: reading them costs time, too."""
    code = struct.pack("=HBBI", LOAD_OCTET, 0, 0, PROTOCOL_AT)
    for left, protocol in zip(range(len(protocols) - 1, -1, -1), protocols):
        code += struct.pack("=HBBI", JUMP_EQUAL, left + 1, 0, protocol)
    code += struct.pack("=HBBI", RETURN, 0, 0, 0) + struct.pack("=HBBI", RETURN, 0, 0, 1 << 18)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HP", len(code) // 8, ctypes.addressof(buffer))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


class RouteWatch:
    """Counts distinct destinations of new unicast routes of some rtnetlink protocols."""

    def __init__(self, node, protocols):
        with netns.inside(node):
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        only_protocols(self.sock, protocols)
        self.sock.bind((0, RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE))
        self.seen = {}  # (family, protocol) -> destinations

    def close(self):
        self.sock.close()

    def wait(self, wanted, limit=600.0):
        """wanted: (family, protocol) -> count. Returns for each the time its last one came."""
        deadline, done = time.monotonic() + limit, {}
        while len(done) < len(wanted):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                raise AssertionError("after %g s the kernel has routes %s of %s" % (
                    limit, {key: len(self.seen.get(key, ())) for key in wanted}, wanted))
            self.take(self.sock.recv(1 << 16))
            now = time.monotonic()
            for key, count in wanted.items():
                if key not in done and len(self.seen.get(key, ())) >= count:
                    done[key] = now
        return done

    def take(self, data):
        at = 0
        while at + NLMSGHDR.size <= len(data):
            length, kind = NLMSGHDR.unpack_from(data, at)[:2]
            if kind == RTM_NEWROUTE:
                self.note(data[at + NLMSGHDR.size : at + length])
            at += (length + 3) & ~3

    def note(self, body):
        family, _, _, _, _, protocol, _, kind, _ = RTMSG.unpack_from(body)
        if kind != RTN_UNICAST:
            return
        at = RTMSG.size
        while at + RTATTR.size <= len(body):
            length, name = RTATTR.unpack_from(body, at)
            if name == RTA_DST:
                found = self.seen.setdefault((family, protocol), set())
                found.add(body[at + RTATTR.size : at + length])
                return
            at += (length + 3) & ~3
