# SPDX-License-Identifier: GPL-2.0-or-later
"""The standard mesh: AFBRs around an IPv6-only core, an island host behind each.

    h1 - a1 \\        / a2 - h2        core: 2001:db8:f:N::/64 between aN and p
              p (RR)                  AFBR N: 2001:db8:c::N (loopback)
    h3 - a3 /                         island N: 10.N.0.0/24 and 2001:db8:N::/64

p forwards IPv6 only: it has no IPv4 address and its bgpd (the route reflector)
installs nothing (-n), so that an IPv4 packet in clear has nowhere to go.
"""
from . import paths
from .router import Router
from .topology import Link, Topology, device

ASN = 65000
RR = "2001:db8:c::100"
BGP_TIMERS = "3 10"  # keepalive and hold time, seconds
SW_NHOP_PREFIX = "fd53:574d:4553:4800::/64"


def loopback(n):
    return "2001:db8:c::%d" % n


def island(n, family=4):
    return "10.%d.0.0/24" % n if family == 4 else "2001:db8:%d::/64" % n


def host(n, family=4):
    return "10.%d.0.2" % n if family == 4 else "2001:db8:%d::2" % n


def gateway(n, family=4):
    return "10.%d.0.1" % n if family == 4 else "2001:db8:%d::1" % n


def core_address(n, end):
    """Of the link between aN and p; end is "a" or "p"."""
    return "2001:db8:f:%d::%d" % (n, 1 if end == "a" else 2)


# -- configurations --

def softwire_config(n, sets=None, extra="", securities=None):
    """softwire mesh of AFBR n. sets: name -> encap-set lines; default one GRE tunnel.
    securities: name -> lines of that security."""
    sets = sets or {"EDGE": ["tunnel 10 gre", "payload ipv4"]}
    lines = ["softwire mesh", " transit ipv6 source " + loopback(n)]
    lines += [" " + line for line in extra.splitlines()]
    for name, body in (securities or {}).items():
        lines += [" security " + name] + ["  " + line for line in body] + [" exit"]
    for name, body in sets.items():
        lines += [" encap-set " + name] + ["  " + line for line in body] + [" exit"]
    return "\n".join(lines + ["exit", ""])


def bgp_config(n, families=(4,), extra="", extra_af=None):
    """bgpd of AFBR n: an iBGP session with the reflector."""
    names = {4: "ipv4", 6: "ipv6"}
    lines = ["router bgp %d" % ASN, " bgp router-id 10.255.0.%d" % n,
             " no bgp default ipv4-unicast", " timers bgp " + BGP_TIMERS,
             " neighbor %s remote-as %d" % (RR, ASN),
             " neighbor %s update-source %s" % (RR, loopback(n)),
             " neighbor %s capability extended-nexthop" % RR,
             " neighbor %s timers connect 1" % RR,
             " neighbor %s advertisement-interval 0" % RR]
    lines += [" " + line for line in extra.splitlines()]
    for family in families:
        lines += [" address-family %s unicast" % names[family],
                  "  network " + island(n, family),
                  "  neighbor %s activate" % RR,
                  "  neighbor %s route-map SOFTWIRE-IN in" % RR,
                  "  neighbor %s route-map SOFTWIRE-OUT out" % RR]
        lines += ["  " + line for line in (extra_af or {}).get(family, "").splitlines()]
        lines += [" exit-address-family"]
    return "\n".join(lines + ["exit", ""])


def reflector_config(numbers, families=(4,), extra=""):
    lines = ["router bgp %d" % ASN, " bgp router-id 10.255.0.100",
             " no bgp default ipv4-unicast", " timers bgp " + BGP_TIMERS,
             " bgp cluster-id 10.255.0.100",
             " neighbor AFBR peer-group", " neighbor AFBR remote-as %d" % ASN,
             " neighbor AFBR update-source " + RR,
             " neighbor AFBR capability extended-nexthop",
             " neighbor AFBR timers connect 1", " neighbor AFBR advertisement-interval 0"]
    lines += [" neighbor %s peer-group AFBR" % loopback(n) for n in numbers]
    lines += [" " + line for line in extra.splitlines()]
    for family in families:
        lines += [" address-family %s unicast" % {4: "ipv4", 6: "ipv6"}[family],
                  "  neighbor AFBR activate", "  neighbor AFBR route-reflector-client",
                  " exit-address-family"]
    return "\n".join(lines + ["exit", ""])


def static_edge(n, numbers):
    """staticd of AFBR n: everything of the core is behind p."""
    via = core_address(n, "p")
    others = [loopback(m) for m in numbers if m != n] + [RR]
    return "".join("ipv6 route %s/128 %s\n" % (address, via) for address in others)


def static_core(numbers):
    return "".join("ipv6 route %s/128 %s\n" % (loopback(n), core_address(n, "a"))
                   for n in numbers)


def ospf6_config(number, interfaces):
    lines = []
    for interface in interfaces:
        lines += ["interface " + interface, " ipv6 ospf6 area 0"]
        if interface == "lo":
            lines += [" ipv6 ospf6 passive"]
        else:
            lines += [" ipv6 ospf6 network point-to-point", " ipv6 ospf6 hello-interval 1",
                      " ipv6 ospf6 dead-interval 20"]
        lines += ["exit"]
    return "\n".join(lines + ["router ospf6", " ospf6 router-id 10.254.0.%d" % number,
                              " timers throttle spf 0 50 500", "exit", ""])


# -- the topology --

MODULE = ("-M", "swmesh")


def module_options():
    return [*MODULE, "--moduledir", paths.module_dir()]


class Mesh(Topology):
    """sets: AFBR number -> encap-sets (see softwire_config); None: no swmeshd anywhere.

    softwire, bgp: AFBR number -> further configuration lines. igp: "static" or "ospf6".
    """

    def __init__(self, name="mesh", numbers=(1, 2, 3), sets=None, families=(4,), igp="static",
                 softwire=None, bgp=None, swmesh=True, extra_links=(), extra_nodes=(),
                 extra_routers=(), ip_lines=None):
        self.numbers, self.families, self.igp, self.swmesh = list(numbers), families, igp, swmesh
        self.sets, self.softwire, self.bgp = sets or {}, softwire or {}, bgp or {}
        nodes = ["p"] + ["%s%d" % (kind, n) for n in numbers for kind in "ah"]
        links = [Link("a%d" % n, "p", [core_address(n, "a") + "/64"],
                      [core_address(n, "p") + "/64"]) for n in numbers]
        links += [Link("a%d" % n, "h%d" % n, [gateway(n) + "/24", gateway(n, 6) + "/64"],
                       [host(n) + "/24", host(n, 6) + "/64"]) for n in numbers]
        super().__init__(
            name, [*nodes, *extra_nodes], [*links, *extra_links],
            [self.core_router(), *(self.afbr(n) for n in numbers), *extra_routers],
            self.address_lines(ip_lines or {}))

    def address_lines(self, more):
        lines = {"p": ["address add %s/128 dev lo nodad" % RR]}
        for n in self.numbers:
            lines["a%d" % n] = ["address add %s/128 dev lo nodad" % loopback(n)]
            lines["h%d" % n] = ["route add default via " + gateway(n),
                                "route add default via " + gateway(n, 6)]
        for node, extra in more.items():
            lines[node] = lines.get(node, []) + list(extra)
        return lines

    def igp_config(self, name, number, static, peers):
        if self.igp == "static":
            return {"staticd": static}
        return {"ospf6d": ospf6_config(number, ["lo"] + [device(name, p) for p in peers])}

    def afbr(self, n):
        name = "a%d" % n
        configs = {"zebra": "", "bgpd": bgp_config(n, self.families, self.bgp.get(n, ""))}
        configs.update(self.igp_config(name, n, static_edge(n, self.numbers), ["p"]))
        if not self.swmesh:
            configs["bgpd"] = without_softwires(configs["bgpd"])
            return Router(name, configs)
        configs["swmeshd"] = softwire_config(n, self.sets.get(n), self.softwire.get(n, ""))
        return Router(name, configs, {"bgpd": module_options()})

    def core_router(self):
        configs = {"zebra": "", "bgpd": reflector_config(self.numbers, self.families)}
        configs.update(self.igp_config("p", 100, static_core(self.numbers),
                                       ["a%d" % n for n in self.numbers]))
        options = ["-n"] + (module_options() if self.swmesh else [])
        return Router("p", configs, {"bgpd": options})

    # -- life --

    def up(self):
        super().up([("p", "a%d" % n) for n in self.numbers])

    def pairs(self):
        return [(n, m) for n in self.numbers for m in self.numbers if n != m]


def without_softwires(config):
    return "".join(line + "\n" for line in config.splitlines() if "SOFTWIRE-" not in line)
