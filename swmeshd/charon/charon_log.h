/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection for charon's log; private to charon/charon.c. */
#ifndef SWMESH_VICI_LOG_H
#define SWMESH_VICI_LOG_H

#include "swmeshd/charon/charon.h"

/* path: kept, and looked at anew for each connection. */
void vici_log_init(const struct swmesh_vici_ops *ops, const char *path);
/* charon is there, or is not. */
void vici_log_may(bool may);
/* Takes the registration back first, which may wait for a moment. */
void vici_log_stop(void);

#endif /* SWMESH_VICI_LOG_H */
