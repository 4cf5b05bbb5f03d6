# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of softwires ask and do again and again, on a Mesh."""
import contextlib
import ipaddress
import re

from . import bgpspeaker, kernel, netns, traffic, wait
from .mesh import ASN, RR, SW_NHOP_PREFIX, core_address, host, loopback

LIMIT = 90.0  # seconds for the mesh to settle under emulation


# -- the kernel's view --

def sends_by(node, prefix):
    """The softwire by which the kernel sends to an island's prefix; None: by none."""
    family = 6 if ":" in prefix else 4
    devices = kernel.nexthop_devices(kernel.route(node, prefix, family))
    assert len(devices) <= 1, "%s: several next hops to %s: %r" % (node, prefix, devices)
    return kernel.tunnels(node).get(devices[0]) if devices else None


def next_hop(node, prefix):
    """The IPv6 next hop of a route in the kernel; None: no route."""
    entry = kernel.route(node, prefix, 6 if ":" in prefix else 4)
    if entry is None:
        return None
    return entry.get("via", {}).get("host") or entry.get("gateway")


def is_sw_nhop(address):
    return ipaddress.ip_address(address) in ipaddress.ip_network(SW_NHOP_PREFIX)


def host_routes(node):
    """SW-NHOP -> device of swmeshd's host routes (the prefix's guard is not one)."""
    found = {}
    for entry in kernel.swmesh_routes(node):
        if "/" not in entry["dst"] and is_sw_nhop(entry["dst"]):
            found[entry["dst"]] = entry["dev"]
    return found


def guarded(node):
    """Is the SW-NHOP prefix as a whole unreachable, so that nothing else stands in?"""
    entry = kernel.route(node, SW_NHOP_PREFIX, 6)
    return entry is not None and entry.get("type") == "unreachable"


def endpoints(node):
    """The far ends of all tunnel devices."""
    return {tunnel.remote for tunnel in kernel.tunnels(node).values()}


def kinds_to(node, remote):
    """[(kind, ikey, okey)] of the devices to a far end."""
    return sorted(((t.kind, t.ikey, t.okey) for t in kernel.tunnels_to(node, remote)), key=str)


def consistent(node):
    """Assert that routes, SW-NHOPs and devices fit together, with nothing left over."""
    tunnels, hosts = kernel.tunnels(node), host_routes(node)
    for nhop, device in hosts.items():
        assert device in tunnels and tunnels[device].up, "%s: %s by %s, which is %s" % (
            node, nhop, device, tunnels.get(device, "gone"))
    for family in (4, 6):
        for entry in kernel.routes(node, family):
            via = entry.get("via", {}).get("host") or entry.get("gateway")
            if via and is_sw_nhop(via):
                assert hosts.get(via) == entry["dev"], "%s: route %r but SW-NHOPs %r" % (
                    node, entry, hosts)
    pairs = [(t.kind, t.remote, t.ikey) for t in tunnels.values()]
    assert len(pairs) == len(set(pairs)), "%s: two devices for one softwire: %r" % (
        node, tunnels)
    return True


def replace_device(node, old):
    """Someone deletes a softwire's device; until swmeshd has made it again."""
    netns.ip_batch(node, ["link delete " + old.name])
    wait.until(lambda: [t for t in kernel.tunnels_to(node, old.remote)
                        if t.ifindex != old.ifindex and t.up],
               "%s has a new device to %s" % (node, old.remote))


# -- traffic --

def wait_talk(mesh, pairs=None, family=4, limit=LIMIT):
    """Until each of these islands is reached from each."""
    for n, m in pairs or mesh.pairs():
        wait.until(lambda: traffic.reachable("h%d" % n, host(m, family), 0.5),
                   "h%d reaches %s" % (n, host(m, family)), limit)


def wait_kinds(node, remote, wanted, limit=LIMIT):
    """Until the devices to a far end are exactly these (see kinds_to)."""
    wanted = sorted(wanted, key=str)

    def so():
        found = kinds_to(node, remote)
        assert found == wanted, "%s to %s: %r, not %r" % (node, remote, found, wanted)
        return True

    wait.until(so, "%s has %r to %s" % (node, wanted, remote), limit)


def wait_sends(node, prefix, remote, kind, okey=None, limit=LIMIT):
    """Until the kernel sends to the prefix by this tunnel; returns it."""
    def so():
        tunnel = sends_by(node, prefix)
        assert tunnel and (tunnel.remote, tunnel.kind, tunnel.okey) == (remote, kind, okey), \
            "%s sends to %s by %s" % (node, prefix, tunnel)
        return tunnel

    return wait.until(so, "%s sends to %s by %s key %s to %s" % (
        node, prefix, kind, okey, remote), limit)


def wait_no_route(node, prefix, limit=LIMIT):
    family = 6 if ":" in prefix else 4
    wait.until(lambda: kernel.route(node, prefix, family) is None,
               "%s has no route to %s" % (node, prefix), limit)


def wait_flowing(flow, packets=50, limit=LIMIT):
    """Until that many more of a flow's packets have arrived."""
    received = flow.progress()[1]
    wait.until(lambda: flow.progress()[1] >= received + packets,
               "packets flow from %s" % flow.name, limit)


# -- a narrow core --

CORE_MTU = 1500


@contextlib.contextmanager
def narrow_link(*numbers, mtu=1280):
    """The core's links to these AFBRs carry less, by default the least that IPv6 has."""
    def give(octets):
        for n in numbers:
            for node, device in (("p", "p-a%d" % n), ("a%d" % n, "a%d-p" % n)):
                netns.ip_batch(node, ["link set %s mtu %d" % (device, octets)])

    give(mtu)
    try:
        yield
    finally:
        give(CORE_MTU)


def shown(mesh, node, remote):
    """What this AFBR shows of its softwire to that one."""
    return next(one for one in mesh[node].json("swmeshd", "show softwire")["softwires"]
                if one["endpoint"] == remote)


# -- configuration --

def tunnel_lines(router, name):
    """preference -> the line of an encap-set's tunnel, as configured now."""
    text, inside, found = router.show("swmeshd", "show running-config"), False, {}
    for line in text.splitlines():
        if line.startswith(" encap-set "):
            inside = line.split()[1] == name
        match = re.match(r"  (tunnel (\d+) .*\S)", line)
        if inside and match:
            found[int(match.group(2))] = match.group(1)
    return found


def set_tunnels(router, *lines, name="EDGE"):
    """Change an encap-set to have exactly these tunnels; what stays is not touched.

    Each line is a commit of its own, so the order matters: what is new comes first, that
    the set is not empty in between, unless the tunnel is there with another preference.
    """
    def preference(line):
        return int(line.split()[1])

    def tunnel(line):
        return line.split()[2:]

    wanted = {preference(line): line for line in lines}
    there = tunnel_lines(router, name)
    removed = ["no tunnel %d" % number for number, line in there.items()
               if number not in wanted or tunnel(line)[0] != tunnel(wanted[number])[0]]
    added = [line for number, line in wanted.items() if there.get(number) != line]
    taken = [tunnel(line) for line in there.values()]
    first = [line for line in added
             if preference(line) not in there and tunnel(line) not in taken]
    rest = [line for line in added if line not in first]
    router.configure("swmeshd", "softwire mesh\nencap-set %s\n%s\n" % (
        name, "\n".join(first + removed + rest)))


def set_mesh(router, *lines):
    """Lines under "softwire mesh"."""
    router.configure("swmeshd", "softwire mesh\n" + "\n".join(lines) + "\n")


def sessions(router):
    """peer -> how often its BGP session has come up and gone down."""
    peers = router.json("bgpd", "show bgp neighbors")
    return {address: (peer.get("connectionsEstablished"), peer.get("connectionsDropped"))
            for address, peer in peers.items() if isinstance(peer, dict)}


# -- a raw speaker beside the reflector --

# Next hops and endpoints of the speaker's: behind p, which discards what arrives, and no
# address of p's own, as its bgpd refuses those.
REMOTES = "2001:db8:5ca1::/64"


def remote(i):
    return "2001:db8:5ca1::%x" % i


@contextlib.contextmanager
def speaker(mesh, n=99, routed=True):
    """A raw BGP speaker on p, a peer of the reflector's (not a client: it hears all clients'
    routes and they hear its). routed: the core has a way to REMOTES."""
    address = loopback(n)
    if routed:
        mesh["p"].configure("staticd", "ipv6 route %s Null0\n" % REMOTES)
        for m in mesh.numbers:
            mesh["a%d" % m].configure("staticd", "ipv6 route %s %s\n" % (
                REMOTES, core_address(m, "p")))
    lines = ["router bgp %d" % ASN, "neighbor %s remote-as %d" % (address, ASN),
             "neighbor %s passive" % address, "neighbor %s advertisement-interval 0" % address,
             "neighbor %s capability extended-nexthop" % address]
    for family in mesh.families:
        lines += ["address-family ipv%d unicast" % family, "neighbor %s activate" % address,
                  "exit-address-family"]
    mesh["p"].configure("bgpd", "\n".join(lines) + "\n")
    # Only now: bgpd takes no address of its own system for a neighbor's.
    netns.ip_batch("p", ["address replace %s/128 dev lo nodad" % address])
    one = bgpspeaker.Speaker("p", address, RR, ASN, "10.255.0.%d" % n)
    one.start()

    def stays():
        """bgpd 8.4.4 may end a session that has just come up, if next-hop tracking tells it in
        the same moment that there was no way to the neighbor a moment ago."""
        if one.closed:
            one.start()
        shown = mesh["p"].json("bgpd", "show bgp summary")
        states = [family["peers"][address]["state"] for family in shown.values()
                  if address in family.get("peers", {})]
        assert states and set(states) == {"Established"} and not one.closed, states
        return True
    wait.until(stays, "the speaker's session is up", LIMIT)
    try:
        yield one
    finally:
        one.stop()
        mesh["p"].configure("bgpd", "router bgp %d\nno neighbor %s\n" % (ASN, address))
        netns.ip_batch("p", ["address del %s/128 dev lo" % address])


def speaker_routes_gone(mesh, prefixes, limit=LIMIT):
    """Until no AFBR's bgpd has these routes any more."""
    for m in mesh.numbers:
        for prefix in prefixes:
            family = "ipv6" if ":" in prefix else "ipv4"
            wait.until(lambda: prefix not in mesh["a%d" % m].json(
                "bgpd", "show bgp %s unicast" % family)["routes"],
                "a%d has forgotten %s" % (m, prefix), limit)
