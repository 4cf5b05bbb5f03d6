# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemons of one node: started in its namespace, with a pathspace of its own."""
import os
import pwd
import shutil
import signal

from . import paths, vty, wait
from .charon import Charon
from .process import Process

ORDER = ("zebra", "staticd", "ospf6d", "ospfd", "bgpd", "swmeshd")
# What Debian's /etc/frr/daemons gives zebra: with the kernel's default buffer it loses
# notifications, silently, when hundreds of devices appear at once.
PACKAGED_OPTIONS = {"zebra": ("-s", "90000000")}


class DaemonProcess(Process):
    """One daemon of one router."""

    def __init__(self, router, name, options=()):
        self.options = list(options)
        self.vty = vty.Vty("%s/%s.vty" % (router.run_dir, name), router.name + "/" + name)
        super().__init__(router, name, self.vty)

    @property
    def config_file(self):
        return self.router.file(self.name + ".conf")

    def argv(self):
        before = paths.sanitizer_words() if self.name in ("bgpd", "swmeshd") else []
        argv = [*before, paths.daemon(self.name), "-N", self.router.name, "-f", self.config_file,
                "-i", "%s/%s.pid" % (self.router.run_dir, self.name),
                "--log", "file:" + self.router.file(self.name + ".log"), "--log-level", "debug"]
        if self.name == "swmeshd" and self.router.charon:
            argv += ["--vici", self.router.charon.socket]
        return argv + [*PACKAGED_OPTIONS.get(self.name, ()), *self.options]

    def write_config(self):
        """The configuration that it reads when it starts next; one that reads just now has the one
        before, and not a mixture."""
        text = "hostname %s\nlog timestamp precision 6\n%s" % (
            self.router.name, self.router.configs[self.name])
        with open(self.config_file + ".new", "w") as file:
            file.write(text)
        os.rename(self.config_file + ".new", self.config_file)

    def wait_ready(self):
        vty.wait_ready(self.vty, self.alive)


class Router:
    """A node that runs FRR. configs: daemon name -> its configuration.

    charon: None, or the options of its Charon. files: name -> content (octets), for
    swmeshd to read, in the router's folder.
    """

    def __init__(self, name, configs, options=None, charon=None, files=None):
        self.name = name
        self.dir = os.path.join(paths.WORK, name)
        self.run_dir = os.path.join(paths.FRR_RUN, name)
        self.etc_dir = os.path.join("/etc/frr", name)
        self.configs = configs
        self.files = dict(files or {})
        self.charon = None if charon is None else Charon(self, **charon)
        options = options or {}
        self.daemons = {}
        if self.charon:
            self.daemons["charon"] = self.charon
        self.daemons.update((d, DaemonProcess(self, d, options.get(d, ()))) for d in ORDER
                            if d in configs)

    def file(self, leaf):
        return os.path.join(self.dir, leaf)

    def __getitem__(self, daemon):
        return self.daemons[daemon]

    # -- folders and files --

    def prepare(self):
        """Folders that the daemons (user frr) write to, one configuration file each, and
        the other files."""
        user = pwd.getpwnam("frr")
        os.makedirs(paths.FRR_RUN, exist_ok=True)
        os.chown(paths.FRR_RUN, user.pw_uid, user.pw_gid)
        os.makedirs(paths.WORK, mode=0o755, exist_ok=True)
        for folder in (self.dir, self.run_dir, self.etc_dir):
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder, mode=0o755)
            os.chown(folder, user.pw_uid, user.pw_gid)
        with open(os.path.join(self.etc_dir, "vtysh.conf"), "w") as file:
            file.write("hostname %s\n" % self.name)
        for leaf, content in self.files.items():
            self.write_file(leaf, content)
        for daemon in self.daemons.values():
            daemon.write_config()

    def write_config(self, daemon):
        """The configuration that the daemon reads when it starts next."""
        self.daemons[daemon].write_config()

    def write_file(self, leaf, content):
        """A file that user frr, and nobody else, may read."""
        user, path = pwd.getpwnam("frr"), self.file(leaf)
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        with open(path + ".new", "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            os.fchown(file.fileno(), user.pw_uid, user.pw_gid)
            file.write(content)
        os.rename(path + ".new", path)

    def remove(self):
        for folder in (self.run_dir, self.etc_dir):
            shutil.rmtree(folder, ignore_errors=True)

    # -- all daemons --

    def launch_first(self):
        for name in ("charon", "zebra"):
            if name in self.daemons:
                self.daemons[name].launch()

    def launch_rest(self):
        """The others look for zebra once and then only after ten seconds: it must be there."""
        if "zebra" in self.daemons:
            self.daemons["zebra"].ready()
        for name, daemon in self.daemons.items():
            if name not in ("charon", "zebra"):
                daemon.launch()

    def ready(self):
        for daemon in self.daemons.values():
            daemon.ready()

    def start(self):
        start_all([self])

    def stop(self):
        """All daemons, zebra and charon last; complaints come after all have ended."""
        errors = []
        for daemon in reversed(list(self.daemons.values())):
            try:
                status = daemon.stop()
                if status not in (None, 0, -signal.SIGKILL):
                    errors.append("%s/%s ended with status %d\n%s" % (
                        self.name, daemon.name, status, daemon.output()[-2000:]))
            except AssertionError as err:
                errors.append(str(err))
        return errors + self.hogs()

    def hogs(self):
        """Complaints of libfrr that a task of swmeshd's kept its event loop for seconds."""
        if "swmeshd" not in self.daemons or not os.path.exists(self.file("swmeshd.log")):
            return []
        with open(self.file("swmeshd.log"), errors="replace") as file:
            return ["%s: %s" % (self.name, line.strip()) for line in file if "CPU HOG" in line]

    # -- asking --

    def show(self, daemon, line):
        return self.daemons[daemon].vty.command(line)

    def json(self, daemon, line):
        return self.daemons[daemon].vty.json(line)

    def configure(self, daemon, text):
        return self.daemons[daemon].vty.configure(text)

    def bgp_established(self, count):
        """Assert that at least count sessions are up (for wait.until)."""
        peers = self.json("bgpd", "show bgp summary")
        up = set()
        for family in peers.values():
            for address, peer in family.get("peers", {}).items():
                if peer["state"] == "Established":
                    up.add(address)
        assert len(up) >= count, "%s: sessions up: %s" % (self.name, sorted(up))
        return up

    def wait_bgp(self, count=1, limit=wait.LIMIT):
        return wait.until(lambda: self.bgp_established(count),
                          "%s has %d BGP sessions" % (self.name, count), limit)


def start_all(routers):
    """Start all daemons of all routers; the machine's processors decide how parallel."""
    for router in routers:
        router.prepare()
        router.launch_first()
    for router in routers:
        router.launch_rest()
    for router in routers:
        router.ready()
