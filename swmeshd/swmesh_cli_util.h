/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands have in common. */
#ifndef SWMESH_CLI_UTIL_H
#define SWMESH_CLI_UTIL_H

#include "command.h"

PRINTFRR(2, 3)
int swmesh_cli_refuse(struct vty *vty, const char *fmt, ...);
bool swmesh_cli_name_ok(const char *name);

#endif /* SWMESH_CLI_UTIL_H */
