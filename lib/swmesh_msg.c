// SPDX-License-Identifier: GPL-2.0-or-later
/* The conversation between bgpd's module and swmeshd; see swmesh_msg.h. */

#include <stdlib.h>
#include <string.h>

#include "lib/swmesh_msg.h"

/*
 * Serialised protobuf messages merge when they are concatenated, and repeated
 * fields append. So a frame is its header followed by one-item frames, and an
 * item is packed exactly once, straight into the pending frame.
 */
static void frame_begin(struct swmesh_msg *msg)
{
	Swmesh__Frame frame = SWMESH__FRAME__INIT;

	frame.version = SWMESH_MSG_VERSION;
	frame.epoch = msg->epoch;
	frame.seq = ++msg->tx_seq;
	msg->pending_len = swmesh__frame__pack(&frame, msg->pending);
}

/* Octets a frame's header can take: three keys, two varints, a fixed64. */
#define FRAME_HEADER_MAX 32

bool swmesh_msg_queue(struct swmesh_msg *msg, const Swmesh__Item *item)
{
	Swmesh__Item *items[] = {(Swmesh__Item *)item};
	Swmesh__Frame one = SWMESH__FRAME__INIT;
	size_t len;

	one.n_items = 1;
	one.items = items;
	len = swmesh__frame__get_packed_size(&one);
	if (len > SWMESH_MSG_MAX - FRAME_HEADER_MAX)
		return false;
	if (msg->pending_len + len > SWMESH_MSG_MAX)
		swmesh_msg_flush(msg);
	if (!msg->pending_len)
		frame_begin(msg);
	msg->pending_len +=
		swmesh__frame__pack(&one, msg->pending + msg->pending_len);
	msg->stats.items_out++;
	return true;
}

void swmesh_msg_flush(struct swmesh_msg *msg)
{
	size_t len = msg->pending_len;

	if (!len)
		return;
	msg->pending_len = 0;
	if (!msg->ops->send(msg->arg, msg->pending, len))
		return; /* the gap in seq tells the other side */
	msg->stats.frames_out++;
	msg->stats.bytes_out += len;
}

static void send_hello(struct swmesh_msg *msg, int64_t now_ms)
{
	Swmesh__Hello hello = SWMESH__HELLO__INIT;
	Swmesh__Item item = SWMESH__ITEM__INIT;

	hello.software = msg->software;
	hello.resync = msg->state == SWMESH_MSG_UNSYNCED;
	if (hello.resync)
		msg->asked_ms = now_ms;
	item.body_case = SWMESH__ITEM__BODY_HELLO;
	item.hello = &hello;
	swmesh_msg_queue(msg, &item);
	swmesh_msg_flush(msg);
}

static void send_full_state(struct swmesh_msg *msg)
{
	Swmesh__SyncBegin begin = SWMESH__SYNC_BEGIN__INIT;
	Swmesh__SyncEnd end = SWMESH__SYNC_END__INIT;
	Swmesh__Item item = SWMESH__ITEM__INIT;

	item.body_case = SWMESH__ITEM__BODY_SYNC_BEGIN;
	item.sync_begin = &begin;
	swmesh_msg_queue(msg, &item);
	msg->ops->full_state(msg->arg);
	item.body_case = SWMESH__ITEM__BODY_SYNC_END;
	item.sync_end = &end;
	swmesh_msg_queue(msg, &item);
	swmesh_msg_flush(msg);
	msg->stats.full_states++;
}

static void receive_hello(struct swmesh_msg *msg, const Swmesh__Hello *hello)
{
	if (!msg->peer_software ||
	    strcmp(msg->peer_software, hello->software)) {
		free(msg->peer_software);
		msg->peer_software = strdup(hello->software);
	}
	if (hello->resync)
		send_full_state(msg);
}

static void receive_item(struct swmesh_msg *msg, const Swmesh__Item *item)
{
	switch (item->body_case) {
	case SWMESH__ITEM__BODY_HELLO:
		receive_hello(msg, item->hello);
		return;
	case SWMESH__ITEM__BODY_SYNC_BEGIN:
		msg->state = SWMESH_MSG_SYNCING;
		msg->ops->sync_begin(msg->arg);
		return;
	case SWMESH__ITEM__BODY_SYNC_END:
		if (msg->state != SWMESH_MSG_SYNCING)
			return;
		msg->state = SWMESH_MSG_SYNCED;
		msg->stats.resyncs++;
		msg->ops->sync_end(msg->arg);
		return;
	case SWMESH__ITEM__BODY__NOT_SET:
		return; /* of a kind that this release does not know */
	default:
		if (msg->state != SWMESH_MSG_UNSYNCED)
			msg->ops->item(msg->arg, item);
		return;
	}
}

enum sequence {
	IN_SEQUENCE,
	FRAMES_LOST,
	PEER_NEW, /* appeared, came back or restarted */
};

static enum sequence follow(struct swmesh_msg *msg, const Swmesh__Frame *frame)
{
	uint32_t expected = msg->peer_seq + 1;
	bool same = msg->peer_up && frame->epoch == msg->peer_epoch;

	msg->peer_epoch = frame->epoch;
	msg->peer_seq = frame->seq;
	if (!same)
		return PEER_NEW;
	if (frame->seq == expected)
		return IN_SEQUENCE;
	msg->stats.gaps++;
	return FRAMES_LOST;
}

/* NULL: not a frame, or of another version; counted. */
static Swmesh__Frame *unpack(struct swmesh_msg *msg, const uint8_t *data,
			     size_t len)
{
	Swmesh__Frame *frame = swmesh__frame__unpack(NULL, len, data);

	if (frame) {
		msg->peer_version = frame->version;
		if (frame->version == SWMESH_MSG_VERSION)
			return frame;
		swmesh__frame__free_unpacked(frame, NULL);
	}
	msg->stats.bad_frames++;
	return NULL;
}

void swmesh_msg_receive(struct swmesh_msg *msg, const uint8_t *data, size_t len,
			int64_t now_ms)
{
	Swmesh__Frame *frame = unpack(msg, data, len);
	enum sequence sequence;
	bool may_ask;

	if (!frame)
		return;
	msg->stats.frames_in++;
	msg->stats.items_in += frame->n_items;
	msg->stats.bytes_in += len;

	sequence = follow(msg, frame);
	if (sequence != IN_SEQUENCE)
		msg->state = SWMESH_MSG_UNSYNCED;
	msg->heard_ms = now_ms;
	if (!msg->peer_up) {
		msg->peer_up = true;
		msg->ops->peer(msg->arg, true);
	}
	for (size_t i = 0; i < frame->n_items; i++)
		receive_item(msg, frame->items[i]);
	swmesh__frame__free_unpacked(frame, NULL);

	may_ask = sequence == PEER_NEW ||
		  (sequence == FRAMES_LOST &&
		   now_ms - msg->asked_ms >= SWMESH_MSG_ASK_MS);
	if (may_ask && msg->state == SWMESH_MSG_UNSYNCED)
		send_hello(msg, now_ms);
	swmesh_msg_flush(msg);
}

void swmesh_msg_tick(struct swmesh_msg *msg, int64_t now_ms)
{
	if (msg->peer_up && now_ms - msg->heard_ms > SWMESH_MSG_DEAD_MS) {
		msg->peer_up = false;
		msg->state = SWMESH_MSG_UNSYNCED;
		msg->ops->peer(msg->arg, false);
	}
	send_hello(msg, now_ms);
}

void swmesh_msg_resync(struct swmesh_msg *msg, int64_t now_ms)
{
	msg->state = SWMESH_MSG_UNSYNCED;
	send_hello(msg, now_ms);
}

bool swmesh_msg_init(struct swmesh_msg *msg, const struct swmesh_msg_ops *ops,
		     void *arg, uint64_t epoch, const char *software)
{
	memset(msg, 0, sizeof(*msg));
	msg->ops = ops;
	msg->arg = arg;
	msg->epoch = epoch;
	msg->asked_ms = INT64_MIN / 2; /* long ago, without overflow */
	msg->software = strdup(software);
	msg->pending = malloc(SWMESH_MSG_MAX);
	if (msg->software && msg->pending)
		return true;
	swmesh_msg_fini(msg);
	return false;
}

void swmesh_msg_fini(struct swmesh_msg *msg)
{
	free(msg->software);
	free(msg->peer_software);
	free(msg->pending);
	memset(msg, 0, sizeof(*msg));
}

const char *swmesh_msg_state_name(enum swmesh_msg_state state)
{
	static const char *const names[] = {
		[SWMESH_MSG_UNSYNCED] = "unsynced",
		[SWMESH_MSG_SYNCING] = "syncing",
		[SWMESH_MSG_SYNCED] = "synced",
	};

	return names[state];
}
