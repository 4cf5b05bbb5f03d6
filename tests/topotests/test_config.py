# SPDX-License-Identifier: GPL-2.0-or-later
"""swmeshd's configuration: bad input is refused with object, cause and remedy, and nothing is
applied in part; what is printed reads back; what cannot hold yet waits."""
import json

import pytest

from conftest import run_topology
from lib import kernel, netns, vty, wait
from lib.config import from_vtysh, mesh_lines, refused
from lib.router import Router
from lib.topology import Topology

pytestmark = pytest.mark.no_tunnels

OURS, NOT_OURS = "2001:db8:c::1", "2001:db8:c::77"
OURS4 = "192.0.2.1"
CONFIG = """\
softwire mesh
 transit ipv6 source %s
 peer policy required
 encap-set EDGE
  tunnel 10 gre key 100
  tunnel 20 ip-in-ip
  payload ipv4
 exit
 encap-set SIX
  tunnel 10 gre key 100
  tunnel 20 ip-in-ip
  payload ipv4 ipv6
 exit
 announce encap-set SIX
exit
""" % OURS

# Lines under "softwire mesh", the last of which is refused, and what the refusal says: the
# object, the cause and the remedy.
REFUSED = [
    ("two tunnels with one preference", ["encap-set EDGE", "tunnel 10 ip-in-ip"],
     ["encap-set EDGE", "preference 10 is taken by gre", "no tunnel 10"]),
    ("the same tunnel twice", ["encap-set EDGE", "tunnel 30 ip-in-ip"],
     ["encap-set EDGE", "tunnels 20 and 30 are both ip-in-ip", "remove one"]),
    ("the same tunnel twice, by its key", ["encap-set EDGE", "tunnel 30 gre key 100"],
     ["encap-set EDGE", "tunnels 10 and 30 are both gre/100", "another key"]),
    ("key 0", ["encap-set EDGE", "tunnel 30 gre key 0"],
     ["encap-set EDGE: tunnel 30", "key 0 is out of range", "1 to 4294967295"]),
    ("key too large", ["encap-set EDGE", "tunnel 30 gre key 4294967296"],
     ["encap-set EDGE: tunnel 30", "key 4294967296 is out of range", "1 to 4294967295"]),
    ("key that is no number", ["encap-set EDGE", "tunnel 30 gre key 0x10"],
     ["encap-set EDGE: tunnel 30", "key 0x10 is out of range", "1 to 4294967295"]),
    ("key of a type without", ["encap-set EDGE", "tunnel 30 ip-in-ip key 5"],
     ["encap-set EDGE: tunnel 30", "ip-in-ip has no key", "leave 'key 5' out"]),
    ("unknown type", ["encap-set EDGE", "tunnel 30 vxlan"],
     ["encap-set EDGE: tunnel 30", "unknown type vxlan", "use gre or ip-in-ip"]),
    ("source that is not ours", ["transit ipv6 source " + NOT_OURS],
     ["source " + NOT_OURS, "not an address of this router", "add it to an interface"]),
    ("source of the wrong family", ["transit ipv4 source " + OURS],
     ["transit ipv4", "IPv6 source " + OURS, "address of the core's family"]),
    ("source that no packet can reach", ["transit ipv6 source fe80::1"],
     ["source fe80::1", "cannot be a tunnel endpoint", "unicast address"]),
    ("transit interface's name", ["transit interface " + "x" * 16],
     ["transit interface " + "x" * 16, "not a name", "1 to 15 characters"]),
    ("transit prefix-list's name", ["transit prefix-list " + "x" * 129],
     ["transit prefix-list xxx", "not a name", "1 to 128 characters"]),
    ("duplicate set", ["encap-set COPY", "tunnel 1 gre key 100", "tunnel 2 ip-in-ip",
                       "payload ipv4"],
     ["encap-set EDGE", "same tunnels and payload as encap-set COPY", "change"]),
    ("set that becomes a duplicate", ["encap-set SIX", "no payload ipv6"],
     ["encap-set SIX", "same tunnels and payload as encap-set EDGE", "change"]),
    ("announcing what is not there", ["announce encap-set NONE"],
     ["announce encap-set NONE", "no such encap-set", "no announce"]),
    ("removing what is announced", ["no encap-set SIX"],
     ["announce encap-set SIX", "no such encap-set", "no announce"]),
    ("set's name", ["encap-set a/b"], ["encap-set a/b", "not a name", "letters, digits"]),
    ("set's name too long", ["encap-set " + "x" * 64], ["not a name", "1 to 63"]),
    ("SW-NHOP prefix too long", ["sw-nhop prefix fd00::/97"],
     ["sw-nhop prefix fd00::/97", "/8 to /96", "choose a shorter one"]),
    ("SW-NHOP prefix of multicast", ["sw-nhop prefix ff00::/16"],
     ["sw-nhop prefix ff00::/16", "no unicast next hops", "ULA"]),
    ("SW-NHOP prefix with our own address in it", ["sw-nhop prefix 2001:db8:c::/48"],
     ["source " + OURS, "inside the sw-nhop prefix", "choose another prefix"]),
]


@pytest.fixture(scope="module")
def alone():
    """One router: zebra and swmeshd."""
    router = Router("a1", {"zebra": "", "swmeshd": CONFIG})
    topo = Topology("config", ["a1"], [], [router],
                    {"a1": ["link set lo up", "address add %s/128 dev lo nodad" % OURS,
                            "address add %s/32 dev lo" % OURS4]})
    yield from run_topology(topo)


@pytest.fixture
def swmeshd(alone):
    """Its vty, configured as in CONFIG; interfaces are known."""
    router = alone["a1"]
    if mesh_lines(router) != CONFIG:
        router.configure("swmeshd", "no softwire mesh\n")
        router.configure("swmeshd", CONFIG)
    wait.until(lambda: status(router) == "ready", "the source's address is known")
    return router


def status(router):
    return router.json("swmeshd", "show softwire json")["status"]


def test_printed_as_entered(swmeshd):
    """"show running-config" prints the very lines that were read from the file."""
    assert mesh_lines(swmeshd) == CONFIG


@pytest.mark.parametrize("lines, says", [row[1:] for row in REFUSED],
                         ids=[row[0].replace(" ", "-") for row in REFUSED])
def test_refused(swmeshd, lines, says):
    """Refused at commit; the refused line changes nothing, neither configured nor announced."""
    output = refused(swmeshd, lines, lambda router: (
        mesh_lines(router), router.json("swmeshd", "show softwire encap-set json")))
    for words in says:
        assert words in output, output
    swmeshd.configure("swmeshd", "softwire mesh\nno encap-set COPY\n")


def test_key_of_a_tunnel_changes_in_place(swmeshd):
    """The same preference and type with another key is a change, not a second tunnel."""
    swmeshd.configure("swmeshd", "softwire mesh\nencap-set EDGE\ntunnel 10 gre key 200\n")
    assert "tunnel 10 gre key 200\n" in mesh_lines(swmeshd)
    swmeshd.configure("swmeshd", "softwire mesh\nencap-set EDGE\ntunnel 10 gre\n")
    assert "tunnel 10 gre\n" in mesh_lines(swmeshd)


def test_transaction_is_all_or_nothing(swmeshd):
    """Of the lines that make one transaction, as those of a block that vtysh reads from a file, a
    bad one takes the good ones with it."""
    before = mesh_lines(swmeshd)
    said = from_vtysh(swmeshd, """
        softwire mesh
        encap-set EDGE
        tunnel 30 gre key 9
        tunnel 40 gre key 9
        tunnel 50 gre key 10
    """)
    assert "tunnels 30 and 40 are both gre/9" in said, said
    assert mesh_lines(swmeshd) == before


def test_every_line_can_be_taken_back(swmeshd):
    """Each line has its "no", and what is left prints accordingly."""
    swmeshd.configure("swmeshd", """
        softwire mesh
        sw-nhop prefix fd00:1:2:3::/64
        no announce
        no peer policy
        encap-set EDGE
        no tunnel 20
        exit
        encap-set SIX
        no payload ipv4
        exit
    """)
    assert mesh_lines(swmeshd) == """\
softwire mesh
 transit ipv6 source %s
 sw-nhop prefix fd00:1:2:3::/64
 encap-set EDGE
  tunnel 10 gre key 100
  payload ipv4
 exit
 encap-set SIX
  tunnel 10 gre key 100
  tunnel 20 ip-in-ip
  payload ipv6
 exit
exit
""" % OURS
    wait.until(lambda: [r["dst"] for r in kernel.swmesh_routes("a1")] == ["fd00:1:2:3::/64"],
               "the guard is on the new prefix alone")
    swmeshd.configure("swmeshd", "softwire mesh\nno sw-nhop prefix\nno encap-set SIX\nno transit\n")
    assert status(swmeshd) == "no-source"
    swmeshd.configure("swmeshd", "no softwire mesh\n")
    assert mesh_lines(swmeshd) == ""
    wait.until(lambda: kernel.leftovers("a1") == [], "nothing is left in the kernel")


def test_what_is_not_complete_is_not_announced(swmeshd):
    """A set without a tunnel or a payload is accepted, not announced, and says what it lacks."""
    swmeshd.configure("swmeshd", "softwire mesh\nencap-set A\n")

    def shown():
        sets = swmeshd.json("swmeshd", "show softwire encap-set json")
        return {one["name"]: one for one in sets["encapSets"]}["A"]

    assert not shown()["ready"] and "no tunnel" in shown()["reason"]
    swmeshd.configure("swmeshd", "softwire mesh\nencap-set A\ntunnel 1 gre\n")
    assert not shown()["ready"] and "no payload" in shown()["reason"]
    swmeshd.configure("swmeshd", "softwire mesh\nencap-set A\npayload ipv6\n")
    assert shown()["ready"] and shown()["attribute"].startswith("0002")
    swmeshd.configure("swmeshd", "softwire mesh\nno encap-set A\n")


def test_boot_before_the_address(swmeshd):
    """A file is read although its source is on no interface yet; the mesh waits, says so, and
    goes on by itself when the address comes, and again when it went and returns."""
    daemon = swmeshd["swmeshd"]
    config = swmeshd.configs["swmeshd"]
    swmeshd.configs["swmeshd"] = config.replace(OURS, NOT_OURS)
    swmeshd.write_config("swmeshd")
    try:
        daemon.restart()
        assert mesh_lines(swmeshd) == CONFIG.replace(OURS, NOT_OURS)
        wait.until(lambda: status(swmeshd) == "waiting-for-address", "it waits")
        assert "Waiting for address: %s" % NOT_OURS in swmeshd.show("swmeshd", "show softwire")
        for line, becomes in (("add", "ready"), ("del", "waiting-for-address"), ("add", "ready")):
            netns.ip_batch("a1", ["address %s %s/128 dev lo" % (line, NOT_OURS)])
            wait.until(lambda: status(swmeshd) == becomes, becomes)
    finally:
        netns.ip_batch("a1", ["address del %s/128 dev lo" % NOT_OURS])
        swmeshd.configs["swmeshd"] = config
        swmeshd.write_config("swmeshd")
        daemon.restart()


def test_other_core(swmeshd):
    """From an IPv6 core to an IPv4 one in one line; the compiled sets follow."""
    swmeshd.configure("swmeshd", "softwire mesh\ntransit ipv4 source %s\n" % OURS4)
    sets = swmeshd.json("swmeshd", "show softwire encap-set json")
    assert (sets["transitFamily"], sets["transitSource"]) == ("ipv4", OURS4)
    # Sub-TLV 6 with address family 1 (RFC 9012 section 3.1).
    assert all("060a000000000001c0000201" in one["attribute"] for one in sets["encapSets"])


def test_debug_lines(swmeshd):
    """"debug softwire" is written when configured, and only then."""
    swmeshd.show("swmeshd", "debug softwire zebra")
    swmeshd.configure("swmeshd", "debug softwire events\ndebug softwire kernel\n")
    text = swmeshd.show("swmeshd", "show running-config")
    assert "debug softwire events\ndebug softwire kernel\n" in text and "softwire zebra" not in text
    assert "softwire zebra" in swmeshd.show("swmeshd", "show debugging")
    swmeshd.configure("swmeshd", "no debug softwire events\nno debug softwire kernel\n")
    swmeshd.show("swmeshd", "no debug softwire zebra")
    assert "debug softwire" not in swmeshd.show("swmeshd", "show running-config")


def test_operational_data(swmeshd):
    """The northbound has the state as well."""
    data = json.loads(swmeshd.show(
        "swmeshd", "show yang operational-data /frr-swmesh:swmesh/state"))
    state = data["frr-swmesh:swmesh"]["state"]
    assert state["status"] == "ready" and state["bgp-conversation"] == "down"
    assert state["supported-tunnel"] == [{"type": "gre", "number": 2},
                                         {"type": "ip-in-ip", "number": 7}]


def test_unknown_words(swmeshd):
    """What is no command at all is refused by the parser."""
    for line in ("tunnel 0 gre", "tunnel 65536 gre", "payload ipx"):
        with pytest.raises(vty.VtyError):
            swmeshd.configure("swmeshd", "softwire mesh\nencap-set EDGE\n%s\n" % line)
    assert mesh_lines(swmeshd) == CONFIG
