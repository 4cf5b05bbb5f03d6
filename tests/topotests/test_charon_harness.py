# SPDX-License-Identifier: GPL-2.0-or-later
"""charon and IPsec by hand, without swmeshd: what the tests of protected softwires rely on."""
import types

import pytest

from conftest import run_topology
from lib import kernel, netns, packet, pki, traffic, wait, xfrm
from lib.router import Router
from lib.topology import Link, Topology

ADDRESS = {"c1": "2001:db8:c::1", "c2": "2001:db8:c::2"}
INNER = {"c1": "10.9.0.1", "c2": "10.9.0.2"}
OTHER = {"c1": "c2", "c2": "c1"}
SECRET = "a secret of the harness"
GRE = 47


@pytest.fixture(scope="module")
def pair():
    """c1 and c2, a charon each, and between them GRE that a policy lets out only by IPsec."""
    lines = {here: [
        "link add g0 type ip6gre local %s remote %s encaplimit none hoplimit 64" % (
            ADDRESS[here], ADDRESS[there]),
        "link set g0 up", "address add %s/30 dev g0" % INNER[here]]
        for here, there in OTHER.items()}
    topo = Topology(
        "charon", ["c1", "c2"],
        [Link("c1", "c2", [ADDRESS["c1"] + "/64"], [ADDRESS["c2"] + "/64"])],
        [Router(name, {}, charon={}) for name in OTHER], lines)
    topo.up = types.MethodType(
        lambda self: Topology.up(self, [("c1", "c2"), ("c2", "c1")]), topo)
    yield from run_topology(topo)


def connection(here, proposals, protocol="esp", auth=None):
    """A conn as swmeshd makes them, with the drop policy that holds while there is no SA."""
    there = OTHER[here]
    select = {"local_ts": ["%s/128[47]" % ADDRESS[here]],
              "remote_ts": ["%s/128[47]" % ADDRESS[there]]}
    auth = auth or {"auth": "psk"}
    return {"peer": {
        "version": 2, "local_addrs": [ADDRESS[here]], "remote_addrs": [ADDRESS[there]],
        "proposals": ["aes256gcm16-prfsha384-x25519"], "mobike": "no",
        "local-1": {**auth, "id": ADDRESS[here]}, "remote-1": {**auth, "id": ADDRESS[there]},
        "children": {
            "gre": {"mode": "transport", protocol + "_proposals": [proposals], **select},
            "gre-drop": {"mode": "drop", "start_action": "trap", **select}}}}


def establish(pair, proposals, protocol="esp"):
    for name in OTHER:
        charon = pair[name].charon
        charon.vici.request("load-shared", {"id": "mesh", "type": "IKE", "data": SECRET})
        charon.vici.request("load-conn", connection(name, proposals, protocol))
    pair["c1"].charon.vici.request("initiate", {"child": "gre", "ike": "peer", "timeout": 30000})


def unload(pair):
    for name in OTHER:
        charon = pair[name].charon
        if "peer" in charon.conns():
            charon.vici.request("unload-conn", {"name": "peer"})
        if charon.sas():
            charon.vici.request("terminate", {"ike": "peer", "force": "yes", "timeout": -1})
    for name in OTHER:
        wait.until(lambda: not pair[name].charon.sas() and not xfrm.states(name),
                   "%s has no SA" % name)
        pair[name].charon.vici.request("clear-creds")


def gone(pair):
    """Whatever is sent into the tunnel now does not leave it."""
    mark = pair.capture.mark()
    assert not traffic.reachable("c1", INNER["c2"], 0.5)
    assert packet.unprotected(pair.capture.packets(mark)) == []


@pytest.mark.parametrize("proposals,protocol,number,algorithm", [
    ("aes256gcm16", "esp", 50, "rfc4106(gcm(aes))"),
    ("null-sha256", "esp", 50, "hmac(sha256)"),
    ("sha256", "ah", 51, "hmac(sha256)")])
def test_kernel_does_ipsec(pair, proposals, protocol, number, algorithm):
    """ESP-GCM, ESP-null and AH in transport mode around GRE: dropped until the SA is there,
    then protected, and never in clear (S2, S9)."""
    began = pair.capture.mark()
    for name in OTHER:
        pair[name].charon.vici.request(
            "load-conn", connection(name, proposals, protocol))
    gone(pair)
    establish(pair, proposals, protocol)
    try:
        assert None not in traffic.ping("c1", INNER["c2"], 5)
        seen = pair.capture.packets(began)
        assert packet.unprotected(seen) == []
        assert packet.not_ipsec(seen, set(ADDRESS.values())) == []
        inside = [p for p in seen if p.outer.proto == number]
        assert len(inside) == 10 and {p.encap for p in inside} == {protocol}
        spis = {(s.src, s.spi) for s in xfrm.states("c1", src=ADDRESS["c1"])}
        assert {(p.outer.src, p.spi) for p in inside if p.outer.src == ADDRESS["c1"]} == spis
        for name in OTHER:
            states = xfrm.states(name)
            assert len(states) == 2, states
            assert {(s.proto, s.mode) for s in states} == {(protocol, "transport")}
            assert all(algorithm in s.algorithms for s in states), states
            assert [s.packets for s in states] == [5, 5]
            wanted = {(d, "allow", protocol) for d in ("in", "out")}
            found = {(p.direction, p.action, p.tmpl) for p in xfrm.policies(name, proto=GRE)}
            assert wanted <= found, found
    finally:
        unload(pair)


def test_charon_killed(pair):
    """SIGKILL leaves the SAs and the traffic; a new charon knows nothing of them."""
    establish(pair, "aes256gcm16")
    charon = pair["c1"].charon
    try:
        assert len(charon.established()) == len(charon.children(ADDRESS["c2"])) == 1
        assert charon.kill() == -9
        assert None not in traffic.ping("c1", INNER["c2"], 3)
        charon.start()
        assert charon.sas() == [] and charon.conns() == {}
    finally:
        if not charon.alive():
            charon.start()
        netns.run("c1", ["ip", "xfrm", "state", "flush"])
        netns.run("c1", ["ip", "xfrm", "policy", "flush"])
        unload(pair)


def test_keys_and_certificates(pair):
    """What pki.py makes is taken by charon: raw keys and a CA's certificates of each kind."""
    charon = pair["c1"].charon
    for kind in (pki.ED25519, pki.ECDSA):
        charon.vici.request("load-key", {"type": "any", "data": pki.raw_key(kind).key})
    authority = pki.Authority("harness")
    try:
        leaf = authority.issue("c1", [ADDRESS["c1"]])
        authority.revoke(authority.issue("c2", [ADDRESS["c2"]], expired=True))
        charon.vici.request("load-key", {"type": "any", "data": leaf.key})
        for flag, data in (("CA", authority.certificate), ("NONE", leaf.certificate)):
            charon.vici.request("load-cert", {"type": "X509", "flag": flag, "data": data})
        charon.vici.request("load-cert", {
            "type": "X509_CRL", "flag": "NONE", "data": authority.revocation_list()})
        found = charon.vici.stream("list-certs", "list-cert", {})
        assert sorted(one["type"] for one in found) == ["X509", "X509", "X509_CRL"], found
        assert {one.get("has_privkey", "no") for one in found} == {"yes", "no"}
    finally:
        authority.close()
        charon.vici.request("clear-creds")


def test_tunnel_is_there(pair):
    """The tunnel was never touched by all this."""
    for here, there in OTHER.items():
        assert [t.up for t in kernel.tunnels_to(here, ADDRESS[there])] == [True]
