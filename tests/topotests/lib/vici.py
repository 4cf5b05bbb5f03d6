# SPDX-License-Identifier: GPL-2.0-or-later
"""A client for charon's vici socket, independent of the one under test.

A packet is a 4-octet length and a message; a message is a type octet, for some
types a name, and elements: sections and lists of named text values (strongSwan,
src/libcharon/plugins/vici/README.md). Sections become dicts, lists become lists.
"""
import struct

from .client import Client

(CMD_REQUEST, CMD_RESPONSE, CMD_UNKNOWN, EVENT_REGISTER, EVENT_UNREGISTER, EVENT_CONFIRM,
 EVENT_UNKNOWN, EVENT) = range(8)
(SECTION_START, SECTION_END, KEY_VALUE, LIST_START, LIST_ITEM, LIST_END) = range(1, 7)


class ViciError(Exception):
    pass


def _name(text):
    data = text.encode()
    return bytes([len(data)]) + data


def _value(value):
    data = value if isinstance(value, bytes) else str(value).encode()
    return struct.pack("!H", len(data)) + data


def encode(message):
    out = b""
    for key, value in message.items():
        if isinstance(value, dict):
            out += bytes([SECTION_START]) + _name(key) + encode(value) + bytes([SECTION_END])
        elif isinstance(value, (list, tuple)):
            out += bytes([LIST_START]) + _name(key)
            out += b"".join(bytes([LIST_ITEM]) + _value(item) for item in value)
            out += bytes([LIST_END])
        else:
            out += bytes([KEY_VALUE]) + _name(key) + _value(value)
    return out


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if self.at + count > len(self.data):
            raise ViciError("a message of charon's ends early")
        self.at += count
        return self.data[self.at - count : self.at]

    def name(self):
        return self.take(self.take(1)[0]).decode()

    def value(self):
        return self.take(struct.unpack("!H", self.take(2))[0]).decode(errors="replace")

    def section(self):
        """Elements up to the section's end, or the message's."""
        found = {}
        while self.at < len(self.data):
            kind = self.take(1)[0]
            if kind == SECTION_END:
                break
            key = self.name()
            if kind == SECTION_START:
                found[key] = self.section()
            elif kind == KEY_VALUE:
                found[key] = self.value()
            elif kind == LIST_START:
                found[key] = self.items()
            else:
                raise ViciError("element of kind %d in a message of charon's" % kind)
        return found

    def items(self):
        found = []
        while self.take(1)[0] == LIST_ITEM:
            found.append(self.value())
        return found


class Vici(Client):
    """One connection, made when it is needed, and again when charon was restarted."""

    def _send(self, kind, name, message=None):
        data = bytes([kind]) + _name(name) + encode(message or {})
        self.sock.sendall(struct.pack("!I", len(data)) + data)

    def _receive(self):
        length = struct.unpack("!I", self._exactly(4))[0]
        reader = _Reader(self._exactly(length))
        kind = reader.take(1)[0]
        return kind, reader.name() if kind == EVENT else None, reader.section()

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            part = self.sock.recv(count - len(data))
            if not part:
                raise ConnectionError("charon closed its vici socket %s" % self.path)
            data += part
        return data

    def _fresh(self):
        try:
            self.sock.getpeername()
            self._send(CMD_REQUEST, "version")
            self._receive()
        except (AttributeError, OSError):
            self.connect()

    def request(self, command, message=None):
        """The answer to a command; ViciError when charon refuses it."""
        self._fresh()
        self._send(CMD_REQUEST, command, message)
        kind, _, answer = self._receive()
        if kind != CMD_RESPONSE:
            raise ViciError("charon knows no command %s" % command)
        if answer.get("success", "yes") != "yes":
            raise ViciError("%s: %s" % (command, answer.get("errmsg", "refused")))
        return answer

    def stream(self, command, event, message=None):
        """What a list-... command tells by events, in order."""
        self._fresh()
        self._send(EVENT_REGISTER, event)
        assert self._receive()[0] == EVENT_CONFIRM, "charon knows no event " + event
        self._send(CMD_REQUEST, command, message)
        found = []
        while True:
            kind, _, body = self._receive()
            if kind != EVENT:
                break
            found.append(body)
        self._send(EVENT_UNREGISTER, event)
        self._receive()
        return found
