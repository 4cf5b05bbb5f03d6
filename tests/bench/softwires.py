# SPDX-License-Identifier: GPL-2.0-or-later
"""How long from the last UPDATE until many softwires are up.

The yardstick is `ip -batch`, which makes the same devices, with the same
settings, and the same routes, read from the kernel after our own turn, in a
namespace of the same kind. Both are timed by what the kernel tells: a softwire
is up when its SW-NHOP has its host route, which takes a device that is up.
"""
import socket
import subprocess
import time

import edge
import routes
import routewatch
import usage
from lib import kernel, netns, paths, wait

FEW = 10
SW_NHOP = (socket.AF_INET6, int(kernel.SWMESH_PROTO))
BGP = (socket.AF_INET, 186)  # rtnetlink's number for zebra's BGP routes


def ours(count):
    """(seconds to the softwires, to the BGP routes, what the kernel has then, {daemon: (ms, name)
    of the longest call of its event loop, until all are withdrawn again})."""
    nexthops = edge.endpoints(count)
    messages = b"".join(routes.updates(count, nexthops, per_update=1))
    with edge.Edge("SOFTWIRE-IN", module=True, softwires=True) as under:
        under.wait_mesh_known()
        watch = routewatch.RouteWatch(edge.ROUTER, (SW_NHOP[1], BGP[1]))
        sent = under.speaker.send_bulk(messages)
        done = watch.wait({SW_NHOP: count, BGP: count})
        watch.close()
        under.speaker.assert_up()
        state = State(count)
        under.speaker.stop()
        wait.until(lambda: not kernel.tunnels(edge.ROUTER), "their devices go", 120, 1)
        longest = {daemon: usage.longest_call_ms(under.router, daemon)
                   for daemon in ("swmeshd", "bgpd")}
        return done[SW_NHOP] - sent, done[BGP] - sent, state, longest


class State:
    """Devices and routes in the router's namespace."""

    def __init__(self, count):
        self.tunnels = kernel.tunnels(edge.ROUTER)
        self.addresses = {link["ifname"]: [a["local"] for a in link["addr_info"]]
                          for link in kernel.ip(edge.ROUTER, "address", "show")}
        self.sw_nhops = {r["dst"]: r["dev"] for r in kernel.swmesh_routes(edge.ROUTER)
                         if r.get("type", "unicast") == "unicast" and "dev" in r}
        self.bgp = {r["dst"]: (r["via"]["host"], r["dev"])
                    for r in kernel.routes(edge.ROUTER) if r.get("protocol") == "bgp"}
        have = (len(self.tunnels), len(self.sw_nhops), len(self.bgp))
        assert have == (count,) * 3, "devices, SW-NHOPs and BGP routes: %s" % (have,)

    def settings(self):
        return {name: (t.kind, t.local, t.remote, t.ikey, t.okey, t.ttl, t.mtu, t.encaplimit,
                       t.up, t.alias, self.addresses[name]) for name, t in self.tunnels.items()}

    def batch(self):
        """The ip(8) commands that make the same."""
        lines = []
        for name, t in self.tunnels.items():
            keys = "".join(" %s %d" % (word, key) for word, key in
                           (("ikey", t.ikey), ("okey", t.okey)) if key is not None)
            lines.append("link add %s mtu %d type %s local %s remote %s hoplimit %d "
                         "encaplimit none%s" % (name, t.mtu, t.kind, t.local, t.remote, t.ttl,
                                                keys))
            # Two commands, or the kernel gives it a link-local address first.
            lines.append("link set %s alias %s addrgenmode none" % (name, t.alias))
            lines.append("link set %s up" % name)
        lines += ["route add %s/128 dev %s proto %s" % (address, device, kernel.SWMESH_PROTO)
                  for address, device in self.sw_nhops.items()]
        lines += ["route add %s via inet6 %s dev %s proto bgp onlink" % (prefix, via, device)
                  for prefix, (via, device) in self.bgp.items()]
        return lines


def batch(state, count):
    """The same two times for ip -batch, in the router's namespace as it is now."""
    data = "\n".join(state.batch()) + "\n"
    watch = routewatch.RouteWatch(edge.ROUTER, (SW_NHOP[1], BGP[1]))
    began = time.monotonic()
    process = subprocess.Popen(["ip", "-n", edge.ROUTER, "-batch", "-"], stdin=subprocess.PIPE,
                               text=True, env=paths.ENV)
    process.stdin.write(data)
    process.stdin.close()
    done = watch.wait({SW_NHOP: count, BGP: count})
    assert process.wait() == 0, "ip -batch failed"
    watch.close()
    made = State(count)
    assert made.settings() == state.settings(), "ip -batch made other devices"
    return done[SW_NHOP] - began, done[BGP] - began


def alone(state, count):
    """ip -batch where nobody else looks."""
    topology = edge.wires()
    topology.wire()
    try:
        return batch(state, count)
    finally:
        topology.down()


def watched(state, count):
    """ip -batch where zebra and bgpd run, as on every router, and are told of it all."""
    with edge.Edge():
        return batch(state, count)


def run(count, repeat, tell):
    """In turn: {"ours": [(softwires, routes), ...], "alone": ..., "watched": ...}, seconds, and
    "longest": [(ms of swmeshd, of bgpd), ...]."""
    alone(ours(FEW)[2], FEW)  # the kernel loads its modules, files come from the disk
    found = {"ours": [], "alone": [], "watched": [], "longest": []}
    for turn in range(repeat):
        softwires, bgp, state, longest = ours(count)
        found["ours"].append((softwires, bgp))
        found["longest"].append(tuple(longest[daemon][0] for daemon in ("swmeshd", "bgpd")))
        found["alone"].append(alone(state, count))
        found["watched"].append(watched(state, count))
        tell("%d softwires, turn %d: %.2f s, ip -batch alone %.2f s, beside zebra and bgpd "
             "%.2f s" % (count, turn + 1, softwires, found["alone"][-1][0],
                         found["watched"][-1][0]))
        tell("the longest call: " + ", ".join(
            "%s %.1f ms in %s" % (daemon, *longest[daemon]) for daemon in longest))
    return found
