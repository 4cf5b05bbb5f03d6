# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel has in a namespace: links, tunnels, routes (ip -j)."""
import dataclasses
import ipaddress
import json

from . import netns

TUNNEL_KINDS = ("ip6gre", "gre", "ip6tnl", "ipip", "sit", "ip6gretap", "gretap")
# Made by the kernel's tunnel modules in every namespace; nobody's softwire.
FALLBACK = ("ip6tnl0", "ip6gre0", "gre0", "gretap0", "erspan0", "tunl0", "sit0", "ip6_vti0",
            "ip_vti0")
SWMESH_PROTO = "201"  # rtnetlink protocol of swmeshd's own routes
OUR_GROUP = 0x53574d  # group of swmeshd's devices, "SWM"


def ip(node, *words):
    """The JSON answer of `ip -n NODE -d -j WORDS`."""
    out = netns.run(node, ["ip", "-d", "-j", *words])
    return json.loads(out) if out.strip() else []


def _key(value):
    """ip(8) prints a GRE key as a dotted quad."""
    return None if value is None else int(ipaddress.IPv4Address(value))


@dataclasses.dataclass
class Tunnel:
    name: str
    ifindex: int
    kind: str  # ip6gre, ip6tnl, gre, ipip, sit
    local: str
    remote: str
    ikey: int  # None: no key
    okey: int
    ttl: int
    mtu: int
    encaplimit: bool  # ip6tnl, ip6gre: is the destination option sent?
    up: bool
    alias: str
    rx_packets: int
    tx_packets: int


def _tunnel(link):
    data = link["linkinfo"].get("info_data", {})
    stats = link.get("stats64", {})
    kind = link["linkinfo"]["info_kind"]
    return Tunnel(
        name=link["ifname"], ifindex=link["ifindex"], kind=kind,
        local=data.get("local"), remote=data.get("remote"),
        ikey=_key(data.get("ikey")), okey=_key(data.get("okey")),
        ttl=data.get("ttl"), mtu=link["mtu"],
        encaplimit=kind.startswith("ip6") and "ip6_tnl_f_ign_encap_limit" not in data,
        up="UP" in link["flags"], alias=link.get("ifalias", ""),
        rx_packets=stats.get("rx", {}).get("packets"),
        tx_packets=stats.get("tx", {}).get("packets"))


def tunnels(node):
    """All tunnel devices, by name, without the kernel's fallback devices."""
    found = {}
    for link in ip(node, "-s", "link", "show"):
        kind = link.get("linkinfo", {}).get("info_kind")
        if kind in TUNNEL_KINDS and link["ifname"] not in FALLBACK:
            found[link["ifname"]] = _tunnel(link)
    return found


def tunnels_to(node, remote, kind=None):
    """Tunnel devices whose far end is this address."""
    return [t for t in tunnels(node).values()
            if t.remote == remote and kind in (None, t.kind)]


def routes(node, family=4, table="main", *words):
    """Routes of a table; each a dict as ip(8) has it (dst, dev, protocol, via, gateway...)."""
    return ip(node, "-%d" % family, "route", "show", "table", table, *words)


def route(node, prefix, family=4):
    """The route to exactly this prefix, or None."""
    found = [r for r in routes(node, family) if r["dst"] == prefix]
    assert len(found) <= 1, "%s: several routes to %s: %r" % (node, prefix, found)
    return found[0] if found else None


def nexthop_devices(entry):
    """The devices that a route (of routes()) sends to."""
    if entry is None:
        return []
    hops = entry.get("nexthops", [entry])
    return [hop["dev"] for hop in hops if "dev" in hop]


def swmesh_routes(node, family=6):
    """The routes that swmeshd installed itself."""
    return [r for r in routes(node, family) if r.get("protocol") == SWMESH_PROTO]


def leftovers(node):
    """Whatever of swmeshd's is in the kernel; empty when it was removed for good."""
    return ([t.name for t in tunnels(node).values() if t.alias.startswith("swmesh:")]
            + [r["dst"] for family in (4, 6) for r in swmesh_routes(node, family)])


def set_link(node, device, up):
    netns.ip_batch(node, ["link set %s %s" % (device, "up" if up else "down")])
