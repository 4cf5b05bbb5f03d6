#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Copy FRR's vtysh out of its source tree and teach the copy about swmeshd.

Stock vtysh cannot learn commands: its list of daemons and its command table
are compiled in. So the installed version's own sources are built once more,
with the edits below and nothing else. Each edit must apply exactly once; one
that does not means an FRR this release was not made for, and ends the build.

usage: adapt.py FRR-SOURCE DESTINATION

DESTINATION gets vtysh/*.[ch], extract.pl and vars.mk: the variables of FRR's
generated Makefile, so that the lists of what is scanned and of the daemons
are those of this configuration.
"""

import os
import re
import sys

FILES = ("vtysh.c", "vtysh.h", "vtysh_config.c", "vtysh_main.c",
         "vtysh_user.c", "vtysh_user.h", "extract.pl")

PRINT_RULES = """
print-scan: ; @printf '%s\\n' $(vtysh_scan) $(HAVE_ISISD) $(HAVE_FABRICD)
print-daemons: ; @printf '%s\\n' $(vtysh_daemons)
"""


class Failed(Exception):
    """Says which file, what was not found, what to do."""


def free_flag(header):
    """The lowest client flag that FRR's vtysh.h leaves free."""
    used = re.findall(r"^#define VTYSH_\w+\s+(0x[0-9a-f]+)\s*$", header, re.M)
    return "0x%x" % (max(int(flag, 16) for flag in used) << 1)


def edits(header):
    """(file, what it is for, pattern, replacement); \\g<0> is the match."""
    return (
        ("vtysh.h", "swmeshd's flag",
         r"^#define VTYSH_PIM6D\b.*$",
         r"\g<0>\n#define VTYSH_SWMESHD   " + free_flag(header)),
        ("vtysh.h", "swmeshd among all daemons",
         r"^#define VTYSH_ALL\s.*VTYSH_PATHD$",
         r"\g<0>|VTYSH_SWMESHD"),
        ("vtysh.h", "swmeshd among those with prefix-lists",
         r"^#define VTYSH_ACL\s.*VTYSH_ZEBRA$",
         r"\g<0>|VTYSH_SWMESHD"),
        ("vtysh.h", "our nodes",
         r'^#include "memory\.h"$',
         r'\g<0>\n#include "vtysh/swmesh_nodes.h"'),
        ("vtysh.c", "swmeshd as a client",
         r'^\t\{\.name = "pim6d", \.flag = VTYSH_PIM6D\},$',
         r'\g<0>\n\t{.name = "swmeshd", .flag = VTYSH_SWMESHD},'),
        ("vtysh.c", "entry to and exit from our nodes",
         r"^void vtysh_init_vty\(void\)$",
         r'#include "vtysh/swmesh_vtysh.c"' + r"\n\n\g<0>"),
        ("vtysh.c", "installing our nodes",
         r"^\tcmd_variable_handler_register\(vtysh_var_handler\);$",
         r"\g<0>\n\tvtysh_swmesh_init();"),
        ("vtysh_config.c", "our node in the running configuration",
         r'^\t\telse if \(strncmp\(line, "rpki", strlen\("rpki"\)\) == 0\)$',
         '\t\telse if (strncmp(line, "softwire mesh",\n'
         '\t\t\t\t strlen("softwire mesh")) == 0)\n'
         "\t\t\tconfig = config_get(SWMESH_NODE, line);\n"
         r"\g<0>"),
        # SNMP_AGENTX and where our own headers are; see subdir.am.
        ("extract.pl", "preprocessor flags of our own",
         r"(-DVTYSH_EXTRACT_PL .*) \$cppadd \$file \|",
         r"\1 $ENV{SWMESH_EXTRACT_FLAGS} $cppadd $file |"),
        # It takes definitions apart at commas, those in help texts too.
        ("extract.pl", "no second blank after a comma",
         r'join \(", ", @defun_array\)', 'join (",", @defun_array)'),
    )


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise Failed("%s: %s; is this FRR's configured source tree?"
                     % (path, error.strerror)) from error


def apply_edits(texts):
    for name, purpose, pattern, replacement in edits(texts["vtysh.h"]):
        texts[name], count = re.subn(pattern, replacement, texts[name],
                                     flags=re.M)
        if count != 1:
            raise Failed(
                "%s: no single place for %s (%d matches of %r); this FRR is "
                "not one that vtysh/adapt.py knows: add an edit for it there"
                % (name, purpose, count, pattern))


def makefile_variables(text):
    """The assignments of a generated Makefile, without its rules.

    FRR's Makefile itself cannot be asked: make would first bring it up to
    date, that is, write into a tree that is not ours.
    """
    out = []
    continued = False
    for line in text.splitlines():
        if continued or re.match(r"[A-Za-z_]\w*[ \t]*[:+?]?=", line):
            out.append(line)
            continued = line.endswith("\\")
    return "\n".join(out) + "\n"


def write(path, text):
    """Leave a file that is already right alone, for make's sake."""
    if os.path.exists(path) and read(path) == text:
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main(source, destination):
    folder = os.path.join(source, "vtysh")
    texts = {name: read(os.path.join(folder, name)) for name in FILES}
    apply_edits(texts)
    for name, text in texts.items():
        write(os.path.join(destination, "vtysh", name), text)
    variables = makefile_variables(read(os.path.join(source, "Makefile")))
    if "vtysh_scan" not in variables:
        raise Failed("%s/Makefile: no vtysh_scan; was FRR configured with "
                     "--disable-vtysh?" % source)
    write(os.path.join(destination, "vars.mk"), variables + PRINT_RULES)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        main(sys.argv[1], sys.argv[2])
    except Failed as failure:
        sys.exit("vtysh/adapt.py: %s" % failure)
