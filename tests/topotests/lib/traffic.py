# SPDX-License-Identifier: GPL-2.0-or-later
"""Traffic between islands: ping, and flows that tell exactly which packets were lost."""
import ctypes
import dataclasses
import json
import os
import random
import select
import signal
import socket
import struct
import time

from . import netns

ICMP_ECHO, ICMP_REPLY = 8, 0
ICMPV6_ECHO, ICMPV6_REPLY = 128, 129
PR_SET_PDEATHSIG = 1
SILENCE = 2.0  # seconds without a packet after which what is missing is lost
MAGIC = b"swmesh"
PROBE = struct.Struct("!6sIQ")  # magic, sequence number, time of sending (ns)
FLOW_PORT = 40000

_flow_count = 0


def _family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _echo_request(family, ident, sequence, size):
    body = bytes(i & 0xFF for i in range(size))
    if family == socket.AF_INET6:  # the kernel fills in the checksum
        return struct.pack("!BBHHH", ICMPV6_ECHO, 0, 0, ident, sequence) + body
    packet = struct.pack("!BBHHH", ICMP_ECHO, 0, 0, ident, sequence) + body
    return packet[:2] + struct.pack("!H", checksum(packet)) + packet[4:]


def ping(node, address, count=1, timeout=2.0, size=56, source=None):
    """Echo requests one after another; round-trip seconds of each answer, None where lost."""
    family = _family(address)
    proto = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    ident = random.getrandbits(16)
    with netns.inside(node):
        sock = socket.socket(family, socket.SOCK_RAW, proto)
    results = []
    with sock:
        if source:
            sock.bind((source, 0))
        for sequence in range(count):
            began = time.monotonic()
            try:
                sock.sendto(_echo_request(family, ident, sequence, size), (address, 0))
            except OSError:  # no route: as lost as a packet can be
                results.append(None)
                continue
            results.append(_await_reply(sock, family, ident, sequence, began, timeout))
    return results


def _await_reply(sock, family, ident, sequence, began, timeout):
    want = ICMPV6_REPLY if family == socket.AF_INET6 else ICMP_REPLY
    while True:
        left = began + timeout - time.monotonic()
        if left <= 0 or not select.select([sock], [], [], left)[0]:
            return None
        data = sock.recv(65535)
        if family == socket.AF_INET:
            data = data[(data[0] & 15) * 4 :]
        if len(data) >= 8 and data[0] == want and struct.unpack_from("!HH", data, 4) == (
                ident, sequence):
            return time.monotonic() - began


def reachable(node, address, timeout=2.0):
    """One ping answered?"""
    return ping(node, address, 1, timeout)[0] is not None


@dataclasses.dataclass
class FlowResult:
    sent: int
    received: int
    lost: list  # sequence numbers that never came
    lost_at: list  # for each, seconds since the flow began
    duplicates: int
    errors: int  # the sending kernel refused it (no route); counted as sent and lost
    longest_gap: float  # seconds between two arrivals in a row

    def __str__(self):
        text = "%d sent, %d received, %d lost" % (self.sent, self.received, len(self.lost))
        if self.lost:
            text += " (first %s, at %.2f s to %.2f s)" % (
                self.lost[:10], self.lost_at[0], self.lost_at[-1])
        return text


class Flow:
    """Numbered UDP packets from one node to another at a rate, by a process of its own.

    flow = Flow("h1", "10.2.0.2", "h2", rate=100); ...; result = flow.stop()
    """

    def __init__(self, source, address, target, rate=100, size=100):
        global _flow_count
        _flow_count += 1
        family = _family(address)
        port = FLOW_PORT + _flow_count % 10000
        with netns.inside(target):
            receiver = socket.socket(family, socket.SOCK_DGRAM)
            receiver.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
            receiver.bind((address, port))
        with netns.inside(source):
            sender = socket.socket(family, socket.SOCK_DGRAM)
            sender.setblocking(False)
        self.name = "%s to %s" % (source, address)
        self.port = port
        self.control, child = socket.socketpair()
        self.pid = os.fork()
        if not self.pid:
            status = 1
            try:
                ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
                self.control.close()
                _Generator(child, sender, receiver, (address, port), rate, size).run()
                status = 0
            finally:
                os._exit(status)
        child.close()
        sender.close()
        receiver.close()

    def progress(self):
        """(sent, received) so far."""
        return tuple(self._ask(b"p"))

    def stop(self):
        """Stop sending, wait for what is under way, tell what became of each packet."""
        result = FlowResult(**self._ask(b"s"))
        self.control.close()
        os.waitpid(self.pid, 0)
        self.pid = 0
        return result

    def _ask(self, what):
        self.control.settimeout(60)
        self.control.sendall(what)
        data = b""
        while not data.endswith(b"\n"):
            part = self.control.recv(65536)
            assert part, "the traffic process of %s ended" % self.name
            data += part
        return json.loads(data)

    def abandon(self):
        """For a teardown: end the process if it still runs."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0


class _Generator:
    """The traffic process."""

    def __init__(self, control, sender, receiver, target, rate, size):
        self.control, self.sender, self.receiver = control, sender, receiver
        self.target, self.interval = target, 1.0 / rate
        self.filler = b"\0" * max(0, size - PROBE.size)
        self.sent_at = []  # by sequence number
        self.arrived = set()
        self.errors = self.duplicates = 0
        self.last_arrival, self.longest_gap = None, 0.0
        receiver.setblocking(False)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def run(self):
        began = following = time.monotonic()
        while True:
            now = time.monotonic()
            if now >= following:
                self.send(now)
                # No burst to make good for a pause of this process.
                following = max(following + self.interval, now)
            ready, _, _ = select.select([self.control, self.receiver], [], [],
                                        max(0, following - now))
            if self.receiver in ready:
                self.receive()
            if self.control in ready and self.answer(began):
                return

    def send(self, now):
        sequence = len(self.sent_at)
        self.sent_at.append(now)
        try:
            self.sender.sendto(PROBE.pack(MAGIC, sequence, time.time_ns()) + self.filler,
                               self.target)
        except OSError:
            self.errors += 1

    def receive(self):
        while True:
            try:
                data = self.receiver.recv(65535)
            except OSError:
                return
            magic, sequence, _ = PROBE.unpack_from(data)
            if magic != MAGIC:
                continue
            self.duplicates += sequence in self.arrived
            self.arrived.add(sequence)
            now = time.monotonic()
            if self.last_arrival is not None:
                self.longest_gap = max(self.longest_gap, now - self.last_arrival)
            self.last_arrival = now

    def answer(self, began):
        """Serve one request; True when it was the last."""
        request = self.control.recv(1)
        if request == b"p":
            self.tell([len(self.sent_at), len(self.arrived)])
            return False
        if request == b"s":
            while len(self.arrived) < len(self.sent_at):
                if not select.select([self.receiver], [], [], SILENCE)[0]:
                    break
                self.receive()
            lost = [n for n in range(len(self.sent_at)) if n not in self.arrived]
            self.tell({
                "sent": len(self.sent_at), "received": len(self.arrived), "lost": lost,
                "lost_at": [round(self.sent_at[n] - began, 3) for n in lost],
                "duplicates": self.duplicates, "errors": self.errors,
                "longest_gap": round(self.longest_gap, 3)})
        return True

    def tell(self, value):
        self.control.sendall(json.dumps(value).encode() + b"\n")
