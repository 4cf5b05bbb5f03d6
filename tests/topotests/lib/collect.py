# SPDX-License-Identifier: GPL-2.0-or-later
"""What is kept of a test that failed: logs, daemon state, kernel state, captures."""
import glob
import json
import os
import re
import shutil

from . import netns, paths, topology

SHOWS = {
    "zebra": ("show ip route", "show ipv6 route", "show ipv6 nht", "show interface brief"),
    "bgpd": ("show running-config", "show bgp summary", "show bgp ipv4 unicast",
             "show bgp ipv6 unicast", "show bgp nexthop detail", "show bgp softwire json"),
    "swmeshd": ("show running-config", "show softwire", "show softwire detail json",
                "show softwire afbr json", "show softwire encap-set json"),
}
EXCERPT = 12  # lines
KERNEL = ("-d -s link show", "address show", "route show table all", "-6 route show table all",
          "-s xfrm state", "xfrm policy", "neighbour show")


def folder_for(test):
    return os.path.join(paths.RESULTS, re.sub(r"[^\w.-]+", "_", test).strip("_"))


def collect(test):
    """Write all into a folder named after the test; returns its path."""
    target = folder_for(test)
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(target)
    for topo in list(topology.ACTIVE):
        for node in topo.nodes:
            _write(os.path.join(target, node + ".kernel"), _kernel(node))
        for router in topo.routers.values():
            _write(os.path.join(target, router.name + ".show"), _shows(router))
            _copy(router.dir, os.path.join(target, router.name))
        if topo.capture:
            topo.capture.mark()
            _copy(topo.folder(), os.path.join(target, "pcap"))
    return target


def _write(path, parts):
    with open(path, "w") as file:
        for title, text in parts:
            file.write("=== %s\n%s\n" % (title, text))


def _copy(source, target):
    if os.path.isdir(source):
        # No ownership or times: the folder may be shared with a host of other users.
        shutil.copytree(source, target, copy_function=shutil.copyfile)


def _kernel(node):
    for words in KERNEL:
        yield "ip " + words, netns.run(node, ["ip", *words.split()], check=False)
    yield "nft", netns.run(node, ["nft", "-nn", "list", "ruleset"], check=False)


def excerpt(target):
    """Of what collect() has written: what AFBRs show of their softwires, and say last in their
    logs. For a report that may be all there is of a machine that is gone."""
    text = []
    for path in sorted(glob.glob(os.path.join(target, "*.show"))):
        with open(path, errors="replace") as file:
            found = re.search(r"^=== swmeshd: show softwire\n(.*?)(?=^=== |\Z)", file.read(),
                              re.M | re.S)
        if found:
            text += [os.path.basename(path)] + found.group(1).splitlines()[:EXCERPT]
            text += _last_warnings(os.path.join(path.removesuffix(".show"), "swmeshd.log"))
    return "\n".join(text)


def _last_warnings(log):
    if not os.path.exists(log):
        return []
    with open(log, errors="replace") as file:
        return [line.rstrip()[:200] for line in file if "[EC " in line][-EXCERPT:]


def _shows(router):
    if router.charon and router.charon.alive() and not router.charon.answers_at_all():
        yield "charon does not answer; its threads", router.charon.backtraces()
    elif router.charon and router.charon.alive():
        for title, ask in (("SAs", router.charon.sas), ("connections", router.charon.conns)):
            yield "charon: " + title, json.dumps(ask(), indent=1)
    for name, daemon in router.daemons.items():
        if not daemon.alive():
            yield name, "not running; it said:\n" + daemon.output()
            continue
        for line in SHOWS.get(name, ()):
            try:
                daemon.vty.fresh()
                yield "%s: %s" % (name, line), daemon.vty.execute(line)[1]
            except TimeoutError as err:
                yield "%s: %s" % (name, line), "%s\n%s" % (err, daemon.backtraces())
                break
            except OSError as err:
                yield "%s: %s" % (name, line), str(err)
