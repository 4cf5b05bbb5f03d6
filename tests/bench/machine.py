# SPDX-License-Identifier: GPL-2.0-or-later
"""What machine the figures are from."""
import os
import platform
import re
import subprocess


def _first(path, pattern, default="unknown"):
    try:
        with open(path) as file:
            found = re.search(pattern, file.read(), re.M)
    except OSError:
        return default
    return found.group(1).strip() if found else default


def processor():
    return "%d x %s" % (os.cpu_count() or 1, _first("/proc/cpuinfo", r"^model name\s*: (.*)$"))


def memory_gib():
    return int(_first("/proc/meminfo", r"^MemTotal:\s*(\d+)", "0")) / 1048576


def system():
    return _first("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)')


def virtual():
    """Whether, and by what, this is a virtual machine or a container."""
    found = []
    for kind in ("vm", "container"):
        try:
            done = subprocess.run(["systemd-detect-virt", "--" + kind], capture_output=True,
                                  text=True)
        except FileNotFoundError:
            return "unknown (no systemd-detect-virt)"
        if done.returncode == 0:
            found.append("%s: %s" % (kind, done.stdout.strip()))
    return ", ".join(found) or "no"


def frr_version():
    out = subprocess.run(["/usr/lib/frr/bgpd", "--version"], capture_output=True, text=True)
    return out.stdout.split("\n")[0].replace("bgpd version", "FRR").strip() or "FRR unknown"


def describe():
    """A dictionary of short texts, in the order to print them."""
    load = os.getloadavg()
    return {
        "processors": processor(),
        "memory": "%.1f GiB" % memory_gib(),
        "kernel": "%s %s" % (platform.system(), platform.release()),
        "system": system(),
        "virtual": virtual(),
        "routing software": frr_version(),
        "load when it began": "%.1f %.1f %.1f" % load,
    }
