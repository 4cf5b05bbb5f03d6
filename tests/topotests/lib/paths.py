# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the programs under test are, and where results go."""
import functools
import os
import re
import subprocess

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
ROOT = os.environ.get("SWMESH_ROOT", os.path.join(TOP, "build", "root"))
RESULTS = os.environ.get("SWMESH_RESULTS", os.path.join(TOP, "build", "results"))
WORK = "/tmp/swmesh"  # logs and captures while a topology is up
FRR = "/usr/lib/frr"
FRR_RUN = "/var/run/frr"
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
ENV = {"PATH": SYSTEM_PATH, "LC_ALL": "C.UTF-8", "HOME": "/root"}


def staged(path):
    """A path of ours as installed by `make install DESTDIR=build/root`."""
    return ROOT + path


# Set when ROOT was built with --enable-sanitizers: a report then ends the daemon.
SANITIZERS = bool(os.environ.get("SWMESH_SANITIZERS"))
SANITIZER_OPTIONS = {"ASAN_OPTIONS": "detect_leaks=0:exitcode=99",
                     "UBSAN_OPTIONS": "print_stacktrace=1:exitcode=99"}


@functools.lru_cache(None)
def sanitizer_words():
    """What stands before a daemon's command line. FRR's own binaries need the runtime
    first of all libraries, for our module's sake."""
    if not SANITIZERS:
        return []
    runtime = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True,
                             text=True, env=ENV, check=True).stdout.strip()
    settings = dict(SANITIZER_OPTIONS, LD_PRELOAD=os.path.realpath(runtime))
    return ["env", *("%s=%s" % item for item in settings.items())]


def daemon(name):
    """The program of a daemon: ours from the staged tree, FRR's from the package."""
    return staged(FRR + "/swmeshd") if name == "swmeshd" else os.path.join(FRR, name)


@functools.lru_cache(None)
def module_dir():
    """FRR's own module folder, below the staged tree."""
    out = subprocess.run([FRR + "/zebra", "--version"], capture_output=True, text=True,
                         env=ENV, check=True).stdout
    return staged(re.search(r"--with-moduledir=([^']+)", out).group(1))
