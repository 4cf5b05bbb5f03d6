# SPDX-License-Identifier: GPL-2.0-or-later
"""Ten AFBRs that start at the same moment: one IKE_SA and one CHILD_SA for each pair."""
import pytest

from conftest import run_topology
from lib import softwires, wait, xfrm
from lib.securemesh import PSK, SecureMesh, wait_up

COUNT = 10
LIMIT = 180  # seconds; fifty daemons on an emulated machine


@pytest.fixture(scope="module")
def mesh():
    """Ten AFBRs with the group key."""
    yield from run_topology(SecureMesh(
        "ten", numbers=range(1, COUNT + 1), security=(*PSK, "esp aes256gcm16")))


def test_simultaneous_start(mesh):
    """Every softwire comes up; each pair of AFBRs has exactly one IKE_SA, one CHILD_SA and
    one kernel SA each way, and keeps them; no packet was in clear since the start."""
    wait_up(mesh, LIMIT)
    softwires.wait_talk(mesh, [(n, n % COUNT + 1) for n in mesh.numbers])
    wait.until(mesh.assert_one_each, "one of each", LIMIT)
    before = {n: sorted(s.spi for s in xfrm.states("a%d" % n)) for n in mesh.numbers}
    mark = mesh.capture.mark()
    softwires.wait_talk(mesh)
    mesh.assert_only_ipsec(mark)
    assert mesh.assert_one_each()
    assert before == {n: sorted(s.spi for s in xfrm.states("a%d" % n)) for n in mesh.numbers}
    mesh.assert_protected()
