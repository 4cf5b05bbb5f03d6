# SPDX-License-Identifier: GPL-2.0-or-later
"""Topotests spread over several machines side by side: whole files, as a topology is shared by the
tests of one, so that all machines end at about the same time.

SWMESH_SHARE is "2 of 0 780": the second of two machines, of which the first begins at once and
the second 780 s later. durations.txt tells what each file took the last time, in seconds.
"""
import os

UNKNOWN = 60  # seconds, for a file that is new


def durations(folder):
    """Seconds by file, without ".py"."""
    with open(os.path.join(folder, "durations.txt")) as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return {name: int(seconds) for name, seconds in lines}


def assign(names, seconds, loads):
    """Number of the machine for each name: the longest first, to whichever would end first."""
    loads, chosen = list(loads), {}
    for name in sorted(names, key=lambda name: (-seconds.get(name, UNKNOWN), name)):
        least = loads.index(min(loads))
        chosen[name] = least
        loads[least] += seconds.get(name, UNKNOWN)
    return chosen


def select(items, folder):
    """(those of our share, the others) of the collected items."""
    setting = os.environ.get("SWMESH_SHARE")
    if not setting:
        return items, []
    own, _, *loads = setting.split()
    chosen = assign({item.path.stem for item in items}, durations(folder), map(int, loads))
    ours = [item for item in items if chosen[item.path.stem] == int(own) - 1]
    return ours, [item for item in items if item not in ours]
