# SPDX-License-Identifier: GPL-2.0-or-later
"""Records what crosses links: one process with an AF_PACKET socket for each.

The process writes one pcap file (nanosecond timestamps of the kernel's) for each
link. Only packets that come in at the interface are kept: at the core router's
ports that is what each AFBR put on the wire, each packet once.
"""
import ctypes
import os
import select
import signal
import socket
import struct

from . import netns, packet

PCAP_HEADER = struct.Struct("=IHHiIII")
PCAP_RECORD = struct.Struct("=IIII")
PCAP_NS_MAGIC = 0xA1B23C4D
LINKTYPE_ETHERNET = 1
SNAPLEN = 65535
ETH_P_ALL = 3
PACKET_OUTGOING = 4
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
RCVBUF = 32 << 20
SOL_PACKET = 263
PACKET_STATISTICS = 6
PR_SET_PDEATHSIG = 1


def open_socket(node, interface):
    with netns.inside(node):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RCVBUF)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.setblocking(False)
        sock.bind((interface, ETH_P_ALL))
    return sock


class Capture:
    """capture = Capture(dir, [("p", "p-a1"), ...]); mark = capture.mark(); ...;
    capture.packets(since=mark)."""

    def __init__(self, folder, links):
        os.makedirs(folder, exist_ok=True)
        self.files = {}  # interface -> path of its pcap
        sockets = []
        for node, interface in links:
            self.files[interface] = os.path.join(folder, interface + ".pcap")
            sockets.append((open_socket(node, interface), interface))
        self.control, child = socket.socketpair()
        self.pid = os.fork()
        if not self.pid:
            status = 1
            try:
                ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
                self.control.close()
                _record(child, sockets, self.files)
                status = 0
            finally:
                os._exit(status)
        child.close()
        for sock, _ in sockets:
            sock.close()
        self.control.settimeout(60)
        self.mark()

    def mark(self):
        """A place in time: all that the kernel had received by now is in the files."""
        self.control.sendall(b"f")
        answer = self.control.recv(1)
        assert answer == b"f", "a packet was lost by the capture itself (socket buffer full)" \
            if answer else "the capture process ended"
        return {link: os.path.getsize(path) for link, path in self.files.items()}

    def packets(self, since=None, links=None):
        """Decoded IP packets since a mark (else all), of all links in order of time."""
        self.mark()
        found = []
        for link, path in self.files.items():
            if links is None or link in links:
                start = since[link] if since else 0
                found += [p for p in (packet.decode(data, when, link)
                                      for when, data in read_pcap(path, start)) if p]
        found.sort(key=lambda p: p.time_ns)
        return found

    def stop(self):
        """Close the files; they stay."""
        if self.pid:
            self.control.sendall(b"q")
            self.control.close()
            os.waitpid(self.pid, 0)
            self.pid = 0


def _record(control, sockets, paths):
    """The capture process: read, write, and answer "f" when all has been written."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    outputs = {}
    for sock, interface in sockets:
        outputs[sock] = open(paths[interface], "wb")
        outputs[sock].write(PCAP_HEADER.pack(PCAP_NS_MAGIC, 2, 4, 0, 0, SNAPLEN,
                                             LINKTYPE_ETHERNET))
        outputs[sock].flush()
    poll = select.poll()
    poll.register(control, select.POLLIN)
    by_fd = {sock.fileno(): sock for sock in outputs}
    for fd in by_fd:
        poll.register(fd, select.POLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd != control.fileno():
                _drain(by_fd[fd], outputs[by_fd[fd]], 256)
            elif control.recv(1) != b"f":
                return
            else:
                lost = 0
                for sock, file in outputs.items():
                    _drain(sock, file, None)
                    file.flush()
                    lost += _dropped(sock)
                control.sendall(b"!" if lost else b"f")


def _drain(sock, file, limit):
    while limit is None or limit > 0:
        try:
            data, ancillary, _, address = sock.recvmsg(SNAPLEN, 64)
        except BlockingIOError:
            return
        except OSError:
            continue  # ENETDOWN: the link went down; it may come back
        if limit is not None:
            limit -= 1
        if address[2] == PACKET_OUTGOING:
            continue
        seconds, nanos = struct.unpack("qq", ancillary[0][2])
        file.write(PCAP_RECORD.pack(seconds, nanos, len(data), len(data)) + data)


def _dropped(sock):
    """Packets the kernel could not give us since the last call (struct tpacket_stats)."""
    return struct.unpack("II", sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]


def read_pcap(path, start=0):
    """(nanoseconds, frame) of each record from byte offset start on."""
    with open(path, "rb") as file:
        file.seek(max(start, PCAP_HEADER.size))
        data = file.read()
    at = 0
    while at + PCAP_RECORD.size <= len(data):
        seconds, nanos, length, _ = PCAP_RECORD.unpack_from(data, at)
        at += PCAP_RECORD.size
        if at + length > len(data):
            return
        yield seconds * 10**9 + nanos, data[at : at + length]
        at += length


def pcap_since(path, start):
    """The bytes of a pcap file with only the records from byte offset start on."""
    with open(path, "rb") as file:
        header = file.read(PCAP_HEADER.size)
        file.seek(max(start, PCAP_HEADER.size))
        return header + file.read()
