# SPDX-License-Identifier: GPL-2.0-or-later
"""How tools/check spreads topotests over two virtual machines (lib/share.py)."""
import os

import pytest

from lib import share

pytestmark = pytest.mark.no_tunnels

HERE = os.path.dirname(os.path.realpath(__file__))


def test_each_file_once():
    """Every file is in one share, the longest first; the later machine gets less."""
    seconds = {"a": 100, "b": 50, "c": 40, "d": 10}
    assert share.assign("abcd", seconds, [0, 0]) == {"a": 0, "b": 1, "c": 1, "d": 1}
    assert share.assign("abcd", seconds, [0, 500]) == dict.fromkeys("abcd", 0)
    assert share.assign(["new", "d"], seconds, [0, 0]) == {"new": 0, "d": 1}


def test_durations_are_of_files_that_exist():
    """A file that is renamed takes its line with it."""
    for name in share.durations(HERE):
        assert os.path.exists(os.path.join(HERE, name + ".py")), name
