/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which drop policies the mesh needs (S9): for each encapsulation protocol of a
 * protected tunnel of ours one on our endpoint, from before its first device to
 * after its last.
 */
#ifndef SWMESH_GUARD_H
#define SWMESH_GUARD_H

#include "swmeshd/model/model.h"

/* Guards of an earlier run stay for the grace time unless the configuration
 * asks for them, or for the protocol in clear. This is called when it is over.
 */
void swmesh_guard_sweep(void);
/* Guards stay. */
void swmesh_guard_stop(void);

/* struct mesh_ops */
bool swmesh_guard_set(struct softwire *sw, char *err, size_t len);
/* Guards that are needed from now on are there when this returns; those that
 * are not needed any more go when the devices have gone. */
void swmesh_guard_config_changed(struct mesh *mesh);

#endif /* SWMESH_GUARD_H */
