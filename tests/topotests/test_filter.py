# SPDX-License-Identifier: GPL-2.0-or-later
"""What is dropped at the end of a softwire (S8): encapsulated packets from unknown sources and
of unannounced protocols, inner sources that are not behind the softwire; and that the table in
the kernel is swmeshd's alone, stays there, and is put back.

p forges: it sits between all AFBRs. What arrives is what h2 hears.
"""
import contextlib
import ipaddress
import itertools
import os
import resource

import pytest

from lib import inject, kernel, netns, nft, softwires, traffic, wait
from lib.mesh import SW_NHOP_PREFIX, gateway, host, loopback
from lib.routewatch import watching

SETS = {"EDGE": ["tunnel 10 gre", "tunnel 20 ip-in-ip", "payload ipv4", "payload ipv6"]}
MESH = {"name": "filter", "families": (4, 6), "sets": {n: SETS for n in (1, 2, 3)}}

STRANGER = "2001:db8:c::77"  # no AFBR has it
NOWHERE = "192.0.2.1"  # no AFBR has a route to it
PORT = 4711
LISTENING = {4: host(2), 6: host(2, 6)}
OTHER = "add table inet other; add chain inet other input { type filter hook input priority 0; };" \
    " add rule inet other input tcp dport 4 counter drop"

_serial = itertools.count()


@pytest.fixture(scope="module")
def settled(mesh):
    softwires.wait_talk(mesh)
    softwires.wait_talk(mesh, family=6)
    for n, m in mesh.pairs():
        softwires.wait_kinds("a%d" % n, loopback(m),
                             [("ip6gre", None, None), ("ip6tnl", None, None)])
    wait.until(lambda: len(nft.elements("a2", "softwires")) == 4, "a2's filter knows all devices")
    return mesh


def forged(wrap, outer, inner, to=None):
    """A packet for h2 and what is in it: outer source, inner source."""
    data = b"forged %d" % next(_serial)
    to = to or LISTENING[6 if ":" in inner else 4]
    return wrap(outer, loopback(2), inject.udp(inner, to, PORT, data)), data


@contextlib.contextmanager
def hearing(family=4):
    with inject.listener("h2", LISTENING[family], PORT) as sock:
        yield sock


def sent(*packets, family=4):
    """Which of these (packet, data) reach h2, of those p sends."""
    with hearing(family) as sock:
        inject.send("p", *(packet for packet, _ in packets))
        got = inject.heard(sock, 1.0)
    return [data in got for _, data in packets]


@contextlib.contextmanager
def counting(node="a2"):
    """Yields a function: counter -> packets since then, of those that moved."""
    before = nft.counters(node)

    def moved():
        now = nft.counters(node)
        return {name: now[name] - before.get(name, 0) for name in now
                if now[name] != before.get(name, 0)}

    yield moved


@contextlib.contextmanager
def anti_spoof(mesh, mode):
    softwires.set_mesh(mesh["a2"], "filter anti-spoof " + mode)
    rules = {"loose": "fib saddr oif", "off": ""}[mode]

    def so():
        text = nft.nft("a2", "list", "chain", "inet", nft.TABLE, "inner")
        return "fib saddr . iif" not in text and rules in text

    wait.until(so, "a2 checks " + mode)
    try:
        yield
    finally:
        softwires.set_mesh(mesh["a2"], "no filter anti-spoof")
        wait.until(lambda: "fib saddr . iif" in nft.nft("a2", "list", "ruleset"),
                   "a2 checks strictly again")


def test_softwires_pass(settled):
    """The islands talk, over both families, and nothing of it is counted as dropped."""
    with counting() as moved:
        for n, m in settled.pairs():
            for family in (4, 6):
                answers = traffic.ping("h%d" % n, host(m, family), count=3)
                assert None not in answers, "h%d to h%d: %r" % (n, m, answers)
        assert moved() == {}


@pytest.mark.parametrize("wrap", [inject.gre, inject.ip_in_ip])
def test_unknown_source(settled, wrap):
    """Encapsulated packets from a source that is no AFBR of ours: dropped and counted (S8)."""
    with counting() as moved:
        assert sent(*(forged(wrap, STRANGER, host(1)) for _ in range(5))) == [False] * 5
        assert moved() == {"unknown-source": 5}


def test_forger_is_heard(settled):
    """The same packet, an AFBR's address on it, arrives: so the tests here forge well."""
    assert sent(forged(inject.gre, loopback(1), host(1))) == [True]


def test_unannounced_protocol(settled):
    """L2TPv3, which nobody announced, from an AFBR: dropped and counted."""
    with counting() as moved:
        inject.send("p", inject.ip(loopback(1), loopback(2), 115, bytes(16)))
        wait.until(lambda: moved() == {"unknown-source": 1}, "it is counted")


@pytest.mark.parametrize("family", [4, 6])
def test_strict(settled, family):
    """A source that is behind another AFBR, nowhere, or our own, is spoofed (S8)."""
    inners = [host(1, family), host(3, family), gateway(2, family),
              NOWHERE if family == 4 else "2001:db8:dead::1"]
    with counting() as moved:
        assert sent(*(forged(inject.gre, loopback(1), inner) for inner in inners),
                    family=family) == [True, False, False, False]
        assert moved() == {"spoofed": 3}


def test_strict_by_other_tunnel(settled):
    """An AFBR may send by another tunnel than we do: the way back is to it all the same."""
    for wrap in (inject.gre, inject.ip_in_ip):
        assert sent(forged(wrap, loopback(1), host(1)),
                    forged(wrap, loopback(1), host(3))) == [True, False]


def test_afbr_itself(settled):
    """What an AFBR sends with its endpoint's address passes out of its own softwire only."""
    with counting() as moved:
        assert sent(forged(inject.gre, loopback(1), loopback(1), LISTENING[6]),
                    forged(inject.gre, loopback(3), loopback(1), LISTENING[6]),
                    family=6) == [True, False]
        assert moved() == {"spoofed": 1}


def test_link_local(settled):
    """A link-local source stays on the link; with a global destination it is spoofed."""
    inner = inject.udp("fe80::1", "ff02::1", PORT, b"")
    with counting() as moved:
        inject.send("p", inject.gre(loopback(1), loopback(2), inner))
        assert sent(forged(inject.gre, loopback(1), "fe80::1"), family=6) == [False]
        assert moved() == {"spoofed": 1}


def test_loose(settled):
    """There has to be a route to the source, wherever it leads, but not to ourselves."""
    inners = [host(1), host(3), gateway(2), NOWHERE]
    with anti_spoof(settled, "loose"), counting() as moved:
        assert sent(*(forged(inject.gre, loopback(1), inner) for inner in inners)) == [
            True, True, False, False]
        assert moved() == {"spoofed": 2}


def test_off(settled):
    """Inner sources are not looked at; outer ones are."""
    with anti_spoof(settled, "off"), counting() as moved:
        assert sent(forged(inject.gre, loopback(1), NOWHERE),
                    forged(inject.gre, STRANGER, host(1))) == [True, False]
        assert moved() == {"unknown-source": 1}


def test_counters_stay(settled):
    """A change of the configuration, or another AFBR, does not take counts away."""
    inject.send("p", forged(inject.gre, STRANGER, host(1))[0])
    wait.until(lambda: nft.counters("a2")["unknown-source"], "one is counted")
    before = nft.counters("a2")
    with anti_spoof(settled, "loose"):
        assert nft.counters("a2") == before
    settled["a2"]["swmeshd"].restart()
    softwires.wait_talk(settled, [(1, 2), (2, 1), (3, 2), (2, 3)])
    assert nft.counters("a2") == before


def filled(node):
    """Both other AFBRs with both tunnels are in the sets."""
    return len(nft.elements(node, "open6")) == 6 and len(nft.elements(node, "softwires")) == 4


def logged(router, text):
    """How often swmeshd has written that into its log."""
    with open(router.file("swmeshd.log"), errors="replace") as file:
        return file.read().count(text)


@pytest.mark.parametrize("command", ["flush table inet swmesh", "delete table inet swmesh",
                                     "flush chain inet swmesh outer",
                                     "insert rule inet swmesh outer accept",
                                     "flush set inet swmesh open6", "flush ruleset"])
def test_put_back(settled, command):
    """Whoever changes the table: swmeshd puts it back, and says so."""
    rules, log = nft.rules("a2"), logged(settled["a2"], "it is put back")
    assert rules
    nft.nft("a2", *command.split())
    wait.until(lambda: nft.rules("a2") == rules and filled("a2"), "the table is back")
    assert logged(settled["a2"], "it is put back") == log + 1
    assert sent(forged(inject.gre, STRANGER, host(1)),
                forged(inject.gre, loopback(1), host(1))) == [False, True]


def without_descriptors(pid):
    """Those that are open, and no further one."""
    used = {int(fd) for fd in os.listdir("/proc/%d/fd" % pid)}
    return resource.RLIMIT_NOFILE, next(n for n in itertools.count() if n not in used)


def without_reserve(pid):
    """Not even those that it keeps for this."""
    folder = "/proc/%d/fd" % pid
    kept = [int(fd) for fd in os.listdir(folder)
            if int(fd) > 2 and os.readlink(os.path.join(folder, fd)) == "/dev/null"]
    return resource.RLIMIT_NOFILE, min(kept)


def without_memory(pid):
    """What it has, and a megabyte."""
    with open("/proc/%d/statm" % pid) as file:
        return resource.RLIMIT_AS, int(file.read().split()[0]) * resource.getpagesize() + (1 << 20)


@contextlib.contextmanager
def limited(router, limit):
    """swmeshd with a lower limit of its resources; yields its process number."""
    with open("%s/swmeshd.pid" % router.run_dir) as file:
        pid = int(file.read())
    kind, value = limit(pid)
    before = resource.prlimit(pid, kind)
    resource.prlimit(pid, kind, (value, before[1]))
    try:
        yield pid
    finally:
        if router["swmeshd"].alive():
            resource.prlimit(pid, kind, before)


def test_descriptors_run_out(settled):
    """Without a free file descriptor the table is put back all the same: some are in reserve."""
    rules = nft.rules("a2")
    with limited(settled["a2"], without_descriptors):
        nft.nft("a2", "delete", "table", "inet", nft.TABLE)
        wait.until(lambda: nft.rules("a2") == rules and filled("a2"), "the table is back")
    assert settled["a2"]["swmeshd"].alive()


@pytest.mark.parametrize("limit,what", [(without_reserve, "no file descriptors left"),
                                        (without_memory, "no memory left")])
def test_resources_run_out(settled, limit, what):
    """Where the filter cannot be changed for want of something, swmeshd says so, once, and goes
    on; and puts the table back when it can."""
    a2, rules = settled["a2"], nft.rules("a2")
    log = logged(a2, what)
    with limited(a2, limit):
        nft.nft("a2", "delete", "table", "inet", nft.TABLE)
        wait.until(lambda: what in a2.json("swmeshd", "show softwire security")["filter"]["error"],
                   "a2 says what it lacks")
        assert not nft.present("a2")
        assert len(settled["a2"].json("swmeshd", "show softwire")["softwires"]) == 4
    wait.until(lambda: nft.rules("a2") == rules and filled("a2"), "the table is back")
    wait.until(lambda: a2.json("swmeshd", "show softwire security")["filter"]["error"] == "",
               "a2 has no complaint")
    assert logged(a2, what) == log + 1


def test_other_tables(settled):
    """Tables of others are not touched: not by changes, a restart, or the filter's end."""
    nft.nft("a2", OTHER)
    other = nft.nft("a2", "list", "table", "inet", "other")
    try:
        with anti_spoof(settled, "loose"):
            pass
        nft.nft("a2", "delete", "table", "inet", nft.TABLE)
        wait.until(lambda: nft.present("a2") and filled("a2"), "the table is back")
        softwires.set_mesh(settled["a2"], "filter off")
        wait.until(lambda: not nft.present("a2"), "the table is gone")
        assert sent(forged(inject.gre, loopback(1), NOWHERE)) == [True]
        softwires.set_mesh(settled["a2"], "no filter off")
        wait.until(lambda: nft.present("a2") and filled("a2"), "the table is there again")
        assert nft.nft("a2", "list", "table", "inet", "other") == other
    finally:
        nft.nft("a2", "delete", "table", "inet", "other")


def test_swmeshd_killed(settled):
    """Without swmeshd the table goes on; a restart of it loses no packet."""
    flow = settled.flow("h1", host(2), "h2", rate=50)
    softwires.wait_flowing(flow)
    swmeshd = settled["a2"]["swmeshd"]
    swmeshd.kill()
    with counting() as moved:
        assert sent(forged(inject.gre, STRANGER, host(1)),
                    forged(inject.gre, loopback(1), host(3)),
                    forged(inject.gre, loopback(1), host(1))) == [False, False, True]
        assert moved() == {"unknown-source": 1, "spoofed": 1}
    swmeshd.start()
    softwires.wait_talk(settled, [(2, 1), (2, 3)])
    wait.until(lambda: filled("a2"), "a2's filter is whole")
    softwires.wait_flowing(flow)
    assert flow.stop().lost == []


def test_up_means_let_in(settled):
    """A softwire is up, and has its host route, only when the filter accepts what its AFBR
    sends: here after table and devices were removed while swmeshd was away."""
    swmeshd, order = settled["a2"]["swmeshd"], []
    remotes, nhops = [loopback(1), loopback(3)], set(softwires.host_routes("a2"))
    assert nhops
    swmeshd.kill()
    nft.nft("a2", "delete", "table", "inet", nft.TABLE)
    netns.ip_batch("a2", ["link del " + name for name in kernel.tunnels("a2")])
    with nft.watching("a2", "open6", remotes) as filter_watch, watching("a2") as (route_watch,):
        swmeshd.launch()

        def whole():
            # In this order: what is told first is seen first, or at the same time.
            order.extend(filter_watch.added())
            order.extend(str(a) for a in route_watch.added(SW_NHOP_PREFIX))
            return nhops <= set(order)

        wait.until(whole, "a2 has its host routes", interval=0.01)
    swmeshd.ready()
    tunnels = kernel.tunnels("a2")
    for nhop, device in softwires.host_routes("a2").items():
        remote = tunnels[device].remote
        assert remote in order and order.index(remote) < order.index(nhop), order
    softwires.wait_talk(settled, [(2, 1), (2, 3)])


def test_afbr_gone(settled):
    """An AFBR that announces nothing any more is a stranger."""
    settled["a3"].configure("swmeshd", "no softwire mesh\n")
    wait.until(lambda: len(nft.elements("a2", "open6")) == 3, "a2 knows a1 only")
    with counting() as moved:
        assert sent(forged(inject.gre, loopback(3), host(3))) == [False]
        assert moved() == {"unknown-source": 1}
    # And at a3 nothing is left, once the devices have gone.
    wait.until(lambda: not kernel.leftovers("a3") and not nft.present("a3"), "a3 has let go")


def test_log(settled):
    """Drops are logged, if asked, and not more often than asked."""
    softwires.set_mesh(settled["a2"], "filter log rate 2")
    wait.until(lambda: "log prefix" in nft.nft("a2", "list", "ruleset"), "a2 logs")
    with kernel_log() as new_lines:
        with counting() as moved:
            assert not any(sent(*(forged(inject.gre, STRANGER, host(1)) for _ in range(40))))
            assert moved() == {"unknown-source": 40}
        ours = [line for line in new_lines() if "swmesh unknown-source: " in line]
    assert 1 <= len(ours) <= 10, ours
    source = ipaddress.ip_address(STRANGER).exploded
    assert all("SRC=" + source in line for line in ours), ours


@contextlib.contextmanager
def kernel_log():
    """Yields a function: what the kernel has logged since."""
    log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    os.lseek(log, 0, os.SEEK_END)
    netns.write_sysctl("net/netfilter/nf_log_all_netns", 1)  # in the first one, for all

    def lines():
        while True:
            try:
                yield os.read(log, 8192).decode(errors="replace")
            except BlockingIOError:
                return

    try:
        yield lines
    finally:
        netns.write_sysctl("net/netfilter/nf_log_all_netns", 0)
        os.close(log)
