# SPDX-License-Identifier: GPL-2.0-or-later
"""When did the kernel get its SAs? Listens to NETLINK_XFRM in a namespace."""
import select
import socket
import time

from lib import netns
from lib.rtnetlink import NLMSGHDR, SO_RCVBUFFORCE

NETLINK_XFRM = 6
XFRMNLGRP_SA = 3
XFRM_MSG_NEWSA, XFRM_MSG_UPDSA = 0x10, 0x1A
# struct xfrm_usersa_info begins with a selector; the SA's address and SPI follow.
SELECTOR, ADDRESS, SPI = 56, 16, 4


class XfrmWatch:
    """Counts distinct SAs, both directions, by their SPIs."""

    def __init__(self, node):
        with netns.inside(node):
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_XFRM)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.sock.bind((0, 1 << (XFRMNLGRP_SA - 1)))
        self.seen = set()

    def close(self):
        self.sock.close()

    def wait(self, count, limit=120.0):
        """The time when the last one of so many came."""
        deadline = time.monotonic() + limit
        while len(self.seen) < count:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                raise AssertionError("after %g s the kernel has %d SAs of %d" % (
                    limit, len(self.seen), count))
            self.take(self.sock.recv(1 << 16))
        return time.monotonic()

    def take(self, data):
        at = 0
        while at + NLMSGHDR.size <= len(data):
            length, kind = NLMSGHDR.unpack_from(data, at)[:2]
            if kind in (XFRM_MSG_NEWSA, XFRM_MSG_UPDSA):
                start = at + NLMSGHDR.size + SELECTOR
                self.seen.add(data[start : start + ADDRESS + SPI])
            at += (length + 3) & ~3
