# SPDX-License-Identifier: GPL-2.0-or-later
"""Routes that vanish, for however short a time: traffic may not notice it, or not always."""
import contextlib
import subprocess
import tempfile

from . import netns, wait

MARK = "198.51.100.254"  # a route of ours: what is told before it has been read


class RouteWatch:
    """What `ip monitor route` tells of a node from now on."""

    def __init__(self, node):
        self.node, self.file = node, tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(netns.argv(node, ["ip", "-o", "monitor", "route"]),
                                        stdout=self.file)
        self._until_now()

    def _lines(self):
        self.file.seek(0)
        return self.file.read().splitlines()

    def _marks(self):
        return sum(MARK in line for line in self._lines())

    def _until_now(self):
        """All that has happened has been told (and, at first, the monitor listens)."""
        before = self._marks()

        def heard():
            netns.ip_batch(self.node, ["route add blackhole " + MARK,
                                       "route del blackhole " + MARK])
            return self._marks() > before

        wait.until(heard, "ip monitor tells of routes of " + self.node)

    def removed(self, prefix):
        """The routes whose destination begins like this that were removed."""
        self._until_now()
        return [line for line in self._lines() if line.startswith("Deleted " + prefix)]

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.file.close()


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
