# SPDX-License-Identifier: GPL-2.0-or-later
"""Single packets with chosen header fields, and what the network answers to too big ones."""
import select
import socket
import struct
import time

from . import netns

PORT = 9  # discard
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER = 10, 23
PMTUDISC_PROBE = 3  # don't fragment, and don't believe what was learned before
PMTUDISC_INTERFACE = 4  # routers may fragment; likewise
IP_RECVERR, IPV6_RECVERR = 11, 25
SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6 = 2, 3
EMSGSIZE = 90


def _socket(node, address, tos=0, ttl=64, df=True):
    six = ":" in address
    level = socket.IPPROTO_IPV6 if six else socket.IPPROTO_IP
    with netns.inside(node):
        sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(level, IPV6_MTU_DISCOVER if six else IP_MTU_DISCOVER,
                    PMTUDISC_PROBE if df else PMTUDISC_INTERFACE)
    sock.setsockopt(level, socket.IPV6_TCLASS if six else socket.IP_TOS, tos)
    sock.setsockopt(level, socket.IPV6_UNICAST_HOPS if six else socket.IP_TTL, ttl)
    return sock


def _payload(address, size):
    """size is that of the whole IP packet."""
    return b"\0" * (size - 8 - (40 if ":" in address else 20))


def send(node, address, count=1, size=100, tos=0, ttl=64, interval=0.0, df=True):
    """UDP packets that nobody answers, not to be fragmented unless df is false."""
    with _socket(node, address, tos, ttl, df) as sock:
        for _ in range(count):
            try:
                sock.sendto(_payload(address, size), (address, PORT))
            except OSError:
                pass  # the answer to an earlier one, or no route: nothing leaves
            if interval:
                time.sleep(interval)


def too_big(node, address, size, timeout=5.0):
    """Send a packet of this size; (router, MTU) of an ICMP "too big", else None."""
    six = ":" in address
    level = socket.IPPROTO_IPV6 if six else socket.IPPROTO_IP
    with _socket(node, address) as sock:
        sock.setsockopt(level, IPV6_RECVERR if six else IP_RECVERR, 1)
        sock.sendto(_payload(address, size), (address, PORT))
        poll = select.poll()
        poll.register(sock, 0)  # an error is always reported
        deadline = time.monotonic() + timeout
        while poll.poll(max(0, deadline - time.monotonic()) * 1000):
            _, ancillary, _, _ = sock.recvmsg(65535, 512, socket.MSG_ERRQUEUE)
            answer = _icmp_answer(ancillary, level)
            if answer:
                return answer
    return None


def _icmp_answer(ancillary, level):
    """Out of struct sock_extended_err and the offender's address behind it."""
    for this, kind, data in ancillary:
        if this != level or kind not in (IP_RECVERR, IPV6_RECVERR):
            continue
        errno, origin = struct.unpack_from("=IB", data)
        info = struct.unpack_from("=I", data, 8)[0]
        if errno != EMSGSIZE or origin not in (SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6):
            continue
        if origin == SO_EE_ORIGIN_ICMP:
            return socket.inet_ntop(socket.AF_INET, data[20:24]), info
        return socket.inet_ntop(socket.AF_INET6, data[24:40]), info
    return None
