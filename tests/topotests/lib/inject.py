# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets with any outer and inner addresses, sent as they are from a node: what somebody in
the core could forge or replay."""
import contextlib
import ipaddress
import socket
import struct
import time

from . import netns
from .traffic import checksum

GRE_KEY = 0x2000
ETHERTYPE = {4: 0x0800, 6: 0x86DD}
UDP = 17


def _packed(address):
    return ipaddress.ip_address(address).packed


def ip(src, dst, proto, payload, ttl=64):
    """An IPv4 or IPv6 packet, by its addresses' family."""
    if ":" in src:
        return struct.pack("!IHBB", 6 << 28, len(payload), proto, ttl) + _packed(src) + \
            _packed(dst) + payload
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, ttl, proto, 0) + \
        _packed(src) + _packed(dst)
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def udp(src, dst, port, data, sport=9):
    """A whole packet with a UDP datagram."""
    length = 8 + len(data)
    datagram = struct.pack("!HHHH", sport, port, length, 0) + data
    pseudo = _packed(src) + _packed(dst) + struct.pack("!IBBBB", length, 0, 0, 0, UDP)
    total = checksum(pseudo + datagram) or 0xFFFF
    return ip(src, dst, UDP, datagram[:6] + struct.pack("!H", total) + data)


def gre(src, dst, inner, key=None):
    """GRE (RFC 2784, RFC 2890) from src to dst around an IP packet."""
    header = struct.pack("!HH", GRE_KEY if key is not None else 0, ETHERTYPE[inner[0] >> 4])
    if key is not None:
        header += struct.pack("!I", key)
    return ip(src, dst, 47, header + inner)


def ip_in_ip(src, dst, inner):
    return ip(src, dst, {4: 4, 6: 41}[inner[0] >> 4], inner)


def send(node, *packets):
    """By the node's routes, to the outer destination, with the source that is in them."""
    for one in packets:
        six = one[0] >> 4 == 6
        dst = one[24:40] if six else one[16:20]
        with netns.inside(node):
            sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW,
                                 socket.IPPROTO_RAW)
        with sock:
            sock.sendto(one, (str(ipaddress.ip_address(dst)), 0))


def replay(node, packet):
    """Send a captured packet (of lib.packet) again, as it was."""
    send(node, packet.raw[14 : 14 + packet.outer.length])


@contextlib.contextmanager
def listener(node, address, port):
    """A UDP socket; heard(sock) tells what came."""
    with netns.inside(node):
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET,
                             socket.SOCK_DGRAM)
    with sock:
        sock.bind((address, port))
        yield sock


def heard(sock, seconds=0.5):
    """All data that came, and what comes within some seconds."""
    found, deadline = [], time.monotonic() + seconds
    while True:
        sock.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            found.append(sock.recv(65535))
        except OSError:
            return found
