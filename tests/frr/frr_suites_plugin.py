# SPDX-License-Identifier: GPL-2.0-or-later
"""pytest's plugin for FRR's own topotests: what their harness expects of a machine and the
suites of bgpd do not need. inside.sh loads it."""
import os
import sys

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_configure():
    from lib import topotest  # FRR's: its conftest.py has been read by now

    # It refuses to run without gdb and pim6d.
    sys.modules["conftest"].diagnose_env = lambda rundir: True
    # It asks this file for MPLS; a kernel that cannot load modules has none.
    if not os.path.exists("/proc/modules"):
        topotest.module_present_linux = lambda module, load: False
