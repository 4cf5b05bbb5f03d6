/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The conversation between bgpd's module and swmeshd.
 *
 * zebra's opaque channel delivers in order but tells nobody when a listener
 * comes, goes or was not there (FRR 8.4.4), so state is pulled: each side draws
 * an epoch when it starts and numbers its frames; who hears a new epoch or sees
 * a gap asks for the full state and ignores increments until it comes. A lost
 * request is repeated with every hello.
 *
 *            | new epoch, gap | SyncBegin | SyncEnd | other items
 *   UNSYNCED | ask            | SYNCING   | -       | dropped
 *   SYNCING  | UNSYNCED, ask  | SYNCING   | SYNCED  | delivered
 *   SYNCED   | UNSYNCED, ask  | SYNCING   | -       | delivered
 *
 * The request follows the items of the frame, and only if they have not begun
 * the full state themselves: so a start costs one full state in each direction.
 *
 * No FRR headers: time and transport are the caller's.
 */
#ifndef SWMESH_MSG_H
#define SWMESH_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/swmesh.pb-c.h"

#define SWMESH_MSG_VERSION 1

/* zapi opaque subtypes, one a direction; FRR's own are small numbers. */
#define SWMESH_OPAQUE_TO_SWMESHD 0x53574d01U
#define SWMESH_OPAQUE_TO_BGPD 0x53574d02U

/* A frame stays under this many octets (ZEBRA_MAX_PACKET_SIZ is 16384). */
#define SWMESH_MSG_MAX 15360

/* Interval of hellos; the other side counts as gone after three and a half. */
#define SWMESH_MSG_HELLO_MS 5000
#define SWMESH_MSG_DEAD_MS 17500

/* A gap asks at once, but not again within this time: a transport that keeps
 * losing frames must not make the two ends exchange full states without pause.
 */
#define SWMESH_MSG_ASK_MS 1000

enum swmesh_msg_state {
	SWMESH_MSG_UNSYNCED,
	SWMESH_MSG_SYNCING,
	SWMESH_MSG_SYNCED,
};

struct swmesh_msg;

/* All of them run from swmesh_msg_receive() or swmesh_msg_tick(). */
struct swmesh_msg_ops {
	/* Hand one frame to the transport; false: it was not taken (lost). */
	bool (*send)(void *arg, const uint8_t *data, size_t len);
	/* The other side wants everything: queue all items (not the Sync pair).
	 */
	void (*full_state)(void *arg);
	/* The other side's full state begins: mark what is held from it. */
	void (*sync_begin)(void *arg);
	/* It is complete: drop what is still marked. */
	void (*sync_end)(void *arg);
	/* One item, valid for the call only. */
	void (*item)(void *arg, const Swmesh__Item *item);
	/* The other side appeared (up) or fell silent. */
	void (*peer)(void *arg, bool up);
};

struct swmesh_msg_stats {
	uint64_t frames_in, frames_out;
	uint64_t items_in, items_out;
	uint64_t bytes_in, bytes_out;
	uint64_t bad_frames;  /* not protobuf, or of another version */
	uint64_t gaps;	      /* frames of the other side that were lost */
	uint64_t resyncs;     /* full states received */
	uint64_t full_states; /* full states sent */
};

/* One end of the conversation. Fields are for reading only. */
struct swmesh_msg {
	const struct swmesh_msg_ops *ops;
	void *arg;
	char *software;
	uint64_t epoch;
	uint32_t tx_seq;

	bool peer_up;
	uint64_t peer_epoch;
	uint32_t peer_seq;
	uint32_t peer_version; /* of its last frame, told even when refused */
	char *peer_software;
	int64_t heard_ms;
	int64_t asked_ms; /* last request for the full state */
	enum swmesh_msg_state state;

	uint8_t *pending; /* frame being filled, SWMESH_MSG_MAX octets */
	size_t pending_len;
	struct swmesh_msg_stats stats;
};

/*
 * Set up an end. epoch: random, not 0. software: copied. Returns false when
 * out of memory. swmesh_msg_fini() releases what it holds.
 */
bool swmesh_msg_init(struct swmesh_msg *msg, const struct swmesh_msg_ops *ops,
		     void *arg, uint64_t epoch, const char *software);
void swmesh_msg_fini(struct swmesh_msg *msg);

/*
 * Append an item to the frame being filled; a full frame is sent first. The
 * item stays the caller's. Returns false, and sends nothing of it, when it
 * does not fit in a frame of its own.
 */
bool swmesh_msg_queue(struct swmesh_msg *msg, const Swmesh__Item *item);

/* Send the frame being filled, if it has anything in it. */
void swmesh_msg_flush(struct swmesh_msg *msg);

/*
 * Take a frame from the transport. now_ms: a monotonic clock, milliseconds.
 * Anything wrong with it is counted, never fatal. Replies are flushed.
 */
void swmesh_msg_receive(struct swmesh_msg *msg, const uint8_t *data, size_t len,
			int64_t now_ms);

/*
 * Say hello (asking for the full state while it is missing) and notice that
 * the other side fell silent. Call every SWMESH_MSG_HELLO_MS and once when the
 * transport has (re)connected.
 */
void swmesh_msg_tick(struct swmesh_msg *msg, int64_t now_ms);

/*
 * Ask for the other side's full state, since something of it was not kept. What
 * comes before it is dropped.
 */
void swmesh_msg_resync(struct swmesh_msg *msg, int64_t now_ms);

/* Words for enum swmesh_msg_state. */
const char *swmesh_msg_state_name(enum swmesh_msg_state state);

#endif /* SWMESH_MSG_H */
