# SPDX-License-Identifier: GPL-2.0-or-later
"""One AFBR and x9, a peer made by hand of a charon, a tunnel and a raw BGP speaker: what x9
announces and the key it has need not be the same (RFC 5566; S4, S5)."""
import struct

import pytest

from conftest import run_topology
from lib import inject, kernel, netns, packet, pki, softwires, tea, traffic, wait, xfrm
from lib.mesh import core_address, host, island, loopback
from lib.router import Router
from lib.securemesh import SecureMesh
from lib.topology import Link

SECURITY = ("ike raw-key key {dir}/key.pem", "ike raw-key peer-keys {dir}/peers", "esp aes256gcm16")
X9, X9_ISLAND, X9_INNER = loopback(9), "10.9.0.0/24", "10.9.0.1"
X9_LINK = "2001:db8:f:9::%d"
LIMIT = 90


@pytest.fixture(scope="module")
def keys():
    """Ed25519 key pairs: a1's, x9's, and one that nobody should have."""
    return {name: pki.raw_key() for name in (1, "x9", "other")}


@pytest.fixture(scope="module")
def mesh(keys):
    """a1, and x9 at the core without any swmesh."""
    files = {"key.pem": keys[1].key, "peers/none.txt": b"\n"}
    lines = {
        "p": ["route add %s/128 via %s" % (X9, X9_LINK % 1)],
        "x9": ["address add %s/128 dev lo nodad" % X9, "route add default via " + X9_LINK % 2,
               "link add g0 type ip6gre local %s remote %s encaplimit none hoplimit 64" % (
                   X9, loopback(1)),
               "link set g0 up", "address add %s/32 dev g0" % X9_INNER,
               "route add %s dev g0" % island(1),
               "link add t0 type ip6tnl mode ipip6 local %s remote %s encaplimit none" % (
                   X9, loopback(1)),
               "link set t0 up"]}
    link = Link("x9", "p", [X9_LINK % 1 + "/64"], [X9_LINK % 2 + "/64"])
    yield from run_topology(SecureMesh(
        "peer", numbers=[1], security=SECURITY, files=files, extra_nodes=["x9"], extra_links=[link],
        extra_routers=[Router("x9", {}, charon={})], ip_lines=lines))


@pytest.fixture(scope="module")
def speaker(mesh):
    """Speaks for x9; a1 has a way to it."""
    mesh["a1"].configure("staticd", "ipv6 route %s/128 %s\n" % (X9, core_address(1, "p")))
    with softwires.speaker(mesh, routed=False) as one:
        yield one


def test_announced_keys(mesh, keys, speaker):
    """a1 announces the SHA-1 of its SubjectPublicKeyInfo, and the key itself."""
    value = speaker.wait_route(island(1)).tea
    kind, length = struct.unpack_from("!HH", value)
    subs = tea.sub_tlvs(value[4 : 4 + length])
    assert kind == tea.GRE
    for made in (tea.authenticator(keys[1].spki()), tea.public_key(keys[1].spki())):
        assert tea.sub_tlvs(made)[0] in subs, subs


def x9_charon(mesh, pair, a1, protocol=47):
    """x9 takes what a1 initiates for this protocol, with this key pair."""
    charon = mesh["x9"].charon
    charon.vici.request("clear-creds")
    charon.vici.request("load-key", {"type": "any", "data": pair.key})
    select = {side: ["%s/128[%d]" % (address, protocol)]
              for side, address in (("local_ts", X9), ("remote_ts", loopback(1)))}
    charon.vici.request("load-conn", {"a1": {
        "version": 2, "local_addrs": [X9], "remote_addrs": [loopback(1)], "mobike": "no",
        "proposals": ["aes256gcm16-prfsha384-x25519", "aes256gcm16-prfsha256-x25519"],
        "local-1": {"auth": "pubkey", "id": X9, "pubkeys": [pair.public]},
        "remote-1": {"auth": "pubkey", "id": loopback(1), "pubkeys": [a1.public]},
        "children": {
            "gre": {"mode": "transport", "esp_proposals": ["aes256gcm16"], **select},
            "drop": {"mode": "drop", "start_action": "trap", **select}}}})


def announce(speaker, *subs):
    speaker.announce(X9_ISLAND, X9, tea.gre(X9, None, (4,), b"".join(subs)))


def forget(mesh, speaker):
    speaker.withdraw(X9_ISLAND)
    wait.until(lambda: not mesh.softwires(1, 9), "a1 has forgotten x9", LIMIT)
    charon = mesh["x9"].charon
    if charon.sas():
        charon.vici.request("terminate", {"ike": "a1", "force": "yes", "timeout": -1})
    wait.until(lambda: not charon.sas() and not xfrm.states("x9"), "x9 has no SA", LIMIT)


def carries(mesh, mark):
    """x9 reaches h1 and back, inside ESP."""
    wait.until(lambda: traffic.reachable("x9", host(1), 0.5), "x9 reaches h1", LIMIT)
    seen = mesh.capture.packets(mark)
    assert packet.unprotected(seen) == []
    assert packet.select(seen, encap="esp", src=loopback(1), dst=X9)


def test_key_announced(mesh, keys, speaker):
    """x9 announces its key and has it: a member like any other."""
    x9_charon(mesh, keys["x9"], keys[1])
    mark = mesh.capture.mark()
    spki = keys["x9"].spki()
    announce(speaker, tea.authenticator(spki), tea.public_key(spki))
    carries(mesh, mark)
    forget(mesh, speaker)


def test_hash_alone(mesh, keys, speaker):
    """x9 announces the hash alone: a1 finds the key in its directory, by the hash."""
    x9_charon(mesh, keys["x9"], keys[1])
    mesh["a1"].write_file("peers/somebody.pub", keys["other"].public)
    mesh["a1"].write_file("peers/x9.pub", keys["x9"].public)
    mark = mesh.capture.mark()
    announce(speaker, tea.authenticator(keys["x9"].spki()))
    carries(mesh, mark)
    forget(mesh, speaker)


@pytest.fixture
def old_types(mesh, speaker):
    """a1 takes IP in IP, too, and says so by RFC 5566's types as well; x9 sends by it."""
    softwires.set_mesh(mesh["a1"], "encap-set EDGE", "tunnel 20 ip-in-ip", "announce rfc5566")
    netns.ip_batch("x9", ["route replace %s dev t0 src %s" % (island(1), X9_INNER)])
    yield
    netns.ip_batch("x9", ["route replace %s dev g0" % island(1)])
    softwires.set_mesh(mesh["a1"], "encap-set EDGE", "no announce rfc5566",
                       "no tunnel 20 ip-in-ip")


def sub_tlvs_by_type(value):
    """Tunnel type -> sub-TLVs of an attribute's value."""
    found = {}
    while value:
        kind, length = struct.unpack_from("!HH", value)
        found[kind] = tea.sub_tlvs(value[4 : 4 + length])
        value = value[4 + length :]
    return found


@pytest.mark.parametrize("kind", [tea.IPIP_IPSEC, tea.IPSEC_TUNNEL], ids=["type5", "type4"])
def test_rfc5566_types(mesh, keys, speaker, old_types, kind):
    """x9 announces one of RFC 5566's own tunnel types and nothing else: IP in IP inside ESP.
    a1 announces them, with the hash, when it is told to."""
    ours = tea.sub_tlvs(tea.authenticator(keys[1].spki()))[0]
    wait.until(lambda: ours in sub_tlvs_by_type(speaker.wait_route(island(1)).tea).get(kind, []),
               "a1 announces type %d" % kind, LIMIT)
    x9_charon(mesh, keys["x9"], keys[1], 4)
    mark = mesh.capture.mark()
    spki = keys["x9"].spki()
    speaker.announce(X9_ISLAND, X9, tea.tunnel(
        kind, X9, payload=(4,), extra=tea.authenticator(spki) + tea.public_key(spki)))
    carries(mesh, mark)
    assert {s.proto for s in xfrm.states("a1", loopback(1), X9)} == {"esp"}
    assert softwires.sends_by("a1", X9_ISLAND).kind == "ip6tnl"
    forget(mesh, speaker)


def test_hash_without_key(mesh, keys, speaker):
    """No key is known for the hash: no SA, and the reason says where it was looked for."""
    announce(speaker, tea.authenticator(pki.raw_key().spki()))
    wait.until(lambda: mesh.assert_refused(1, 9, "key"), "a1 refuses x9", LIMIT)
    assert kernel.route("a1", X9_ISLAND) is None
    forget(mesh, speaker)


@pytest.mark.parametrize("which", ["hash", "key"])
def test_mismatch(mesh, keys, speaker, which):
    """x9's key is not the one announced: a1 refuses it. What is announced as the key has not
    the hash announced: it does not count. No SA, no softwire, no packet, a reason."""
    x9_charon(mesh, keys["x9"], keys[1])
    spki, other = keys["x9"].spki(), pki.raw_key().spki()
    mark = mesh.capture.mark()
    announce(speaker, tea.authenticator(other),
             tea.public_key(other if which == "hash" else spki))
    wait.until(lambda: mesh.assert_refused(1, 9, "hash", "authentication", "key"),
               "a1 refuses x9", LIMIT)
    with inject.listener("h1", host(1), 999) as sock:
        inject.send("x9", inject.gre(X9, loopback(1), inject.udp(
            X9_INNER, host(1), 999, b"in clear")))
        assert inject.heard(sock) == []
    assert not [p for p in mesh.capture.packets(mark) if p.outer.proto in (47, 50)
                and X9 in (p.outer.src, p.outer.dst)]
    forget(mesh, speaker)
