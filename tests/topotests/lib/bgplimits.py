# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of a neighbor's share of the softwires ask the module, and wait for."""
from . import bgpdut as dut
from . import wait


def agree(router):
    """Until bgpd and swmeshd do."""
    wait.until(lambda: router.json("bgpd", "show bgp softwire")["swmeshd"]["state"] == "synced",
               "bgpd and swmeshd agree")


def limits(router):
    return router.json("bgpd", "show bgp softwire limits")


def row(router, number):
    """What is shown of one neighbor."""
    (found,) = [r for r in limits(router)["neighbors"] if r["neighbor"] == dut.address(number)]
    return found


def wait_row(router, number, name, value):
    """Until that is so of a neighbor."""
    def is_so():
        found = row(router, number)
        assert found[name] == value, found
        return True
    wait.until(is_so, "%s of neighbor %d is %d" % (name, number, value))


def settled(router, number, softwires):
    wait_row(router, number, "softwires", softwires)
