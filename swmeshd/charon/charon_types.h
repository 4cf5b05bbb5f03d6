/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the vici client have in common, and its users see: states
 * of a connection, what becomes of a request, and callbacks.
 */
#ifndef SWMESH_CHARON_TYPES_H
#define SWMESH_CHARON_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/vici.h"

/* Requests accepted and not answered yet, and octets of them not yet sent. */
#define SWMESH_VICI_REQUESTS_MAX 1024
#define SWMESH_VICI_OCTETS_MAX (4 * 1024 * 1024)
/* Requests on the wire at the same time. */
#define SWMESH_VICI_WINDOW 32
/* Milliseconds without a reply, or an item of a list, while something waits and
 * we could read it: the connection counts as stuck. A time in which this
 * process was stopped, or did not get to reading, does not count. */
#define SWMESH_VICI_TIMEOUT_MS 30000

enum swmesh_vici_state {
	SWMESH_VICI_STOPPED, /* not started */
	SWMESH_VICI_DOWN,    /* waiting to connect again */
	SWMESH_VICI_CONNECTING,
	SWMESH_VICI_REGISTERING, /* for events */
	SWMESH_VICI_UP,
	SWMESH_VICI_STATES
};

enum swmesh_vici_error {
	SWMESH_VICI_OK,
	/* Said by charon: */
	SWMESH_VICI_REFUSED, /* success = no, errmsg in the text */
	SWMESH_VICI_UNKNOWN, /* this charon has no such command or event */
	/* Fate of the connection: */
	SWMESH_VICI_LOST,      /* it ended before the reply */
	SWMESH_VICI_TIMED_OUT, /* it was stuck, and has been closed */
	/* Returned at once; nothing was sent: */
	SWMESH_VICI_NOT_UP,
	SWMESH_VICI_FULL,	 /* try again when replies have come */
	SWMESH_VICI_BAD_REQUEST, /* the builder holds an error */
	SWMESH_VICI_ERRORS
};

/* Valid during the callback only. */
struct swmesh_vici_reply {
	enum swmesh_vici_error error;
	/* What went wrong, "" after SWMESH_VICI_OK. Printable. */
	const char *text;
	/* Never NULL; has no elements unless charon answered (OK, REFUSED). */
	const struct vici_section *msg;
};

/* The end of a request: called once, unless cancelled. */
typedef void (*swmesh_vici_done)(void *arg,
				 const struct swmesh_vici_reply *reply);
/* One item of a streamed reply; msg is valid during the call only. */
typedef void (*swmesh_vici_item)(void *arg, const struct vici_section *msg);

struct swmesh_vici_ops {
	/* Events wanted for as long as the connection lives, NULL at the end.
	 * One that charon does not know is logged and does no other harm. */
	const char *const *events;
	/* One of them; name is that of the array, msg is valid during the call
	 * only. Not called before up(true): read the state then. */
	void (*event)(const char *name, const struct vici_section *msg);
	/* The connection is up, events included; or was, and is no more (all
	 * requests have been answered with an error before). */
	void (*up)(bool up);
	/* A line of charon's log, "msg" and more; NULL: never wanted. */
	void (*log)(const struct vici_section *msg);
	/* From now on. */
	void (*log_up)(void);
};

struct swmesh_vici_stats {
	uint64_t requests; /* accepted */
	uint64_t refusals; /* success = no, and unknown commands */
	uint64_t failures; /* ended with the connection, or by time-out */
	uint64_t connects; /* times the connection came up */
	uint64_t events;   /* delivered */
	/* Tests ask for these only. */
	uint64_t attempts;   /* to connect */
	uint64_t timeouts;   /* connections closed since stuck */
	uint64_t bad;	     /* connections closed since nonsense came */
	uint64_t unexpected; /* events nobody asked for */
};

#endif /* SWMESH_CHARON_TYPES_H */
