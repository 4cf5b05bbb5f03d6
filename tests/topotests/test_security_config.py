# SPDX-License-Identifier: GPL-2.0-or-later
"""`security NAME`: what is refused, what a file at boot is accepted with, secrets that stay
secret, and files that are read again (S3, S4, S5, S9, S10, S11)."""
import contextlib
import json
import os
import re
import shutil
import subprocess

import pytest

from conftest import run_topology
from lib import pki, vty, wait
from lib.config import from_vtysh, mesh_lines, refused
from lib.router import Router
from lib.topology import Topology

pytestmark = pytest.mark.no_tunnels

OURS = "2001:db8:c::1"
SECRET = "correct-horse-battery-staple"
# As "show running-config" orders the lines.
CONFIG = """\
softwire mesh
 transit ipv6 source %s
 ike handshakes 4
 filter anti-spoof loose
 filter log rate 30
 security CORE
  ike group-psk file {dir}/mesh.psk
  ike proposal aes256gcm16-prfsha384-x25519 aes256-sha256-ecp256
  esp aes256gcm16 null-sha256
  rekey ike 3000
  rekey sa 600
  replay-window 256
  dpd 10
  ppk id mesh file {dir}/mesh.ppk required
 exit
 security KEYS
  ike raw-key announce-key {dir}/next.pub
  ike raw-key peer-keys {dir}/peers
  ike raw-key key {dir}/key.pem
  ah sha512
  dpd off
 exit
 security PKI
  ike pki ca {dir}/ca.pem
  ike pki crl {dir}/crl.pem
  ike pki certificate {dir}/cert.pem key {dir}/cert.key
 exit
 protect bgp security CORE
 protect bgp neighbor 2001:db8:c::2
 encap-set EDGE
  security CORE
  announce rfc5566
  tunnel 10 gre key 100
  tunnel 20 ip-in-ip security CORE
  payload ipv4
 exit
exit
""" % OURS

# Lines under "softwire mesh", the last of which is refused: object, cause and remedy.
REFUSED = [
    ("security that is not there", ["encap-set EDGE", "security GONE"],
     ["encap-set EDGE", "there is no security GONE", "configure it with 'security GONE'"]),
    ("security of a tunnel that is not there",
     ["encap-set EDGE", "tunnel 20 ip-in-ip security GONE"],
     ["encap-set EDGE: tunnel 20", "no security GONE", "configure it"]),
    ("security without a method", ["security EMPTY", "exit", "encap-set NEW", "security EMPTY"],
     ["security EMPTY, which encap-set NEW uses", "no method yet", "ike group-psk"]),
    ("the method of what is in use", ["security CORE", "no ike group-psk"],
     ["security CORE, which encap-set EDGE uses", "no method", "ike group-psk"]),
    ("removing what is in use", ["no security CORE"],
     ["encap-set EDGE", "no security CORE", "configure it"]),
    ("one type protected in two ways", ["encap-set NEW", "tunnel 1 gre key 5"],
     ["encap-set NEW: tunnel 1 has security none", "tunnel 10 of encap-set EDGE, which is gre too, "
      "has CORE", "name the same one"]),
    ("the same tunnel unprotected elsewhere", ["encap-set NEW", "tunnel 1 ip-in-ip"],
     ["encap-set NEW: tunnel 1", "ip-in-ip too", "name the same one"]),
    ("other IKE lines", ["security TWO", "ike group-psk file {dir}/mesh.psk", "exit",
                         "encap-set EDGE", "tunnel 20 ip-in-ip security TWO"],
     ["encap-set EDGE: tunnel 20", "security TWO has other 'ike' lines than security CORE",
      "make them the same"]),
    ("IKE algorithm", ["security CORE", "ike proposal aes256gcm16-prfsha384-modp1024"],
     ["security CORE: ike proposal", "'modp1024' is no algorithm for IKE", "there are"]),
    ("IKE without a key exchange", ["security CORE", "ike proposal aes256gcm16-prfsha384"],
     ["security CORE: ike proposal", "no key exchange", "for example"]),
    ("ESP algorithm", ["security CORE", "esp aes256gcm16 rot13"],
     ["security CORE: esp rot13", "'rot13' is no algorithm for ESP", "there are"]),
    ("cipher for AH", ["security CORE", "ah aes256gcm16"],
     ["security CORE: ah aes256gcm16", "no algorithm for AH", "there are"]),
    ("file that is not there", ["security CORE", "ike group-psk file /nonexistent/psk"],
     ["security CORE: group-psk file /nonexistent/psk", "No such file", "name a file"]),
    ("secret for all to read", ["security CORE", "ike group-psk file {dir}/open.psk"],
     ["security CORE: group-psk file", "others may read", "chmod 600"]),
    ("secret of somebody else", ["security CORE", "ike group-psk file {dir}/root.psk"],
     ["security CORE: group-psk file", "Permission denied", "chown frr:frr"]),
    ("path that is not absolute", ["security CORE", "ike group-psk file mesh.psk"],
     ["security CORE: file mesh.psk", "not an absolute path", "begin with '/'"]),
    ("no key in the file", ["security KEYS", "ike raw-key key {dir}/mesh.psk"],
     ["security KEYS: key", "no private key", "openssl pkey"]),
    ("private key to announce", ["security KEYS", "ike raw-key announce-key {dir}/key.pem"],
     ["security KEYS: announce-key", "no public key", "openssl pkey -pubout"]),
    ("certificate of another key", ["security PKI",
                                    "ike pki certificate {dir}/cert.pem key {dir}/key.pem"],
     ["security PKI: certificate", "of another key", "belong together"]),
    ("certificate that expired", ["security PKI",
                                  "ike pki certificate {dir}/old.pem key {dir}/old.key"],
     ["security PKI: certificate", "expired on 20", "renew it"]),
    ("certificate of another address, for use",
     ["security PKI", "ike pki certificate {dir}/other.pem key {dir}/other.key", "exit",
      "protect bgp security PKI"],
     ["certificate", "no subject alternative name " + OURS, "ike pki identity"]),
    ("authority that is none", ["security PKI", "ike pki ca {dir}/cert.pem"],
     ["security PKI: ca", "not a certificate of an authority", "authority's own"]),
    ("raw keys for a neighbor of BGP",
     ["encap-set EDGE", "no tunnel 20", "no tunnel 10", "no security", "exit",
      "protect bgp security KEYS"],
     ["protect bgp neighbor 2001:db8:c::2", "security KEYS is of raw keys", "ike group-psk"]),
    ("security's name", ["security a/b"], ["security a/b", "not a name", "letters, digits"]),
    ("security called none", ["security none"], ["security none", "not a name"]),
]


@pytest.fixture(scope="module")
def files():
    """What the router has, by name."""
    authority = pki.Authority("mesh")
    pair = authority.issue("a1", ips=[OURS])
    old = authority.issue("old", ips=[OURS], expired=True)
    other = authority.issue("other", ips=["2001:db8:c::2"])
    raw, following = pki.raw_key(), pki.raw_key()
    found = {"mesh.psk": SECRET.encode() + b"\n", "mesh.ppk": b"postquantum\n",
             "open.psk": b"seen\n", "root.psk": b"hidden\n", "ca.pem": authority.certificate,
             "crl.pem": authority.revocation_list(), "cert.pem": pair.certificate,
             "cert.key": pair.key, "old.pem": old.certificate, "old.key": old.key,
             "other.pem": other.certificate, "other.key": other.key, "key.pem": raw.key,
             "next.pub": following.public, "peers/none.txt": b"\n"}
    authority.close()
    return found


@pytest.fixture(scope="module")
def alone(files):
    """One router: zebra and swmeshd, and files of its own."""
    router = Router("a1", {"zebra": "", "swmeshd": ""}, files=files)
    router.configs["swmeshd"] = CONFIG.format(dir=router.dir)
    topo = Topology("security", ["a1"], [], [router],
                    {"a1": ["link set lo up", "address add %s/128 dev lo nodad" % OURS]})
    yield from run_topology(topo)


@pytest.fixture
def a1(alone):
    """Its vty, configured as in CONFIG."""
    router = alone["a1"]
    os.chmod(router.file("open.psk"), 0o604)
    os.chown(router.file("root.psk"), 0, 0)
    if mesh_lines(router) != CONFIG.format(dir=router.dir):
        router.configure("swmeshd", "no softwire mesh\n")
        router.configure("swmeshd", CONFIG.format(dir=router.dir))
    wait.until(lambda: router.json("swmeshd", "show softwire json")["status"] == "ready",
               "the source's address is known")
    return router


def log_of(router):
    with open(router.file("swmeshd.log")) as file:
        return file.read()


def test_printed_as_entered(a1):
    """"show running-config" prints the very lines that were read from the file."""
    assert mesh_lines(a1) == CONFIG.format(dir=a1.dir)


@pytest.mark.parametrize("lines, says", [row[1:] for row in REFUSED],
                         ids=[row[0].replace(" ", "-") for row in REFUSED])
def test_refused(a1, lines, says):
    """Refused at commit with object, cause and remedy; the refused line changes nothing."""
    lines = [line.format(dir=a1.dir) for line in lines]
    output = refused(a1, lines)
    for words in says:
        assert words in output, output


def test_every_line_can_be_taken_back(a1):
    """Each line has its "no", and what is left is the defaults."""
    a1.configure("swmeshd", """
        softwire mesh
        no ike handshakes
        no filter anti-spoof
        no filter log
        no protect bgp neighbor 2001:db8:c::2
        no protect bgp security
        encap-set EDGE
        no announce rfc5566
        no security CORE
        tunnel 20 ip-in-ip
        exit
        security CORE
        no ike group-psk
        no ike proposal
        no esp
        no rekey ike
        no rekey sa
        no replay-window
        no dpd
        no ppk
        exit
        security KEYS
        no ike raw-key key
        no ike raw-key announce-key {dir}/next.pub
        no ike raw-key peer-keys
        no ah
        no dpd
        exit
        no security PKI
    """.format(dir=a1.dir).replace("        encap-set EDGE\n", "        no encap-set EDGE\n"
                                   "        encap-set EDGE\n        payload ipv4\n"))
    assert mesh_lines(a1) == """\
softwire mesh
 transit ipv6 source %s
 security CORE
 exit
 security KEYS
 exit
 encap-set EDGE
  tunnel 20 ip-in-ip
  payload ipv4
 exit
exit
""" % OURS


def test_one_method_takes_the_place_of_another(a1):
    """In one line, and what belongs to the old one alone is gone."""
    a1.configure("swmeshd", "softwire mesh\nsecurity KEYS\nike group-psk file %s\n" % (
        a1.file("mesh.psk")))
    lines = mesh_lines(a1)
    assert " security KEYS\n  ike group-psk file" in lines and "raw-key key" not in lines


def test_group_key_is_warned_of(a1):
    """S10: said once when it is configured, to the user and in the log, with what to use."""
    said = a1.configure("swmeshd", "softwire mesh\nsecurity FRESH\nike group-psk file %s\n" % (
        a1.file("mesh.psk")))
    assert said.count("security FRESH: with group-psk any member of the mesh can impersonate") == 1
    assert "'ike raw-key' or 'ike pki'" in said
    assert log_of(a1).count("security FRESH: with group-psk") == 1
    assert a1.configure("swmeshd", "softwire mesh\nsecurity FRESH\ndpd 20\n") == ""
    a1.configure("swmeshd", "softwire mesh\nno security FRESH\n")


def test_typed_secret(a1):
    """It is kept encrypted, the same each time, and shown only when asked for."""
    entry = "softwire mesh\nsecurity TYPED\nike group-psk secret %s\n" % SECRET
    a1.configure("swmeshd", entry)
    lines = mesh_lines(a1)
    assert re.search(r"^  ike group-psk sealed v1:[A-Za-z0-9+/=]+$", lines, re.M)
    a1.configure("swmeshd", entry)
    assert mesh_lines(a1) == lines
    # What is printed can be entered.
    sealed = re.search(r"sealed (\S+)", lines).group(1)
    a1.configure("swmeshd", "softwire mesh\nno security TYPED\nsecurity TYPED\n"
                            "ike group-psk sealed %s\n" % sealed)
    assert mesh_lines(a1) == lines
    for line in ("show running-config", "show softwire security detail",
                 "show softwire security json", "show configuration running json",
                 "show configuration running xml",
                 "show yang operational-data /frr-swmesh:swmesh"):
        assert SECRET not in a1.show("swmeshd", line), line
    assert SECRET not in log_of(a1)
    assert "security TYPED: group-psk secret %s" % SECRET in a1.show(
        "swmeshd", "show softwire security secrets")
    with pytest.raises(vty.VtyError, match="sealed with another key"):
        other = sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]
        a1.configure("swmeshd", "softwire mesh\nsecurity TYPED\nike group-psk sealed %s\n" % other)
    a1.configure("swmeshd", "softwire mesh\nno security TYPED\n")
    key = os.stat(os.path.join(a1.etc_dir, "swmesh.seal"))
    assert key.st_mode & 0o777 == 0o600


@pytest.fixture
def full_disk(a1):
    """The folder of swmeshd's files is on a full disk; yields what fills it."""
    filler = os.path.join(a1.etc_dir, "filler")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", a1.etc_dir], check=True)
    try:
        shutil.chown(a1.etc_dir, "frr", "frr")
        a1["swmeshd"].restart()  # it sees mounts as of its start
        os.unlink(os.path.join(a1.etc_dir, "swmesh.seal"))
        with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        yield filler
    finally:
        subprocess.run(["umount", "-l", a1.etc_dir], check=True)
        a1["swmeshd"].restart()


def test_full_disk(a1, full_disk):
    """A secret that is typed and whose sealing key cannot be written is refused, with the reason,
    and nothing is left half written: with room again it is taken."""
    entry = "softwire mesh\nsecurity TYPED\nike group-psk secret %s\n" % SECRET
    with pytest.raises(vty.VtyError, match="sealing key .* cannot be written: No space left"):
        a1.configure("swmeshd", entry)
    assert os.listdir(a1.etc_dir) == [os.path.basename(full_disk)]
    os.unlink(full_disk)
    a1.configure("swmeshd", entry)
    assert "ike group-psk sealed v1:" in mesh_lines(a1)
    a1.configure("swmeshd", "softwire mesh\nno security TYPED\n")


def boot(a1, config):
    """swmeshd with another configuration file."""
    a1.configs["swmeshd"] = config
    a1.write_config("swmeshd")
    a1["swmeshd"].restart()


FAULTS = [
    ("a file that is gone", lambda text, a1: text.replace("/mesh.psk", "/gone.psk"),
     ["security CORE: group-psk file", "No such file"]),
    ("a security that is not there",
     lambda text, a1: re.sub(r" security CORE\n(?:  .*\n)* exit\n", "", text, count=1),
     ["there is no security CORE"]),
    ("one type protected in two ways",
     lambda text, a1: text.replace("exit\nexit\n",
                                   "exit\n encap-set OPEN\n  tunnel 1 gre key 5\n"
                                   "  payload ipv4\n exit\nexit\n"),
     ["which is gre too", "name the same one"]),
]


@pytest.mark.parametrize("change, says", [row[1:] for row in FAULTS],
                         ids=[row[0].replace(" ", "-") for row in FAULTS])
def test_fault_at_boot_leaves_nothing_open(a1, change, says):
    """S9: the lines of a file are kept whatever is wrong, and say why nothing comes up; other
    lines can be entered all the same."""
    good = CONFIG.format(dir=a1.dir)
    wrong = change(good, a1)
    try:
        boot(a1, wrong)
        lines = mesh_lines(a1)
        assert sorted(lines.splitlines()) == sorted(wrong.splitlines())
        assert "  security CORE\n" in lines
        wait.until(lambda: all(words in log_of(a1) for words in says), "the log says why")
        a1.configure("swmeshd", "softwire mesh\nike handshakes 9\n")
        assert " ike handshakes 9\n" in mesh_lines(a1)
    finally:
        boot(a1, good)


def test_file_is_read_again(a1, files):
    """S5: the announced key follows the file when asked to, and not before; a file that cannot
    be used leaves what was read in use, and says so."""
    def announced():
        sets = a1.json("swmeshd", "show softwire encap-set json")["encapSets"]
        return {one["name"]: one for one in sets}["RAW"]["attribute"]

    def spki(key):
        return pki.openssl("pkey", "-pubout", "-outform", "DER", stdin=key).hex()

    a1.configure("swmeshd", """
        softwire mesh
        no protect bgp neighbor 2001:db8:c::2
        no protect bgp security
        no encap-set EDGE
        encap-set RAW
        security KEYS
        tunnel 10 gre
        payload ipv4
    """)
    first, second = files["key.pem"], pki.raw_key().key
    assert spki(first) in announced()
    try:
        a1.write_file("key.pem", second)
        a1.configure("swmeshd", "softwire mesh\nike handshakes 8\n")
        assert spki(first) in announced()
        said = a1.show("swmeshd", "clear softwire security keys")
        assert "security KEYS: its files have changed" in said
        wait.until(lambda: spki(second) in announced() and spki(first) not in announced(),
                   "the new key is announced")
        a1.write_file("key.pem", b"half of a ke")
        said = a1.show("swmeshd", "clear softwire security keys")
        assert "no private key" in said and "what was read before stays in use" in said
        assert spki(second) in announced()
        a1.write_file("key.pem", second)
        assert "No security has changed" in a1.show("swmeshd", "clear softwire security keys")
    finally:
        a1.write_file("key.pem", first)


def test_file_of_vtysh_at_boot(a1):
    """S9: frr.conf is taken as it is, in whatever order, with files that are not there yet."""
    a1.configure("swmeshd", "no softwire mesh\n")
    said = from_vtysh(a1, """
        softwire mesh
         transit ipv6 source %s
         encap-set EDGE
          security CORE
          tunnel 10 gre
          payload ipv4
         exit
         security CORE
          ike group-psk file %s
         exit
        exit
    """ % (OURS, a1.file("late.psk")))
    assert "failed" not in said, said
    assert "  security CORE\n" in mesh_lines(a1)
    assert "late.psk: No such file" in a1.show("swmeshd", "show softwire security")
    try:
        a1.write_file("late.psk", b"late\n")
        said = a1.show("swmeshd", "clear softwire security keys")
        assert "security CORE: its files have changed" in said
        assert "No such file" not in a1.show("swmeshd", "show softwire security")
    finally:
        os.unlink(a1.file("late.psk"))


@pytest.mark.parametrize("lines, says", [
    ("security CORE\nike group-psk file /nonexistent/psk", "No such file"),
    ("no security CORE", "there is no security CORE"),
    ("security CORE\nno ike group-psk", "no method yet"),
    ("encap-set OPEN\ntunnel 1 gre key 5\npayload ipv4", "which is gre too"),
], ids=["file", "removal", "method", "conflict"])
def test_file_of_vtysh_breaks_nothing(a1, lines, says):
    """What works is not taken down by a reload of a wrong file: all of it is refused."""
    before = mesh_lines(a1)
    said = from_vtysh(a1, "softwire mesh\nike handshakes 99\n%s\n" % lines)
    assert says in said, said
    assert mesh_lines(a1) == before
    assert "cannot be used" not in a1.show("swmeshd", "show softwire security")


def test_refused_transaction_hides_the_secret(a1):
    """What is printed of a refused transaction, in a log perhaps, has the line but not the
    secret."""
    said = from_vtysh(a1, """
        softwire mesh
        security TYPED
        ike group-psk secret %s
        transit ipv4 source %s
    """ % (SECRET, OURS))
    assert "rejected" in said and "- ike group-psk secret <hidden>" in said, said
    assert SECRET not in said
    assert "TYPED" not in mesh_lines(a1)


def test_transaction_of_a_reload(a1):
    """Of lines that vtysh reads from a file the order does not matter: a security may go before
    the line that no longer names it."""
    said = from_vtysh(a1, """
        softwire mesh
        no security CORE
        protect bgp security NEXT
        encap-set EDGE
        no security CORE
        security NEXT
        tunnel 20 ip-in-ip
        exit
        security NEXT
        ike group-psk file %s
    """ % a1.file("mesh.psk"))
    assert "failed" not in said, said
    lines = mesh_lines(a1)
    assert " security CORE\n" not in lines and "  security NEXT\n" in lines
    assert json.loads(a1.show("swmeshd", "show softwire json"))["status"] == "ready"


def test_policy_protected(a1):
    """Under "peer policy protected" a tunnel without a security is not announced, also where its
    operator says "security none"; the line that is missing is told."""
    def edge():
        (found,) = [one for one in a1.json("swmeshd", "show softwire encap-set")["encapSets"]
                    if one["name"] == "EDGE"]
        return found

    def configure(*lines):
        a1.configure("swmeshd", "softwire mesh\n%s\n" % "\n".join(lines))
    configure("encap-set EDGE", "security none")
    assert "  security none\n" in mesh_lines(a1)
    assert edge()["attribute"].startswith("0002")
    configure("peer policy protected")
    assert " peer policy protected\n" in mesh_lines(a1)
    assert a1.json("swmeshd", "show softwire")["peerPolicy"] == "protected"
    assert edge()["attribute"].startswith("0007")  # tunnel 20 has a security of its own
    configure("encap-set EDGE", "tunnel 20 ip-in-ip security none")
    assert not edge()["ready"] and "'peer policy protected' asks for" in edge()["reason"]
    configure("encap-set EDGE", "security CORE")
    assert edge()["attribute"].startswith("0002")
    configure("encap-set EDGE", "security none", "exit", "no peer policy protected")
    assert edge()["attribute"].startswith("0002") and "peer policy" not in mesh_lines(a1)
