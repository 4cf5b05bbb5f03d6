# SPDX-License-Identifier: GPL-2.0-or-later
"""What many routes cost swmeshd: messages, octets, requests to the kernel, CPU time.

Few and many routes over the same next hops, each watched for the same time (the
two sides say hello every five seconds), softwires coming up included. bgpd runs
with -n: what zebra does with the routes is not the question here.
"""
import time

import edge
import routes
import usage
from lib import kernel, wait

NEXTHOPS = 10
# What is said of each reading: title, key, form, unit.
COLUMNS = (("CPU", "cpu", "%.3f", "s"), ("messages both ways", "items", "%.0f", ""),
           ("octets of them", "bytes", "%.0f", ""),
           ("requests to the kernel", "netlink", "%.0f", ""))
MARGIN = 5.0  # seconds that a window lasts once the many routes are in


def reading(under):
    used = usage.cpu_seconds(under.pid("swmeshd"))  # before we ask it anything
    show = under.router.json("swmeshd", "show softwire detail")
    talk, netlink = show["bgp"], show["netlink"]
    return {"frames": talk["framesIn"] + talk["framesOut"],
            "items": talk["itemsIn"] + talk["itemsOut"],
            "bytes": talk["bytesIn"] + talk["bytesOut"],
            "netlink": netlink["requests"],
            "cpu": used}


def measure(count, nexthops, window):
    """Load count routes. Returns (use, seconds watched); window None: choose it."""
    messages = b"".join(routes.updates(count, nexthops))
    with edge.Edge("SOFTWIRE-IN", module=True, softwires=True, bgpd_options=["-n"]) as under:
        under.wait_mesh_known()
        before, began = reading(under), time.monotonic()
        under.speaker.send_bulk(messages)
        under.wait_accepted(count, 600)
        wait.until(lambda: len(kernel.swmesh_routes(edge.ROUTER)) > len(nexthops),
                   "%d softwires are up" % len(nexthops))
        if window is None:
            window = time.monotonic() - began + MARGIN
        # No condition to poll for: asking would cost what is measured.
        time.sleep(max(0, began + window - time.monotonic()))
        after = reading(under)
        assert counted(under) == count, "swmeshd was told of %d routes, not %d" % (
            counted(under), count)
        return {key: after[key] - before[key] for key in after}, window


def counted(under):
    """Routes that swmeshd has been told of."""
    return sum(nhop["routesIpv4"] for nhop in
               under.router.json("swmeshd", "show softwire detail")["swNhops"])


def run(few, many, nexthop_count, repeat, tell):
    """{few: [use, ...], many: [use, ...]}, interleaved."""
    nexthops, found, window = edge.endpoints(nexthop_count), {few: [], many: []}, None
    for turn in range(repeat):
        for count in (many, few):
            use, window = measure(count, nexthops, window)
            found[count].append(use)
            tell("swmeshd, %d routes, turn %d: %s in %.1f s" % (
                count, turn + 1, ", ".join("%s %.4g" % item for item in use.items()), window))
    return found
