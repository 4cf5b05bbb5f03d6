# SPDX-License-Identifier: GPL-2.0-or-later
"""bgpd's CPU time and peak memory for many routes, with and without the module.

Both sides get the same UPDATEs over the same session and end with every route
in the kernel. Stock bgpd accepts an attribute of one TLV on iBGP. Two pairs:

 - the module is loaded, no policy: what everybody pays;
 - SOFTWIRE-IN gives each route its SW-NHOP, against a stock route-map that sets
   a next hop (one for all, so it has a little less to do).
"""
import edge
import routes
import usage

NEXTHOPS = 10
STOCK_NHOP = "fd53:574d:4553:ffff::1"
STOCK_POLICY = "route-map STOCK permit 10\n set ipv6 next-hop global %s\nexit\n" % STOCK_NHOP

SIDES = {
    "stock": {},
    "module": {"module": True},
    "stock, set next hop": {"policy": "STOCK", "extra": STOCK_POLICY},
    "module, SOFTWIRE-IN": {"policy": "SOFTWIRE-IN", "module": True, "softwires": True},
}
PAIRS = [("module", "stock", "module loaded"),
         ("module, SOFTWIRE-IN", "stock, set next hop", "SOFTWIRE-IN / route-map")]


def measure(options, messages, count):
    """One life of a bgpd: (CPU seconds of the load, peak KiB)."""
    nexthops = edge.endpoints(NEXTHOPS)
    with edge.Edge(**options) as under:
        if options.get("softwires"):
            under.wait_mesh_known()
        under.prime(nexthops)
        pid = under.pid("bgpd")
        usage.wait_quiet([pid], 0.5)
        before = usage.cpu_seconds(pid)
        under.speaker.send_bulk(messages)
        under.wait_installed(count + NEXTHOPS, 600)  # asks zebra, not bgpd
        usage.wait_quiet([pid])
        used, peak = usage.cpu_seconds(pid) - before, usage.peak_kib(pid)
        under.wait_accepted(count + NEXTHOPS)
        return used, peak


def run(count, per_update, repeat, tell):
    """{side: [(CPU seconds, peak KiB), ...]}, in turn, so that a slow minute hits all."""
    messages = b"".join(routes.updates(count, edge.endpoints(NEXTHOPS), per_update))
    found = {name: [] for name in SIDES}
    for turn in range(repeat):
        for name, options in SIDES.items():
            used, peak = measure(options, messages, count)
            found[name].append((used, peak))
            tell("bgpd, %s, turn %d: %.3f s, %.1f MiB" % (name, turn + 1, used, peak / 1024))
    return found
