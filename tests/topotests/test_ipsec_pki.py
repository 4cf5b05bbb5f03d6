# SPDX-License-Identifier: GPL-2.0-or-later
"""Softwires protected with certificates of a CA (S3, S4): who has none that holds is left out."""
import pytest

from conftest import run_topology
from lib import pki, softwires, traffic, wait
from lib.mesh import host, loopback
from lib.securemesh import LIMIT, SecureMesh, wait_up

SECURITY = ("ike pki certificate {dir}/cert.pem key {dir}/key.pem", "ike pki ca {dir}/ca.pem",
            "ike pki crl {dir}/crl.pem", "esp aes256gcm16")


@pytest.fixture(scope="module")
def papers():
    """The mesh's CA: a certificate for each AFBR, and for a3 such as must not do."""
    authority, foreign = pki.Authority("mesh"), pki.Authority("elsewhere")
    try:
        pairs = {n: authority.issue("a%d" % n, [loopback(n)]) for n in (1, 2, 3)}
        pairs["expired"] = authority.issue("a3", [loopback(3)], expired=True)
        pairs["foreign"] = foreign.issue("a3", [loopback(3)])
        pairs["revoked"] = authority.issue("a3", [loopback(3)])
        pairs["other"] = authority.issue("a9", [loopback(9)])
        authority.revoke(pairs["revoked"])
        yield {"ca": authority.certificate, "crl": authority.revocation_list(), **pairs}
    finally:
        authority.close()
        foreign.close()


@pytest.fixture(scope="module")
def mesh(papers):
    """Three AFBRs with certificates; the CA's list of revoked ones is known to all."""
    files = {n: {"ca.pem": papers["ca"], "crl.pem": papers["crl"],
                 "cert.pem": papers[n].certificate, "key.pem": papers[n].key}
             for n in (1, 2, 3)}
    yield from run_topology(SecureMesh(security=SECURITY, files=files))


def test_certificates(mesh):
    """All softwires come up, authenticated by certificate, nothing in clear from the start."""
    wait_up(mesh)
    softwires.wait_talk(mesh)
    mesh.assert_protected()
    mark = mesh.capture.mark()
    assert None not in traffic.ping("h1", host(2), 3)
    mesh.assert_only_ipsec(mark)
    for n, m in mesh.pairs():
        (sa,) = mesh["a%d" % n].charon.established(loopback(m))
        assert sa["remote-id"] == loopback(m)


def give_papers(mesh, pair):
    mesh["a3"].write_file("cert.pem", pair.certificate)
    mesh["a3"].write_file("key.pem", pair.key)


# What a3 says, and what its peers: of the first two it sees itself that they will not do, and
# does not begin, so that its peers have no more to say than that it does not; the others are
# for its peers to refuse.
IDLE = ("",)
FAULTS = {"expired": (("expired",), IDLE), "other": (("have it in the certificate",), IDLE),
          "foreign": (("refused our authentication",), ("not from one of our CAs",)),
          "revoked": (("refused our authentication",), ("revoked",))}


@pytest.mark.parametrize("kind", FAULTS)
def test_bad_certificate(mesh, papers, kind):
    """a3 starts with a certificate that has expired, is for another address, of another CA, or
    revoked: no SA, no softwire, no packet, and the reason is shown. The others go on."""
    a3, (here, there) = mesh["a3"], FAULTS[kind]
    a3["swmeshd"].stop()
    a3.charon.restart()
    give_papers(mesh, papers[kind])
    mark = mesh.capture.mark()
    a3["swmeshd"].start()
    mesh.assert_outcast(3, mark, *here, *there)
    for n, m, words in ((3, 1, here), (3, 2, here), (1, 3, there), (2, 3, there)):
        wait.until(lambda: mesh.assert_refused(n, m, *words), "a%d says why" % n, LIMIT)
    assert None not in traffic.ping("h1", host(2), 3)


def test_good_certificate_again(mesh, papers):
    """With its own certificate a3 is a member as before."""
    mark = mesh.capture.mark()
    mesh["a3"]["swmeshd"].stop()
    give_papers(mesh, papers[3])
    mesh["a3"]["swmeshd"].start()
    wait_up(mesh)
    softwires.wait_talk(mesh)
    mesh.assert_protected(mark)
