# SPDX-License-Identifier: GPL-2.0-or-later
"""PID 1 of the test virtual machine.

Each virtio-serial port named swvm.N carries one command at a time (wire.py). A
command runs in a session of its own; when its client goes away the session is
killed, so that a Ctrl-C on the host leaves nothing running here. Daemons that
left the session stay: that is how a long-lived machine keeps a topology up.
"""
import ctypes
import errno
import fcntl
import glob
import json
import os
import pty
import select
import signal
import struct
import sys
import termios

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

from swvm import wire  # noqa: E402

OUTPUT_LIMIT = 256 * 1024  # octets queued for a port before reading pauses
PORT_EVENTS = select.EPOLLIN | select.EPOLLOUT | select.EPOLLET


class Port:
    """One virtio-serial port, and the command that it carries, if any."""

    def __init__(self, loop, path):
        self.loop = loop
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.reader = wire.Reader()
        self.out = bytearray()
        self.pid = 0
        self.streams = {}  # fd -> frame kind
        self.stdin = -1
        self.tty = False
        self.pending = bytearray()  # input that the command has not taken yet
        self.eof = False
        loop.watch(self.fd, PORT_EVENTS, self.on_port)

    # -- the port's own events (edge-triggered: take everything) --

    def on_port(self, events):
        if events & select.EPOLLIN:
            self.receive()
        self.flush()
        if events & select.EPOLLHUP and not events & select.EPOLLIN:
            self.hangup()

    def receive(self):
        while True:
            try:
                data = os.read(self.fd, wire.CHUNK)
            except BlockingIOError:
                break
            except OSError:
                break
            if not data:
                break
            self.reader.feed(data)
            self.sync()
            try:
                for kind, payload in self.reader.frames():
                    self.handle(kind, payload)
            except ValueError:
                self.reader.reset()

    def sync(self):
        if wire.SYNC not in self.reader.buf:
            return
        nonce = self.reader.take_sync()
        if nonce is None:
            return
        self.hangup()
        self.out += wire.SYNC + nonce

    def flush(self):
        while self.out:
            try:
                sent = os.write(self.fd, self.out[: wire.CHUNK])
            except OSError:
                return
            del self.out[:sent]
        for fd in self.streams:
            self.loop.resume(fd)

    def send(self, kind, payload=b""):
        self.out += wire.frame(kind, payload)
        self.flush()

    def hangup(self):
        """The client is gone, or another one came: end its command."""
        self.out.clear()
        if self.pid:
            kill_session(self.pid)
        self.close_streams()
        self.pid = 0

    # -- the command --

    def handle(self, kind, payload):
        if kind == wire.START:
            self.start(json.loads(payload))
        elif kind == wire.STDIN and self.stdin >= 0:
            self.pending += payload
            self.eof = self.eof or not payload
            self.feed_stdin()
        elif kind == wire.SIGNAL and self.pid:
            signal_group(self.pid, payload[0])
        elif kind == wire.WINCH and self.tty and self.stdin >= 0:
            set_winsize(self.stdin, *wire.WINSIZE.unpack(payload))

    def start(self, request):
        self.tty = request["tty"]
        self.eof = False
        self.pending.clear()
        try:
            if self.tty:
                self.spawn_tty(request)
            else:
                self.spawn_pipes(request)
        except OSError as err:
            self.send(wire.ERROR, str(err).encode())

    def spawn_tty(self, request):
        parent, child = pty.openpty()
        set_winsize(child, request["rows"], request["cols"])
        self.pid = self.spawn(request, child, child, child, tty=True)
        os.close(child)
        os.set_blocking(parent, False)
        self.stdin = parent
        self.add_stream(parent, wire.STDOUT)

    def spawn_pipes(self, request):
        out_r, out_w = os.pipe()
        err_r, err_w = os.pipe()
        in_w = -1
        if request["stdin"]:
            in_r, in_w = os.pipe()
        else:
            in_r = os.open("/dev/null", os.O_RDONLY)
        self.pid = self.spawn(request, in_r, out_w, err_w, tty=False)
        for fd in (in_r, out_w, err_w):
            os.close(fd)
        if in_w >= 0:
            os.set_blocking(in_w, False)
        self.stdin = in_w
        self.add_stream(out_r, wire.STDOUT)
        self.add_stream(err_r, wire.STDERR)

    def spawn(self, request, stdin, stdout, stderr, tty):
        """Start the command; a failure to execute it reads as status 126 or 127."""
        pid = os.fork()
        if pid:
            return pid
        status = 126
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            os.setsid()
            for target, fd in enumerate((stdin, stdout, stderr)):
                os.dup2(fd, target)
            if tty:
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            os.chdir(request["cwd"])
            os.execvpe(request["argv"][0], request["argv"], request["env"])
        except OSError as err:
            status = 127 if err.errno == errno.ENOENT else 126
            os.write(2, ("%s: %s\n" % (request["argv"][0], err)).encode())
        finally:
            os._exit(status)

    def add_stream(self, fd, kind):
        os.set_blocking(fd, False)
        self.streams[fd] = kind
        self.loop.watch(fd, select.EPOLLIN, lambda ev: self.on_output(fd))

    def on_output(self, fd):
        """Returns False when there is nothing more to read for now."""
        if len(self.out) > OUTPUT_LIMIT:
            self.loop.pause(fd)
            return False
        try:
            data = os.read(fd, wire.CHUNK)
        except BlockingIOError:
            return False
        except OSError:  # EIO: the last process has closed the terminal
            data = b""
        if not data:
            self.drop_stream(fd)
            return False
        self.send(self.streams[fd], data)
        return True

    def feed_stdin(self):
        while self.pending:
            try:
                sent = os.write(self.stdin, self.pending[: wire.CHUNK])
            except BlockingIOError:
                self.loop.watch_more(self.stdin, self.feed_stdin)
                return
            except OSError:
                self.pending.clear()
                break
            del self.pending[:sent]
        if self.eof and not self.tty:
            self.close_stdin()

    def close_stdin(self):
        if self.stdin >= 0 and self.stdin not in self.streams:
            self.loop.forget(self.stdin)
            os.close(self.stdin)
        self.stdin = -1

    def drop_stream(self, fd):
        self.loop.forget(fd)
        del self.streams[fd]
        if fd == self.stdin:
            self.stdin = -1
        os.close(fd)

    def close_streams(self):
        self.close_stdin()
        for fd in list(self.streams):
            self.drop_stream(fd)

    def on_exit(self, status):
        """The command has ended: send what it left in its pipes, then the status.

        A daemon that it started may hold the pipes open for ever, so their end
        is not waited for.
        """
        for fd in list(self.streams):
            self.out_limit_lifted(fd)
        self.close_streams()
        self.pid = 0
        if os.WIFSIGNALED(status):
            result = {"signal": os.WTERMSIG(status)}
        else:
            result = {"status": os.WEXITSTATUS(status)}
        self.send(wire.EXIT, json.dumps(result).encode())

    def out_limit_lifted(self, fd):
        while fd in self.streams:
            try:
                data = os.read(fd, wire.CHUNK)
            except OSError:
                return
            if not data:
                return
            self.out += wire.frame(self.streams[fd], data)


class Loop:
    """epoll with callbacks, and the reaping of every process."""

    def __init__(self):
        self.epoll = select.epoll()
        self.callbacks = {}
        self.paused = set()
        self.ports = []
        self.wake_r, self.wake_w = os.pipe()
        os.set_blocking(self.wake_r, False)
        os.set_blocking(self.wake_w, False)
        signal.set_wakeup_fd(self.wake_w, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda num, frm: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.watch(self.wake_r, select.EPOLLIN, self.on_wake)

    def watch(self, fd, events, callback):
        self.callbacks[fd] = callback
        self.epoll.register(fd, events)

    def watch_more(self, fd, callback):
        """Call once when fd takes input again (a pipe, or a terminal that is also read)."""
        if fd in self.callbacks:
            return  # a terminal: the next output event retries
        self.watch(fd, select.EPOLLOUT, lambda ev: (self.forget(fd), callback()))

    def pause(self, fd):
        self.paused.add(fd)
        self.epoll.modify(fd, 0)

    def resume(self, fd):
        if fd in self.paused:
            self.paused.discard(fd)
            self.epoll.modify(fd, select.EPOLLIN)

    def forget(self, fd):
        if self.callbacks.pop(fd, None):
            self.paused.discard(fd)
            self.epoll.unregister(fd)

    def on_wake(self, events):
        try:
            while os.read(self.wake_r, 512):
                pass
        except BlockingIOError:
            pass
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for port in self.ports:
                if port.pid == pid:
                    port.on_exit(status)

    def run(self):
        while True:
            for fd, events in self.epoll.poll():
                callback = self.callbacks.get(fd)
                if callback:
                    callback(events)
            # A paused stream never comes back by an edge alone.
            for port in self.ports:
                if port.out:
                    port.flush()


def signal_group(pid, number):
    try:
        os.killpg(pid, number)
    except OSError:
        pass


def kill_session(pid):
    """All processes of the session that pid leads (a shell's jobs have groups of their own)."""
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(stat) as file:
                fields = file.read().rpartition(")")[2].split()
            if int(fields[3]) == pid:
                os.kill(int(stat.split("/")[2]), signal.SIGKILL)
        except (OSError, IndexError, ValueError):
            continue


def set_winsize(fd, rows, cols):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


def port_paths():
    for name in sorted(glob.glob("/sys/class/virtio-ports/*/name")):
        with open(name) as file:
            if file.read().startswith("swvm."):
                yield "/dev/" + name.split("/")[4]


def settle_as_init():
    os.umask(0o022)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.sethostname(b"swmesh-vm", 9)


def main():
    settle_as_init()
    loop = Loop()
    loop.ports = [Port(loop, path) for path in port_paths()]
    loop.run()


main()
