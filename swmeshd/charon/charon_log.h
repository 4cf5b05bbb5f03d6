/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection for charon's log. */
#ifndef SWMESH_VICI_LOG_H
#define SWMESH_VICI_LOG_H

#include "swmeshd/charon/charon_types.h"

/* ---- for users of charon/charon.h ---- */

/*
 * charon's log: it is registered for, by a connection of its own, while it is
 * wanted. charon logs what goes wrong with a connection, so one that gets the
 * log and goes away makes it log more and more; and events for one that does
 * not read (stopped in a debugger) take its memory. Thus only while wanted, and
 * taken back before it is closed.
 */
void swmesh_vici_log_want(bool wanted);
/* Lines come; or it has been tried for some seconds, and they will not. */
bool swmesh_vici_log_ready(void);

/* ---- for charon/charon.c ---- */

/* path: kept, and looked at anew for each connection. */
void vici_log_init(const struct swmesh_vici_ops *ops, const char *path);
/* charon is there, or is not. */
void vici_log_may(bool may);
/* Takes the registration back first, which may wait for a moment. */
void vici_log_stop(void);

#endif /* SWMESH_VICI_LOG_H */
