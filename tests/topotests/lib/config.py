# SPDX-License-Identifier: GPL-2.0-or-later
"""swmeshd's configuration: entered as people and vtysh do, and read back."""
import re

from . import vty


def mesh_lines(router):
    """The configuration of the mesh as it is printed."""
    text = router.show("swmeshd", "show running-config")
    found = re.search(r"^softwire mesh\n(?: .*\n)*exit\n", text, re.M)
    return found.group(0) if found else ""


def refused(router, lines, state=mesh_lines):
    """What is said of the last of these lines of the mesh: it must be refused and change nothing
    of state(router). Those before it are taken."""
    one = router["swmeshd"].vty
    entered = ["configure terminal", "softwire mesh", *lines[:-1]]
    one.fresh()
    for line in entered:
        code, output = one.execute(line)
        assert code == 0, "%s: %s" % (line, output)
    before = state(router)
    one.fresh()
    for line in entered:
        one.execute(line)
    code, output = one.execute(lines[-1])
    assert code != 0, "accepted: %s" % lines[-1]
    after = state(router)
    assert after == before, "%s: refused (%s), but there was\n%s\nand there is\n%s" % (
        lines[-1], output, before, after)
    return output


def from_vtysh(router, text):
    """As vtysh gives lines of a file to the daemon, one transaction; returns what is said."""
    one = router["swmeshd"].vty
    one.fresh()
    return "".join(one.execute(line)[1] for line in (
        "configure terminal", "XFRR_start_configuration", *vty.config_lines(text),
        "XFRR_end_configuration"))
