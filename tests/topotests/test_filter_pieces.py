# SPDX-License-Identifier: GPL-2.0-or-later
"""The filter's table with thousands of elements in its sets, without a tunnel: they are of an
earlier run, or somebody's. What grows with their number is never done at once."""
import contextlib
import time

import pytest

from conftest import run_topology
from lib import bgpdut as dut
from lib import inject, nft, wait

pytestmark = pytest.mark.no_tunnels

ELEMENTS = 6000
MOST = 1024  # elements in one transaction


@pytest.fixture(scope="module")
def router():
    topo = dut.topology(swmeshd=dut.SWMESH)
    started = run_topology(topo)
    next(started)
    wait.until(lambda: nft.rules(dut.DUT), "the table is there")
    yield topo[dut.DUT]
    for _ in started:
        pass


def strangers(path, last=ELEMENTS):
    """nft's commands for so many AFBRs that nobody asks for, in a file."""
    path.write_text("add element inet %s open6 { %s }\n" % (
        nft.TABLE, ", ".join("2001:db8:b::%x . 47" % n for n in range(1, last + 1))))
    return str(path)


@contextlib.contextmanager
def watching():
    watch = nft.Watch(dut.DUT)
    try:
        yield watch
    finally:
        watch.close()


def count(name="open6"):
    return len(nft.elements(dut.DUT, name))


def taken_out(watch, put_in=()):
    """Wait until all are, in transactions of which none has too many; put_in: those of others
    before. Returns when the first of them was seen."""
    sizes, times = [], []

    def told():
        sizes.extend(size for size in watch.transactions("open6") if size)
        if sizes:
            times.append(time.monotonic())
        return sum(sizes) == sum(put_in) + ELEMENTS

    wait.until(told, "the kernel has told of all")
    before, ours = sizes[:len(put_in)], sizes[len(put_in):]
    assert count() == 0 and before == list(put_in) and max(ours) <= MOST, sizes
    return times[0]


def test_of_earlier_run(router, tmp_path):
    """swmeshd starts and finds the sets full and a rule changed: the rules are put right without
    touching the sets; after the grace time what nobody asks for is taken out, in pieces."""
    path, rules = strangers(tmp_path / "strangers.nft"), nft.rules(dut.DUT)
    router["swmeshd"].kill()
    nft.nft(dut.DUT, "-f", path)
    nft.nft(dut.DUT, "insert", "rule", "inet", nft.TABLE, "outer", "accept")
    with watching() as watch:
        began = time.monotonic()
        router["swmeshd"].start()
        assert taken_out(watch) - began >= dut.GRACE
    assert nft.rules(dut.DUT) == rules


def test_put_into(router, tmp_path):
    """Somebody puts thousands of elements into a set of ours: they are read and taken out, in
    pieces."""
    path, rules = strangers(tmp_path / "strangers.nft"), nft.rules(dut.DUT)
    # Before the grace time is over it might be of an earlier run.
    nft.nft(dut.DUT, "-f", strangers(tmp_path / "one.nft", 1))
    wait.until(lambda: count() == 0, "the grace time is over")
    with watching() as watch:
        nft.nft(dut.DUT, "-f", path)
        taken_out(watch, [ELEMENTS])
    assert nft.rules(dut.DUT) == rules


def test_counters(router):
    """What is shown is what the table has counted."""
    def shown():
        return router.json("swmeshd", "show softwire security")["filter"]

    before = shown()["unknownSource"]
    inject.send(dut.SPEAKERS, *[inject.gre("2001:db8:b::1", dut.ROUTER, inject.udp(
        "10.1.0.2", "10.2.0.2", 4000, b"stranger"))] * 3)
    wait.until(lambda: shown()["unknownSource"]["packets"] == before["packets"] + 3,
               "three are counted")
    now = shown()
    assert now["unknownSource"]["bytes"] > before["bytes"]
    assert nft.counters(dut.DUT) == {
        "unknown-source": now["unknownSource"]["packets"], "clear": now["clear"]["packets"],
        "clear-sent": now["clearSent"]["packets"], "spoofed": now["spoofed"]["packets"]}
