# SPDX-License-Identifier: GPL-2.0-or-later
"""Routes that vanish, for however short a time: traffic may not notice it, or not always."""
import contextlib
import ipaddress

from . import rtnetlink

CHUNK = 1 << 16


class RouteWatch:
    """What becomes of a node's routes from now on."""

    def __init__(self, node):
        self.sock = rtnetlink.listener(node)
        rtnetlink.listen(self.sock)
        self.sock.setblocking(False)

    def removed(self, network):
        """The routes into this network that were removed since the last call."""
        return self._told(rtnetlink.RTM_DELROUTE, network)

    def added(self, network):
        """Likewise those that were added."""
        return self._told(rtnetlink.RTM_NEWROUTE, network)

    def _told(self, kind, network):
        network, found = ipaddress.ip_network(network), []
        for change in self._changes():
            destination = ipaddress.ip_address(change.destination)
            if change.kind == kind and destination in network:
                found.append(destination)
        return found

    def _changes(self):
        while True:
            try:
                data = self.sock.recv(CHUNK)
            except BlockingIOError:
                return
            yield from rtnetlink.changes(data)

    def stop(self):
        self.sock.close()


@contextlib.contextmanager
def watching(*nodes):
    """A RouteWatch for each node."""
    watches = []
    try:
        for node in nodes:
            watches.append(RouteWatch(node))
        yield watches
    finally:
        for watch in watches:
            watch.stop()
