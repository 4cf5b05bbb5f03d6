# SPDX-License-Identifier: GPL-2.0-or-later
"""`show softwire security`, its JSON and the operational data, where charon is not there.

One router, whose only peer is a neighbor of `protect bgp`: that needs no tunnel.
"""
import json

import pytest
from lib import bgpdut as dut
from lib import wait

from conftest import run_topology

pytestmark = pytest.mark.no_tunnels

SECRET = "jx2Zq8nL5vT1wR9cB4mK7sH0"
SWMESH = """softwire mesh
 transit ipv6 source fd00:9::1
 security CORE
  ike group-psk secret %s
  esp aes256gcm16
 exit
 protect bgp security CORE
 protect bgp neighbor fd00:9::2
exit
""" % SECRET
SHOWN = ("show softwire security", "show softwire security detail",
         "show softwire security json", "show softwire security detail json",
         "show yang operational-data /frr-swmesh:swmesh/state")


@pytest.fixture(scope="module")
def router():
    for net in run_topology(dut.topology(swmeshd=SWMESH)):
        one = net[dut.DUT]
        wait.until(lambda: one.json("swmeshd", "show softwire security json")["peers"],
                   "the neighbor is a peer")
        yield one


def test_no_charon(router):
    """No charon: who is not protected, why, and what to do."""
    shown = router.json("swmeshd", "show softwire security json")
    assert shown["charon"]["state"] != "up"
    assert "charon" in shown["charon"]["error"]
    (peer,) = shown["peers"]
    assert peer["endpoint"] == dut.address(2) and peer["localEndpoint"] == dut.ROUTER
    assert (peer["method"], peer["role"], peer["bgpNeighbor"]) == ("group-psk", "initiator", True)
    assert peer["state"] == "charon-away" and not peer["protected"]
    assert "see that strongSwan runs" in peer["reason"]
    assert [(one["name"], one["protocol"], one["up"]) for one in peer["children"]] == [
        ("bgp-in", 6, False), ("bgp-out", 6, False)]
    assert peer["ikeSas"] == peer["kernelSas"] == []
    assert shown["securities"] == [{
        "name": "CORE", "method": "group-psk", "protection": "esp aes256gcm16", "error": "",
        "announcedKeys": []}]


def test_text(router):
    """The text says the same, and names the neighbor."""
    for line in SHOWN[:2]:
        text = router.show("swmeshd", line)
        assert dut.address(2) in text and "charon-away" in text and "no connection" in text


def test_operational_data(router):
    """The YANG state agrees with the JSON."""
    text = router.show("swmeshd", SHOWN[-1])
    state = json.loads(text[text.index("{"):text.rindex("}") + 1])
    (peer,) = state["frr-swmesh:swmesh"]["state"]["security"]["peer"]
    assert peer["endpoint"] == dut.address(2) and peer["status"] == "charon-away"
    assert peer["protected"] is False and "see that strongSwan runs" in peer["reason"]
    assert [child["name"] for child in peer["child"]] == ["bgp-in", "bgp-out"]


def test_clear(router):
    """An address that nothing is protected towards is refused; others are told."""
    with pytest.raises(Exception, match="nothing is protected towards fd00:9::7"):
        router.show("swmeshd", "clear softwire security fd00:9::7")
    assert "1 AFBRs" in router.show("swmeshd", "clear softwire security all")
    assert "1 AFBRs" in router.show("swmeshd", "clear softwire security fd00:9::2 hard")


def test_no_secret(router):
    """The secret is in none of it."""
    for line in (*SHOWN, "show running-config"):
        assert SECRET not in router.show("swmeshd", line)
