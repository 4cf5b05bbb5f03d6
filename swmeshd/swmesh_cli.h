/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command line: configuration (swmesh_cli*.c). */
#ifndef SWMESH_CLI_H
#define SWMESH_CLI_H

#include "command.h"

#include "vtysh/swmesh_nodes.h"

void swmesh_cli_init(void);
void swmesh_cli_security_init(void);
void swmesh_cli_protect_init(void);

#endif /* SWMESH_CLI_H */
