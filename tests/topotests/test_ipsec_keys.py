# SPDX-License-Identifier: GPL-2.0-or-later
"""Raw keys, bound to AFBRs by what BGP announces of them (RFC 5566; S4, S5), and how they are
changed under traffic. One mesh for all: its keys are taken away and given anew."""
import contextlib
import hashlib

import pytest

from conftest import run_topology
from lib import packet, pki, softwires, tea, traffic, wait
from lib.mesh import RR, host, island, loopback
from lib.securemesh import LIMIT, SecureMesh, wait_up

RAW = ("ike raw-key key {dir}/key.pem",)
PINNED = ("ike raw-key key {dir}/key.pem certificate {dir}/cert.pem",)


def pairs(kind):
    return {n: pki.raw_key(kind) for n in (1, 2, 3)}


def digest(pair):
    """RFC 5566's authenticator: SHA-1 of the public key."""
    return hashlib.sha1(pair.spki()).hexdigest()


@pytest.fixture(scope="module")
def keys():
    """AFBR -> its key pair; tests that change keys change it."""
    return pairs(pki.ED25519)


@pytest.fixture(scope="module")
def mesh(keys):
    """Three AFBRs with an Ed25519 key each, GRE inside ESP."""
    yield from run_topology(SecureMesh(
        security=RAW, files={n: {"key.pem": pair.key} for n, pair in keys.items()}))


@pytest.fixture()
def whole(mesh, keys):
    """All softwires are up, with the keys in `keys`; afterwards again."""
    wait_up(mesh)
    yield mesh
    wait_keys(mesh, keys)


def give_keys(mesh, keys, new, lines=RAW, numbers=None):
    """Other key pairs for these AFBRs, without a common time: gone and come again."""
    numbers = numbers or mesh.numbers
    mesh.take_away(numbers)
    for n in numbers:
        keys[n] = new[n]
        mesh["a%d" % n].write_file("key.pem", new[n].key)
        if new[n].certificate:
            mesh["a%d" % n].write_file("cert.pem", new[n].certificate)
    mesh.security = lines
    mesh.give(numbers)


def wait_keys(mesh, keys, limit=LIMIT):
    """Until everybody is protected towards everybody with just these keys."""
    wait_up(mesh, limit)
    for n, m in mesh.pairs():
        def so():
            peer = mesh.peers(n)[loopback(m)]
            assert peer["protected"] and peer["state"] == "up", peer
            assert peer["announcedKeys"] == [digest(keys[m])], peer["announcedKeys"]
            assert peer["acceptedKeys"] == [digest(keys[m])], peer["acceptedKeys"]
            assert peer["seenKeys"] == [digest(keys[m])], peer["seenKeys"]
            assert len([sa for sa in peer["ikeSas"] if not sa["ending"]]) == 1, peer["ikeSas"]
            return True
        wait.until(so, "a%d accepts the key of a%d" % (n, m), limit)


# -- meshes of raw keys --

def test_ed25519(mesh, keys):
    """From the first packet on, nothing is in clear; each end shows the hash of the other's
    key as announced and as used."""
    wait_keys(mesh, keys)
    softwires.wait_talk(mesh)
    mesh.assert_protected()
    mark = mesh.capture.mark()
    assert None not in traffic.ping("h1", host(3), 5)
    seen = mesh.assert_only_ipsec(mark)
    assert len(packet.select(seen, encap="esp", src=loopback(1), dst=loopback(3))) == 5


@pytest.mark.parametrize("what", ["ecdsa", "self-signed"])
def test_other_keys(mesh, keys, what):
    """ECDSA keys, and self-signed certificates that are pinned by the hash of their key."""
    mark = mesh.capture.mark()
    if what == "ecdsa":
        give_keys(mesh, keys, pairs(pki.ECDSA))
    else:
        give_keys(mesh, keys, {n: pki.self_signed("a%d" % n, [loopback(n)])
                               for n in mesh.numbers}, PINNED)
    wait_keys(mesh, keys)
    softwires.wait_talk(mesh)
    mesh.assert_protected(mark)


# -- what BGP announces is another key than IKE uses --

def announced_by(speaker, n, *subs):
    """The speaker announces AFBR n's island in its stead: GRE, with these sub-TLVs."""
    speaker.announce(island(n), loopback(n), tea.tunnel(
        tea.GRE, loopback(n), payload=(4,), extra=b"".join(subs)))


@contextlib.contextmanager
def silenced(mesh, n):
    """AFBR n announces nothing itself; a speaker beside the reflector does it instead."""
    lines = "router bgp 65000\naddress-family ipv4 unicast\nneighbor %s route-map %s out\n"
    mesh["a%d" % n].configure("bgpd", "route-map NOTHING deny 10\n")
    with softwires.speaker(mesh, routed=False) as speaker:
        mesh["a%d" % n].configure("bgpd", lines % (RR, "NOTHING"))
        try:
            yield speaker
        finally:
            mesh["a%d" % n].configure("bgpd", lines % (RR, "SOFTWIRE-OUT"))


@pytest.mark.parametrize("n", [1, 3], ids=["initiator", "responder"])
def test_other_key_announced(whole, keys, n):
    """S5: the key that IKE uses is not the one whose hash is announced, with the AFBR that
    initiates and with one that is called: no SA, no softwire, no packet; both ends say so."""
    mesh, other = whole, pki.raw_key()
    mark = mesh.capture.mark()
    with silenced(mesh, n) as speaker:
        announced_by(speaker, n, tea.authenticator(other.spki()),
                     tea.public_key(other.spki()))
        for m in mesh.numbers:
            if m != n:
                wait.until(lambda: mesh.peers(m)[loopback(n)]["announcedKeys"] == [
                    digest(other)], "a%d has heard of the other key" % m, LIMIT)
        others = [m for m in mesh.numbers if m != n]
        for m in others:
            wait.until(lambda: mesh.assert_refused(m, n, "hash", "authentication", "announce"),
                       "a%d refuses a%d" % (m, n), LIMIT)
        # Of two ends the one that is called is heard last: a moment of ESP, for nobody.
        flow = mesh.flow("h%d" % n, host(others[0]), "h%d" % others[0], rate=50)
        wait.until(lambda: flow.progress()[0] >= 50, "h%d has sent" % n)
        assert flow.stop().received == 0
        mesh.assert_protected(mark)
        for m in others:
            shown = mesh.peers(m)[loopback(n)]
            assert not shown["protected"] and shown["reason"], shown
        # The others are not disturbed.
        assert None not in traffic.ping("h%d" % (n % 3 + 1), host((n + 1) % 3 + 1), 3)
    wait_keys(mesh, keys)
    softwires.wait_talk(mesh)
    mesh.assert_protected(mark)


def test_no_hash(whole, keys):
    """An AFBR that announces no key at all is not talked to."""
    mesh = whole
    mark = mesh.capture.mark()
    with silenced(mesh, 3) as speaker:
        announced_by(speaker, 3)
        # a3 cannot know why: the others have no connection for it.
        mesh.assert_outcast(3, mark, "announces no key", "not ready for us")
    wait_keys(mesh, keys)
    mesh.assert_protected(mark)


# -- changing keys --

def set_keys(mesh, n, *lines):
    one = mesh["a%d" % n]
    one.configure("swmeshd", "softwire mesh\nsecurity CORE\n%s\n" % "\n".join(
        line.format(dir=one.dir) for line in lines))


def wait_announced(mesh, n, *wanted):
    """Until all others have heard that AFBR n announces these keys, and accept them."""
    wanted = sorted(digest(pair) for pair in wanted)
    for m in mesh.numbers:
        if m == n:
            continue

        def so():
            peer = mesh.peers(m)[loopback(n)]
            assert sorted(peer["announcedKeys"]) == wanted, peer["announcedKeys"]
            assert sorted(peer["acceptedKeys"]) == wanted, peer["acceptedKeys"]
            return True
        wait.until(so, "a%d knows the keys of a%d" % (m, n), LIMIT)


def ike_sas(mesh, n):
    """(other AFBR, SPIs) of the IKE_SAs of AFBR n that stand."""
    return {(m, sa["spiInitiator"], sa["spiResponder"])
            for m in mesh.numbers if m != n
            for sa in mesh.peers(n)[loopback(m)]["ikeSas"]
            if sa["established"] and not sa["ending"]}


def wait_rebuilt(mesh, n, before):
    """Until each of AFBR n's IKE_SAs is another one than before, and all is quiet."""
    def so():
        now = ike_sas(mesh, n)
        assert len(now) == len(mesh.numbers) - 1 and not now & before, "%r, was %r" % (
            now, before)
        return True
    wait.until(so, "a%d has new IKE_SAs" % n, LIMIT)


@pytest.mark.parametrize("n", [3, 1], ids=["responder", "initiator"])
def test_rotation(whole, keys, n):
    """S5: an AFBR announces the next key beside the old one, changes to it, and withdraws the
    old one: not one packet lost, none in clear, and the SAs are those of the new key."""
    mesh, old, new = whole, keys[n], pki.raw_key()
    m = 2
    one = mesh["a%d" % n]
    one.write_file("next.pem", new.key)
    one.write_file("next.pub", new.public)
    one.write_file("old.pub", old.public)
    mark = mesh.capture.mark()
    flows = [mesh.flow("h%d" % a, host(b), "h%d" % b, rate=100)
             for a, b in ((n, m), (m, n), (1, 3), (3, 1))]
    for flow in flows:
        softwires.wait_flowing(flow)
    set_keys(mesh, n, "ike raw-key announce-key {dir}/old.pub",
             "ike raw-key announce-key {dir}/next.pub")
    wait_announced(mesh, n, old, new)
    before = ike_sas(mesh, n)
    set_keys(mesh, n, "ike raw-key key {dir}/next.pem")
    wait_rebuilt(mesh, n, before)
    wait_announced(mesh, n, old, new)
    for flow in flows:
        softwires.wait_flowing(flow, 200)
    set_keys(mesh, n, "no ike raw-key announce-key {dir}/old.pub",
             "no ike raw-key announce-key {dir}/next.pub")
    keys[n] = new
    wait_keys(mesh, keys)
    for flow in flows:
        softwires.wait_flowing(flow, 200)
    results = [flow.stop() for flow in flows]
    one.write_file("key.pem", new.key)
    set_keys(mesh, n, "ike raw-key key {dir}/key.pem")
    mesh.assert_protected(mark)
    assert all(not result.lost for result in results), [str(result) for result in results]


def test_changed_at_once(whole, keys):
    """A key that is changed without announcing both: the SA of the old one goes, nothing is in
    clear meanwhile, and all comes back with the new one."""
    mesh, new = whole, pki.raw_key()
    mark = mesh.capture.mark()
    flow = mesh.flow("h1", host(3), "h3", rate=50)
    softwires.wait_flowing(flow)
    mesh["a3"].write_file("next.pem", new.key)
    set_keys(mesh, 3, "ike raw-key key {dir}/next.pem")
    keys[3] = new
    wait_keys(mesh, keys)
    softwires.wait_flowing(flow)
    flow.stop()
    mesh["a3"].write_file("key.pem", new.key)
    set_keys(mesh, 3, "ike raw-key key {dir}/key.pem")
    mesh.assert_protected(mark)
