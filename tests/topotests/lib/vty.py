# SPDX-License-Identifier: GPL-2.0-or-later
"""A daemon's vty socket, spoken to as vtysh does.

A command ends with a NUL; the answer ends with three NULs and one octet, the
command's return code (lib/command.h: 0 is CMD_SUCCESS).
"""
import json
import time

from .client import Client

TRAILER = b"\0\0\0"


class VtyError(Exception):
    """A daemon refused a command; output is what it said."""

    def __init__(self, daemon, line, code, output):
        super().__init__("%s: '%s' (code %d): %s" % (daemon, line, code, output.strip()))
        self.line, self.code, self.output = line, code, output


class Vty(Client):
    def __init__(self, path, name, timeout=60):
        super().__init__(path, timeout)
        self.name = name

    def connect(self):
        super().connect()
        self.execute("enable")

    def execute(self, line):
        """One command: (return code, output)."""
        self.sock.sendall(line.encode() + b"\0")
        data = bytearray()
        while True:
            # The trailer is at the very end: three NULs and the code, which may be NUL too.
            if len(data) >= 4 and data[-4:-1] == TRAILER:
                return data[-1], data[:-4].decode(errors="replace").replace("\r\n", "\n")
            part = self.sock.recv(65536)
            if not part:
                raise ConnectionError("%s closed its vty socket" % self.name)
            data += part

    def fresh(self):
        """A connection that works, whatever happened to the daemon since the last one."""
        if self.sock:
            try:
                self.execute("end")
                self.execute("enable")
                return
            except OSError:
                pass
        self.connect()

    def command(self, line):
        """The output of an exec command; VtyError when it is refused."""
        self.fresh()
        code, output = self.execute(line)
        if code:
            raise VtyError(self.name, line, code, output)
        return output

    def json(self, line):
        return json.loads(self.command(line + ("" if line.endswith(" json") else " json")))

    def configure(self, text):
        """Configuration lines in order, the first refusal raises. Returns any output."""
        self.fresh()
        said = []
        for line in ["configure terminal", *config_lines(text), "end"]:
            code, output = self.execute(line)
            if code:
                self.execute("end")
                raise VtyError(self.name, line, code, output)
            if output.strip():
                said.append(output)
        return "".join(said)


def config_lines(text):
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("!")]


def wait_ready(vty, alive, limit=60):
    """Until the daemon answers. alive() says whether its process still runs."""
    deadline = time.monotonic() + limit
    while True:
        try:
            vty.connect()
            return
        except OSError as err:
            assert alive(), "%s ended while it started" % vty.name
            assert time.monotonic() < deadline, "%s does not answer at %s: %s" % (
                vty.name, vty.path, err)
            time.sleep(0.05)
