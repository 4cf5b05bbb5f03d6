/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * charon's control socket on the event loop: one connection, kept up; another
 * one for its log.
 *
 *   down --timer--> connecting --connected--> registering --confirmed--> up
 *     ^________________|___________________________|______________________|
 *               refused, closed, stuck, or nonsense received
 *
 * Requests are taken only while up, sent in order and answered in order; some
 * are on the wire at the same time. Nothing blocks. Whatever is wrong with the
 * connection ends it, fails what waits and is followed by a new one, after a
 * quarter of a second at first and every two seconds in the end: whoever uses
 * this starts afresh from up(true).
 *
 * Callbacks run from the event loop, never from within a function of this file,
 * and may call any of them.
 */
#ifndef SWMESH_VICI_H
#define SWMESH_VICI_H

#include <time.h>

#include "swmeshd/charon/charon_types.h"

#define SWMESH_VICI_PATH "/var/run/charon.vici"

/* ---- life ---- */

/*
 * Where the socket is; SWMESH_VICI_PATH if never called. Copied. Once started,
 * another path than before ends the connection and makes a new one there.
 * False: longer than a socket's address has room for; nothing is changed.
 */
bool swmesh_vici_set_path(const char *path);

/* Start; the first attempt is made at once from the event loop. ops: static. */
void swmesh_vici_start(const struct swmesh_vici_ops *ops);

/* Another limit than SWMESH_VICI_TIMEOUT_MS; from the next wait on. */
void swmesh_vici_set_timeout(unsigned int ms);

/* Close and forget all. No callback is called any more. */
void swmesh_vici_stop(void);

/* ---- requests ---- */

/*
 * Send a request (begun with VICI_CMD_REQUEST). Whatever is returned, the
 * message is taken over: b is left empty and its memory is wiped in the end.
 * SWMESH_VICI_OK: done will be called, later; done may be NULL. Anything else:
 * refused, done will not be called, and it has been written to the debug log.
 */
enum swmesh_vici_error swmesh_vici_request(struct vici_builder *b,
					   swmesh_vici_done done, void *arg);

/*
 * The same for a command that streams events (list-sas: "list-sa", list-conns:
 * "list-conn", list-certs: "list-cert", initiate with loglevel: "control-log").
 * event is registered for the duration only, unless it is among ops->events.
 * item is called for each of them, done after the last. event: static.
 */
enum swmesh_vici_error swmesh_vici_list(struct vici_builder *b,
					const char *event,
					swmesh_vici_item item,
					swmesh_vici_done done, void *arg);

/* Call back no more for requests with this arg. They are still carried out. */
void swmesh_vici_cancel(const void *arg);

/* How many requests would be taken now; 0 unless up. */
unsigned int swmesh_vici_room(void);

/* ---- for show ---- */

struct swmesh_vici_status {
	enum swmesh_vici_state state;
	const char *path;
	time_t since;	     /* up, or not up, since then; monotime, s */
	unsigned int queued; /* accepted, not on the wire yet */
	unsigned int wire;   /* on the wire, not answered */
	const char *error;   /* the last one of the connection, or "" */
	time_t error_at;     /* monotime, s */
	time_t hangs_since;  /* does not answer new ones; monotime, s; or 0 */
	const struct swmesh_vici_stats *stats;
};

/* The strings and stats live on and change with the connection. */
struct swmesh_vici_status swmesh_vici_status(void);

#endif /* SWMESH_VICI_H */
