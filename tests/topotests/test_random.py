# SPDX-License-Identifier: GPL-2.0-or-later
"""Random trouble on a protected mesh of three under traffic: kill, stop, continue, restart, clear,
reconfigure, links, addresses, flushes (lib/trouble.py). After each round the mesh is whole again,
nothing was in clear and nothing is left over (S9).

    SWMESH_RANDOM_ROUNDS  rounds of 40 steps; 50 of them are an hour's test. Not run without it
    SWMESH_RANDOM_SEED    the seed, printed in each test's name; the default is a new one
    SWMESH_RANDOM_ROUND   this round alone, to see it again
"""
import os
import random

import pytest

from conftest import run_topology
from lib import kernel, nft, paths, softwires, trouble, wait, xfrm
from lib.mesh import host
from lib.securemesh import PSK, SecureMesh, wait_up

SEED = os.environ.get("SWMESH_RANDOM_SEED") or str(random.SystemRandom().randrange(10**6))
ROUNDS = int(os.environ["SWMESH_RANDOM_ROUNDS"])
ONE = os.environ.get("SWMESH_RANDOM_ROUND")
STEPS = 40
LIMIT = 150  # seconds for the mesh to be whole again: dead-peer detection and back-off included
GRE = 47
LOG = os.path.join(paths.RESULTS, "random-steps.log")


@pytest.fixture(scope="module")
def mesh():
    """Three AFBRs, GRE inside ESP, the group key."""
    yield from run_topology(SecureMesh(
        "random", security=(*PSK, "esp aes256gcm16", "dpd 3"),
        tunnels={n: ["tunnel 10 gre"] for n in (1, 2, 3)}))


@pytest.fixture(scope="module")
def flows(mesh):
    """Traffic between the islands, all the time."""
    wait_up(mesh)
    softwires.wait_talk(mesh)
    yield [mesh.flow("h%d" % n, host(m), "h%d" % m, rate=10) for n, m in ((1, 2), (2, 3), (3, 1))]


def say(text):
    print(text)
    os.makedirs(paths.RESULTS, exist_ok=True)
    with open(LOG, "a") as file:
        file.write(text + "\n")


def descriptors(mesh, n):
    """How many swmeshd has open."""
    return len(os.listdir("/proc/%d/fd" % mesh["a%d" % n]["swmeshd"].process.pid))


def nothing_left(mesh):
    """One device, one SA each way, one host route for each other AFBR; the drop policies and the
    filter; nothing else."""
    others = len(mesh.numbers) - 1
    for n in mesh.numbers:
        node = "a%d" % n
        tunnels = kernel.tunnels(node)
        assert len(tunnels) == others, "%s: devices %r" % (node, tunnels)
        assert softwires.consistent(node)
        assert len(softwires.host_routes(node)) == others, softwires.host_routes(node)
        assert softwires.guarded(node)
        blocks = {(p.direction, p.proto) for p in xfrm.policies(node) if p.action == "block"}
        assert blocks == {("in", GRE), ("out", GRE)}, "%s: drop policies %r" % (node, blocks)
        used = {p.proto for p in xfrm.policies(node) if p.tmpl}
        assert used == {GRE}, "%s: charon's policies for protocols %r" % (node, used)
        for name in ("softwires", "protected6"):
            found = nft.elements(node, name)
            assert len(found) == others, "%s: set %s: %r" % (node, name, found)
        assert not nft.elements(node, "open6")
        conns = mesh[node].charon.conns()
        assert len(conns) == others, "%s: connections %r" % (node, sorted(conns))
        assert descriptors(mesh, n) < 64
    return True


# 40 steps, then several conditions, each with its own limit, and a minute's packets to read.
@pytest.mark.limit(900)
@pytest.mark.parametrize("number", [int(ONE)] if ONE else range(ROUNDS),
                         ids=lambda number: "seed %s round %d" % (SEED, number))
def test_round(mesh, flows, number):
    """40 random steps; then all is mended, and the mesh is as it was before: softwires up, islands
    talking, one SA each way, nothing left over, not a packet in clear."""
    mark = mesh.capture.mark()
    say("--- seed %s, round %d" % (SEED, number))
    world = trouble.World(mesh, random.Random("%s/%d" % (SEED, number)), say)
    for _ in range(STEPS):
        world.step()
    world.mend()
    wait_up(mesh, LIMIT)
    softwires.wait_talk(mesh, limit=LIMIT)
    for flow in flows:
        softwires.wait_flowing(flow)
    wait.until(mesh.assert_one_each, "one of each", LIMIT)
    wait.until(lambda: nothing_left(mesh), "nothing is left over", LIMIT, 1)
    mesh.assert_only_ipsec(mark, world.may_quote)
