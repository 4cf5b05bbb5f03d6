# SPDX-License-Identifier: GPL-2.0-or-later
"""What operators do to a protected mesh that works: PPKs (RFC 8784), another group key, clear
commands, swanctl; under traffic, none of it in clear (S9, S10). One mesh for all."""
import pytest

from conftest import run_topology
from lib import kernel, netns, softwires, wait, xfrm
from lib.mesh import host, island, loopback
from lib.securemesh import GROUP_KEY, LIMIT, PSK, SecureMesh, guarded_flows, wait_up

RATE = 50  # packets a second of each flow
PPK = ("ppk id mesh file {dir}/mesh.ppk required",)
BASE = (*PSK, "esp aes256gcm16")
POSTQUANTUM = b"Yp7Wd2kX9sQ4vB6n"
GAP = 20  # seconds that taking down and building anew may take
AUDIT = 20  # seconds; swmeshd compares with charon that often
FEW = 2 * RATE  # packets

# A connection and a secret of the operator's own.
OFFICE = """\
connections {
	office {
		local_addrs = 2001:db8:c::1
		remote_addrs = 2001:db8:0ff1:ce::1
		local {
			auth = psk
		}
		remote {
			auth = psk
		}
		children {
			all {
				remote_ts = 2001:db8:0ff1:ce::/64
			}
		}
	}
}
secrets {
	ike-office {
		id = 2001:db8:0ff1:ce::1
		secret = "of the office alone"
	}
}
"""


@pytest.fixture(scope="module")
def mesh():
    """Three AFBRs, GRE inside ESP, the group key and a PPK that is required. They were copied
    from one machine, with /etc/machine-id."""
    copies = SecureMesh("operator", security=BASE + PPK,
                        files={"mesh.psk": GROUP_KEY, "mesh.ppk": POSTQUANTUM})
    copies.cloned = True
    yield from run_topology(copies)


@pytest.fixture
def flows(mesh):
    """Traffic from island 1 to 2, back, and from 3 to 1, guarded."""
    yield from guarded_flows(mesh, RATE)


def stop(flows):
    """What became of each flow, after some more packets."""
    for flow in flows:
        softwires.wait_flowing(flow, 50)
    return [(flow.name, flow.stop()) for flow in flows]


def assert_none_lost(flows):
    for name, result in stop(flows):
        assert result.lost == [] and result.duplicates == 0, "%s: %s" % (name, result)


def ike_spis(mesh, n):
    """(initiator's, responder's) SPIs of AFBR n's IKE_SAs, by charon."""
    return {(sa["initiator-spi"], sa["responder-spi"])
            for sa in mesh["a%d" % n].charon.established()}


def child_spis(mesh, n):
    return {child["spi-out"] for child in mesh["a%d" % n].charon.children()}


def spis(mesh, n):
    return ike_spis(mesh, n), child_spis(mesh, n)


def wait_renewed(mesh, n, before, limit=LIMIT):
    """Until AFBR n has one IKE_SA and one CHILD_SA with each other, none of those before."""
    def so():
        for what, old, now in zip(("IKE_SAs", "CHILD_SAs"), before, spis(mesh, n)):
            assert len(now) == len(mesh.numbers) - 1 and not now & old, "%s: %r, were %r" % (
                what, now, old)
        return True
    wait.until(so, "a%d has new SAs" % n, limit)


# -- PPKs --

def test_ppk(mesh):
    """With the same PPK everywhere the mesh comes up with it, and nothing is in clear since
    before the first daemon ran."""
    wait_up(mesh)
    softwires.wait_talk(mesh)
    for n in mesh.numbers:
        sas = mesh["a%d" % n].charon.established()
        assert sas and {sa.get("ppk") for sa in sas} == {"yes"}
        shown = [sa for peer in mesh.peers(n).values() for sa in peer["ikeSas"]]
        assert shown and all(sa["ppk"] for sa in shown), shown
        assert POSTQUANTUM.decode() not in mesh["a%d" % n].show(
            "swmeshd", "show softwire security json")
    mesh.assert_protected()


def wait_tells(mesh, n, m, word, protected):
    """Until AFBR n says this of AFBR m's security."""
    def so():
        peer = mesh.peers(n)[loopback(m)]
        assert word in peer["reason"] and peer["protected"] == protected, peer
        return True
    wait.until(so, "a%d tells of a%d: %s" % (n, m, word), LIMIT)


def test_ppk_missing(mesh):
    """An AFBR with another PPK, or none, where one is required: no SA, no softwire, no packet,
    and the ends that require it say so. With the right one it is a member again."""
    wait_up(mesh)
    mesh.take_away([3])
    mesh["a3"].write_file("mesh.ppk", b"another one")
    mark = mesh.capture.mark()
    mesh.give([3])
    mesh.assert_outcast(3, mark, "PPK")

    softwires.set_mesh(mesh["a3"], "security CORE", "no ppk")
    for m in (1, 2):
        wait_tells(mesh, m, 3, "a PPK is required", False)
    mesh.assert_outcast(3, mark, "PPK")

    mesh["a3"].write_file("mesh.ppk", POSTQUANTUM)
    softwires.set_mesh(mesh["a3"], "security CORE", PPK[0].format(dir=mesh["a3"].dir))
    wait_up(mesh)
    softwires.wait_talk(mesh)
    mesh.assert_protected(mark)


# -- security --

def test_lost_security(mesh):
    """An AFBR that has lost its line `security` knows from the others' announcements that they
    are protected, with a group key too: it sends them nothing in clear, and says why (S6)."""
    wait_up(mesh)
    mark = mesh.capture.mark()
    softwires.set_mesh(mesh["a3"], "encap-set EDGE", "no security")

    def refuses():
        found = mesh.softwires(3)
        assert len(found) == 2
        for one in found:
            assert one["state"] == "wait-sa" and not one["securityName"], one
            assert "asks for IPsec" in one["reason"] and "'security'" in one["reason"], one
        assert all(kernel.route("a3", island(m)) is None for m in (1, 2))
        return True
    wait.until(refuses, "a3 sends nothing in clear", LIMIT)
    assert "asks for IPsec" in mesh["a3"].show("swmeshd", "show softwire")
    flow = mesh.flow("h3", host(1), "h1", rate=RATE)
    wait.until(lambda: flow.progress()[0] >= RATE, "h3 has sent")
    assert flow.stop().received == 0
    with open(mesh["a3"].file("swmeshd.log")) as file:
        assert "the AFBR asks for IPsec and our tunnel has none" in file.read()
    softwires.set_mesh(mesh["a3"], "encap-set EDGE", "security CORE")
    wait_up(mesh)
    softwires.wait_talk(mesh)
    mesh.assert_protected(mark)


# -- clear --

def test_clear(mesh, flows):
    """`clear softwire security` rekeys in place, asked for at either end: all SPIs are new and
    not one packet is lost."""
    for n in (1, 3):
        before = {m: spis(mesh, m) for m in (1, 3)}
        assert "Rekeying" in mesh["a%d" % n].show("swmeshd", "clear softwire security all")
        wait_renewed(mesh, n, before[n])
        for flow in flows:
            softwires.wait_flowing(flow, 50)
    assert_none_lost(flows)
    wait.until(mesh.assert_one_each, "one of each", LIMIT)


def test_many_packets(mesh, flows):
    """An SA on a fast link runs out of sequence numbers (RFC 4303 section 3.3.3) long before it
    is rekeyed by time: it is rekeyed by packets, and none is lost."""
    before = {n: spis(mesh, n) for n in (1, 2)}
    used, = xfrm.states("a1", loopback(1), loopback(2))
    xfrm.set_packets("a1", used, 2500 * 1000 * 1000)

    def rekeyed():
        now = xfrm.states("a1", loopback(1), loopback(2))
        assert len(now) == 1 and now[0].spi != used.spi and now[0].packets < 1000 * 1000, now
        return True
    wait.until(rekeyed, "a1 sends by a new SA", LIMIT)
    for flow in flows:
        softwires.wait_flowing(flow, 50)
    assert_none_lost(flows)
    assert {n: ike_spis(mesh, n) for n in (1, 2)} == {n: before[n][0] for n in (1, 2)}
    wait.until(mesh.assert_one_each, "one of each", LIMIT)


def test_clear_hard(mesh, flows):
    """With `hard` they are taken down and built anew: by new IKE_SAs, and in bounded time."""
    before = {n: spis(mesh, n) for n in mesh.numbers}
    # Called by a1, calling a3.
    assert "Taking down" in mesh["a2"].show("swmeshd", "clear softwire security all hard")
    wait_renewed(mesh, 2, before[2])
    wait_up(mesh)
    for name, result in stop(flows):
        assert result.longest_gap < GAP, "%s: %s" % (name, result)
    assert not ike_spis(mesh, 1) & ike_spis(mesh, 2) & before[1][0]
    wait.until(mesh.assert_one_each, "one of each", LIMIT)


# -- swanctl --

def swanctl(mesh, n, *words):
    router = mesh["a%d" % n]
    return netns.run(router.name, [
        "env", "SWANCTL_DIR=" + router.file("swanctl"),
        "STRONGSWAN_CONF=" + router.file("strongswan.conf"), "swanctl", *words,
        "--uri", "unix://" + router.charon.socket])


def shared(mesh, n):
    return set(mesh["a%d" % n].charon.vici.request("get-shared").get("keys", []))


def test_load_all(mesh, flows):
    """swanctl --load-all takes our connections and secrets out of charon: traffic goes on, and
    all is loaded again, so that even new IKE_SAs come up. The operator's own connection and
    secret stay, also when swmeshd starts anew."""
    a1 = mesh["a1"]
    ours, secrets = set(a1.charon.conns()), shared(mesh, 1)
    assert len(ours) == 2 and secrets
    a1.write_file("swanctl/swanctl.conf", OFFICE.encode())
    swanctl(mesh, 1, "--load-all")
    # It does take out what is not in its file.
    assert set(a1.charon.conns()) == {"office"} and not secrets & shared(mesh, 1)
    wait.until(lambda: set(a1.charon.conns()) == ours | {"office"}
               and shared(mesh, 1) == secrets | {"ike-office"},
               "a1 has loaded again what was taken", AUDIT + LIMIT)
    assert_none_lost(flows)

    before = {n: spis(mesh, n) for n in mesh.numbers}
    a1.show("swmeshd", "clear softwire security all hard")
    wait_renewed(mesh, 1, before[1])
    wait_up(mesh)
    a1["swmeshd"].restart()
    wait_up(mesh)
    assert set(a1.charon.conns()) == ours | {"office"}
    assert shared(mesh, 1) == secrets | {"ike-office"}


# -- another group key --

def other_key(mesh, n, leaf):
    softwires.set_mesh(mesh["a%d" % n], "security CORE",
                       "ike group-psk file " + mesh["a%d" % n].file(leaf))


def assert_few_lost(flows):
    """A new IKE_SA that has failed before may cost some packets (doc/ike.md)."""
    for name, result in stop(flows):
        assert len(result.lost) < FEW, "%s: %s" % (name, result)


def test_other_group_key(mesh, flows):
    """Another group key, given to one AFBR after another: the SAs of the old one serve until
    both ends have the new one, then they are replaced."""
    before = {n: spis(mesh, n) for n in mesh.numbers}
    for n in mesh.numbers:
        mesh["a%d" % n].write_file("next.psk", b"the next key of the group")
    other_key(mesh, 1, "next.psk")
    for m in (2, 3):
        wait_tells(mesh, 1, m, "authentication", True)
    for n in (2, 3):
        other_key(mesh, n, "next.psk")
    for n in mesh.numbers:
        wait_renewed(mesh, n, before[n])
    assert_few_lost(flows)


def test_group_key_while_down(mesh, flows):
    """The key's file is another one when swmeshd is started again: the SAs by the old key are
    replaced. When it is started once more, with the same key, they are not."""
    before = {n: spis(mesh, n) for n in mesh.numbers}
    for n in mesh.numbers:
        mesh["a%d" % n]["swmeshd"].stop()
        mesh["a%d" % n].write_file("mesh.psk", b"the third key of the group")
    for n in mesh.numbers:
        mesh["a%d" % n]["swmeshd"].start()
    wait_up(mesh)
    for n in mesh.numbers:
        wait_renewed(mesh, n, before[n])

    wait.until(mesh.assert_one_each, "one of each", LIMIT)
    before = {n: spis(mesh, n) for n in mesh.numbers}
    mesh["a2"]["swmeshd"].restart()
    wait_up(mesh)
    for m in (1, 3):
        wait.until(lambda: mesh.peers(2)[loopback(m)]["state"] == "up", "a2 is content", LIMIT)
    assert_few_lost(flows)
    assert {n: spis(mesh, n) for n in mesh.numbers} == before
