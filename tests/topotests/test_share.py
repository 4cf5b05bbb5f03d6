# SPDX-License-Identifier: GPL-2.0-or-later
"""How tools/check spreads topotests over two virtual machines (lib/share.py)."""
import os
import re
import subprocess
import sys

import pytest

from lib import share

pytestmark = pytest.mark.no_tunnels


SUITE = """\
import os, time
import pytest

@pytest.fixture(scope="module", autouse=True)
def settings():
    yield
    with open(os.environ["LOG"], "a") as file:
        file.write("%s down\\n" % __name__)

@pytest.mark.parametrize("n", [1, 2])
def test_one(n):
    '''Scratch.'''
    time.sleep(0.2)
    with open(os.environ["LOG"], "a") as file:
        file.write("%s %d\\n" % (__name__, n))
"""


def test_each_file_once(tmp_path):
    """Of two machines each takes the next file when it has ended one: all are run, none twice,
    the tests of a file one after the other by the same machine."""
    names = ["test_%d" % i for i in range(7)]
    log, claims = tmp_path / "log", tmp_path / "claims"
    claims.mkdir()
    for name in names:
        (tmp_path / (name + ".py")).write_text(SUITE)
    (tmp_path / "conftest.py").write_text(
        "import sys\nsys.path.insert(0, %r)\nfrom lib.share import pytest_runtestloop\n" % share.TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    machines = [subprocess.Popen(
        [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        env=dict(os.environ, SWMESH_SHARE=str(claims), LOG=str(log)), stdout=subprocess.PIPE,
        text=True) for _ in range(2)]
    said = [machine.communicate(timeout=60)[0] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], said
    passed = [int(re.search(r"(\d+) passed", text).group(1)) for text in said]
    assert sum(passed) == 14 and all(passed), said
    for name in names:
        assert [line for line in log.read_text().splitlines() if line.startswith(name)] == [
            name + " 1", name + " 2", name + " down"]


def test_longest_first():
    """Of the files that are left the longest is next; one that is new is in the middle."""
    assert share.longest_first(["a", "new", "b"], {"a": 10, "b": 300}) == ["b", "new", "a"]


def test_durations_are_of_files_that_exist():
    """A file that is renamed takes its line with it."""
    for name in share.durations():
        assert os.path.exists(os.path.join(share.TESTS, name + ".py")), name
