# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames between the host's client and the guest's agent on one virtio-serial port.

A port has no notion of a connection that both ends agree on: bytes of a client
that died may still be under way. So a client opens with SYNC and a nonce, the
agent drops everything before it, answers with the same 24 bytes, and the client
drops everything before those. After that both send frames:

    kind (1 octet), payload length (4 octets, big-endian), payload
"""
import struct

SYNC = b"\x00swvm\xffnc"  # 8 octets; a 16-octet nonce follows
NONCE_LEN = 16
SYNC_LEN = len(SYNC) + NONCE_LEN
MAX_PAYLOAD = 1 << 20
CHUNK = 32768

HEADER = struct.Struct("!BI")

# client -> agent
START = 1  # JSON: argv, cwd, env, tty, rows, cols, stdin
STDIN = 2  # bytes; an empty payload closes the command's input
SIGNAL = 3  # one octet: signal number, for the command's process group
WINCH = 4  # rows, cols: two 16-bit numbers
# agent -> client
STDOUT = 16
STDERR = 17
EXIT = 18  # JSON: status (0-255), or signal
ERROR = 19  # text: the command could not be started

WINSIZE = struct.Struct("!HH")


def frame(kind, payload=b""):
    return HEADER.pack(kind, len(payload)) + payload


class Reader:
    """Cuts a byte stream into frames; never holds more than one frame."""

    def __init__(self):
        self.buf = bytearray()

    def feed(self, data):
        self.buf += data

    def reset(self):
        self.buf.clear()

    def take_sync(self):
        """The nonce of the last SYNC in the buffer, or None; drops all before it."""
        at = self.buf.rfind(SYNC)
        if at < 0 or len(self.buf) < at + SYNC_LEN:
            return None
        nonce = bytes(self.buf[at + len(SYNC) : at + SYNC_LEN])
        del self.buf[: at + SYNC_LEN]
        return nonce

    def frames(self):
        while len(self.buf) >= HEADER.size:
            kind, length = HEADER.unpack_from(self.buf)
            if length > MAX_PAYLOAD:
                raise ValueError("frame of %d octets" % length)
            end = HEADER.size + length
            if len(self.buf) < end:
                return
            payload = bytes(self.buf[HEADER.size : end])
            del self.buf[:end]
            yield kind, payload
