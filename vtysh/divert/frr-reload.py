#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""FRR's frr-reload.py, told about "softwire mesh".

frr-reload.py compares two configurations by contexts and has the list of
context-opening lines compiled in; what it does not know it takes for lines of
the top level and deletes wrongly. This runs the installed script itself with
the few lines below added in memory. Each must find its place exactly once,
else nothing is run.
"""

import os
import sys

FOLDER = "/usr/lib/frr"
STOCK = ("frr-reload.py.distrib", "frr-reload.py")

EDITS = (
    ("the context and its sub-contexts",
     '            "line vty": {},\n        }\n',
     '            "line vty": {},\n'
     '            "softwire mesh": {"encap-set ": {}, "security ": {}},\n'
     '        }\n'),
    # "no softwire mesh" takes what is in it along; to enter them afterwards
    # would configure an empty mesh again.
    ("deleting the whole context",
     "            # Segment routing and traffic engineering never need to be"
     " deleted\n            elif (\n",
     "            elif (\n"
     "                len(running_ctx_keys) > 1\n"
     '                and running_ctx_keys[0].startswith("softwire mesh")\n'
     "                and (running_ctx_keys[:1], None) in lines_to_del\n"
     "            ):\n"
     "                continue\n\n"
     "            # Segment routing and traffic engineering never need to be"
     " deleted\n            elif (\n"),
    ("changes as one transaction",
     "    (lines_to_add, lines_to_del) = ignore_unconfigurable_lines(\n"
     "        lines_to_add, lines_to_del\n    )\n",
     "    (lines_to_add, lines_to_del) = ignore_unconfigurable_lines(\n"
     "        lines_to_add, lines_to_del\n    )\n"
     "    (lines_to_add, lines_to_del) = in_one_transaction(\n"
     "        lines_to_add, lines_to_del\n    )\n"),
    ("the daemon's name",
     '        "eigrpd",\n    ]:\n',
     '        "eigrpd",\n        "swmeshd",\n    ]:\n'),
)


def in_one_transaction(lines_to_add, lines_to_del):
    """Take what is deleted inside the mesh to what is added.

    Deletions are carried out first, one vtysh after the other. Between "no
    security A" and "security B" of an encap-set its packets would leave in
    clear; of one file, which is one transaction, nothing is seen but the end.
    """
    kept, moved = [], []
    for keys, line in lines_to_del:
        if keys[0] != "softwire mesh" or (len(keys) == 1 and line is None):
            kept.append((keys, line))
        elif line is None:
            moved.append((keys[:-1] + ("no " + keys[-1],), None))
        else:
            moved.append((keys, line[3:] if line.startswith("no ")
                          else "no " + line))
    return moved + lines_to_add, kept


def stock_script():
    for name in STOCK:
        path = os.path.join(FOLDER, name)
        if os.path.exists(path) and not os.path.samefile(path, __file__):
            return path
    sys.exit("frr-reload.py: FRR's own is not in %s; install the package "
             "frr-pythontools" % FOLDER)


def adapted(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for purpose, old, new in EDITS:
        if text.count(old) != 1:
            sys.exit("%s: no single place for %s: it is of an FRR that this "
                     "swmesh was not made for; build swmesh for it, or use "
                     "'vtysh -f' instead of a reload" % (path, purpose))
        text = text.replace(old, new)
    return text


def main():
    path = stock_script()
    code = compile(adapted(path), path, "exec")
    exec(code, {"__name__": "__main__", "__file__": path,
                "in_one_transaction": in_one_transaction})


if __name__ == "__main__":
    main()
