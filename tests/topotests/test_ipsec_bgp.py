# SPDX-License-Identifier: GPL-2.0-or-later
"""BGP sessions between AFBRs inside IPsec: `protect bgp` (S11)."""
import time

import pytest

from conftest import run_topology
from lib import netns, packet, softwires, wait
from lib.mesh import ASN, RR, host, loopback
from lib.securemesh import PSK, SecureMesh, wait_up

LIMIT = 90
BACK = 60  # seconds from charon's return to the session's


def session(peer, source):
    """A session beside the one with the reflector, for a family that nobody has routes of."""
    return "\n".join(["neighbor %s remote-as %d" % (peer, ASN),
                      "neighbor %s update-source %s" % (peer, source),
                      "neighbor %s timers connect 1" % peer,
                      "address-family ipv6 unicast", " neighbor %s activate" % peer,
                      "exit-address-family"])


@pytest.fixture(scope="module")
def mesh():
    """a1 and a2 with a session of their own, protected at both ends."""
    yield from run_topology(SecureMesh(
        "bgp", numbers=(1, 2), security=(*PSK, "esp aes256gcm16"),
        bgp={n: session(loopback(m), loopback(n)) for n, m in ((1, 2), (2, 1))},
        softwire={n: "protect bgp security CORE\nprotect bgp neighbor %s" % loopback(m)
                  for n, m in ((1, 2), (2, 1))}))


def tcp(packets, one, other):
    return [p for p in packet.select(packets, proto="tcp")
            if {p.outer.src, p.outer.dst} == {one, other}]


def answered(packets):
    """Segments that are not a first SYN: bgpd may call before swmeshd has read its
    configuration, and is not answered in clear."""
    return [p for p in packets if p.payload[13] != 0x02]


def state(mesh, n, peer):
    peers = mesh["a%d" % n].json("bgpd", "show bgp neighbors")
    return peers[peer]["bgpState"]


def wait_established(mesh):
    for n, m in ((1, 2), (2, 1)):
        wait.until(lambda: state(mesh, n, loopback(m)) == "Established",
                   "a%d's session with a%d" % (n, m), LIMIT)


def test_session(mesh):
    """The session comes up inside ESP, with a CHILD_SA for each end that may have called, and
    nothing of it was in clear since the start. The reflector's is as it was."""
    wait_up(mesh)
    wait_established(mesh)
    softwires.wait_talk(mesh)
    names = {child["name"] for child in mesh["a1"].charon.children(loopback(2))}
    assert names == {"gre", "bgp-in", "bgp-out"}
    wait.until(lambda: tcp(mesh.capture.packets(), loopback(1), RR),
               "the capture has the reflector's session")
    assert answered(tcp(mesh.capture.packets(), loopback(1), loopback(2))) == []
    mesh.assert_protected()


def ike_spis(mesh, n):
    return {(sa["initiator-spi"], sa["responder-spi"])
            for sa in mesh["a%d" % n].charon.established()}


def flaps(mesh, n, m):
    return softwires.sessions(mesh["a%d" % n])[loopback(m)][1]


def test_swmeshd_restarted(mesh):
    """swmeshd knows of its neighbors before it knows of its softwires: the SAs of both stay, the
    session is not reset, and not one packet is lost."""
    wait_established(mesh)
    before = ike_spis(mesh, 1), flaps(mesh, 1, 2)
    flow = mesh.flow("h1", host(2), "h2", rate=50)
    softwires.wait_flowing(flow, 10)
    mesh["a1"]["swmeshd"].restart()
    wait_up(mesh)
    softwires.wait_flowing(flow, 400)
    result = flow.stop()
    assert result.lost == [], str(result)
    assert (ike_spis(mesh, 1), flaps(mesh, 1, 2)) == before


@pytest.mark.parametrize("n,m", [(1, 2), (2, 1)], ids=["initiator", "responder"])
def test_one_killed(mesh, n, m):
    """charon is killed at one end, whose SAs are lost, too, while the other end's stay: the
    session ends rather than go on in clear, and comes again soon after charon."""
    wait_established(mesh)
    mark = mesh.capture.mark()
    mesh["a%d" % n].charon.kill()
    netns.run("a%d" % n, ["ip", "xfrm", "state", "flush"])
    for a, b in ((n, m), (m, n)):
        wait.until(lambda: state(mesh, a, loopback(b)) != "Established",
                   "a%d's session with a%d has ended" % (a, b), LIMIT)
    mesh["a%d" % n].charon.start()
    began = time.monotonic()
    wait_established(mesh)
    assert time.monotonic() - began < BACK
    wait_up(mesh)
    softwires.wait_talk(mesh)
    assert tcp(mesh.capture.packets(mark), loopback(1), loopback(2)) == []
    mesh.assert_protected(mark)


def test_closed(mesh):
    """charon is dead at both ends and the SAs are gone: the session ends rather than go on in
    clear. With charon back it comes again."""
    mark = mesh.capture.mark()
    for n in (1, 2):
        mesh["a%d" % n].charon.stop()
    for n, m in ((1, 2), (2, 1)):
        wait.until(lambda: state(mesh, n, loopback(m)) != "Established",
                   "a%d's session with a%d has ended" % (n, m), LIMIT)
    for n in (1, 2):
        mesh["a%d" % n].charon.start()
    wait_established(mesh)
    wait_up(mesh)
    assert tcp(mesh.capture.packets(mark), loopback(1), loopback(2)) == []
    mesh.assert_protected(mark)
