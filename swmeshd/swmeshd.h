/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of swmeshd share: memory types, the event loop, privileges
 * and the one mesh of this daemon.
 */
#ifndef SWMESHD_H
#define SWMESHD_H

#include "memory.h"
#include "privs.h"
#include "thread.h"

DECLARE_MGROUP(SWMESHD);

/* Seconds for which what an earlier run left behind is kept (design 7). */
#define SWMESH_GRACE_DEFAULT 60

struct mesh;

extern struct thread_master *master;
extern struct zebra_privs_t swmesh_privs;
extern struct mesh *swmesh;
extern unsigned int swmesh_grace;

#endif /* SWMESHD_H */
