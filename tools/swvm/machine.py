# SPDX-License-Identifier: GPL-2.0-or-later
"""One virtual machine: its QEMU process, its folder of sockets, its accelerator."""
import ctypes
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

from . import VmError, image, wire

QEMU = "qemu-system-x86_64"
RUN_DIR = "/run/swmesh-vm"
PORTS = 8  # commands at once in one machine
BOOT_LIMIT = 90  # seconds; about 4 when the host is idle
KVM_LIMIT = 8  # seconds given to a trial boot under KVM
KERNEL_ARGS = (
    "console=ttyS0 quiet mitigations=off nokaslr nowatchdog tsc=reliable "
    "random.trust_cpu=on no_timer_check panic=-1 rdinit=/init "
    "systemd.unified_cgroup_hierarchy=1"
)
PR_SET_PDEATHSIG = 1


def project_top():
    here = os.path.realpath(__file__)
    return os.path.dirname(os.path.dirname(os.path.dirname(here)))


def cache_dir():
    return os.path.join(project_top(), "build", "vm")


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def stay_behind():
    os.setsid()


def check_name(name):
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,40}", name):
        raise VmError("virtual machine name %r: use letters, digits, dot and hyphen" % name)


class Machine:
    """A machine by name. Its folder holds info.json, console.log and one socket a port."""

    def __init__(self, name):
        check_name(name)
        self.name = name
        self.dir = os.path.join(RUN_DIR, name)
        self.process = None

    def path(self, leaf):
        return os.path.join(self.dir, leaf)

    # -- what there is --

    def info(self):
        try:
            with open(self.path("info.json")) as file:
                return json.load(file)
        except (OSError, ValueError):
            return None

    def running(self):
        """True when the QEMU process named in info.json is alive."""
        info = self.info()
        if not info:
            return False
        if self.process:
            return self.process.poll() is None
        try:
            with open("/proc/%d/cmdline" % info["pid"], "rb") as file:
                return self.path("port0").encode() in file.read()
        except OSError:
            return False

    def console_tail(self, lines=15):
        try:
            with open(self.path("console.log"), errors="replace") as file:
                return "".join(file.readlines()[-lines:])
        except OSError:
            return ""

    # -- start and stop --

    def start(self, memory=2048, cpus=2, shares=(), accel="auto", foreground=False):
        """Boot; returns when the guest's agent answers. foreground: QEMU dies with us."""
        if self.running():
            raise VmError("virtual machine %s is running already: tools/vm stop --name %s, "
                          "or choose another --name" % (self.name, self.name))
        if not shutil.which(QEMU):
            raise VmError("no %s: install qemu-system-x86 (tools/setup does)" % QEMU)
        if os.geteuid() != 0:
            raise VmError("tools/vm shares the whole root file system: run it as root")
        if accel == "auto":
            accel = self.choose_accel()
        self.launch(accel, memory, cpus, shares, foreground)
        try:
            self.wait_ready(BOOT_LIMIT)
        except VmError:
            self.stop()
            raise

    def launch(self, accel, memory, cpus, shares, foreground):
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir, mode=0o700)
        kernel, release = image.vmlinux(cache_dir())
        mounts = [("share%d" % i, "rw", path) for i, path in enumerate(unique(shares))]
        agent = os.path.join(project_top(), "tools", "swvm", "guest.py")
        with open(self.path("initramfs"), "wb") as file:
            file.write(image.initramfs(release, mounts, agent))
        argv = qemu_argv(self, kernel, accel, memory, cpus, mounts)
        with open(self.path("qemu.log"), "wb") as log:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=die_with_parent if foreground else stay_behind)
        info = {"pid": self.process.pid, "project": project_top(), "kernel": release,
                "accel": accel, "started": time.time(), "shares": [m[2] for m in mounts]}
        with open(self.path("info.json"), "w") as file:
            json.dump(info, file)

    def wait_ready(self, limit):
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            if not self.running():
                raise VmError("virtual machine %s did not start: %s%s" % (
                    self.name, self.log_tail("qemu.log"), self.console_tail()))
            if self.answers():
                return
        raise VmError("virtual machine %s did not boot in %d s; its console says:\n%s" % (
            self.name, limit, self.console_tail()))

    def log_tail(self, leaf):
        try:
            with open(self.path(leaf), errors="replace") as file:
                return "".join(file.readlines()[-5:])
        except OSError:
            return ""

    def answers(self, limit=1.0):
        """Does the agent answer on the first port within limit seconds?"""
        port = self.take_port(only=0)
        if not port:
            return True  # somebody is talking to it
        try:
            port.handshake(limit)
            return True
        except (OSError, VmError):
            time.sleep(0.05)  # the socket is not there yet: do not spin
            return False
        finally:
            port.close()

    def stop(self):
        """End QEMU. Nothing is lost: shares are written through, the rest is a tmpfs."""
        info = self.info()
        if self.running():
            os.kill(info["pid"], signal.SIGTERM)
            deadline = time.monotonic() + 5
            while self.running() and time.monotonic() < deadline:
                time.sleep(0.02)
            if self.running():
                os.kill(info["pid"], signal.SIGKILL)
        if self.process:
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    # -- ports --

    def take_port(self, only=None):
        """A port that no other client holds (kept by a lock on a file beside its socket)."""
        for number in range(PORTS) if only is None else (only,):
            lock = open(self.path("port%d.lock" % number), "w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            return PortSocket(self, number, lock)
        return None

    # -- accelerator --

    def choose_accel(self):
        """KVM only where it boots: /dev/kvm opens on hosts that run no stock kernel."""
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            return "tcg"
        with open("/proc/sys/kernel/random/boot_id") as file:
            key = file.read().strip() + " " + image.newest_kernel()[0]
        verdict = os.path.join(cache_dir(), "accel.json")
        try:
            with open(verdict) as file:
                known = json.load(file)
            if known["key"] == key:
                return known["accel"]
        except (OSError, ValueError, KeyError):
            pass
        accel = "kvm" if self.kvm_boots() else "tcg"
        os.makedirs(cache_dir(), exist_ok=True)
        with open(verdict, "w") as file:
            json.dump({"key": key, "accel": accel}, file)
        return accel

    def kvm_boots(self):
        trial = Machine("kvm-trial-%d" % os.getpid())
        try:
            trial.launch("kvm", 512, 1, (), True)
            trial.wait_ready(KVM_LIMIT)
            return True
        except VmError:
            return False
        finally:
            trial.stop()


class PortSocket:
    """One port taken by this process."""

    def __init__(self, machine, number, lock):
        self.machine = machine
        self.number = number
        self.lock = lock
        self.sock = None
        self.reader = wire.Reader()

    def handshake(self, limit):
        """Agree with the agent on where the stream starts (wire.py)."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(limit)
        self.sock.connect(self.machine.path("port%d" % self.number))
        nonce = os.urandom(wire.NONCE_LEN)
        self.sock.sendall(wire.SYNC + nonce)
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            data = self.sock.recv(wire.CHUNK)
            if not data:
                break
            self.reader.feed(data)
            if self.reader.take_sync() == nonce:
                self.sock.settimeout(None)
                return
        raise VmError("virtual machine %s does not answer; see tools/vm console" %
                      self.machine.name)

    def close(self):
        if self.sock:
            self.sock.close()
        self.lock.close()


def unique(paths):
    """Real paths, the project first, none inside another."""
    found = []
    for path in [project_top(), *paths]:
        path = os.path.realpath(path)
        if not os.path.isdir(path):
            raise VmError("%s is not a folder that can be shared" % path)
        if not any(path == f or path.startswith(f + "/") for f in found):
            found.append(path)
    return found


def qemu_argv(machine, kernel, accel, memory, cpus, mounts):
    accel_arg = "tcg,thread=multi" if accel == "tcg" else accel
    argv = [QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-nic", "none",
            "-no-reboot", "-machine", "pc,usb=off", "-accel", accel_arg,
            "-cpu", "max" if accel == "tcg" else "host",
            "-smp", str(cpus), "-m", str(memory),
            "-kernel", kernel, "-initrd", machine.path("initramfs"),
            "-append", KERNEL_ARGS,
            "-serial", "file:" + machine.path("console.log"),
            "-device", "virtio-serial-pci,max_ports=%d" % (PORTS + 1)]
    shares = [("root", "/", ",readonly=on")]
    shares += [(tag, path, "") for tag, _, path in mounts]
    for tag, path, extra in shares:
        argv += ["-fsdev", "local,id=%s,path=%s,security_model=none,multidevs=remap%s" %
                 (tag, path.replace(",", ",,"), extra),
                 "-device", "virtio-9p-pci,fsdev=%s,mount_tag=%s" % (tag, tag)]
    for number in range(PORTS):
        argv += ["-chardev", "socket,id=c%d,path=%s,server=on,wait=off" %
                 (number, machine.path("port%d" % number)),
                 "-device", "virtserialport,chardev=c%d,name=swvm.%d" % (number, number)]
    return argv


def machines():
    """Every machine whose QEMU runs."""
    try:
        names = sorted(os.listdir(RUN_DIR))
    except OSError:
        names = []
    return [m for m in map(Machine, names) if m.running()]
