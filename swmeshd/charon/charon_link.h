/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One connection with charon's socket; private to the vici client. There are
 * two: charon/charon.c has the one for requests, charon/charon_log.c the one
 * for charon's log.
 */
#ifndef SWMESH_VICI_LINK_H
#define SWMESH_VICI_LINK_H

#include <sys/un.h>

#include "swmeshd/charon/charon_queue.h"

struct vici_link;

struct vici_link_ops {
	/* Registered for as long as the connection lives; NULL at the end. */
	const char *const *events;
	/* One of them, while the connection is up. */
	void (*event)(const char *name, const struct vici_section *msg);
	void (*up)(bool up);
};

struct vici_link {
	const struct vici_link_ops *ops;
	bool quiet; /* another one tells of charon's absence */
	enum swmesh_vici_state state;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	int fd;
	unsigned int wait_ms, timeout_ms;
	bool warned; /* of the connection's absence */
	struct thread *t_attempt, *t_restart, *t_read, *t_write, *t_patience;

	/* How long the next answer has been waited for, as far as we ran and
	 * could have read it; when that was looked at; ms. */
	unsigned int waited_ms;
	int64_t looked_at;
	/* New connections in a row that were not answered. */
	unsigned int mute;
	time_t hangs_since; /* monotime; 0: it does not */

	struct vici_pending pending;
	unsigned int registering; /* initial registrations in it */
	bool ending;		  /* unregistered, then closed */

	uint8_t *rx;
	size_t rx_len, rx_cap;

	time_t since, error_at;
	char error[256];
	struct swmesh_vici_stats stats;
};

/* How long the answer to a new connection may take, milliseconds; and how many
 * of them without one mean that charon hangs. */
#define VICI_FRESH_MS 10000
#define VICI_MUTE_MAX 2

/* The path must be set. */
void vici_link_start(struct vici_link *v, const struct vici_link_ops *ops);
/* Close and forget all. */
void vici_link_stop(struct vici_link *v);
/* Take the registrations back, and then stop. */
void vici_link_end(struct vici_link *v);
/* The same at once: waits for the answer, for a moment. */
void vici_link_end_now(struct vici_link *v);
/* The path has changed. */
void vici_link_restart(struct vici_link *v);
/* Is it one of the events registered? */
bool vici_link_has_event(struct vici_link *v, const char *event);
void vici_link_send(struct vici_link *v, struct vici_op *op);

/* ---- between charon/charon_link.c and charon/charon_packet.c ---- */

/* A packet has come. False: the connection is no more. */
bool vici_link_take(struct vici_link *v, const uint8_t *octets, size_t len);
/* All events are registered. */
void vici_link_came_up(struct vici_link *v);
/* The time for the next answer, if one is due, begins now. */
void vici_link_watch(struct vici_link *v);
/* Ends the connection; false. */
bool vici_link_nonsense(struct vici_link *v, const char *fmt, ...)
	PRINTFRR(2, 3);

#endif /* SWMESH_VICI_LINK_H */
