# SPDX-License-Identifier: GPL-2.0-or-later
"""The routers that hostile peers of lib.fuzzupdate talk to, and their sessions.

Two routers with equal neighbors: one bgpd with the module and swmeshd, and a stock one, which is
sent the same less attribute 23. Beside the hostile neighbors each has

    fd00:9::2  iBGP, genuine: its routes must stay
    fd00:9::3  iBGP, watches all that is announced
    fd00:9::6  eBGP, filtered, watches
    fd00:9::7  eBGP, filtered, watches labeled routes
"""
import socket
import struct

from . import bgpdut as dut
from . import bgpspeaker as bgp
from . import fuzzupdate as fuzz
from . import paths, wait
from .router import Router
from .topology import Link, Topology

STOCK = "bstock"
NAMES = {(1, 1): "ipv4 unicast", (2, 1): "ipv6 unicast", (1, 2): "ipv4 multicast",
         (2, 2): "ipv6 multicast", (1, 128): "ipv4 vpn", (2, 128): "ipv6 vpn",
         (25, 70): "l2vpn evpn", (1, 133): "ipv4 flowspec", (2, 133): "ipv6 flowspec",
         (1, 4): "ipv4 labeled-unicast", (2, 4): "ipv6 labeled-unicast"}
GENUINE, WATCHER, CLOSED, CLOSED_LABELED = 2, 3, 6, 7
STEADY = {GENUINE: (dut.ASN, fuzz.UNICAST), WATCHER: (dut.ASN, fuzz.MANY),
          CLOSED: (65106, fuzz.MANY), CLOSED_LABELED: (65107, fuzz.LABELED)}
# Longer than any pause of a loaded machine; what is waited for takes milliseconds.
LIMIT = 60


def neighbors():
    """number -> (AS, families, kind or None)."""
    found = {n: (asn, families, None) for n, (asn, families) in STEADY.items()}
    for kind in fuzz.KINDS:
        found.update((n, (kind.asn, kind.families, kind)) for n in kind.numbers)
    return found


def config(module):
    lines = ["router bgp %d" % dut.ASN, " bgp router-id 10.255.9.1",
             " no bgp default ipv4-unicast", " no bgp ebgp-requires-policy",
             " no bgp network import-check"]
    for number, (asn, _, kind) in neighbors().items():
        here = " neighbor %s " % dut.address(number)
        lines += [here + line for line in (
            "remote-as %d" % asn, "passive", "capability extended-nexthop",
            "advertisement-interval 0")]
        if module and kind and kind.passes and not kind.ibgp:
            lines.append(here + "tunnel-encapsulation")
    for family, name in NAMES.items():
        lines.append(" address-family " + name)
        for number, (asn, families, kind) in neighbors().items():
            if family not in families:
                continue
            here = "  neighbor %s " % dut.address(number)
            lines.append(here + "activate")
            if asn == dut.ASN:
                lines.append(here + "route-reflector-client")
            if module and kind and kind.softwires:
                lines += [here + "route-map SOFTWIRE-IN in", here + "route-map SOFTWIRE-OUT out"]
        lines.append(" exit-address-family")
    return "\n".join(lines + ["exit", ""])


def topology():
    under_test = Router(dut.DUT, {"zebra": "", "bgpd": config(True), "swmeshd": dut.SWMESH}, {
        "bgpd": ["-M", "swmesh", "--moduledir", paths.module_dir()], "swmeshd": ["--grace", "3"]})
    stock = Router(STOCK, {"zebra": "", "bgpd": config(False)})
    addresses = [form % n for form in ("fd00:9::%d/64", "10.255.9.%d/24") for n in neighbors()]
    links = [Link(router, peers(router), [dut.ROUTER + "/64", "10.255.9.1/24"], addresses)
             for router in (dut.DUT, STOCK)]
    nodes = [node for link in links for node in (link.a, link.b)]
    return Topology("bgp-fuzz", nodes, links, [under_test, stock])


def peers(router):
    """The node with a router's neighbors."""
    return router + "p"


class Hostile(bgp.Speaker):
    """One session as planned. What it is sent is not of interest."""

    def __init__(self, router, number, plan):
        self.plan = plan
        super().__init__(peers(router), dut.address(number), dut.ROUTER, plan.kind.asn,
                         "10.255.9.%d" % number, plan.kind.ibgp, families=plan.families)

    def open_body(self):
        return open_body(self, self.plan)

    def record(self, kind, body):
        if kind == bgp.NOTIFICATION:
            super().record(kind, body)

    def send_all(self, bodies):
        """All of them at once; nothing when the session ends meanwhile."""
        try:
            self.send_raw(b"".join(bgp.message(bgp.UPDATE, body) for body in bodies))
        except (OSError, AttributeError):
            pass


def open_body(speaker, plan):
    """OPEN with the capabilities of the plan, each in a parameter of its own."""
    found = [struct.pack("!BBHBB", 1, 4, afi, 0, safi) for afi, safi in speaker.families]
    found += [struct.pack("!BBHHH", 5, 6, 1, 1, 2), b"\2\0"]
    if plan.four_octets:
        found.append(struct.pack("!BBI", 65, 4, speaker.asn))
    if plan.add_path:
        value = b"".join(struct.pack("!HBB", *family, 2) for family in speaker.families
                         if family in fuzz.ADD_PATH)
        found.append(bytes([69, len(value)]) + value)
    if plan.extended:
        found.append(b"\6\0")
    if plan.restart:
        found.append(b"\x40\2\0\0")
    parameters = b"".join(bytes([2, len(one)]) + one for one in found)
    return struct.pack("!BHH4sB", 4, speaker.asn, bgp.HOLD_TIME,
                       socket.inet_aton(speaker.router_id), len(parameters)) + parameters


class Watcher(bgp.Speaker):
    """Keeps the routes as they are now, prefix -> attribute 23 or None, and what was wrong."""

    def __init__(self, number):
        asn, families = STEADY[number]
        self.plan = fuzz.Plan(None, families, False, True, False, True)
        self.filtered = asn != dut.ASN
        self.table, self.wrong = {}, []
        super().__init__(peers(dut.DUT), dut.address(number), dut.ROUTER, asn,
                         "10.255.9.%d" % number, asn == dut.ASN, families=families)

    def open_body(self):
        return open_body(self, self.plan)

    def record(self, kind, body):
        if kind != bgp.UPDATE:
            super().record(kind, body)
            return
        update = bgp.parse_update(body)
        for prefix in update.withdrawn:
            self.table.pop(prefix, None)
        for prefix in update.announced:
            self.table[prefix] = update.tea
        if self.filtered and update.tea is not None and len(self.wrong) < 10:
            self.wrong.append("attribute 23 was sent to a filtered neighbor: " + body.hex())


class Side:
    """One of the routers, with its hostile sessions."""

    def __init__(self, router):
        self.router, self.turn = router, {}
        self.session = None  # the last one
        self.taken = 0  # UPDATEs, in all sessions

    def neighbor(self, number):
        found = self.router.json("bgpd", "show bgp neighbors %s" % dut.address(number))
        return found[dut.address(number)]

    def progress(self, number):
        """How many UPDATEs bgpd has taken from the neighbor, and whether the session stands."""
        shown = self.neighbor(number)
        return shown["messageStats"]["updatesRecv"], shown["bgpState"] == "Established"

    def next_number(self, kind):
        """Neighbors of a kind are taken in turn: one that was reset is idle for a second."""
        turn = self.turn.get(kind.name, -1) + 1
        self.turn[kind.name] = turn
        return kind.numbers[turn % len(kind.numbers)]

    def open(self, plan):
        self.session = Session(self, plan, self.next_number(plan.kind))
        return self.session

    def close(self):
        if self.session:
            self.session.close()


class Session:
    def __init__(self, side, plan, number):
        self.side, self.number = side, number
        self.speaker = Hostile(side.router.name, number, plan).start()
        self.taken, _ = wait.until(self.established, "session of neighbor %d" % number, LIMIT)

    def established(self):
        taken, up = self.side.progress(self.number)
        return up and (taken, up)

    def send(self, bodies):
        """Send the UPDATEs; None when bgpd has taken all, or how many it had taken when it reset
        the session."""
        goal = self.taken + len(bodies)
        before = self.taken
        self.speaker.send_all(bodies)

        def done():
            self.taken, up = self.side.progress(self.number)
            return self.taken >= goal or not up
        wait.until(done, "bgpd takes %d UPDATEs of neighbor %d" % (len(bodies), self.number),
                   LIMIT, 0.02)
        _, up = self.side.progress(self.number)
        self.side.taken += self.taken - before
        return None if up else self.taken - before

    def close(self):
        self.speaker.stop()
