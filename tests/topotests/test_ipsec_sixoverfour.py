# SPDX-License-Identifier: GPL-2.0-or-later
"""Protected softwires for IPv6 islands over an IPv4-only core (F2, S2)."""
import pytest

from conftest import run_topology
from lib import inject, kernel, mesh4, packet, probe, softwires, traffic, wait
from lib.mesh import gateway, host, island
from lib.mesh4 import loopback
from lib.router import Router
from lib.securemesh import GROUP_KEY, wait_up

TUNNELS = {"gre": "tunnel 10 gre key 7", "ip-in-ip": "tunnel 10 ip-in-ip"}


def config(n, tunnel, folder):
    return "\n".join(["softwire mesh", " transit ipv4 source " + loopback(n), " security CORE",
                      "  ike group-psk file %s/mesh.psk" % folder, "  esp aes256gcm16", " exit",
                      " encap-set EDGE", "  " + tunnel, "  payload ipv6", "  security CORE",
                      " exit", "exit", ""])


class SecureMesh4(mesh4.Mesh4):
    """Mesh4 with a charon for each AFBR."""

    def afbr(self, n):
        plain = super().afbr(n)
        plain.configs["swmeshd"] = config(n, TUNNELS["gre"], plain.dir)
        return Router(plain.name, plain.configs, {"bgpd": mesh4.mesh.module_options()},
                      charon={}, files={"mesh.psk": GROUP_KEY})


@pytest.fixture(scope="module")
def mesh():
    yield from run_topology(SecureMesh4("secure4", numbers=(1, 2)))


IPV6_MTU_MIN = 1280  # of a link (RFC 8200 section 5)


def crosses_in_fragments(mesh):
    """Over a core of 1000 octets an IPv6 packet of 1280 arrives, and a larger one is answered
    (RFC 4213 section 3.2.2)."""
    with softwires.narrow_link(*mesh.numbers, mtu=1000):
        for n, m in mesh.pairs():
            with inject.listener("h%d" % m, host(m, 6), probe.PORT) as sock:

                def arrives():
                    probe.send("h%d" % n, host(m, 6), size=IPV6_MTU_MIN)
                    return any(len(data) == IPV6_MTU_MIN - 48 for data in inject.heard(sock, 0.5))

                wait.until(arrives, "h%d gets a packet of %d octets" % (m, IPV6_MTU_MIN))
            assert probe.too_big("h%d" % n, host(m, 6), IPV6_MTU_MIN + 1) == (
                gateway(n, 6), IPV6_MTU_MIN)
            shown = mesh["a%d" % n].json("swmeshd", "show softwire")["softwires"][0]
            assert "in fragments" in shown["mtuNote"], shown


@pytest.mark.parametrize("tunnel", list(TUNNELS))
def test_protected(mesh, tunnel):
    """IPv6 islands talk; the IPv4 core sees ESP and IKE between the AFBRs, and never GRE or
    IP in IP, from the first packet on."""
    if tunnel != "gre":
        for n in mesh.numbers:
            name = "a%d" % n
            mesh[name].configure("swmeshd", "no softwire mesh\n")
        for n in mesh.numbers:
            wait.until(lambda: not kernel.leftovers("a%d" % n), "a%d has let go" % n, 60)
        for n in mesh.numbers:
            name = "a%d" % n
            mesh[name].configure("swmeshd", config(n, TUNNELS[tunnel], mesh[name].dir))
    wait_up(mesh, address=loopback)
    for n, m in mesh.pairs():
        wait.until(lambda: kernel.route("a%d" % n, island(m, 6), 6),
                   "a%d has the route to island %d" % (n, m), 60)
    softwires.wait_talk(mesh, family=6)
    mark = mesh.capture.mark()
    assert None not in traffic.ping("h1", host(2, 6), 3)
    seen = mesh.capture.packets(mark)
    assert packet.select(seen, encap="esp", src=loopback(1), dst=loopback(2))
    crosses_in_fragments(mesh)
    seen = mesh.capture.packets(mark)
    assert packet.not_ipsec(seen, {loopback(1), loopback(2)}) == []
    assert packet.unprotected(mesh.capture.packets()) == []
