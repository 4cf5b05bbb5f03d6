# SPDX-License-Identifier: GPL-2.0-or-later
"""What a process has used: CPU time and memory, as the kernel counted them; and for how long a
daemon was deaf, as its event loop did."""
import time


def cpu_seconds(pid):
    """CPU time of all threads of a process so far, in nanosecond steps.

    The kernel makes a process's CPU clock from its pid (clock_getcpuclockid(3));
    /proc/PID/stat has the same time in steps of 10 ms.
    """
    return time.clock_gettime((~pid << 3) | 2)


def status_kib(pid, field):
    with open("/proc/%d/status" % pid) as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise RuntimeError("/proc/%d/status has no %s" % (pid, field))


def resident_kib(pid):
    """Its resident set as it is now."""
    return status_kib(pid, "VmRSS")


def peak_kib(pid):
    """The largest resident set that the process ever had."""
    return status_kib(pid, "VmHWM")


def wait_quiet(pids, idle=1.0, share=0.02, limit=600.0):
    """Until the processes together used less than `share` of a CPU for `idle` seconds."""
    deadline = time.monotonic() + limit
    mark, used = time.monotonic(), sum(map(cpu_seconds, pids))
    while True:
        time.sleep(idle / 5)
        now, total = time.monotonic(), sum(map(cpu_seconds, pids))
        if total - used > share * idle:
            mark, used = now, total
        elif now - mark >= idle:
            return
        assert now < deadline, "processes %s are still busy after %g s" % (pids, limit)


def longest_call_ms(router, daemon):
    """The longest that one call of its event loop took, by the clock, and which it was: meanwhile
    the daemon heard nobody. "show thread cpu" has a line for each function that was called."""
    calls = []
    for line in router.show(daemon, "show thread cpu").splitlines():
        words = line.split()
        # Active, runtime, invoked, CPU avg and max, real avg and max, three of warnings, type, name.
        if len(words) >= 12 and words[0].isdigit() and words[-1] != "TOTAL":
            calls.append((int(words[6]) / 1000, words[-1]))
    assert calls, "%s: show thread cpu has no calls" % daemon
    return max(calls)
