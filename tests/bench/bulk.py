# SPDX-License-Identifier: GPL-2.0-or-later
"""The topotests' BGP speaker, for many UPDATEs as fast as the router reads them."""
import select
import time

from lib import bgpspeaker

PIECE = 1 << 18  # octets handed to the kernel at once


class BulkSpeaker(bgpspeaker.Speaker):
    """Speaker.send_raw() keeps the socket's timeout, which is short: not for megabytes."""

    def send_bulk(self, data, limit=600.0):
        """Send whole messages; returns the time (monotonic) when the last octet was taken.

        Keepalives wait meanwhile: UPDATEs keep the session alive just as well.
        """
        deadline = time.monotonic() + limit
        view = memoryview(data)
        with self.lock:
            while view:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([], [self.sock], [], left)[1]:
                    raise TimeoutError("%s read nothing for %g s" % (self.remote, limit))
                view = view[self.sock.send(view[:PIECE]) :]
        return time.monotonic()
