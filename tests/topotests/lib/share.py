# SPDX-License-Identifier: GPL-2.0-or-later
"""Topotests shared out to several machines side by side: whole files, as a topology is shared by
the tests of one. Each machine takes the longest file that none has taken yet, whenever it has
ended one, so that all end at about the same time, whichever is slower or begins later.

SWMESH_SHARE names a folder that all of them see: a folder in it is a file that one has taken.
durations.txt tells what each file took the last time, in seconds.
"""
import itertools
import os

import pytest

TESTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
UNKNOWN = 60  # seconds, for a file that is new


def durations():
    """Seconds by file, without ".py"."""
    with open(os.path.join(TESTS, "durations.txt")) as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return {name: int(seconds) for name, seconds in lines}


def longest_first(names, seconds):
    return sorted(names, key=lambda name: (-seconds.get(name, UNKNOWN), name))


def take(folder, name):
    """True: it is ours; False: another machine's."""
    try:
        os.mkdir(os.path.join(folder, name))
    except FileExistsError:
        return False
    return True


def _run(session, folder):
    files = {name: list(items) for name, items in
             itertools.groupby(session.items, key=lambda item: item.path.stem)}
    for name in longest_first(files, durations()):
        if not take(folder, name):
            session.config.hook.pytest_deselected(items=files[name])
            continue
        for item, following in itertools.zip_longest(files[name], files[name][1:]):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    """For a conftest.py. Without a share, and when collecting failed, pytest's own goes on."""
    folder = os.environ.get("SWMESH_SHARE")
    if not folder or session.testsfailed or session.config.option.collectonly:
        return None
    _run(session, folder)
    return True
