# SPDX-License-Identifier: GPL-2.0-or-later
"""The host's end of one command in a virtual machine."""
import fcntl
import json
import os
import select
import signal
import struct
import sys
import termios
import tty

from . import VmError, wire

GUEST_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def guest_env(extra=()):
    env = {"PATH": GUEST_PATH, "HOME": "/root", "USER": "root", "SHELL": "/bin/bash",
           "LANG": "C.UTF-8", "SWMESH_VM_GUEST": "1",
           "TERM": os.environ.get("TERM", "dumb")}
    for item in extra:
        name, sign, value = item.partition("=")
        env[name] = value if sign else os.environ.get(name, "")
    return env


def guest_cwd(shares):
    """The current folder if the guest has it with the same content, else the project."""
    cwd = os.getcwd()
    if any(cwd == s or cwd.startswith(s + "/") for s in shares):
        return cwd
    return shares[0]


def winsize():
    rows, cols, _, _ = struct.unpack("HHHH", fcntl.ioctl(0, termios.TIOCGWINSZ, b"\0" * 8))
    return rows or 24, cols or 80


class Command:
    """Runs one command to its end and returns its exit status."""

    def __init__(self, machine, argv, use_tty=False, stdin=False, env=()):
        self.machine = machine
        self.tty = use_tty
        self.stdin = stdin or use_tty
        shares = machine.info()["shares"]
        rows, cols = winsize() if use_tty else (24, 80)
        self.request = {"argv": argv, "cwd": guest_cwd(shares), "env": guest_env(env),
                        "tty": use_tty, "rows": rows, "cols": cols, "stdin": self.stdin}
        self.interrupts = 0
        self.outbox = bytearray()

    def run(self):
        port = self.machine.take_port()
        if not port:
            raise VmError("virtual machine %s runs as many commands as it can: wait for one "
                          "to end" % self.machine.name)
        saved = None
        try:
            port.handshake(20)
            if self.tty:
                saved = termios.tcgetattr(0)
                tty.setraw(0)
            return self.talk(port)
        finally:
            if saved:
                termios.tcsetattr(0, termios.TCSADRAIN, saved)
            port.close()

    def talk(self, port):
        wake_r, wake_w = os.pipe()
        os.set_blocking(wake_w, False)
        signal.set_wakeup_fd(wake_w, warn_on_full_buffer=False)
        handled = FORWARDED + (signal.SIGWINCH,)
        old = {number: signal.signal(number, lambda n, f: None) for number in handled}
        try:
            port.sock.setblocking(False)
            self.outbox += wire.frame(wire.START, json.dumps(self.request).encode())
            return self.loop(port, wake_r)
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in old.items():
                signal.signal(number, handler)
            os.close(wake_r)
            os.close(wake_w)

    def loop(self, port, wake_r):
        reading_stdin = self.stdin
        while True:
            status = self.handle_frames(port.reader)
            if status is not None:
                return status
            wanted = [port.sock, wake_r]
            if reading_stdin and len(self.outbox) < wire.CHUNK:
                wanted.append(0)
            ready, writable, _ = select.select(wanted, [port.sock] if self.outbox else [], [])
            if wake_r in ready:
                self.on_signals(os.read(wake_r, 64))
            if 0 in ready:
                data = os.read(0, wire.CHUNK)
                self.outbox += wire.frame(wire.STDIN, data)
                reading_stdin = bool(data)
            if writable:
                del self.outbox[: port.sock.send(self.outbox)]
            if port.sock in ready:
                data = port.sock.recv(wire.CHUNK)
                if not data:
                    raise VmError("virtual machine %s ended; its console says:\n%s" % (
                        self.machine.name, self.machine.console_tail()))
                port.reader.feed(data)

    def on_signals(self, numbers):
        for number in numbers:
            if number == signal.SIGWINCH:
                if self.tty:
                    self.outbox += wire.frame(wire.WINCH, wire.WINSIZE.pack(*winsize()))
            else:
                self.interrupts += 1
                if self.interrupts > 2:  # the command does not listen: leave it, hard
                    raise KeyboardInterrupt
                self.outbox += wire.frame(wire.SIGNAL, bytes([number]))

    def handle_frames(self, reader):
        for kind, payload in reader.frames():
            if kind == wire.STDOUT:
                write_all(sys.stdout, payload)
            elif kind == wire.STDERR:
                write_all(sys.stderr, payload)
            elif kind == wire.ERROR:
                raise VmError("the guest could not start the command: %s" % payload.decode())
            elif kind == wire.EXIT:
                result = json.loads(payload)
                return result["status"] if "status" in result else 128 + result["signal"]
        return None


def write_all(stream, data):
    """Unbuffered, so that the two streams keep their order; a closed pipe ends us quietly."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(stream.fileno(), view) :]
        except BlockingIOError:
            select.select([], [stream], [])
