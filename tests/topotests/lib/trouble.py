# SPDX-License-Identifier: GPL-2.0-or-later
"""Trouble at random for a protected mesh: a table of steps, and the mending of it all.

    world = World(mesh, random.Random("7/1"))
    for _ in range(40):
        world.step()
    world.mend()

What a step may do depends on the steps before it alone, never on how the mesh took them, so
that a seed gives the same steps again. STEPS is the table.
"""
import dataclasses
import signal
import time
import typing

from . import kernel, netns, softwires, vty
from .mesh import RR, core_address, loopback

AT_ONCE = 4  # things broken at a time: mostly some part of the mesh works
ANSWER = 5  # seconds that a daemon is given for a command
PAUSE = 1.2  # mean seconds between steps

TUNNELS = (
    ["tunnel 10 gre"],
    ["tunnel 10 gre key {key}"],
    ["tunnel 10 ip-in-ip", "tunnel 20 gre key {key}"],
    ["tunnel 10 gre", "tunnel 20 ip-in-ip"],
)
CLEARS = {
    "swmeshd": ("clear softwire security all", "clear softwire security all hard"),
    "bgpd": ("clear bgp *", "clear bgp * soft in", "clear bgp * soft out"),
}
FLUSHES = {
    "SAs": ["ip", "xfrm", "state", "flush"],
    "policies": ["ip", "xfrm", "policy", "flush"],
    "nftables": ["nft", "flush", "ruleset"],
    "host routes": ["ip", "-6", "route", "flush", "proto", kernel.SWMESH_PROTO],
    "routes of BGP": ["ip", "-4", "route", "flush", "proto", "bgp"],
}
# What keeps packets from leaving in clear: without swmeshd nobody puts it back, so it is
# taken away only while swmeshd runs.
WATCHED = ("policies", "nftables")
PUT_BACK = 10  # seconds after which swmeshd has certainly put its nftables rules back


def words(part):
    return part if isinstance(part, str) else ", ".join(part) if isinstance(part, list) else str(part)


class World:
    """The mesh, and what is broken of it."""

    def __init__(self, mesh, rng, say=print):
        self.mesh, self.rng, self.say = mesh, rng, say
        self.dead, self.frozen = [], []  # (router, daemon)
        self.cut, self.homeless = [], []  # AFBRs without link, without their endpoint's address
        self.tunnels = dict(mesh.tunnels)  # by number, as they are to be in the end
        self.taken = 0  # steps
        self.unfiltered = []  # (address of an AFBR, from, until): without nftables rules, in ns

    # -- what there is --

    def routers(self):
        return ["a%d" % n for n in self.mesh.numbers] + ["p"]

    def daemons(self):
        return [(router, daemon) for router in self.routers()
                for daemon in self.mesh[router].daemons]

    def running(self):
        return [one for one in self.daemons() if one not in self.dead + self.frozen]

    def broken(self):
        return len(self.dead) + len(self.frozen) + len(self.cut) + len(self.homeless)

    def process(self, one):
        return self.mesh[one[0]][one[1]]

    def may_quote(self, packet):
        """An ICMP error from an AFBR whose rules were flushed just then: in that moment nothing
        keeps the kernel from quoting a packet that came out of IPsec and found its device gone
        (doc/filter.md)."""
        return packet.proto == "icmpv6" and any(
            packet.outer.src == address and since <= packet.time_ns <= until
            for address, since, until in self.unfiltered)

    # -- the way of things --

    def step(self):
        """One step out of the table, on a target that suits it; then a pause."""
        offers = [(row, row.targets(self)) for row in STEPS
                  if not (row.breaks and self.broken() >= AT_ONCE)]
        offers = [(row, targets) for row, targets in offers if targets]
        row, targets = self.rng.choices(offers, [row.weight for row, _ in offers])[0]
        target, pause = self.rng.choice(targets), self.rng.expovariate(1 / PAUSE)
        self.taken += 1
        began = time.monotonic()
        outcome = row.act(self, target)
        self.say("%3d %-11s %s%s (%.1f s, then %.1f s)" % (
            self.taken, row.name, " ".join(map(words, target)),
            ": %s" % outcome if outcome else "", time.monotonic() - began, pause))
        time.sleep(pause)

    def mend(self):
        """All that runs no more is started, all that is missing is put back."""
        for one in list(self.frozen):
            thaw(self, one)
        for n in list(self.cut):
            link_up(self, (n,))
        for n in list(self.homeless):
            address_back(self, (n,))
        for one in list(self.dead):
            start(self, one)
        # Those, too, that the last steps have started.
        for name in ["p"] + ["a%d" % n for n in self.mesh.numbers]:
            self.mesh[name].ready()
        for n in self.mesh.numbers:
            self.write_tunnels(n, self.tunnels[n])
            softwires.set_tunnels(self.mesh["a%d" % n], *self.tunnels[n])

    def write_tunnels(self, n, lines):
        """What swmeshd of AFBR n reads when it starts."""
        router = self.mesh["a%d" % n]
        self.mesh.tunnels[n] = lines
        router.configs["swmeshd"] = self.mesh.swmeshd_config(n)
        router.write_config("swmeshd")

    def command(self, router, daemon, run):
        """What came of a command to a daemon that may be too busy to answer."""
        process = self.mesh[router][daemon]
        client = vty.Vty(process.vty.path, process.vty.name, ANSWER)
        try:
            run(client)
        except (OSError, vty.VtyError) as err:
            return str(err)
        finally:
            client.close()
        return None


class Hasty:
    """A router for softwires.set_tunnels(), over a connection that does not wait for long."""

    def __init__(self, client):
        self.client = client

    def show(self, daemon, line):
        return self.client.command(line)

    def configure(self, daemon, text):
        return self.client.configure(text)


# -- processes --

def kill(world, one):
    world.process(one).kill()
    if one in world.frozen:
        world.frozen.remove(one)
    world.dead.append(one)


def start(world, one):
    world.dead.remove(one)
    world.process(one).launch()


def restart(world, one):
    """FRR's daemons and charon may not end while another one is stopped; ours has to."""
    outcome = None
    try:
        world.process(one).stop()
    except AssertionError as err:
        if one[1] == "swmeshd":
            raise
        outcome = str(err)
    world.process(one).launch()
    return outcome


def freeze(world, one):
    world.process(one).process.send_signal(signal.SIGSTOP)
    world.frozen.append(one)


def thaw(world, one):
    world.frozen.remove(one)
    world.process(one).process.send_signal(signal.SIGCONT)


# -- what operators do --

def clear(world, target):
    router, daemon, line = target
    return world.command(router, daemon, lambda client: client.command(line))


def clearable(world):
    return [(*one, line) for one in world.running() for line in CLEARS.get(one[1], ())]


def reconfigure(world, target):
    """Other tunnels for an AFBR; when its swmeshd is away, it reads them when it starts."""
    n, lines = target
    lines = [line.format(key=100 * n) for line in lines]
    world.write_tunnels(n, lines)
    if ("a%d" % n, "swmeshd") in world.running():
        return world.command("a%d" % n, "swmeshd", lambda client: softwires.set_tunnels(
            Hasty(client), *lines))
    return None


# -- links and addresses --

def link_down(world, target):
    world.cut.append(target[0])
    kernel.set_link("p", "p-a%d" % target[0], False)


def link_up(world, target):
    """With the ways over it, which the kernel has removed: when a link comes and goes, zebra 8.4.4
    may take its static routes for installed still, or for refused for ever, and the core has to
    go on."""
    n = target[0]
    world.cut.remove(n)
    netns.ip_batch("p", ["link set p-a%d up" % n, way(loopback(n), core_address(n, "a"))])
    netns.ip_batch("a%d" % n, [
        way(address, core_address(n, "p"))
        for address in [RR] + [loopback(m) for m in world.mesh.numbers if m != n]])


def way(address, via):
    return "route replace %s/128 via %s" % (address, via)


def address_gone(world, target):
    world.homeless.append(target[0])
    netns.ip_batch("a%d" % target[0], ["address del %s/128 dev lo" % loopback(target[0])])


def address_back(world, target):
    world.homeless.remove(target[0])
    netns.ip_batch("a%d" % target[0], ["address add %s/128 dev lo nodad" % loopback(target[0])])


def address_blinks(world, target):
    address_gone(world, target)
    address_back(world, target)


def linked(world):
    return [(n,) for n in world.mesh.numbers if n not in world.cut]


def at_home(world):
    return [(n,) for n in world.mesh.numbers if n not in world.homeless]


# -- what somebody else does to the kernel --

def flush(world, target):
    began = time.time_ns()
    netns.run("a%d" % target[0], FLUSHES[target[1]], check=False)
    if target[1] == "nftables":
        world.unfiltered.append((loopback(target[0]), began, time.time_ns() + PUT_BACK * 10**9))


def flushable(world):
    running = world.running()
    return [(n, what) for n in world.mesh.numbers for what in FLUSHES
            if what not in WATCHED or ("a%d" % n, "swmeshd") in running]


def device_gone(world, target):
    """One of the softwires' devices, if there is any."""
    node = "a%d" % target[0]
    found = sorted(kernel.tunnels(node))
    if not found:
        return "there is none"
    netns.run(node, ["ip", "link", target[1], found[0], *target[2:]], check=False)
    return found[0]


@dataclasses.dataclass
class Step:
    name: str
    weight: int
    breaks: bool  # something is broken until another step mends it
    targets: typing.Callable  # of the world: arguments to choose from
    act: typing.Callable  # what came of it, if that is worth a word


STEPS = (
    Step("kill", 8, True, lambda w: w.running() + w.frozen, kill),
    Step("start", 12, False, lambda w: w.dead, start),
    Step("restart", 5, False, World.running, restart),
    Step("stop", 6, True, World.running, freeze),
    Step("continue", 10, False, lambda w: w.frozen, thaw),
    Step("clear", 6, False, clearable, clear),
    Step("reconfigure", 6, False,
         lambda w: [(n, lines) for n in w.mesh.numbers for lines in TUNNELS], reconfigure),
    Step("link down", 3, True, linked, link_down),
    Step("link up", 6, False, lambda w: [(n,) for n in w.cut], link_up),
    Step("address", 3, False, at_home, address_blinks),
    Step("address -", 2, True, at_home, address_gone),
    Step("address +", 6, False, lambda w: [(n,) for n in w.homeless], address_back),
    Step("flush", 8, False, flushable, flush),
    Step("device", 4, False,
         lambda w: [(n, *words) for n in w.mesh.numbers
                    for words in (("del",), ("set", "down"))], device_gone),
)
