# SPDX-License-Identifier: GPL-2.0-or-later
"""Keys, certificates and revocation lists, by openssl(1), as octets to write to files.

    ca = Authority("mesh"); pair = ca.issue("a1", ips=["2001:db8:c::1"])
    files = {"ca.pem": ca.certificate, "cert.pem": pair.certificate, "key.pem": pair.key,
             "crl.pem": ca.revocation_list()}
"""
import dataclasses
import os
import shutil
import subprocess
import tempfile
import time
import typing

from . import paths

ECDSA = ("EC", "-pkeyopt", "ec_paramgen_curve:P-256")
ED25519 = ("ED25519",)
RSA = ("RSA", "-pkeyopt", "rsa_keygen_bits:2048")

CA_CONFIG = """\
[ca]
default_ca = this
[this]
dir = %(dir)s
database = $dir/index
serial = $dir/serial
crlnumber = $dir/crlnumber
new_certs_dir = $dir
certificate = $dir/ca.pem
private_key = $dir/ca.key
default_md = sha256
default_days = 30
default_crl_days = 30
policy = any
crl_extensions = crl
unique_subject = no
[any]
organizationName = optional
commonName = supplied
[leaf]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = %(names)s
authorityKeyIdentifier = keyid
[crl]
# Without it charon finds no list for an issuer (RFC 5280 section 5.2.1: MUST).
authorityKeyIdentifier = keyid
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[req]
distinguished_name = none
[none]
"""


def openssl(*words, stdin=None):
    done = subprocess.run(["openssl", *words], input=stdin, capture_output=True, env=paths.ENV)
    assert not done.returncode, "openssl %s: %s" % (" ".join(words), done.stderr.decode())
    return done.stdout


@dataclasses.dataclass
class Pair:
    """A private key with its public one, and the certificate if there is one. All PEM."""

    key: bytes
    public: bytes
    certificate: typing.Optional[bytes] = None

    def spki(self):
        """The SubjectPublicKeyInfo, DER: what RFC 5566's authenticator is a hash of."""
        return openssl("pkey", "-pubin", "-outform", "DER", stdin=self.public)


def raw_key(kind=ED25519):
    """A key pair without a certificate."""
    key = openssl("genpkey", "-algorithm", *kind)
    return Pair(key, openssl("pkey", "-pubout", stdin=key))


def self_signed(name, ips=(), kind=ECDSA):
    """A pair with a certificate of its own making."""
    pair = raw_key(kind)
    with tempfile.TemporaryDirectory() as folder:
        key = _write(folder, "key", pair.key)
        pair.certificate = openssl(
            "req", "-new", "-x509", "-key", key, "-days", "30", "-subj", "/CN=" + name,
            *(["-addext", "subjectAltName=" + _names(name, ips)]))
    return pair


def _names(name, ips):
    return ", ".join(["DNS:" + name] + ["IP:" + ip for ip in ips])


def _write(folder, leaf, content):
    path = os.path.join(folder, leaf)
    with open(path, "wb") as file:
        file.write(content)
    return path


class Authority:
    """A certification authority; close() removes its folder."""

    def __init__(self, name, kind=ECDSA):
        self.folder = tempfile.mkdtemp(prefix="swmesh-ca-")
        self._write("index", b"")
        self._write("serial", b"1000\n")
        self._write("crlnumber", b"01\n")
        self._write("ca.key", openssl("genpkey", "-algorithm", *kind))
        self.certificate = openssl(
            "req", "-new", "-x509", "-key", self._path("ca.key"), "-days", "30",
            "-subj", "/O=swmesh/CN=" + name, "-config", self._config(), "-extensions", "root")
        self._write("ca.pem", self.certificate)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, leaf):
        return os.path.join(self.folder, leaf)

    def _write(self, leaf, content):
        return _write(self.folder, leaf, content)

    def _config(self, names="DNS:none"):
        return self._write("ca.conf", (CA_CONFIG % {
            "dir": self.folder, "names": names}).encode())

    def issue(self, name, ips=(), kind=ECDSA, expired=False):
        """A certificate for a new key pair, with the name and addresses as alternative
        names; expired: it ended yesterday."""
        pair = raw_key(kind)
        config = self._config(_names(name, ips))
        request = self._write(name + ".csr", openssl(
            "req", "-new", "-key", self._write(name + ".key", pair.key), "-config", config,
            "-subj", "/O=swmesh/CN=" + name))
        target = self._path(name + ".pem")
        days = ["-startdate", "20200101000000Z", "-enddate", _yesterday()] if expired else []
        openssl("ca", "-batch", "-notext", "-config", config, "-extensions", "leaf",
                "-in", request, "-out", target, *days)
        with open(target, "rb") as file:
            pair.certificate = file.read()
        return pair

    def revoke(self, pair):
        openssl("ca", "-config", self._config(), "-revoke",
                self._write("revoked.pem", pair.certificate))

    def revocation_list(self):
        """Of all that have been revoked so far."""
        return openssl("ca", "-config", self._config(), "-gencrl")


def _yesterday():
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() - 86400))
