# SPDX-License-Identifier: GPL-2.0-or-later
"""The standard mesh the other way round: IPv6 islands around an IPv4-only core.

    h1 - a1 \\        / a2 - h2        core: 172.20.N.0/24 between aN and p
              p (RR)                  AFBR N: 172.31.0.N (loopback)
    h3 - a3 /                         island N: 2001:db8:N::/64 (and 10.N.0.0/24)

p has no IPv6 address and no route for one: a packet in clear has nowhere to go.
"""
from . import mesh
from .router import Router
from .topology import Link, Topology

RR = "172.31.0.100"


def loopback(n):
    return "172.31.0.%d" % n


def core_address(n, end):
    """Of the link between aN and p; end is "a" or "p"."""
    return "172.20.%d.%d" % (n, 1 if end == "a" else 2)


def softwire_config(n, sets=None):
    """softwire mesh of AFBR n; default one GRE tunnel for IPv6."""
    sets = sets or {"EDGE": ["tunnel 10 gre", "payload ipv6"]}
    lines = ["softwire mesh", " transit ipv4 source " + loopback(n)]
    for name, body in sets.items():
        lines += [" encap-set " + name] + ["  " + line for line in body] + [" exit"]
    return "\n".join(lines + ["exit", ""])


def session_lines(peer, source):
    return [" neighbor %s remote-as %d" % (peer, mesh.ASN),
            " neighbor %s update-source %s" % (peer, source),
            " neighbor %s timers connect 1" % peer,
            " neighbor %s advertisement-interval 0" % peer]


def bgp_head(number):
    return ["router bgp %d" % mesh.ASN, " bgp router-id 172.31.0.%d" % number,
            " no bgp default ipv4-unicast", " timers bgp " + mesh.BGP_TIMERS]


def bgp_config(n, families):
    """bgpd of AFBR n: an iBGP session with the reflector."""
    lines = bgp_head(n) + session_lines(RR, loopback(n))
    for family in families:
        lines += [" address-family ipv%d unicast" % family,
                  "  network " + mesh.island(n, family), "  neighbor %s activate" % RR,
                  "  neighbor %s route-map SOFTWIRE-IN in" % RR,
                  "  neighbor %s route-map SOFTWIRE-OUT out" % RR, " exit-address-family"]
    return "\n".join(lines + ["exit", ""])


def reflector_config(numbers, families):
    lines = bgp_head(100) + [" bgp cluster-id 172.31.0.100"]
    for n in numbers:
        lines += session_lines(loopback(n), RR)
    for family in families:
        lines += [" address-family ipv%d unicast" % family]
        for n in numbers:
            lines += ["  neighbor %s activate" % loopback(n),
                      "  neighbor %s route-reflector-client" % loopback(n)]
        lines += [" exit-address-family"]
    return "\n".join(lines + ["exit", ""])


class Mesh4(Topology):
    """sets: AFBR number -> encap-sets (see softwire_config)."""

    def __init__(self, name="mesh4", numbers=(1, 2, 3), sets=None, families=(6,)):
        self.numbers, self.families, self.sets = list(numbers), families, sets or {}
        links = [Link("a%d" % n, "p", [core_address(n, "a") + "/24"],
                      [core_address(n, "p") + "/24"]) for n in numbers]
        links += [Link("a%d" % n, "h%d" % n,
                       [mesh.gateway(n) + "/24", mesh.gateway(n, 6) + "/64"],
                       [mesh.host(n) + "/24", mesh.host(n, 6) + "/64"]) for n in numbers]
        super().__init__(
            name, ["p"] + ["%s%d" % (kind, n) for n in numbers for kind in "ah"], links,
            [self.core_router(), *(self.afbr(n) for n in numbers)], self.address_lines())

    def address_lines(self):
        lines = {"p": ["address add %s/32 dev lo" % RR]}
        for n in self.numbers:
            lines["a%d" % n] = ["address add %s/32 dev lo" % loopback(n)]
            lines["h%d" % n] = ["route add default via " + mesh.gateway(n),
                                "route add default via " + mesh.gateway(n, 6)]
        return lines

    def afbr(self, n):
        via = core_address(n, "p")
        others = [loopback(m) for m in self.numbers if m != n] + [RR]
        configs = {"zebra": "", "bgpd": bgp_config(n, self.families),
                   "staticd": "".join("ip route %s/32 %s\n" % (a, via) for a in others),
                   "swmeshd": softwire_config(n, self.sets.get(n))}
        return Router("a%d" % n, configs, {"bgpd": mesh.module_options()})

    def core_router(self):
        configs = {"zebra": "", "bgpd": reflector_config(self.numbers, self.families),
                   "staticd": "".join("ip route %s/32 %s\n" % (
                       loopback(n), core_address(n, "a")) for n in self.numbers)}
        return Router("p", configs, {"bgpd": ["-n"] + mesh.module_options()})

    def up(self):
        super().up([("p", "a%d" % n) for n in self.numbers])

    def pairs(self):
        return [(n, m) for n in self.numbers for m in self.numbers if n != m]
