# SPDX-License-Identifier: GPL-2.0-or-later
"""Daemons die and come back: traffic goes on, and nothing is left over (design decision 7)."""
import contextlib
import itertools
import json
import os
import signal
import subprocess
import threading

import pytest

from lib import kernel, netns, paths, softwires, traffic, wait
from lib.mesh import host, island, loopback

SETS = {"EDGE": ["tunnel 10 gre key 100", "tunnel 20 ip-in-ip", "payload ipv4"]}
MESH = {"name": "restart", "sets": {1: SETS, 2: SETS, 3: SETS}}
GRACE = 20  # seconds, in place of the default, for tests that wait it out
RATE = 200  # packets per second


@pytest.fixture(scope="module")
def settled(mesh):
    """The mesh once all islands reach each other by all four softwires of each AFBR."""
    softwires.wait_talk(mesh)
    for n in mesh.numbers:
        wait_settled(mesh, n)
    return mesh


def softwire_states(router):
    return [sw["state"] for sw in router.json("swmeshd", "show softwire json")["softwires"]]


def wait_settled(mesh, n):
    """All softwires of aN are up, every SW-NHOP is served, nothing is left over."""
    router = mesh["a%d" % n]
    count = 2 * (len(mesh.numbers) - 1)

    def so():
        shown = router.json("swmeshd", "show softwire json")
        assert shown["status"] == "ready" and shown["bgpConversation"] == "synced", shown
        assert [sw["state"] for sw in shown["softwires"]] == ["up"] * count, shown
        assert shown["swNhops"] and all(d["up"] for d in shown["swNhops"]), shown
        assert (shown["leftoverDevices"], shown["leftoverRoutes"]) == (0, 0), shown
        return softwires.consistent("a%d" % n)

    wait.until(so, "a%d is settled" % n, softwires.LIMIT)


def softwire_to(router, endpoint, kind):
    """The one that `show softwire` has to this AFBR."""
    return [sw for sw in router.json("swmeshd", "show softwire json")["softwires"]
            if (sw["endpoint"], sw["type"]) == (endpoint, kind)][0]


def link_flags(node, name):
    """What was set on any device: its flags and alias."""
    shown = json.loads(netns.run(node, ["ip", "-j", "link", "show", name]))[0]
    return shown["flags"], shown.get("ifalias")


def identities(node):
    """What an adopted device keeps: its index, and all that was set on it."""
    return {t.name: (t.ifindex, t.kind, t.local, t.remote, t.ikey, t.okey, t.mtu, t.alias)
            for t in kernel.tunnels(node).values()}


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_swmeshd_restarts_under_traffic(settled, how):
    """SIGKILL or SIGTERM of swmeshd, then a new one: not one packet lost, all devices adopted."""
    daemon = settled["a1"]["swmeshd"]
    before, routes = identities("a1"), softwires.host_routes("a1")
    flows = [settled.flow("h1", host(2), "h2", rate=RATE), settled.flow("h3", host(1), "h1", rate=RATE)]
    for flow in flows:
        softwires.wait_flowing(flow, RATE)
    getattr(daemon, how)()
    assert identities("a1") == before and softwires.host_routes("a1") == routes
    for flow in flows:
        softwires.wait_flowing(flow, RATE)
    daemon.start()
    wait_settled(settled, 1)
    for flow in flows:
        softwires.wait_flowing(flow, RATE)
    results = [flow.stop() for flow in flows]
    assert [r.lost for r in results] == [[], []], "; ".join(map(str, results))
    assert all(r.sent >= 3 * RATE for r in results)
    assert identities("a1") == before and softwires.host_routes("a1") == routes


CROWD, GROUP = 150, 77  # pairs of devices that are nobody's softwires
PAUSE = 0.02  # seconds between two changes; without one, zebra's main loop never ends


@contextlib.contextmanager
def busy_with_devices(node):
    """Devices of others: many that are there, and two that come and go all the time."""
    netns.ip_batch(node, ["link add crowd%d group %d type veth peer name other%d" % (i, GROUP, i)
                          for i in range(CROWD)])
    over = threading.Event()
    with subprocess.Popen(["ip", "-n", node, "-force", "-batch", "-"], stdin=subprocess.PIPE,
                          text=True, env=paths.ENV) as process:
        def blink():
            for line in itertools.cycle(["link add blink0 group %d type veth peer name blink1" % GROUP,
                                         "link del blink0"]):
                if over.wait(PAUSE):
                    return
                print(line, file=process.stdin, flush=True)

        thread = threading.Thread(target=blink)
        thread.start()
        try:
            yield process
        finally:
            over.set()
            thread.join()
            process.kill()
    netns.run(node, ["ip", "link", "del", "group", str(GROUP)])


def received(router):
    """Packets, by all softwires, as shown."""
    shown = router.json("swmeshd", "show softwire json")
    return sum(sw["rxPackets"] for sw in shown["softwires"])


def test_devices_of_others_come_and_go(settled):
    """A list of devices that changes while it is read, as on any system with containers, is read
    to its end: counters go on, and a new run adopts its devices."""
    router, before = settled["a1"], identities("a1")
    with busy_with_devices("a1") as others:
        for _ in range(20):
            router.show("swmeshd", "show softwire json")
        router["swmeshd"].restart()
        wait_settled(settled, 1)
        assert identities("a1") == before
        count = received(router)
        assert traffic.ping("h2", host(1), 3)
        wait.until(lambda: received(router) > count, "the counters move")
        assert others.poll() is None, "the others have come to rest too early"
    with open(router.file("swmeshd.log")) as file:
        assert "reading devices: " not in file.read()


def drops(pid):
    """How many messages the kernel could not deliver to the netlink sockets of a process."""
    folder = "/proc/%d/fd" % pid
    links = [os.readlink(os.path.join(folder, fd)) for fd in os.listdir(folder)]
    with open("/proc/%d/net/netlink" % pid) as file:
        rows = [dict(zip(head, line.split())) for head in [next(file).split()] for line in file]
    return sum(int(row["Drops"]) for row in rows if "socket:[%s]" % row["Inode"] in links)


def test_notifications_lost(settled):
    """swmeshd does not run while so much changes that the kernel loses notifications for it
    (ENOBUFS), the removal of a device of ours among them: it reads all anew."""
    router = settled["a1"]
    process = router["swmeshd"].process
    before = drops(process.pid)
    name = softwires.sends_by("a1", island(2)).name
    netns.ip_batch("a1", ["link add much%d group %d type dummy" % (i, GROUP) for i in range(CROWD)])
    process.send_signal(signal.SIGSTOP)
    try:
        def lost():
            netns.ip_batch("a1", ["link set group %d mtu %d" % (GROUP, mtu)
                                  for mtu in range(1400, 1410)])
            return drops(process.pid) > before

        wait.until(lost, "the kernel loses notifications")
        netns.ip_batch("a1", ["link del " + name])
    finally:
        netns.ip_batch("a1", ["link del group %d" % GROUP])
        process.send_signal(signal.SIGCONT)

    def said():
        with open(router.file("swmeshd.log")) as file:
            return "notifications were lost" in file.read()

    wait.until(said, "swmeshd says so")
    # zebra, too, has thousands of them to read, and loses none.
    softwires.wait_sends("a1", island(2), loopback(2), "ip6gre", 100, limit=200)
    wait_settled(settled, 1)


def test_change_while_away_is_corrected(settled):
    """What differs after a restart is set right in place, what is right is not touched; what
    nobody asks for goes after the grace time, and not before."""
    router = settled["a1"]
    daemon, config = router["swmeshd"], router.configs["swmeshd"]
    gre = {t.name: t.ifindex for t in kernel.tunnels("a1").values() if t.kind == "ip6gre"}
    flow = settled.flow("h1", host(2), "h2", rate=RATE)
    softwires.wait_flowing(flow, RATE)
    daemon.kill()
    name = softwires.sends_by("a1", island(3)).name
    netns.ip_batch("a1", [
        "link set %s mtu 1300" % name,
        "link add sw77 type ip6gre local %s remote %s encaplimit none" % (
            loopback(1), loopback(77)),
        "link set sw77 alias swmesh:%s:gre" % loopback(77), "link set sw77 up"])
    router.configs["swmeshd"] = config.replace("  tunnel 20 ip-in-ip\n", "")
    router.write_config("swmeshd")
    daemon.options += ["--grace", str(GRACE)]
    try:
        daemon.start()
        wait.until(lambda: kernel.tunnels("a1")[name].mtu == 1500 - 48, "the MTU is set right")
        shown = router.json("swmeshd", "show softwire json")
        assert shown["leftoverDevices"] == 3, "kept for the grace time: %r" % shown
        assert [t.kind for t in kernel.tunnels("a1").values()].count("ip6tnl") == 2
        wait.until(lambda: {t.name: t.ifindex for t in kernel.tunnels("a1").values()} == gre,
                   "what nobody asks for is gone", GRACE + 60)
        softwires.wait_flowing(flow, RATE)
        result = flow.stop()
        assert result.lost == [], str(result)
    finally:
        router.configs["swmeshd"] = config
        router.write_config("swmeshd")
        daemon.options = daemon.options[:-2]
        daemon.restart()
    wait_settled(settled, 1)


def test_removed_by_hand_comes_back(settled):
    """A device or a route that someone removes, and a device set down, come back."""
    name = softwires.sends_by("a1", island(3)).name
    nhop = softwires.next_hop("a1", island(3))
    index = kernel.tunnels("a1")[name].ifindex
    netns.ip_batch("a1", ["route del %s/128 proto 201" % nhop])
    wait.until(lambda: softwires.host_routes("a1").get(nhop) == name, "the route is back")
    softwires.wait_talk(settled, [(1, 3), (3, 1)])
    netns.ip_batch("a1", ["link set %s down" % name])
    wait_settled(settled, 1)
    softwires.wait_talk(settled, [(1, 3), (3, 1)])
    netns.ip_batch("a1", ["link del %s" % name])
    wait.until(lambda: index not in [t.ifindex for t in kernel.tunnels("a1").values()],
               "the device is gone")
    wait_settled(settled, 1)
    softwires.wait_talk(settled, [(1, 3), (3, 1)])


def test_ipv6_switched_off(settled):
    """Where IPv6 is off on new devices, and even on all that there are, softwires hold their routes
    all the same: on our devices it is switched on."""
    name = softwires.sends_by("a1", island(3)).name
    with netns.inside("a1"):
        netns.write_sysctl("net/ipv6/conf/default/disable_ipv6", 1)
    try:
        netns.ip_batch("a1", ["link del " + name])
        wait_settled(settled, 1)
        softwires.wait_talk(settled, [(1, 3), (3, 1)])
        with netns.inside("a1"):
            netns.write_sysctl("net/ipv6/conf/%s/disable_ipv6" % softwires.sends_by(
                "a1", island(3)).name, 1)
        softwires.wait_talk(settled, [(1, 3), (3, 1)])
        wait_settled(settled, 1)
    finally:
        with netns.inside("a1"):
            netns.write_sysctl("net/ipv6/conf/default/disable_ipv6", 0)


def test_flushed_again_and_again(settled):
    """Routes are removed while swmeshd is putting them back, which it learns by another socket
    than that its own request was carried out: in the end all of them are there, the prefix's
    unreachable one too (B3)."""
    for _ in range(15):
        netns.run("a1", ["ip", "-6", "route", "flush", "proto", kernel.SWMESH_PROTO], check=False)
    wait.until(lambda: softwires.guarded("a1"), "the SW-NHOP prefix is unreachable")
    wait_settled(settled, 1)
    softwires.wait_talk(settled, [(1, 2), (2, 1), (1, 3), (3, 1)])
    assert softwires.guarded("a1")


@contextlib.contextmanager
def sysctls_read_only(daemon):
    """As in most containers: the daemon cannot write below /proc/sys."""
    def inside(*command):
        subprocess.run(["nsenter", "--target", str(daemon.process.pid), "--mount", *command],
                       check=True, env=paths.ENV)

    inside("mount", "--bind", "/proc/sys", "/proc/sys")
    inside("mount", "-o", "remount,bind,ro", "/proc/sys")
    try:
        yield
    finally:
        inside("umount", "/proc/sys")


def test_route_refused(settled):
    """The kernel takes no route by a device on which IPv6 is off, and swmeshd cannot switch it on:
    the softwire is not up, and says why; what can be sent by the next one is. It comes back by
    itself."""
    router = settled["a1"]
    name = softwires.sends_by("a1", island(3)).name

    def refused():
        one = softwire_to(router, loopback(3), "gre")
        assert one["state"] != "up", one
        assert "the kernel did not let the route" in one["reason"], one
        return one

    with netns.inside("a1"):
        netns.write_sysctl("net/ipv6/conf/default/disable_ipv6", 1)
    try:
        with sysctls_read_only(router["swmeshd"]):
            netns.ip_batch("a1", ["link del " + name])
            wait.until(refused, "the GRE softwire says that its route is refused")
            softwires.wait_sends("a1", island(3), loopback(3), "ip6tnl")
            softwires.wait_talk(settled, [(1, 3), (3, 1)])
    finally:
        with netns.inside("a1"):
            netns.write_sysctl("net/ipv6/conf/default/disable_ipv6", 0)
    softwires.wait_sends("a1", island(3), loopback(3), "ip6gre", 100)
    wait_settled(settled, 1)


def test_half_made_device(settled):
    """swmeshd ended when it had made a device and not yet written its alias: the next run knows it
    by its group, and makes the rest of it."""
    router = settled["a1"]
    name = softwires.sends_by("a1", island(2)).name
    router["swmeshd"].kill()
    netns.ip_batch("a1", [
        "link del " + name,
        "link add half group %d type ip6gre local %s remote %s key 100" % (
            kernel.OUR_GROUP, loopback(1), loopback(2))])
    ifindex = kernel.tunnels("a1")["half"].ifindex
    router["swmeshd"].start()
    softwires.wait_sends("a1", island(2), loopback(2), "ip6gre", 100)
    half = softwires.sends_by("a1", island(2))
    assert (half.name, half.ifindex) == ("half", ifindex) and half.alias.startswith("swmesh:"), half
    netns.ip_batch("a1", ["link del half"])
    wait_settled(settled, 1)


@pytest.mark.parametrize("killed", [["bgpd"], ["zebra", "bgpd", "staticd"]])
def test_neighbours_restart(settled, killed):
    """bgpd killed and started again, or zebra and with it those that watchfrr restarts then, as
    8.4.4's bgpd does not register with a new zebra: all converges, devices stay, no leftovers."""
    before = identities("a1")
    for daemon in killed:
        settled["a1"][daemon].kill()
    for daemon in killed:
        settled["a1"][daemon].start()
    softwires.wait_talk(settled)
    for n in settled.numbers:
        wait_settled(settled, n)
    assert identities("a1") == before


def test_no_softwire_mesh_leaves_nothing(settled):
    """"no softwire mesh" removes devices, routes and the prefix's guard; configured again, the
    mesh comes back."""
    router = settled["a1"]
    config = router.configs["swmeshd"]
    assert softwires.guarded("a1")
    router.configure("swmeshd", "no softwire mesh\n")
    wait.until(lambda: kernel.leftovers("a1") == [], "a1 has no device and no route left")
    shown = router.json("swmeshd", "show softwire json")
    assert shown["status"] == "disabled" and shown["softwires"] == []
    wait.until(lambda: kernel.tunnels_to("a2", loopback(1)) == [], "a2 has no device to a1",
               softwires.LIMIT)
    router.configure("swmeshd", config)
    softwires.wait_talk(settled)
    wait_settled(settled, 1)


def test_foreign_device_in_the_way(settled):
    """A device of someone else has the endpoints and key of a softwire: the softwire says so,
    sending falls back to the next tunnel (B3), and the device is left alone. Once it is gone the
    softwire comes up by itself."""
    router = settled["a1"]
    config = router.configs["swmeshd"]
    router.configure("swmeshd", "no softwire mesh\n")
    wait.until(lambda: kernel.leftovers("a1") == [], "a1 has no device and no route left")
    netns.ip_batch("a1", [
        "link add sw1 type dummy",  # the name that would be chosen first
        "link add foreign type ip6gre local %s remote %s key 100" % (loopback(1), loopback(2))])
    theirs, dummy = identities("a1")["foreign"], link_flags("a1", "sw1")
    router.configure("swmeshd", config)
    softwires.wait_sends("a1", island(2), loopback(2), "ip6tnl")
    # One way: what a2 sends by GRE belongs to that other device now.
    flow = settled.flow("h1", host(2), "h2", rate=RATE)
    softwires.wait_flowing(flow, RATE)

    def failing():
        one = softwire_to(router, loopback(2), "gre")
        assert one["state"] == "failing", one
        return one

    one = wait.until(failing, "the GRE softwire is failing")
    assert "another device" in one["reason"] and "same endpoints and key" in one["reason"], one
    assert identities("a1")["foreign"] == theirs
    assert link_flags("a1", "sw1") == dummy  # not set up, no alias
    netns.ip_batch("a1", ["link del foreign", "link del sw1"])
    softwires.wait_sends("a1", island(2), loopback(2), "ip6gre", 100)
    softwires.wait_flowing(flow, RATE)
    flow.stop()
    wait_settled(settled, 1)
    softwires.wait_talk(settled)
