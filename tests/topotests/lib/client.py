# SPDX-License-Identifier: GPL-2.0-or-later
"""A connection to a daemon's Unix socket, which may have to be made again."""
import socket


class Client:
    def __init__(self, path, timeout=60):
        self.path, self.timeout = path, timeout
        self.sock = None

    def connect(self):
        self.close()
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(self.timeout)
        try:
            sock.connect(self.path)
        except OSError:
            sock.close()
            raise
        self.sock = sock

    def close(self):
        if self.sock:
            self.sock.close()
            self.sock = None
