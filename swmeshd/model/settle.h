/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long what an earlier run of swmeshd left behind is kept, all of it by one
 * clock: devices and routes, elements of the filter, SAs, drop policies. bgpd
 * asks again for what is needed, so the time (--grace) begins when it has done
 * so; bgpd may be away for longer than that.
 */
#ifndef SWMESH_GRACE_H
#define SWMESH_GRACE_H

#include <stdbool.h>

/* over: called once when the time is over, in the event loop. */
void swmesh_grace_init(void (*over)(void));
void swmesh_grace_stop(void);
/* bgpd has said all that it needs. */
void swmesh_grace_synced(void);
/* What nobody has asked for by now, nobody will. Without a configuration there
 * is nobody who would: then it counts from the start. */
bool swmesh_grace_over(void);

#endif /* SWMESH_GRACE_H */
