# SPDX-License-Identifier: GPL-2.0-or-later
"""One program of a router, in its namespace: started, asked to end, killed."""
import contextlib
import signal
import subprocess

from . import netns, paths

STOP_LIMIT = 20  # seconds between SIGTERM and SIGKILL
GDB_LIMIT = 60


class Process:
    """A kind of program has argv(), wait_ready(), and a `client` that talks to it."""

    def __init__(self, router, name, client):
        self.router, self.name, self.client = router, name, client
        self.process = None

    def argv(self):
        raise NotImplementedError

    def environment(self):
        return paths.ENV

    def wait_ready(self):
        raise NotImplementedError

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def launch(self):
        """Start the process; ready() waits until it answers."""
        assert not self.alive(), "%s/%s runs already" % (self.router.name, self.name)
        with open(self.router.file(self.name + ".out"), "ab") as out:
            self.process = subprocess.Popen(
                netns.argv(self.router.name, self.argv()), stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, env=self.environment(), start_new_session=True)

    def ready(self):
        try:
            self.wait_ready()
        except AssertionError as err:
            raise AssertionError("%s\n%s" % (err, self.output())) from None

    def output(self):
        """What it wrote to its standard output and error."""
        with open(self.router.file(self.name + ".out"), errors="replace") as file:
            return file.read()

    def start(self):
        self.launch()
        self.ready()

    @contextlib.contextmanager
    def frozen(self):
        """It does not run for a while, as under a debugger or on a machine that is suspended."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def backtraces(self):
        """What each of its threads does; of use when it does not answer."""
        try:
            return subprocess.run(
                ["gdb", "-nx", "-batch", "-p", str(self.process.pid), "-ex", "thread apply all bt"],
                capture_output=True, text=True, env=paths.ENV, timeout=GDB_LIMIT,
                stdin=subprocess.DEVNULL).stdout
        except (OSError, subprocess.TimeoutExpired) as err:
            return "no backtraces: %s" % err

    def stop(self, number=signal.SIGTERM):
        """Ask it to end and wait; its exit status (negative: the signal that ended it)."""
        if not self.process:
            return None
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("%s/%s did not end %d s after signal %d" % (
                self.router.name, self.name, STOP_LIMIT, number)) from None

    def kill(self):
        """SIGKILL: no handler runs."""
        return self.stop(signal.SIGKILL)

    def restart(self):
        self.stop()
        self.start()
