# SPDX-License-Identifier: GPL-2.0-or-later
"""Network namespaces by name, as ip-netns(8) has them."""
import contextlib
import ctypes
import os
import signal
import subprocess

from . import paths

CLONE_NEWNET = 0x40000000
OURS = "/run/swmesh-topotests"  # one file for each namespace that we made

_libc = ctypes.CDLL(None, use_errno=True)


class NetnsError(Exception):
    pass


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET):
        err = ctypes.get_errno()
        raise OSError(err, "setns: " + os.strerror(err))


@contextlib.contextmanager
def inside(name):
    """This thread is in the namespace; a socket made there stays there."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        there = os.open("/run/netns/" + name, os.O_RDONLY)
        try:
            _setns(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _setns(home)
    finally:
        os.close(home)


def argv(name, command):
    return ["ip", "netns", "exec", name, *command]


def run(name, command, check=True, timeout=60):
    """Run a command in the namespace; its output as text."""
    done = subprocess.run(argv(name, command), capture_output=True, text=True, env=paths.ENV,
                          timeout=timeout)
    if check and done.returncode:
        raise NetnsError("%s: %s: %s%s" % (name, " ".join(command), done.stdout, done.stderr))
    return done.stdout


def ip_batch(name, lines):
    """Many ip(8) commands by one process. name None: where we are."""
    base = ["ip"] if name is None else ["ip", "-n", name]
    done = subprocess.run(base + ["-batch", "-"], input="\n".join(lines) + "\n", text=True,
                          capture_output=True, env=paths.ENV)
    if done.returncode:
        raise NetnsError("%s: ip -batch: %s\n%s" % (name, done.stderr, "\n".join(lines)))


def exists(name):
    return os.path.exists("/run/netns/" + name)


def create(names):
    """Make namespaces; one left by an earlier run of ours is removed first."""
    os.makedirs(OURS, exist_ok=True)
    for name in names:
        if exists(name):
            if not os.path.exists(os.path.join(OURS, name)):
                raise NetnsError("network namespace %s exists and is not ours: remove it "
                                 "(ip netns delete %s) or use the virtual machine" % (name, name))
            delete([name])
    for name in names:
        with open(os.path.join(OURS, name), "w"):
            pass
    ip_batch(None, ["netns add " + name for name in names])
    for name in names:
        with inside(name):
            for key, value in SYSCTLS:
                write_sysctl(key, value)
    for name in names:
        ip_batch(name, ["link set lo up"])


# A router that takes packets as a test expects: no address of its own making, none
# lost with a link, no filter on the way back, room for many routes.
SYSCTLS = (
    ("net/ipv4/ip_forward", 1),
    ("net/ipv6/conf/all/forwarding", 1),
    ("net/ipv6/conf/default/accept_ra", 0),
    ("net/ipv6/conf/default/accept_dad", 0),
    ("net/ipv6/conf/all/accept_dad", 0),
    ("net/ipv6/conf/all/keep_addr_on_down", 1),
    ("net/ipv6/conf/default/keep_addr_on_down", 1),
    ("net/ipv4/conf/all/rp_filter", 0),
    ("net/ipv4/conf/default/rp_filter", 0),
    ("net/ipv4/icmp_ratelimit", 0),
    ("net/ipv6/icmp/ratelimit", 0),
    ("net/ipv6/route/max_size", 1000000),
)


def write_sysctl(key, value):
    """For the namespace that this thread is in."""
    with open("/proc/sys/" + key, "w") as file:
        file.write(str(value))


def pids(name):
    """Processes whose network namespace this is."""
    try:
        want = os.stat("/run/netns/" + name)
    except OSError:
        return []
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                have = os.stat("/proc/%s/ns/net" % entry)
            except OSError:
                continue
            if (have.st_dev, have.st_ino) == (want.st_dev, want.st_ino):
                found.append(int(entry))
    return found


def delete(names):
    """Remove namespaces of ours and end what still runs in them."""
    for name in names:
        for pid in pids(name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    present = [name for name in names if exists(name)]
    if present:
        ip_batch(None, ["netns delete " + name for name in present])
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(OURS, name))
