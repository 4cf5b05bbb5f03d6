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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "compiler.h"

#include "lib/vici.h"

#define SWMESH_VICI_PATH "/var/run/charon.vici"

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

/* Words for the two; never NULL. */
const char *swmesh_vici_state_name(enum swmesh_vici_state state);
const char *swmesh_vici_error_name(enum swmesh_vici_error error);

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

/* ---- helpers for requests: FRR's formats (%pIA, %pFX, ...) ---- */

/* Not for secrets: the text passes through memory that is not wiped. Cut off
 * (an error of the builder) over VICI_NAME_MAX for a name, 1023 for a value. */
void swmesh_vici_sectionf(struct vici_builder *b, const char *fmt, ...)
	PRINTFRR(2, 3);
void swmesh_vici_keyf(struct vici_builder *b, const char *key, const char *fmt,
		      ...) PRINTFRR(3, 4);
void swmesh_vici_itemf(struct vici_builder *b, const char *fmt, ...)
	PRINTFRR(2, 3);
/* key = [text] */
void swmesh_vici_listf(struct vici_builder *b, const char *key, const char *fmt,
		       ...) PRINTFRR(3, 4);

/* ---- for show ---- */

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
