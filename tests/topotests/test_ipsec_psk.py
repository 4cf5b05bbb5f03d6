# SPDX-License-Identifier: GPL-2.0-or-later
"""Softwires protected with the group key: every kind of protection, and a wrong key (S2, S3,
S7, S9). One mesh for all: its configuration is taken away and given anew."""
import pytest

from conftest import run_topology
from lib import inject, kernel, packet, probe, softwires, traffic, wait, xfrm
from lib.mesh import gateway, host, island, loopback
from lib.securemesh import GROUP_KEY, PSK, SecureMesh, security_of, wait_up
from lib.vty import VtyError

GRE, IPIP = "tunnel 10 gre key 7", "tunnel 10 ip-in-ip"
NUMBER = {GRE: 47, IPIP: 4}
# Line of the security; protocol in the core; algorithm in the kernel.
GCM = ("esp aes256gcm16", "esp", "rfc4106(gcm(aes))")
NULL = ("esp null-sha256", "esp", "ecb(cipher_null)")
AH = ("ah sha256", "ah", "hmac(sha256)")
LIMIT = 90


@pytest.fixture(scope="module")
def mesh():
    """Three AFBRs, GRE inside ESP with AES-GCM."""
    yield from run_topology(SecureMesh(security=(*PSK, GCM[0]), tunnels=(GRE,)))


def test_from_the_first_packet(mesh):
    """The mesh as it has just started: every softwire comes up, and not one packet of an
    island was in clear since before the first daemon ran."""
    wait_up(mesh)
    softwires.wait_talk(mesh)
    mesh.assert_protected()


@pytest.mark.parametrize("n", [1, 2], ids=["our-link", "further-on"])
def test_narrow_core(mesh, n):
    """The core's link to a1, or the one to a2, of which a1 hears by ICMP that quotes ESP, carries
    1280 octets: IPsec's overhead counts, the source is told by ICMP, what may be fragmented comes
    in fragments, and it is shown why (F4)."""
    def shown():
        softwire = softwires.shown(mesh, "a1", loopback(2))
        probe.send("h1", host(2), size=1320)  # too large for a1's devices or for the core
        assert 1280 - 150 < softwire["routeMtu"] < 1280 - 48, softwire
        assert "the core carries packets of 1280 octets" in softwire["mtuNote"], softwire
        return softwire["routeMtu"]

    wait_up(mesh)
    with softwires.narrow_link(n):
        size = wait.until(shown, "a1 shows what its routes carry")
        wait.until(lambda: probe.too_big("h1", host(2), 1280, 1) == (gateway(1), size),
                   "h1 learns that packets to h2 are at most %d" % size)
        with inject.listener("h2", host(2), probe.PORT) as sock:
            heard = []

            def both():
                probe.send("h1", host(2), size=size)
                probe.send("h1", host(2), size=1400, df=False)
                heard.extend(len(data) for data in inject.heard(sock, 0.5))
                return {size - 28, 1400 - 28} <= set(heard)

            wait.until(both, "one of %d octets, and a larger one in fragments" % size)
        mesh.assert_protected()
    if n != 1:
        return  # what a1 was told counts for ten minutes

    def whole():
        largest = softwires.sends_by("a1", island(2)).mtu
        assert largest > 1400, largest
        probe.send("h1", host(2), size=largest)
        return largest - 28 in [len(data) for data in inject.heard(sock, 0.5)]

    with inject.listener("h2", host(2), probe.PORT) as sock:
        wait.until(whole, "what the device carries crosses again")


@pytest.mark.parametrize("tunnel,protection", [
    (GRE, GCM), (GRE, NULL), (GRE, AH), (IPIP, GCM), (IPIP, NULL), (IPIP, AH)],
    ids=["gre-gcm", "gre-null", "gre-ah", "ipip-gcm", "ipip-null", "ipip-ah"])
def test_protection(mesh, tunnel, protection):
    """Brought up while islands send already: nothing in clear, then only ESP or AH, with the
    algorithm that was asked for, in transport mode, for the endpoints and the encapsulation
    protocol alone (S7), by one IKE_SA and one CHILD_SA for each pair."""
    line, protocol, algorithm = protection
    mesh.take_away()
    mesh.security, mesh.tunnels = (*PSK, line), (tunnel,)
    mark = mesh.capture.mark()
    flow = mesh.flow("h1", host(2), "h2", rate=50)
    back = mesh.flow("h2", host(1), "h1", rate=50)
    mesh.give()
    wait_up(mesh)
    softwires.wait_flowing(flow, 20)
    softwires.wait_flowing(back, 20)
    flow.abandon()
    back.abandon()
    softwires.wait_talk(mesh)
    mesh.assert_protected(mark)

    mark = mesh.capture.mark()
    assert None not in traffic.ping("h1", host(3), 5)
    seen = mesh.assert_only_ipsec(mark)
    for n, m in ((1, 3), (3, 1)):
        assert len(packet.select(seen, encap=protocol, src=loopback(n), dst=loopback(m))) == 5
    wait.until(mesh.assert_one_each, "one of each", LIMIT)
    for n in mesh.numbers:
        node, others = "a%d" % n, [m for m in mesh.numbers if m != n]
        for state in xfrm.states(node):
            assert (state.proto, state.mode) == (protocol, "transport")
            assert algorithm in state.algorithms, state
        found = {(p.src, p.dst, p.direction): (p.proto, p.tmpl)
                 for p in xfrm.policies(node) if p.tmpl}
        wanted = (NUMBER[tunnel], protocol)
        assert found == {
            **{(loopback(n), loopback(m), "out"): wanted for m in others},
            **{(loopback(m), loopback(n), "in"): wanted for m in others}}


def test_no_charon(mesh):
    """Without charon the softwires of a3 wait, with their devices but without a SW-NHOP, and
    nothing leaves; they go on saying why when a device has to be made anew; when charon comes
    they come up by themselves."""
    mesh.take_away()
    mesh.security, mesh.tunnels = (*PSK, GCM[0]), (GRE,)
    mesh["a3"].charon.stop()
    mark = mesh.capture.mark()
    mesh.give()
    for m in (1, 2):
        wait.until(lambda: mesh.assert_refused(3, m, "charon"), "a3 waits for charon", LIMIT)
    softwires.replace_device("a3", kernel.tunnels_to("a3", loopback(1))[0])
    wait.until(lambda: mesh.assert_refused(3, 1, "charon"), "a3 still says why", LIMIT)
    assert softwires.host_routes("a3") == {}
    assert softwires.endpoints("a3") == {loopback(1), loopback(2)}
    assert not traffic.reachable("h3", host(1), 0.5)
    mesh["a3"].charon.start()
    wait_up(mesh)
    softwires.wait_talk(mesh)
    mesh.assert_protected(mark)


def test_wrong_key(mesh):
    """An AFBR with another key than the group's: no SA, no softwire, no packet, and both ends
    say why; the others are not disturbed; with the right key it is a member again."""
    softwires.wait_talk(mesh, [(1, 2), (2, 1)])
    mesh.take_away([3])
    mesh["a3"].write_file("mesh.psk", b"not the key of this group")
    mark = mesh.capture.mark()
    mesh.give([3])
    mesh.assert_outcast(3, mark, "authentication")
    assert softwires.host_routes("a3") == {}
    assert None not in traffic.ping("h1", host(2), 3)

    mesh.take_away([3])
    mesh["a3"].write_file("mesh.psk", GROUP_KEY)
    mesh.give([3])
    wait_up(mesh)
    softwires.wait_talk(mesh)
    mesh.assert_protected(mark)


def test_secret_stays_secret(mesh):
    """The key is in no output, no log of swmeshd's, and masked where it is inline."""
    a1, secret = mesh["a1"], GROUP_KEY.decode()
    for line in ("show softwire detail json", "show softwire security detail",
                 "show softwire security json", "show running-config"):
        assert secret not in a1.show("swmeshd", line)
    with open(a1.file("swmeshd.log")) as file:
        assert secret not in file.read()
    try:
        a1.configure("swmeshd", "softwire mesh\nsecurity SPARE\nike group-psk secret %s\n" % (
            secret + "x"))
        assert secret not in a1.show("swmeshd", "show running-config")
        assert security_of(a1.show("swmeshd", "show running-config"), "SPARE")
    finally:
        try:
            a1.configure("swmeshd", "softwire mesh\nno security SPARE\n")
        except VtyError:
            pass
