# SPDX-License-Identifier: GPL-2.0-or-later
"""One bgpd with the module, and raw BGP speakers around it.

    sender    fd00:9::2  iBGP, route reflector client, soft-reconfiguration inbound
    receiver  fd00:9::3  iBGP, route reflector client
    open_in   fd00:9::4  eBGP, tunnel-encapsulation allowed
    open_out  fd00:9::5  eBGP, tunnel-encapsulation allowed
    closed    fd00:9::6  eBGP, filtered (the default)
    closed2   fd00:9::7  eBGP, filtered
"""
import struct

from . import bgpspeaker as bgp
from . import paths
from .router import Router
from .topology import Link, Topology

DUT, SPEAKERS = "bdut", "bsp"
ASN = 65000
ROUTER = "fd00:9::1"

# number -> (AS, lines under router bgp, lines under each address family)
PEERS = {
    2: (ASN, (), ("route-reflector-client", "soft-reconfiguration inbound")),
    3: (ASN, (), ("route-reflector-client",)),
    4: (65004, ("tunnel-encapsulation",), ()),
    5: (65005, ("tunnel-encapsulation",), ()),
    6: (65006, (), ()),
    7: (65007, (), ()),
}
STAND_IN = range(200, 208)  # types that must never be seen on the wire


def address(number):
    return "fd00:9::%d" % number


GRACE = 3  # seconds, of swmeshd
# Configuration of swmeshd: one GRE tunnel for both families.
SWMESH = """softwire mesh
 transit ipv6 source fd00:9::1
 encap-set EDGE
  tunnel 10 gre key 100
  payload ipv4
  payload ipv6
 exit
exit
"""


FAMILIES = ("ipv4 unicast", "ipv6 unicast")


def config(extra="", maps=None, families=FAMILIES):
    """maps: neighbor number -> lines under each address family, beside those of PEERS."""
    lines = ["router bgp %d" % ASN, " bgp router-id 10.255.9.1",
             " no bgp default ipv4-unicast", " no bgp ebgp-requires-policy",
             " no bgp network import-check", " bgp log-neighbor-changes"]
    for number, (asn, plain, _) in PEERS.items():
        lines += [" neighbor %s remote-as %d" % (address(number), asn),
                  " neighbor %s passive" % address(number),
                  " neighbor %s capability extended-nexthop" % address(number),
                  " neighbor %s advertisement-interval 0" % address(number)]
        lines += [" neighbor %s %s" % (address(number), line) for line in plain]
    for family in families:
        lines.append(" address-family %s" % family)
        for number, (_, _, per_family) in PEERS.items():
            lines.append("  neighbor %s activate" % address(number))
            lines += ["  neighbor %s %s" % (address(number), line)
                      for line in (*per_family, *(maps or {}).get(number, ()))]
        lines.append(" exit-address-family")
    return "\n".join(lines + ["exit", extra, ""])


def topology(extra="", maps=None, swmeshd=None, staticd=None, families=FAMILIES):
    """swmeshd, staticd: their configurations; none: it does not run."""
    configs = {"zebra": "", "bgpd": config(extra, maps, families)}
    if staticd is not None:
        configs["staticd"] = staticd
    if swmeshd is not None:
        configs["swmeshd"] = swmeshd
    router = Router(DUT, configs, {
        "bgpd": ["-M", "swmesh", "--moduledir", paths.module_dir()],
        "swmeshd": ["--grace", str(GRACE)]})
    return Topology("bgp-dut", [DUT, SPEAKERS], [
        Link(DUT, SPEAKERS, [ROUTER + "/64", "10.255.9.1/24"],
             [address(n) + "/64" for n in PEERS] + ["10.255.9.%d/24" % n for n in PEERS])],
        [router])


def new_speaker(number, **options):
    """One that has no session yet."""
    asn = PEERS[number][0]
    return bgp.Speaker(SPEAKERS, address(number), ROUTER, asn, "10.255.9.%d" % number,
                       ibgp=asn == ASN, **options)


def speaker(number, **options):
    return new_speaker(number, **options).start()


class World:
    """The router and a speaker for each of these neighbors, by number; options: of each Speaker."""

    def __init__(self, topo, numbers=tuple(PEERS), **options):
        self.router = topo[DUT]
        self.peers = {n: speaker(n, **options) for n in numbers}

    def __getitem__(self, number):
        return self.peers[number]

    def assert_fine(self):
        """No session has ended, and no stand-in type was ever sent."""
        for peer in self.peers.values():
            peer.assert_up()
        assert_clean(self.peers.values())

    def close(self):
        for peer in self.peers.values():
            peer.stop()


# -- attributes --

def sub(kind, value):
    """A sub-TLV (RFC 9012 section 2)."""
    if kind < 128:
        return struct.pack("!BB", kind, len(value)) + value
    return struct.pack("!BH", kind, len(value)) + value


def tlv(kind, *subs):
    body = b"".join(subs)
    return struct.pack("!HH", kind, len(body)) + body


def endpoint(text="2a01:100::1"):
    """Tunnel Egress Endpoint; an address that is no martian of RFC 6890."""
    import ipaddress
    packed = ipaddress.ip_address(text).packed
    return sub(6, struct.pack("!IH", 0, 1 if len(packed) == 4 else 2) + packed)


def gre(key=None, host="2a01:100::1", *more):
    subs = [endpoint(host)] + ([sub(1, struct.pack("!I", key))] if key is not None else [])
    return tlv(2, *subs, *more)


def ipip(host="2a01:100::1", *more):
    return tlv(7, endpoint(host), *more)


def counters(router, number):
    """What the module counts about a neighbor; zeroes when it knows none."""
    found = router.json("bgpd", "show bgp softwire")["neighbors"]
    for entry in found:
        if entry["neighbor"] == address(number):
            return entry
    return {}


def assert_clean(speakers):
    """No speaker was ever sent a stand-in type, or a mark in the flags."""
    for peer in speakers:
        checked = getattr(peer, "checked", 0)
        for update in peer.updates[checked:]:
            for kind, (flags, _) in update.attributes.items():
                assert kind not in STAND_IN and not flags & 0x0f, \
                    "%s was sent attribute %d, flags %#x: %s" % (
                        peer.local, kind, flags, update.raw.hex())
            checked += 1
        peer.checked = checked
