# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole system: this one's files under an overlay, with processes of its own.

For what is installed into / and for Debian's service scripts: mount, PID and
network namespaces; all that is written goes to memory and vanishes.
"""
import os
import shutil
import signal
import subprocess
import sys

from . import netns, paths, wait

HOLDER = """
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # process 1 of the namespace: reap
os.write(1, b"ready")
os.close(1)
while True:
    signal.pause()
"""

# Run in the new namespaces: $1 the folder to build the root in, $2 the project,
# $3 and $4 what becomes process 1, $5 the name.
MOUNTS = """
set -e
hostname "$5"
mount --make-rprivate /
mount -t tmpfs system "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o lowerdir=/,upperdir="$1/upper",workdir="$1/work" "$1/root"
root="$1/root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs run "$root/run"
mount -t tmpfs tmp "$root/tmp"
mkdir -p "$root$2"
mount --bind "$2" "$root$2"
exec chroot "$root" "$3" -c "$4"
"""


class System:
    """A machine named as its network namespace. ip_lines: ip(8) commands to set it up."""

    def __init__(self, name, ip_lines=()):
        self.name, self.ip_lines = name, list(ip_lines)
        self.folder = os.path.join(paths.WORK, "system-" + name)
        self.holder = None

    def up(self):
        netns.create([self.name])
        netns.ip_batch(self.name, self.ip_lines)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.holder = subprocess.Popen(
            ["ip", "netns", "exec", self.name, "unshare", "--mount", "--pid", "--uts", "--fork",
             "--kill-child", "sh", "-c", MOUNTS, "sh", self.folder, paths.TOP, sys.executable,
             HOLDER, self.name],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=paths.ENV)
        ready = self.holder.stdout.read(5)
        assert ready == b"ready", "the system %s did not come up" % self.name
        self.write("/etc/machine-id", "%032x\n" % (0x5357 << 64 | 0xff))

    def down(self):
        if self.holder:
            self.holder.stdout.close()
            self.holder.send_signal(signal.SIGKILL)  # --kill-child ends process 1, and so all
            self.holder.wait()
            self.holder = None
        netns.delete([self.name])
        shutil.rmtree(self.folder, ignore_errors=True)

    def init_pid(self):
        """Process 1 of the system, as seen from here."""
        with open("/proc/%d/task/%d/children" % (self.holder.pid, self.holder.pid)) as file:
            return int(file.read().split()[0])

    # -- running --

    def argv(self, command):
        return ["nsenter", "--target", str(self.init_pid()), "--mount", "--pid", "--uts",
                "--net", "--root", "--wdns=/", "--", *command]

    def try_run(self, command, stdin=None, timeout=600):
        """(exit status, standard output and error together)."""
        done = subprocess.run(self.argv(command), input=stdin, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env=paths.ENV,
                              timeout=timeout)
        return done.returncode, done.stdout

    def run(self, *command, stdin=None):
        status, output = self.try_run(command, stdin)
        assert status == 0, "%s: status %d: %s" % (" ".join(command), status, output)
        return output

    def popen(self, command, **options):
        return subprocess.Popen(self.argv(command), env=dict(paths.ENV, TERM="vt100"), **options)

    # -- files and processes --

    def path(self, path):
        """The system's file as a path of ours."""
        return "/proc/%d/root%s" % (self.init_pid(), path)

    def read(self, path):
        with open(self.path(path)) as file:
            return file.read()

    def install(self, tree):
        """Copy what is below a folder of ours to the system's root."""
        subprocess.run(["cp", "-a", tree + "/.", self.path("/")], check=True, env=paths.ENV)

    def write(self, path, text):
        """Into the file that is there, so that owner and mode stay."""
        with open(self.path(path), "w") as file:
            file.write(text)

    def processes(self, program):
        """Our process ids of those that run a program."""
        found = []
        for pid in netns.pids(self.name):
            try:
                target = os.readlink("/proc/%d/exe" % pid)
            except OSError:
                continue
            if target == program or target.endswith("/root" + program):
                found.append(pid)
        return found

    def wait_process(self, program, other_than=None):
        """The process id of the one that runs the program, once there is a new one."""
        def only():
            found = self.processes(program)
            return found[0] if len(found) == 1 and found[0] != other_than else None
        return wait.until(only, "one %s runs%s" % (
            program, other_than and ", other than %d" % other_than or ""), limit=180)
