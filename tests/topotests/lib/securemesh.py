# SPDX-License-Identifier: GPL-2.0-or-later
"""A mesh whose softwires are protected: one charon for each AFBR.

    SecureMesh(security=["ike group-psk file {dir}/mesh.psk", "esp aes256gcm16"],
               tunnels=["tunnel 10 gre"])

{dir} is the router's folder, where its files are.
"""
import re

from . import kernel, packet, softwires, wait, xfrm
from .mesh import Mesh, host, island, loopback, module_options, softwire_config
from .router import Router

LIMIT = 90.0  # seconds for a mesh to settle under emulation
GROUP_KEY = b"jx2Zq8nL5vT1wR9cB4mK7sH0"
POLICY = "peer policy required\n"
PSK = ("ike group-psk file {dir}/mesh.psk",)


def each(value, n):
    """An option's value for AFBR n: options are for all, or a dict by number."""
    by_number = isinstance(value, dict) and value and all(isinstance(k, int) for k in value)
    return value[n] if by_number else value


class SecureMesh(Mesh):
    """security: lines of `security CORE`; tunnels: lines of `encap-set EDGE`;
    files: name -> content; charon: options of charon.Charon. Each for all AFBRs, or a dict
    by number. none: numbers of AFBRs without any security.
    """

    def __init__(self, name="secure", security=PSK, tunnels=("tunnel 10 gre",), files=None,
                 charon=None, none=(), **options):
        self.security, self.tunnels, self.charon_options = security, tunnels, charon or {}
        self.files = {"mesh.psk": GROUP_KEY} if files is None else files
        self.none = none
        super().__init__(name, **options)

    def afbr(self, n):
        plain = super().afbr(n)
        plain.configs["swmeshd"] = self.swmeshd_config(n, plain.dir)
        return Router(plain.name, plain.configs, {"bgpd": module_options()},
                      charon=each(self.charon_options, n), files=each(self.files, n))

    def swmeshd_config(self, n, folder=None):
        """The whole configuration, by what security and tunnels are now."""
        body = [*each(self.tunnels, n)] + ["payload ipv%d" % f for f in self.families]
        securities = {}
        if n not in self.none:
            folder = folder or self["a%d" % n].dir
            body.insert(0, "security CORE")  # line by line, no tunnel comes before it
            securities["CORE"] = [line.format(dir=folder) for line in each(self.security, n)]
        return softwire_config(n, {"EDGE": body}, POLICY + self.softwire.get(n, ""), securities)

    def take_away(self, numbers=None):
        """No encap-set and no security any more: nothing of them stays in the kernel or in
        charon. Routes that come without the attribute are refused all the time."""
        numbers = numbers or self.numbers
        for n in numbers:
            self["a%d" % n].configure(
                "swmeshd", "softwire mesh\nno encap-set EDGE\nno security CORE\n")
        for n in numbers:
            node = "a%d" % n
            wait.until(lambda: not kernel.tunnels(node) and not softwires.host_routes(node),
                       node + " has let go", LIMIT)
            wait.until(lambda: not self[node].charon.conns() and not xfrm.states(node),
                       node + "'s charon has no connection", LIMIT)

    def give(self, numbers=None):
        """The configuration anew, as security and tunnels say now."""
        for n in numbers or self.numbers:
            self["a%d" % n].configure("swmeshd", self.swmeshd_config(n))

    def softwires(self, n, m=None):
        """What AFBR n shows of its softwires (to m)."""
        found = self["a%d" % n].json("swmeshd", "show softwire")["softwires"]
        return [s for s in found if m is None or s["endpoint"] == loopback(m)]

    def peers(self, n):
        """What AFBR n shows of the security of each other AFBR, by endpoint."""
        shown = self["a%d" % n].json("swmeshd", "show softwire security json")["peers"]
        return {peer["endpoint"]: peer for peer in shown}

    def assert_refused(self, n, m, *words):
        """AFBR n has no softwire to m, nor SAs or routes, and says why, in some of these words."""
        found = self.softwires(n, m)
        assert found, "a%d knows nothing of a%d" % (n, m)
        for one in found:
            assert one["state"] == "wait-sa", one
            assert any(word in one["reason"] for word in words), one["reason"]
        assert xfrm.states("a%d" % n, loopback(n), loopback(m)) == []
        assert kernel.route("a%d" % n, island(m)) is None
        return True

    def assert_outcast(self, n, since, *words):
        """AFBR n is refused by all others and refuses them; nothing of what its host sends
        arrives, nothing is sent to it, and nothing is in clear, since the mark.

        n itself may send for a moment: the end that answers in IKEv2 has its SA before the
        other one has looked at its certificate.
        """
        for m in self.numbers:
            if m != n:
                wait.until(lambda: self.assert_refused(n, m, *words)
                           and self.assert_refused(m, n, *words),
                           "a%d and a%d have refused each other" % (n, m), LIMIT)
        target = next(m for m in self.numbers if m != n)
        flow = self.flow("h%d" % n, host(target), "h%d" % target, rate=50)
        wait.until(lambda: flow.progress()[0] >= 50, "h%d has sent" % n)
        assert flow.stop().received == 0
        seen = self.assert_protected(since)
        assert not [p for p in seen if p.outer.proto in (50, 51)
                    and p.outer.dst == loopback(n)]

    def assert_one_each(self):
        """Each AFBR has one IKE_SA, one CHILD_SA and one kernel SA each way with each other
        one. Where there are several protocols this is not so."""
        for n in self.numbers:
            node, me = "a%d" % n, loopback(n)
            others = sorted(loopback(m) for m in self.numbers if m != n)
            sas = self[node].charon.sas()
            assert sorted(sa["remote-host"] for sa in sas) == others, "IKE_SAs: %r" % sas
            assert {sa["state"] for sa in sas} == {"ESTABLISHED"}
            children = sorted(sa["remote-host"] for sa in sas for child in sa["children"]
                              if child["state"] == "INSTALLED")
            assert children == others, "CHILD_SAs: %r" % sas
            states = xfrm.states(node)
            for found in ([s.dst for s in states if s.src == me],
                          [s.src for s in states if s.dst == me]):
                assert sorted(found) == others, "%s: %r" % (node, states)
        return True

    # -- what crosses the core --

    def endpoints(self):
        return {loopback(n) for n in self.numbers}

    def assert_protected(self, since=None):
        """No packet of a softwire, and none of an island's, in clear; returns all packets."""
        seen = self.capture.packets(since)
        self._none("in clear", packet.unprotected(seen))
        islands = [island(n, family) for n in self.numbers for family in self.families]
        self._none("in clear", packet.in_clear(seen, *islands))
        return seen

    def assert_only_ipsec(self, since=None, but=lambda packet: False):
        """Nothing but ESP, AH and IKE between the AFBRs, and what `but` excuses; returns all
        packets."""
        seen = self.assert_protected(since)
        self._none("not IPsec", [p for p in packet.not_ipsec(seen, self.endpoints())
                                 if not but(p)])
        return seen

    @staticmethod
    def _none(what, found):
        assert not found, "%d packets %s in the core, the first ones:\n%s" % (
            len(found), what, "\n".join(map(str, found[:10])))


def wait_up(mesh, limit=LIMIT, address=loopback):
    """Until every AFBR has a softwire to every other one, and all are up."""
    for n in mesh.numbers:
        others = {address(m) for m in mesh.numbers if m != n}

        def all_up():
            found = mesh["a%d" % n].json("swmeshd", "show softwire")["softwires"]
            bad = ["%s %s: %s" % (s["endpoint"], s["state"], s.get("reason"))
                   for s in found if s["state"] != "up"]
            assert not bad and {s["endpoint"] for s in found} == others, bad or found
            return True

        wait.until(all_up, "all softwires of a%d are up" % n, limit)


def guarded_flows(mesh, rate, limit=LIMIT):
    """For a fixture: traffic from island 1 to 2, back, and from 3 to 1. Whatever the test does,
    none of it is in clear, and all softwires are up in the end."""
    wait_up(mesh)
    softwires.wait_talk(mesh)
    mark = mesh.capture.mark()
    running = [mesh.flow("h%d" % n, host(m), "h%d" % m, rate=rate)
               for n, m in ((1, 2), (2, 1), (3, 1))]
    for flow in running:
        softwires.wait_flowing(flow, 10)
    yield running
    for flow in running:
        flow.abandon()
    wait_up(mesh, limit)
    softwires.wait_talk(mesh)
    mesh.assert_only_ipsec(mark)


def security_of(running, name):
    """The lines of a security in a running configuration."""
    found = re.search(r"^ security %s\n((?:  .*\n)*)" % re.escape(name), running, re.M)
    return found.group(1).splitlines() if found else []
