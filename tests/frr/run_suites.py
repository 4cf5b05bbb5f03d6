#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""FRR's own topotests of bgpd, out of its source package, with the module in every bgpd.

    run_suites.py [--jobs N] --module FILE --source FOLDER --results FOLDER [SUITE...]

A suite is a folder of FRR's tests/topotests. A test that fails with the module is tried
without it: what fails there as well (a kernel without VRF or MPLS, a machine too slow for
the suite's own limits) is not ours. What fails with the module alone is tried once more
each way, and has failed only if it does so again: FRR's suites are full of fixed times.

One line for each suite: PASS, FAIL (tests that fail with the module only), SAME (failures,
but no other than without it), NONE (nothing was executed: all skipped). The exit status is
1 if there is a FAIL. tools/check frr calls it.
"""
import argparse
import concurrent.futures
import os
import signal
import subprocess
import sys
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.realpath(__file__))
PRIVATE = os.path.join(HERE, "..", "..", "tools", "private")


def all_suites(source):
    """Those with bgp in their name that have a test."""
    return sorted(
        name for name in os.listdir(source)
        if "bgp" in name and os.path.isdir(os.path.join(source, name))
        and any(f.startswith("test_") and f.endswith(".py")
                for f in os.listdir(os.path.join(source, name))))


class Outcome:
    """Of one run of one suite: test -> "passed", "failed" or "skipped"."""

    def __init__(self, folder):
        self.tests = {}
        try:
            root = xml.etree.ElementTree.parse(os.path.join(folder, "topotests.xml")).getroot()
        except (OSError, xml.etree.ElementTree.ParseError):
            self.tests["the suite itself"] = "failed"
            return
        for case in root.iter("testcase"):
            name = "%s::%s" % (case.get("classname"), case.get("name"))
            kinds = {child.tag for child in case}
            if kinds & {"failure", "error"}:
                self.tests[name] = "failed"
            elif self.tests.get(name) != "failed":  # an error of its teardown is a second entry
                self.tests[name] = "skipped" if "skipped" in kinds else "passed"

    def those(self, state):
        return {name for name, what in self.tests.items() if what == state}


class Runner:
    def __init__(self, args):
        self.args = args
        self.running = set()  # of subprocess.Popen
        self.ended = False

    def end(self):
        """Kill what runs, with all that it has started; nothing more is started."""
        self.ended = True
        for process in list(self.running):
            process.kill()  # unshare(1) takes its namespace's processes with it

    def execute(self, command):
        if self.ended:
            return
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
            self.running.add(process)
            if self.ended:
                process.kill()
        self.running.discard(process)

    def run(self, suite, module, turn):
        folder = os.path.join(self.args.results, suite,
                              "%s-%d" % ("with" if module else "without", turn))
        self.execute(
            [PRIVATE, os.path.join(HERE, "inside.sh"), self.args.source, suite, folder,
             *([self.args.module] if module else [])])
        return Outcome(folder)

    def suite(self, name):
        """(verdict, text) of one suite."""
        ours = self.run(name, True, 1)
        failed, passed = ours.those("failed"), ours.those("passed")
        if not failed:
            if not passed:
                return "NONE", "%s: all tests skipped" % name
            return "PASS", "%s: %d tests" % (name, len(passed))
        stock = self.run(name, False, 1)
        suspects = failed - stock.those("failed")
        if suspects:
            again = self.run(name, True, 2).those("failed")
            suspects &= again - self.run(name, False, 2).those("failed")
            if not suspects and not again:
                return "PASS", "%s: when run again; the first time, not: %s" % (
                    name, ", ".join(sorted(failed)))
        if suspects:
            return "FAIL", "%s: only with the module: %s" % (name, ", ".join(sorted(suspects)))
        return "SAME", "%s: %d tests passed, %d fail without the module, too" % (
            name, len(passed), len(failed))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2 * os.cpu_count())  # they mostly wait
    parser.add_argument("--module", required=True)
    parser.add_argument("--source", required=True)
    parser.add_argument("--results", required=True)
    parser.add_argument("suites", nargs="*")
    args = parser.parse_args()
    args.module, args.source, args.results = map(
        os.path.realpath, (args.module, args.source, args.results))
    runner = Runner(args)
    bad = False
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        pending = [pool.submit(runner.suite, name)
                   for name in args.suites or all_suites(args.source)]
        try:
            for one in concurrent.futures.as_completed(pending):
                verdict, text = one.result()
                bad = bad or verdict == "FAIL"
                print("%s: %s" % (verdict, text), flush=True)
        except KeyboardInterrupt:
            runner.end()
            pool.shutdown(cancel_futures=True)
            return 130
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
