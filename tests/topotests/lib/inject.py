# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets with any outer and inner addresses, sent as they are from a node: what somebody in
the core could forge or replay."""
import contextlib
import ipaddress
import os
import socket
import struct
import threading
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


def _ike_payload(following, body):
    return struct.pack("!BBH", following, 0, 4 + len(body)) + body


def ike_sa_init(src, dst):
    """The first message of IKEv2 (RFC 7296 section 1.2), which anybody can send by any address:
    a proposal that charon takes, a key and a nonce."""
    def transform(last, kind, number, attribute=b""):
        return struct.pack("!BBHBBH", 0 if last else 3, 0, 8 + len(attribute), kind, 0,
                           number) + attribute
    aes256 = struct.pack("!HH", 0x800E, 256)
    transforms = (transform(False, 1, 20, aes256) + transform(False, 2, 6) +
                  transform(True, 4, 31))  # AES-GCM-16, PRF by SHA-384, x25519
    proposal = struct.pack("!BBHBBBB", 0, 0, 8 + len(transforms), 1, 1, 0, 3) + transforms
    payloads = (_ike_payload(34, proposal) +
                _ike_payload(40, struct.pack("!HH", 31, 0) + os.urandom(32)) +
                _ike_payload(0, os.urandom(32)))
    header = os.urandom(8) + bytes(8) + struct.pack("!BBBBII", 33, 0x20, 34, 0x08, 0,
                                                    28 + len(payloads))
    return udp(src, dst, 500, header + payloads, 500)


@contextlib.contextmanager
def repeated(node, seconds, packets):
    """Send what packets() returns, at once and then every so many seconds."""
    over = threading.Event()

    def run():
        while True:
            send(node, *packets())
            if over.wait(seconds):
                return

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


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
