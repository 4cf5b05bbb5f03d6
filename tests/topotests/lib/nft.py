# SPDX-License-Identifier: GPL-2.0-or-later
"""nftables as the kernel has it: swmeshd's table, its counters, everybody's tables."""
import json

from . import netns

TABLE = "swmesh"


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
