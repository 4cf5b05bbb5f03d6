/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "debug softwire ...": categories, commands, configuration. */
#ifndef SWMESH_DEBUG_H
#define SWMESH_DEBUG_H

#include "debug.h"

extern struct debug swmesh_dbg_events; /* state machines, choices */
extern struct debug swmesh_dbg_kernel; /* netlink requests and answers */
extern struct debug swmesh_dbg_zebra;  /* interfaces, next-hop tracking */
extern struct debug swmesh_dbg_bgp;    /* conversation with bgpd's module */
extern struct debug swmesh_dbg_ike;    /* conversation with charon */

void swmesh_debug_init(void);
void swmesh_debug_cli_init(void);

#endif /* SWMESH_DEBUG_H */
