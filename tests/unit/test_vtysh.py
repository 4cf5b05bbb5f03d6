#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vtysh.swmesh against FRR's own vtysh: the same commands in every node, and ours.

Needs no daemon: vtysh -C walks the nodes by itself. Run by make check in the
build folder; top_srcdir and the sources with commands come in the environment.
"""

import importlib.machinery
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import unittest

STOCK = next(path for path in ("/usr/bin/vtysh.distrib", "/usr/bin/vtysh")
             if os.path.exists(path))
OURS = os.path.abspath("vtysh/vtysh.swmesh")
TOP = os.environ["top_srcdir"]
SOURCES = [os.path.join(TOP, name)
           for name in os.environ["vtysh_scan_sources"].split()]

# How each node of FRR's is entered.
NODES = (
    (),
    ("configure",),
    ("configure", "router bgp 1"),
    ("configure", "router bgp 1", "address-family ipv4 unicast"),
    ("configure", "router bgp 1", "address-family ipv4 multicast"),
    ("configure", "router bgp 1", "address-family ipv4 labeled-unicast"),
    ("configure", "router bgp 1", "address-family ipv4 vpn"),
    ("configure", "router bgp 1", "address-family ipv4 flowspec"),
    ("configure", "router bgp 1", "address-family ipv6 unicast"),
    ("configure", "router bgp 1", "address-family ipv6 multicast"),
    ("configure", "router bgp 1", "address-family ipv6 labeled-unicast"),
    ("configure", "router bgp 1", "address-family ipv6 vpn"),
    ("configure", "router bgp 1", "address-family ipv6 flowspec"),
    ("configure", "router bgp 1", "address-family l2vpn evpn"),
    ("configure", "router bgp 1", "address-family l2vpn evpn", "vni 1"),
    ("configure", "router bgp 1", "vnc defaults"),
    ("configure", "router bgp 1", "vnc nve-group G"),
    ("configure", "router bgp 1", "vnc l2-group G"),
    ("configure", "router bgp 1", "vrf-policy V"),
    ("configure", "router bgp 1", "bmp targets T"),
    ("configure", "router bgp 1", "segment-routing srv6"),
    ("configure", "rpki"),
    ("configure", "router rip"),
    ("configure", "router ripng"),
    ("configure", "router ospf"),
    ("configure", "router ospf6"),
    ("configure", "router eigrp 1"),
    ("configure", "router babel"),
    ("configure", "router isis I"),
    ("configure", "router openfabric F"),
    ("configure", "mpls ldp"),
    ("configure", "mpls ldp", "address-family ipv4"),
    ("configure", "mpls ldp", "address-family ipv4", "interface eth0"),
    ("configure", "mpls ldp", "address-family ipv6"),
    ("configure", "l2vpn L type vpls"),
    ("configure", "l2vpn L type vpls", "member pseudowire mpw0"),
    ("configure", "key chain K"),
    ("configure", "key chain K", "key 1"),
    ("configure", "vrf V"),
    ("configure", "interface eth0"),
    ("configure", "interface eth0", "link-params"),
    ("configure", "pseudowire pw0"),
    ("configure", "segment-routing"),
    ("configure", "segment-routing", "traffic-eng"),
    ("configure", "segment-routing", "traffic-eng", "segment-list S"),
    ("configure", "segment-routing", "traffic-eng",
     "policy color 1 endpoint 1.1.1.1"),
    ("configure", "segment-routing", "traffic-eng", "pcep"),
    ("configure", "segment-routing", "traffic-eng", "pcep", "pcc"),
    ("configure", "segment-routing", "traffic-eng", "pcep", "pce P"),
    ("configure", "segment-routing", "srv6"),
    ("configure", "segment-routing", "srv6", "locators"),
    ("configure", "segment-routing", "srv6", "locators", "locator L"),
    ("configure", "nexthop-group N"),
    ("configure", "route-map R permit 1"),
    ("configure", "pbr-map P seq 1"),
    ("configure", "bfd"),
    ("configure", "bfd", "peer 1.1.1.1"),
    ("configure", "bfd", "profile P"),
    ("configure", "line vty"),
)
OUR_NODES = (
    ("configure", "softwire mesh"),
    ("configure", "softwire mesh", "encap-set E"),
    ("configure", "softwire mesh", "security S"),
)


def load(path):
    """A Python script without .py as a module."""
    loader = importlib.machinery.SourceFileLoader("loaded", path)
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("loaded", loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


def run(vtysh, *args, stdin=None):
    # Leaks at exit are FRR's own; they matter to no vtysh.
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
    return subprocess.run([vtysh, *args], stdout=subprocess.PIPE, env=env,
                          stderr=subprocess.PIPE, text=True, check=False,
                          input=stdin)


def tables(vtysh, nodes):
    """The commands of each node, asked of one process.

    With -E each line is echoed behind a prompt, while those of "list" are
    indented. For our purposes swmeshd is not a daemon's name.
    """
    lines = [line for node in nodes for line in ("end", "enable", *node, "list")]
    done = run(vtysh, "-n", "-C", "-E",
               *(word for line in lines for word in ("-c", line)))
    found = []
    for line in done.stdout.splitlines():
        if not line.startswith(" "):
            if line.endswith(("# list", "> list")):
                found.append(set())
            continue
        line = re.sub(r"\$\w+", "", line.replace("|swmeshd", ""))
        found[-1].add(" ".join(line.split()))
    assert len(found) == len(nodes), done.stdout[-2000:] + done.stderr
    return found


def our_commands():
    """Less "show debugging", with which vtysh itself asks every daemon."""
    scan = load(os.path.join(TOP, "vtysh", "extract-commands"))
    return {string for path in SOURCES
            for _, _, string in scan.commands(path)
            if not string.startswith("show debugging")}


class CommandTables(unittest.TestCase):
    def test_every_node_of_frr(self):
        stock, ours = tables(STOCK, NODES), tables(OURS, NODES)
        mine = our_commands()
        extra = set()
        for node, theirs, these in zip(NODES, stock, ours):
            with self.subTest(node=node):
                self.assertGreater(len(theirs), 3)
                if len(node) > 1:
                    self.assertNotEqual(theirs, stock[1], "not entered")
                self.assertEqual(theirs - these, set(), "lost")
                self.assertLessEqual(these - theirs, mine, "foreign")
                extra |= these - theirs
        self.assertIn("softwire mesh", extra)

    def test_every_command_of_ours(self):
        mine = our_commands()
        self.assertGreater(len(mine), 10)
        self.assertEqual(mine - set().union(*tables(OURS, NODES + OUR_NODES)),
                         set())

    def test_leaving_our_nodes(self):
        for node in OUR_NODES:
            above, by_exit, by_quit, enable, by_end, config, by_itself = tables(
                OURS, (node[:-1], (*node, "exit"), (*node, "quit"),
                       (), (*node, "end"), ("configure",),
                       # a line of another node leaves ours
                       (*node, "interface eth0", "exit")))
            self.assertEqual(by_exit, above)
            self.assertEqual(by_quit, above)
            self.assertEqual(by_end, enable)
            self.assertEqual(by_itself, config)


class Marks(unittest.TestCase):
    """vtysh -m, from whose output frr-reload.py learns where contexts end."""

    def marked(self, text):
        done = run(OURS, "-m", "-f", "-", stdin=text)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [line.strip() for line in done.stdout.splitlines()
                if line.strip() not in ("", "!")]

    def test_with_and_without_exits(self):
        lines = ["softwire mesh", "transit ipv6 source 2001:db8::1",
                 "security S", "ike group-psk file /etc/frr/mesh.psk",
                 "esp aes256gcm16", "rekey sa 600", "exit",
                 "encap-set A", "tunnel 10 gre key 100", "payload ipv4", "exit",
                 "encap-set B", "security S", "tunnel 10 ip-in-ip", "exit",
                 "exit",
                 "router bgp 65000", "exit", "end"]
        self.assertEqual(self.marked("\n".join(lines) + "\n"), lines)
        short = [line for line in lines if line not in ("exit", "end")]
        self.assertEqual(self.marked("\n".join(short) + "\n"),
                         [line for line in lines[:-2]] + ["end"])

    def test_bad_line(self):
        done = run(OURS, "-m", "-f", "-", stdin="softwire mesh\n nonsense\n")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("nonsense", done.stderr)


class Reload(unittest.TestCase):
    """What frr-reload.py would change, from one file to another."""

    MESH = """\
softwire mesh
 transit ipv6 source 2001:db8::1
 security S
  ike group-psk file /etc/frr/mesh.psk
  esp aes256gcm16
 exit
 encap-set A
  tunnel 10 gre key 100
  payload ipv4
 exit
 encap-set B
  security S
  tunnel 10 ip-in-ip
  payload ipv6
 exit
exit
!
"""
    BGP = "router bgp 65000\n neighbor 2001:db8::2 remote-as 65000\nexit\n!\n"

    def difference(self, before, after):
        """(lines to delete, lines to add), each with its context before it."""
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(OURS, os.path.join(folder, "vtysh"))
            names = []
            for name, text in (("before", before), ("after", after)):
                names.append(os.path.join(folder, name))
                with open(names[-1], "w", encoding="utf-8") as file:
                    file.write("frr version 8.4.4\n" + text + "line vty\n!\n")
            done = run(sys.executable,
                       os.path.join(TOP, "vtysh", "divert", "frr-reload.py"),
                       "--test", "--bindir", folder, "--confdir", folder,
                       "--log-level", "error", "--input", *names)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        deletes, _, adds = done.stdout.partition("Lines To Add")
        return tuple([line.strip() for line in part.splitlines()
                      if line.strip() and "Lines To" not in line
                      and not line.startswith("==")]
                     for part in (deletes, adds))

    def test_same(self):
        self.assertEqual(self.difference(self.MESH, self.MESH), ([], []))

    # What goes comes first, in the same file as what is new: vtysh makes one
    # transaction of it, and no packet leaves in clear in between (S9).

    def test_tunnel_changed(self):
        after = self.MESH.replace("key 100", "key 200")
        self.assertEqual(self.difference(self.MESH, after), (
            [], ["softwire mesh", "encap-set A", "no tunnel 10 gre key 100",
                 "softwire mesh", "encap-set A", "tunnel 10 gre key 200"]))

    def test_encap_set_removed(self):
        after = self.MESH.replace(
            " encap-set B\n  security S\n  tunnel 10 ip-in-ip\n"
            "  payload ipv6\n exit\n", "")
        self.assertEqual(self.difference(self.MESH, after), (
            [], ["softwire mesh", "no encap-set B"]))

    def test_security_changed(self):
        """Another security for an encap-set, and the first one removed."""
        after = self.MESH.replace("security S\n", "security T\n")
        self.assertEqual(self.difference(self.MESH, after), (
            [], ["softwire mesh", "no security S",
                 "softwire mesh", "encap-set B", "no security S",
                 "softwire mesh", "encap-set B", "security T",
                 "softwire mesh", "security T",
                 "softwire mesh", "security T",
                 "ike group-psk file /etc/frr/mesh.psk",
                 "softwire mesh", "security T", "esp aes256gcm16"]))

    def test_line_of_a_security(self):
        after = self.MESH.replace("file /etc/frr/mesh.psk", "file /etc/frr/new")
        self.assertEqual(self.difference(self.MESH, after), (
            [], ["softwire mesh", "security S",
                 "no ike group-psk file /etc/frr/mesh.psk",
                 "softwire mesh", "security S",
                 "ike group-psk file /etc/frr/new"]))

    def test_line_of_the_mesh(self):
        after = self.MESH.replace(
            " encap-set A", " peer policy required\n encap-set A", 1)
        self.assertEqual(self.difference(self.MESH, after), (
            [], ["softwire mesh", "peer policy required"]))
        self.assertEqual(self.difference(after, self.MESH), (
            [], ["softwire mesh", "no peer policy required"]))

    def test_mesh_removed(self):
        """Once, without entering it again for its encap-sets."""
        self.assertEqual(self.difference(self.BGP + self.MESH, self.BGP), (
            ["no softwire mesh"], []))

    def test_mesh_added(self):
        deletes, adds = self.difference(self.BGP, self.BGP + self.MESH)
        self.assertEqual(deletes, [])
        tunnel = adds.index("tunnel 10 gre key 100")
        self.assertEqual(adds[tunnel - 2:tunnel],
                         ["softwire mesh", "encap-set A"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
