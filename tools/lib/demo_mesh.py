# SPDX-License-Identifier: GPL-2.0-or-later
"""The main job, shown: a mesh comes up by itself and the islands talk.

Called by tools/demo where the kernel has tunnels (the virtual machine, or this
host). Uses the topotests' library: what is shown is what is tested.
"""
import argparse
import os
import readline  # noqa: F401  line editing for input()
import shlex
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "topotests"))

from lib import capture, kernel, netns, packet, paths, traffic, wait  # noqa: E402
from lib.mesh import Mesh, host, island, loopback  # noqa: E402
from lib.securemesh import PSK, SecureMesh  # noqa: E402
from lib.vty import VtyError  # noqa: E402

# Each AFBR wants to be sent its own GRE key; IP-in-IP is its second choice.
TUNNELS = {n: ["tunnel 10 gre key %d%02d" % (n, n), "tunnel 20 ip-in-ip"] for n in (1, 2, 3)}
SETS = {n: {"EDGE": [*lines, "payload ipv4"]} for n, lines in TUNNELS.items()}
# A group key, which IKEv2 authenticates all AFBRs by, and what protects the softwires.
SECURITY = [*PSK, "esp aes256gcm16"]
# What tcpdump is to read of the core.
TUNNELLED = "ip6 proto 47 or ip6 proto 4"
IKE, ESP = "udp port 500 or udp port 4500", "ip6 proto 50"

PICTURE = """
   h1 10.1.0.2 - a1 \\            / a2 - 10.2.0.2 h2
                      p (core, IPv6 only; route reflector)
   h3 10.3.0.2 - a3 /
   a1 a2 a3: AFBRs 2001:db8:c::1, ::2, ::3      one GRE key each: 101, 202, 303
%s"""
PROTECTED = """\
   on each AFBR strongSwan's charon: IKEv2, ESP with AES-GCM around every softwire
"""

HELP = """\
  a1 | a2 | a3 | p          that router's vtysh (exit or Ctrl-D comes back here)
  a1 show softwire          one command of its vtysh
  h1 ping -c 3 10.2.0.2     any command in a host's or router's namespace
                            (for a router: a1 ! ip -d link)
  ping                      the table of pings between all islands
  capture                   decode what crosses the core during one round of pings
  help, exit                exit takes the mesh down
"""


class Steps:
    """Says what is done and how long it took."""

    def __call__(self, text, action):
        sys.stdout.write("%-58s " % text)
        sys.stdout.flush()
        began = time.monotonic()
        value = action()
        print("%6.1f s" % (time.monotonic() - began), flush=True)
        return value


def heading(text):
    print("\n\033[1m%s\033[0m" % text if sys.stdout.isatty() else "\n" + text, flush=True)


def islands_routed(mesh):
    """Every AFBR's kernel sends to the other islands through a tunnel to the right AFBR."""
    for n, m in mesh.pairs():
        entry = kernel.route("a%d" % n, island(m))
        devices = kernel.nexthop_devices(entry)
        ours = {t.name for t in kernel.tunnels_to("a%d" % n, loopback(m))}
        assert devices and set(devices) <= ours, "a%d to %s: %s" % (n, island(m), entry)
    return True


def ping_table(mesh):
    print("%-16s" % "from \\ to" + "".join("%-16s" % ("h%d" % m) for m in mesh.numbers))
    lost = 0
    for n in mesh.numbers:
        row = "%-16s" % ("h%d %s" % (n, host(n)))
        for m in mesh.numbers:
            if n == m:
                row += "%-16s" % "-"
                continue
            answer = traffic.ping("h%d" % n, host(m))[0]
            lost += answer is None
            row += "%-16s" % ("lost" if answer is None else "%.1f ms" % (answer * 1000))
        print(row, flush=True)
    return lost


def decoded_capture(mesh, mark):
    """Of the core: some packets as tcpdump reads them, and a count of all since the mark."""
    seen = mesh.capture.packets(mark)
    if isinstance(mesh, SecureMesh):
        read_by_tcpdump(mesh, mark, ESP)
        return protected(mesh, seen)
    read_by_tcpdump(mesh, mark, TUNNELLED)
    inside = packet.select(seen, inner_version=4)
    clear = packet.in_clear(seen, "10.0.0.0/8")
    print("In the core: %d IPv4 packets of the islands inside tunnels (%s), %d in clear." % (
        len(inside), ", ".join(sorted({describe(p) for p in inside})), len(clear)))
    return len(clear)


def read_by_tcpdump(mesh, mark, expression, links=None, count=6):
    """Print tcpdump's own reading of the first packets since a mark (None: of all)."""
    lines = []
    for link, path in mesh.capture.files.items():
        if links is None or link in links:
            out = subprocess.run(
                ["tcpdump", "-nn", "-tttt", "-r", "-", expression],
                input=capture.pcap_since(path, mark[link] if mark else 0),
                capture_output=True, env=paths.ENV, check=True).stdout.decode()
            lines += ["  at %s:  %s" % (link, line) for line in out.splitlines()]
    for line in sorted(lines, key=lambda text: text.split("  ", 2)[2])[:count]:
        print(line)


def protected(mesh, seen):
    """Say what the core saw between AFBRs; how many packets it should not have seen."""
    clear = packet.in_clear(seen, "10.0.0.0/8")
    bare = packet.unprotected(seen)
    between = [p for p in seen if {p.outer.src, p.outer.dst} <= mesh.endpoints()]
    esp = packet.select(between, encap="esp")
    print("In the core: %d ESP packets and %d of IKE between the AFBRs; %d of a softwire "
          "outside of ESP,\n%d of the islands in clear." % (
              len(esp), len(packet.select(between, proto="udp")), len(bare), len(clear)))
    return len(clear) + len(bare)


def present_security(mesh):
    """What IKE has made, and all that the core saw from the first packet on."""
    show(mesh, "a1", "swmeshd", "show softwire security")
    heading("a1# ip xfrm policy, towards a2")
    for line in netns.run("a1", ["ip", "xfrm", "policy", "list", "src", loopback(1),
                                 "dst", loopback(2)]).splitlines():
        print("  " + line)
    heading("The core since the first daemon started: IKE of a1 and a2")
    read_by_tcpdump(mesh, None, "(%s) and host %s and host %s" % (
        IKE, loopback(1), loopback(2)), ["p-a1", "p-a2"])
    return protected(mesh, mesh.capture.packets())


def describe(one):
    return "%s to %s%s" % (one.encap, one.outer.dst,
                           "" if one.key is None else " key %d" % one.key)


def show(mesh, router, daemon, line):
    heading("%s# %s" % (router, line))
    print(mesh[router].show(daemon, line).rstrip(), flush=True)


def present(mesh):
    """Everything the main job shows; the number of things that are wrong."""
    show(mesh, "a1", "swmeshd", "show softwire")
    show(mesh, "a1", "bgpd", "show bgp ipv4 unicast")
    show(mesh, "a1", "zebra", "show ip route")
    heading("Pings between all islands")
    mark = mesh.capture.mark()
    wrong = ping_table(mesh)
    heading("The core, captured at p and read by tcpdump")
    wrong += decoded_capture(mesh, mark)
    if isinstance(mesh, SecureMesh):
        wrong += present_security(mesh)
    return wrong


def prompt(mesh):
    heading("The mesh is up. Type help, or for example: a1 show softwire")
    while True:
        try:
            words = shlex.split(input("mesh> "))
        except EOFError:
            print()
            return
        except (KeyboardInterrupt, ValueError) as err:
            print(err or "")
            continue
        if words == ["exit"]:
            return
        if words:
            obey(mesh, words)


def obey(mesh, words):
    vtysh = [paths.staged("/usr/bin/vtysh.swmesh"), "-N", words[0]]
    try:
        if words[0] == "help":
            print(HELP, end="")
        elif words == ["ping"]:
            ping_table(mesh)
        elif words == ["capture"]:
            mark = mesh.capture.mark()
            ping_table(mesh)
            decoded_capture(mesh, mark)
        elif words[0] in mesh.routers and words[1:2] == ["!"]:
            in_namespace(words[0], words[2:] or ["bash"])
        elif words[0] in mesh.routers:
            line = ["-c", " ".join(words[1:])] if words[1:] else []
            in_namespace(words[0], vtysh + line)
        elif words[0] in mesh.nodes:
            in_namespace(words[0], words[1:] or ["bash"])
        else:
            print("no node %s; there are %s" % (words[0], " ".join(sorted(mesh.nodes))))
    except KeyboardInterrupt:
        print()


def in_namespace(node, command):
    env = dict(paths.ENV, TERM=os.environ.get("TERM", "dumb"))
    subprocess.run(netns.argv(node, command), env=env, check=False)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shell", action="store_true")
    parser.add_argument("--plain", action="store_true")
    args = parser.parse_args()
    if args.plain:
        mesh, daemons = Mesh("demo", sets=SETS), "FRR daemons"
    else:
        mesh = SecureMesh("demo", security=SECURITY, tunnels=TUNNELS)
        daemons = "FRR's daemons and charon"
    step, errors = Steps(), []
    print(PICTURE % ("" if args.plain else PROTECTED))
    try:
        step("namespaces, links, %s on 4 routers" % daemons, mesh.up)
        step("BGP sessions with the route reflector", lambda: mesh["p"].wait_bgp(3))
        step("softwires and routes to all islands in all kernels", lambda: wait.until(
            lambda: islands_routed(mesh), "every island has its route through a softwire"))
        step("first ping between all islands", lambda: wait.until(
            lambda: all(traffic.reachable("h%d" % n, host(m), 1) for n, m in mesh.pairs()),
            "all islands reach each other"))
        wrong = present(mesh)
        if args.shell:
            prompt(mesh)
    except (AssertionError, VtyError, OSError) as err:
        print("\nFAILED: %s" % err)
        wrong = 1
    finally:
        print()
        errors = step("teardown", mesh.down)
    for error in errors:
        print(error)
    return 1 if wrong or errors else 0


sys.exit(main())
