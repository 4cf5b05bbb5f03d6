# SPDX-License-Identifier: GPL-2.0-or-later
"""IPsec as the kernel has it: ip xfrm state, ip xfrm policy, the counters of drops."""
import dataclasses
import ipaddress
import os
import re
import socket
import struct
import typing

from . import netns
from .rtnetlink import NLMSGHDR, RTATTR as NLATTR

NETLINK_XFRM = 6
NLM_F_REQUEST, NLM_F_ACK, NLM_F_REPLACE = 0x1, 0x4, 0x100
XFRM_MSG_NEWAE, XFRMA_LTIME_VAL = 0x1e, 9
AE = struct.Struct("=16s4sHBx16sII")
LIFETIME = struct.Struct("=QQQQ")  # octets, packets, added, used

PROTOCOLS = {"gre": 47, "ipencap": 4, "ipip": 4, "4": 4, "ipv6": 41, "l2tp": 115, "tcp": 6,
             "udp": 17}


@dataclasses.dataclass
class State:
    """One SA, one direction."""

    src: str
    dst: str
    proto: str  # esp, ah
    spi: int
    reqid: int
    mode: str  # transport, tunnel
    replay_window: int
    algorithms: typing.List[str]  # as "rfc4106(gcm(aes))", "hmac(sha256)"
    packets: int


@dataclasses.dataclass
class Policy:
    src: str
    dst: str
    proto: int  # 0: any
    direction: str  # in, out, fwd
    action: str  # allow, block
    priority: int
    tmpl: typing.Optional[str]  # esp, ah; None: without one
    reqid: int


def _blocks(text):
    """ip(8) begins each object at the line's start."""
    block = []
    for line in text.splitlines():
        if line and not line[0].isspace() and block:
            yield "\n".join(block)
            block = []
        block.append(line)
    if block:
        yield "\n".join(block)


def _find(pattern, text, default=None):
    match = re.search(pattern, text)
    return match.group(1) if match else default


def _address(text):
    net = ipaddress.ip_network(text)
    return str(net.network_address) if net.num_addresses == 1 else str(net)


def states(node, src=None, dst=None):
    """SAs in the kernel, larval ones (an ACQUIRE without an answer) left out."""
    found = []
    for block in _blocks(netns.run(node, ["ip", "-s", "xfrm", "state"])):
        head = re.search(r"src (\S+) dst (\S+)\s+proto (\w+) spi (0x[0-9a-f]+)", block)
        if not head or int(head.group(4), 16) == 0:
            continue
        found.append(State(
            head.group(1), head.group(2), head.group(3), int(head.group(4), 16),
            int(_find(r"reqid (\d+)", block, 0)), _find(r"mode (\w+)", block),
            int(_find(r"(?:replay_window|replay-window) (\d+)", block, 0)),
            re.findall(r"(?:aead|enc|auth-trunc|auth) (\S+) ", block),
            int(_find(r"lifetime current:\s+\d+\(bytes\), (\d+)\(packets\)", block, 0))))
    return [s for s in found if src in (None, s.src) and dst in (None, s.dst)]


def policies(node, direction=None, proto=None):
    found = []
    for block in _blocks(netns.run(node, ["ip", "xfrm", "policy"])):
        head = re.search(r"src (\S+) dst (\S+)(?: proto (\S+))?", block)
        where = _find(r"dir (\w+)", block)
        if not head or not where or where not in ("in", "out", "fwd"):
            continue
        tmpl = re.search(r"tmpl .*\n\s+proto (\w+)", block)
        name = head.group(3) or "0"
        found.append(Policy(
            _address(head.group(1)), _address(head.group(2)),
            PROTOCOLS[name] if name in PROTOCOLS else int(name), where,
            _find(r"action (\w+)", block, "allow"), int(_find(r"priority (\d+)", block, 0)),
            tmpl.group(1) if tmpl else None, int(_find(r"tmpl[^$]*?reqid (\d+)", block, 0))))
    return [p for p in found
            if direction in (None, p.direction) and proto in (None, p.proto)]


def set_packets(node, state, packets):
    """As if this SA had carried so many packets (XFRM_MSG_NEWAE, which ip(8) cannot do). The
    next packet has the kernel compare that with the SA's limits."""
    _exchange(node, XFRM_MSG_NEWAE, NLM_F_REPLACE, _ae(state) + NLATTR.pack(
        NLATTR.size + LIFETIME.size, XFRMA_LTIME_VAL) + LIFETIME.pack(0, packets, 0, 0))


def _ae(state):
    """struct xfrm_aevent_id"""
    src, dst = ipaddress.ip_address(state.src), ipaddress.ip_address(state.dst)
    family = socket.AF_INET6 if dst.version == 6 else socket.AF_INET
    return AE.pack(dst.packed, struct.pack("!I", state.spi), family,
                   {"esp": 50, "ah": 51}[state.proto], src.packed, 0, state.reqid)


def _exchange(node, kind, flags, body):
    """A request to the kernel, which must accept it."""
    with netns.inside(node):
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_XFRM)
    with sock:
        sock.settimeout(30)
        sock.send(NLMSGHDR.pack(NLMSGHDR.size + len(body), kind,
                                NLM_F_REQUEST | NLM_F_ACK | flags, 1, 0) + body)
        error = struct.unpack_from("=i", sock.recv(65536), NLMSGHDR.size)[0]
    assert error == 0, os.strerror(-error)


def statistics(node):
    """The kernel's counters (/proc/net/xfrm_stat), as XfrmInNoPols, by name."""
    with netns.inside(node), open("/proc/thread-self/net/xfrm_stat") as file:
        return {key: int(value) for key, value in (line.split() for line in file)}
