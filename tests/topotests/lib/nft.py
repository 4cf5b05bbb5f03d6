# SPDX-License-Identifier: GPL-2.0-or-later
"""nftables as the kernel has it: swmeshd's table, its counters, everybody's tables."""
import contextlib
import ipaddress
import json
import socket

from . import netns, rtnetlink

TABLE = "swmesh"

NETLINK_NETFILTER = 12
NFNLGRP_NFTABLES = 7
NFNL_SUBSYS_NFTABLES = 10 << 8
NEWSETELEM, DELSETELEM = NFNL_SUBSYS_NFTABLES | 12, NFNL_SUBSYS_NFTABLES | 14
NEWGEN = NFNL_SUBSYS_NFTABLES | 15  # the end of a transaction
CHUNK = 1 << 16


def nft(node, *words):
    return netns.run(node, ["nft", *words])


def _objects(node, kind):
    listed = json.loads(nft(node, "-j", "list", "ruleset"))["nftables"]
    return [item[kind] for item in listed if kind in item]


def tables(node):
    """{(family, name)} of all tables."""
    return {(t["family"], t["name"]) for t in _objects(node, "table")}


def present(node):
    return ("inet", TABLE) in tables(node)


def counters(node):
    """Name -> packets that swmeshd's table has counted; empty without the table."""
    return {c["name"]: c["packets"] for c in _objects(node, "counter") if c["table"] == TABLE}


def rules(node):
    """(chain, what it says) of the rules of swmeshd's table, in order."""
    return [(r["chain"], json.dumps(r["expr"])) for r in _objects(node, "rule")
            if r["table"] == TABLE]


def elements(node, name):
    """The elements of one of swmeshd's sets, as text."""
    for one in _objects(node, "set"):
        if one["table"] == TABLE and one["name"] == name:
            return sorted(json.dumps(e) for e in one.get("elem", []))
    return []


class Watch:
    """What nf_tables tells of changes from now on."""

    def __init__(self, node):
        with netns.inside(node):
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self.sock.setsockopt(socket.SOL_SOCKET, rtnetlink.SO_RCVBUFFORCE, 64 << 20)
        self.sock.bind((0, 1 << NFNLGRP_NFTABLES - 1))
        self.sock.setblocking(False)

    def messages(self):
        """Type and body of those since the last call."""
        while True:
            try:
                data = self.sock.recv(CHUNK)
            except BlockingIOError:
                return
            yield from rtnetlink.messages(data)

    def transactions(self, name):
        """How many elements each transaction since the last call has added to that set, or
        deleted."""
        wanted, count, sizes = name.encode() + b"\0", 0, []
        for kind, body in self.messages():
            count += kind in (NEWSETELEM, DELSETELEM) and wanted in body
            if kind == NEWGEN:
                sizes.append(count)
                count = 0
        return sizes

    def close(self):
        self.sock.close()


class ElementWatch(Watch):
    """Addresses that are put into a set from now on, in order."""

    def __init__(self, node, name, addresses):
        self.addresses = {a: ipaddress.ip_address(a).packed for a in addresses}
        self.name = name.encode() + b"\0"
        super().__init__(node)

    def added(self):
        """Those since the last call."""
        return [a for kind, body in self.messages() if kind == NEWSETELEM and self.name in body
                for a, packed in self.addresses.items() if packed in body]


@contextlib.contextmanager
def watching(node, name, addresses):
    watch = ElementWatch(node, name, addresses)
    try:
        yield watch
    finally:
        watch.close()
