# SPDX-License-Identifier: GPL-2.0-or-later
"""When did the kernel get its routes? Listens to rtnetlink in a namespace."""
import ctypes
import select
import socket
import struct
import time

from lib import rtnetlink

SO_ATTACH_FILTER = 26
# Classic BPF: load an octet, jump if equal, return.
LOAD_OCTET, JUMP_EQUAL, RETURN = 0x30, 0x15, 0x06


def only_protocols(sock, protocols):
    """The kernel drops all other routes' messages: reading them costs time, too."""
    code = struct.pack("=HBBI", LOAD_OCTET, 0, 0, rtnetlink.PROTOCOL_AT)
    for left, protocol in zip(range(len(protocols) - 1, -1, -1), protocols):
        code += struct.pack("=HBBI", JUMP_EQUAL, left + 1, 0, protocol)
    code += struct.pack("=HBBI", RETURN, 0, 0, 0) + struct.pack("=HBBI", RETURN, 0, 0, 1 << 18)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HP", len(code) // 8, ctypes.addressof(buffer))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


class RouteWatch:
    """Counts distinct destinations of new unicast routes of some rtnetlink protocols."""

    def __init__(self, node, protocols):
        self.sock = rtnetlink.listener(node)
        only_protocols(self.sock, protocols)
        rtnetlink.listen(self.sock)
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
        for change in rtnetlink.changes(data):
            if change.kind == rtnetlink.RTM_NEWROUTE:
                key = change.family, change.protocol
                self.seen.setdefault(key, set()).add(change.destination)
