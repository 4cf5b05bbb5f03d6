# SPDX-License-Identifier: GPL-2.0-or-later
"""pytest's side of the topotests: fixtures, and what is kept of a failure."""
import os
import signal
import sys

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

# By name only, as it takes as long as it is told to.
collect_ignore = [] if os.environ.get("SWMESH_RANDOM_ROUNDS") else ["test_random.py"]

from lib import collect, topology  # noqa: E402
from lib.mesh import Mesh  # noqa: E402
from lib.share import pytest_runtestloop  # noqa: E402, F401


def pytest_collection_modifyitems(items):
    """A test without a docstring says nothing in a report."""
    for item in items:
        assert item.function.__doc__, "%s has no docstring" % item.nodeid


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed and call.when in ("setup", "call"):
        try:
            kept = collect.collect(item.nodeid)
            report.sections.append(("what AFBRs say", collect.excerpt(kept)))
            report.sections.append(("kept", kept))
        except Exception as err:  # the test's own failure must still be reported
            report.sections.append(("kept", "collecting failed: %r" % err))


LIMIT = 300  # seconds for one test, or for one fixture: something hangs


def _limited(limit=LIMIT):
    def hang(number, frame):
        # No AssertionError, which wait.until() takes for "not yet".
        pytest.fail("hung: no end after %d s" % limit)

    signal.signal(signal.SIGALRM, hang)
    signal.alarm(limit)
    yield
    signal.alarm(0)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup():
    yield from _limited()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    marker = item.get_closest_marker("limit")
    yield from _limited(marker.args[0] if marker else LIMIT)


def run_topology(topo):
    """Up, hand over, down; a daemon that ended badly fails the module's last test."""
    try:
        topo.up()
        yield topo
        if os.environ.get("SWMESH_KEEP"):
            collect.collect("kept-" + topo.name)
    finally:
        errors = topo.down()
        for other in list(topology.ACTIVE):
            errors += other.down()
    assert not errors, "\n".join(errors)


@pytest.fixture(scope="module")
def mesh(request):
    """The mesh of three AFBRs, one for a module. Options: MESH = dict(...) in the module."""
    yield from run_topology(Mesh(**getattr(request.module, "MESH", {})))
