# SPDX-License-Identifier: GPL-2.0-or-later
"""How long from the last UPDATE until many protected softwires are up, and what they cost.

The yardstick is swanctl: the same connections loaded and initiated by it alone, with the same
proposals, towards the same responder, from a namespace of the same kind. The clock stops
with the last pair of SAs in the kernel; for our own turn with the last SW-NHOP's host route,
which takes a device and the SAs.
"""
import os
import socket
import subprocess
import time

import edge
import routes
import routewatch
import usage
from lib import kernel, paths
from lib.router import Router
from xfrmwatch import XfrmWatch

FEW = 4
SW_NHOP = (socket.AF_INET6, int(kernel.SWMESH_PROTO))

CONN = """\
  peer-%(number)d {
    version = 2
    local_addrs = %(local)s
    remote_addrs = %(peer)s
    proposals = %(ike)s
    mobike = no
    unique = replace
    keyingtries = 1
    local-1 {
      auth = psk
      id = %(local)s
    }
    remote-1 {
      auth = psk
      id = %(peer)s
    }
    children {
      gre {
        mode = transport
        local_ts = %(local)s/128[47]
        remote_ts = %(peer)s/128[47]
        esp_proposals = %(esp)s
        start_action = start
      }
    }
  }
"""


def ours(count, protected=True):
    """(seconds, KiB that swmeshd has grown by)."""
    nexthops = edge.endpoints(count)
    messages = b"".join(routes.updates(count, nexthops, per_update=1))
    with edge.Edge("SOFTWIRE-IN", module=True, softwires=True, protected=protected) as under:
        under.wait_mesh_known()
        before = usage.resident_kib(under.pid("swmeshd"))
        watch = routewatch.RouteWatch(edge.ROUTER, (SW_NHOP[1],))
        sent = under.speaker.send_bulk(messages)
        done = watch.wait({SW_NHOP: count})
        watch.close()
        under.speaker.assert_up()
        if protected:
            children = under.router.charon.children()
            assert len(children) == count, "%d softwires and %d CHILD_SAs" % (
                count, len(children))
        usage.wait_quiet([under.pid("swmeshd")])
        return done[SW_NHOP] - sent, usage.resident_kib(under.pid("swmeshd")) - before


def swanctl_conf(folder, peers):
    conns = "".join(CONN % {"number": number, "local": edge.LOOPBACK, "peer": peer,
                            "ike": edge.IKE_PROPOSAL, "esp": edge.ESP_PROPOSAL}
                    for number, peer in enumerate(peers))
    path = os.path.join(folder, "swanctl.conf")
    with open(path, "w") as file:
        file.write("connections {\n%s}\nsecrets {\n  ike-mesh {\n    secret = \"%s\"\n  }\n}\n" % (
            conns, edge.PSK.decode()))
    return path


def swanctl(count):
    """Seconds that the same takes with swanctl."""
    near, far = Router(edge.ROUTER, {}, charon={}), edge.far_end()
    topology = edge.wires([near, far])
    try:
        topology.up()
        edge.load_far_end(far.charon)
        path = swanctl_conf(near.dir, edge.endpoints(count))
        watch = XfrmWatch(edge.ROUTER)
        began = time.monotonic()
        subprocess.run(["swanctl", "--load-all", "--noprompt", "--file", path, "--uri",
                        "unix://" + near.charon.socket], check=True, env=paths.ENV,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        done = watch.wait(2 * count)
        watch.close()
        return done - began
    finally:
        for one in (near, far):
            one.charon.kill()
        topology.down()


def run(count, repeat, tell):
    """In turn: {"ours": [seconds], "swanctl": [seconds], "protected": [KiB each],
    "plain": [KiB each]}."""
    ours(FEW), swanctl(FEW)  # modules and files are in memory then
    found = {"ours": [], "swanctl": [], "protected": [], "plain": []}
    for turn in range(repeat):
        seconds, grown = ours(count)
        found["ours"].append(seconds)
        found["protected"].append(grown / count)
        found["swanctl"].append(swanctl(count))
        found["plain"].append(ours(count, protected=False)[1] / count)
        tell("%d protected softwires, turn %d: %.2f s, swanctl %.2f s; %.1f KiB each" % (
            count, turn + 1, seconds, found["swanctl"][-1], found["protected"][-1]))
    return found
