# SPDX-License-Identifier: GPL-2.0-or-later
"""Other people's BGP beside ours: GoBGP and BIRD, as Debian has them, each on a node of its own.

    node = Other("gobgp", GoBgp, asn, router_id, [Neighbor(address, local, asn), ...])

Such a node goes into a topology like a Router; node.speaker is the daemon. It accepts and
passes on everything, and sends to eBGP neighbors whatever it has.
"""
import dataclasses
import json
import os
import re
import subprocess

from . import netns, paths, wait
from .process import Process
from .router import Router


@dataclasses.dataclass
class Neighbor:
    """local: our address of the session. passive: the neighbor connects to us."""

    address: str
    local: str
    asn: int
    passive: bool = False


class Speaker(Process):
    """What the two have in common. tunnels() tells what each route has of attribute 23."""

    def __init__(self, router):
        super().__init__(router, self.NAME, self)

    @property
    def config_file(self):
        return self.router.file(self.name + ".conf")

    def write_config(self):
        with open(self.config_file, "w") as file:
            file.write(self.config())

    def close(self):
        """There is no connection that stays; every question is a process of its own."""

    def wait_ready(self):
        wait.until(lambda: self.answers() or not self.alive(),
                   "%s/%s answers" % (self.router.name, self.name))
        assert self.alive(), "%s/%s ended" % (self.router.name, self.name)


GOBGP_GLOBAL = """\
[global.config]
  as = %d
  router-id = "%s"
  local-address-list = [%s]
"""
GOBGP_NEIGHBOR = """\
[[neighbors]]
  [neighbors.config]
    neighbor-address = "%s"
    peer-as = %d
  [neighbors.timers.config]
    connect-retry = 1
    idle-hold-time-after-reset = 1
  [neighbors.transport.config]
    local-address = "%s"
    passive-mode = %s
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv6-unicast"
"""


class GoBgp(Speaker):
    """GoBGP 3.10: decodes attribute 23 and encodes it again."""

    NAME = "gobgpd"

    def config(self):
        own = sorted({n.local for n in self.router.neighbors})
        return GOBGP_GLOBAL % (self.router.asn, self.router.router_id,
                               ", ".join('"%s"' % a for a in own)) + "".join(
            GOBGP_NEIGHBOR % (n.address, n.asn, n.local, "true" if n.passive else "false")
            for n in self.router.neighbors)

    def argv(self):
        return ["/usr/bin/gobgpd", "-f", self.config_file, "-l", "debug",
                "--api-hosts", "127.0.0.1:50051", "--pprof-disable"]

    def ask(self, *words):
        return json.loads(netns.run(self.router.name, ["/usr/bin/gobgp", "-j", *words]))

    def answers(self):
        try:
            return self.ask("global")
        except (netns.NetnsError, ValueError):
            return None

    def tunnels(self, family):
        """Prefix -> attribute 23 of its best path as GoBGP decodes it, or None."""
        table = self.ask("global", "rib", "-a", family) or {}
        return {prefix: next((a for a in best["attrs"] if a.get("type") == 23), None)
                for prefix, (best, *_) in table.items()}


BIRD_GLOBAL = """\
log "%s" all;
router id %s;
protocol device { }
protocol direct { ipv4; ipv6; }
"""
BIRD_NEIGHBOR = """\
protocol bgp n%d {
	local %s as %d;
	neighbor %s as %d;
	strict bind yes;
	connect retry time 1;
	connect delay time 1;
	error wait time 1, 2;
	passive %s;
	ipv4 { import all; export where source = RTS_BGP; extended next hop yes; };
	ipv6 { import all; export where source = RTS_BGP; };
}
"""


class Bird(Speaker):
    """BIRD 2.0.12: passes attribute 23 on as octets that it does not know."""

    NAME = "bird"

    @property
    def socket(self):
        return self.router.run_dir + "/bird.ctl"

    def config(self):
        return BIRD_GLOBAL % (self.router.file("bird.log"), self.router.router_id) + "".join(
            BIRD_NEIGHBOR % (number, n.local, self.router.asn, n.address, n.asn,
                             "yes" if n.passive else "no")
            for number, n in enumerate(self.router.neighbors))

    def argv(self):
        return ["/usr/sbin/bird", "-f", "-c", self.config_file, "-s", self.socket]

    def ask(self, line):
        done = subprocess.run(["/usr/sbin/birdc", "-s", self.socket, line], text=True,
                              capture_output=True, env=paths.ENV, timeout=60)
        return done.stdout

    def answers(self):
        return os.path.exists(self.socket) and "Daemon is up" in self.ask("show status")

    def tunnels(self, family):
        """Prefix -> attribute 23 of its best path, as hexadecimal text that ends in "..." when
        it is long, or None."""
        found, prefix = {}, None
        for line in self.ask("show route all primary table master%s where source = RTS_BGP"
                             % family[-1]).splitlines():
            start = re.match(r"(\S+/\d+)\s", line)
            if start:
                prefix = start.group(1)
                found[prefix] = None
            value = re.match(r"\s+BGP\.17[^:]*: (.*)", line)
            if value and prefix:
                found[prefix] = value.group(1)
        return found


class Other(Router):
    """A node with one of them and nothing of FRR's."""

    def __init__(self, name, kind, asn, router_id, neighbors):
        super().__init__(name, {})
        self.asn, self.router_id, self.neighbors = asn, router_id, neighbors
        self.speaker = kind(self)
        self.daemons[self.speaker.name] = self.speaker
