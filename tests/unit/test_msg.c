// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The conversation of lib/swmesh_msg.h: every row of its state table with
 * frames made by hand, then two ends over a queue that loses frames.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "lib/swmesh_msg.h"

#define OBJECTS 64
#define QUEUE 256

/* One end: some numbered objects of its own, a replica of the other's. */
struct end {
	struct swmesh_msg msg;
	struct end *other;
	uint32_t own[OBJECTS];	   /* value; 0: there is none */
	uint32_t replica[OBJECTS]; /* what the other end told */
	bool marked[OBJECTS];
	uint32_t value_out; /* grows, so that no value comes twice */

	uint8_t *queue[QUEUE]; /* frames on their way to this end */
	size_t queue_len[QUEUE];
	unsigned int head, tail;
	unsigned int sent;		  /* frames handed to the transport */
	bool (*lose)(struct end *sender); /* NULL: nothing is lost */
	bool refuse;			  /* the transport takes nothing */
	size_t pad;			  /* octets of "tea" in an object */

	unsigned int begins, ends, items, ups, downs;
	size_t longest; /* frame sent */
};

static void put_object(struct end *end, unsigned int id)
{
	uint8_t key[16] = {id};
	Swmesh__Demand demand = SWMESH__DEMAND__INIT;
	Swmesh__DemandGone gone = SWMESH__DEMAND_GONE__INIT;
	Swmesh__Item item = SWMESH__ITEM__INIT;
	uint8_t *tea = calloc(1, end->pad + 1);

	if (end->own[id]) {
		demand.sw_nhop.data = key;
		demand.sw_nhop.len = sizeof(key);
		demand.tea.data = tea;
		demand.tea.len = end->pad;
		demand.routes_ipv4 = end->own[id];
		item.body_case = SWMESH__ITEM__BODY_DEMAND;
		item.demand = &demand;
	} else {
		gone.sw_nhop.data = key;
		gone.sw_nhop.len = sizeof(key);
		item.body_case = SWMESH__ITEM__BODY_DEMAND_GONE;
		item.demand_gone = &gone;
	}
	assert_true(swmesh_msg_queue(&end->msg, &item));
	free(tea);
}

/* A change on one side, told as it is made. */
static void change(struct end *end, unsigned int id, bool there)
{
	end->own[id] = there ? ++end->value_out : 0;
	put_object(end, id);
	swmesh_msg_flush(&end->msg);
}

static bool op_send(void *arg, const uint8_t *data, size_t len)
{
	struct end *end = arg, *to = end->other;

	assert_true(len <= SWMESH_MSG_MAX);
	if (len > end->longest)
		end->longest = len;
	if (end->refuse)
		return false;
	end->sent++;
	if (end->lose && end->lose(end))
		return true;
	assert_int_not_equal((to->tail + 1) % QUEUE, to->head);
	to->queue[to->tail] = malloc(len);
	memcpy(to->queue[to->tail], data, len);
	to->queue_len[to->tail] = len;
	to->tail = (to->tail + 1) % QUEUE;
	return true;
}

static void op_full_state(void *arg)
{
	struct end *end = arg;

	for (unsigned int id = 0; id < OBJECTS; id++)
		if (end->own[id])
			put_object(end, id);
}

static void op_sync_begin(void *arg)
{
	struct end *end = arg;

	end->begins++;
	memset(end->marked, 1, sizeof(end->marked));
}

static void op_sync_end(void *arg)
{
	struct end *end = arg;

	end->ends++;
	for (unsigned int id = 0; id < OBJECTS; id++)
		if (end->marked[id])
			end->replica[id] = 0;
}

static void op_item(void *arg, const Swmesh__Item *item)
{
	struct end *end = arg;
	const ProtobufCBinaryData *key;
	uint32_t value = 0;

	end->items++;
	if (item->body_case == SWMESH__ITEM__BODY_DEMAND) {
		key = &item->demand->sw_nhop;
		value = item->demand->routes_ipv4;
	} else if (item->body_case == SWMESH__ITEM__BODY_DEMAND_GONE) {
		key = &item->demand_gone->sw_nhop;
	} else {
		return;
	}
	if (key->len != 16 || key->data[0] >= OBJECTS)
		return; /* the receiver's to check; see test_garbage() */
	end->replica[key->data[0]] = value;
	end->marked[key->data[0]] = false;
}

static void op_peer(void *arg, bool up)
{
	struct end *end = arg;

	if (up)
		end->ups++;
	else
		end->downs++;
}

static const struct swmesh_msg_ops ops = {
	.send = op_send,
	.full_state = op_full_state,
	.sync_begin = op_sync_begin,
	.sync_end = op_sync_end,
	.item = op_item,
	.peer = op_peer,
};

/* --- two ends ---------------------------------------------------------- */

struct pair {
	struct end a, b;
	int64_t now;
};

static struct pair *pair_new(void)
{
	struct pair *pair = calloc(1, sizeof(*pair));

	pair->now = 1000000;
	pair->a.other = &pair->b;
	pair->b.other = &pair->a;
	assert_true(swmesh_msg_init(&pair->a.msg, &ops, &pair->a, 11, "a 1"));
	assert_true(swmesh_msg_init(&pair->b.msg, &ops, &pair->b, 22, "b 2"));
	return pair;
}

static void drain(struct end *end)
{
	for (; end->head != end->tail; end->head = (end->head + 1) % QUEUE)
		free(end->queue[end->head]);
}

static void pair_free(struct pair *pair)
{
	drain(&pair->a);
	drain(&pair->b);
	swmesh_msg_fini(&pair->a.msg);
	swmesh_msg_fini(&pair->b.msg);
	free(pair);
}

static bool deliver_one(struct pair *pair, struct end *end)
{
	unsigned int slot = end->head;

	if (slot == end->tail)
		return false;
	end->head = (slot + 1) % QUEUE;
	swmesh_msg_receive(&end->msg, end->queue[slot], end->queue_len[slot],
			   pair->now);
	free(end->queue[slot]);
	return true;
}

/* Deliver until nothing is on its way; the count tells of endless exchanges. */
static unsigned int deliver(struct pair *pair)
{
	unsigned int n = 0;

	while (deliver_one(pair, &pair->a) | deliver_one(pair, &pair->b)) {
		n++;
		assert_true(n < 10000);
	}
	return n;
}

static void tick(struct pair *pair)
{
	pair->now += SWMESH_MSG_HELLO_MS;
	swmesh_msg_tick(&pair->a.msg, pair->now);
	swmesh_msg_tick(&pair->b.msg, pair->now);
	deliver(pair);
}

static void assert_converged(struct pair *pair)
{
	assert_int_equal(pair->a.msg.state, SWMESH_MSG_SYNCED);
	assert_int_equal(pair->b.msg.state, SWMESH_MSG_SYNCED);
	assert_memory_equal(pair->a.own, pair->b.replica, sizeof(pair->a.own));
	assert_memory_equal(pair->b.own, pair->a.replica, sizeof(pair->b.own));
}

/* The end's process starts again: a new epoch, its objects as given. */
static void restart(struct end *end, uint64_t epoch)
{
	swmesh_msg_fini(&end->msg);
	assert_true(swmesh_msg_init(&end->msg, &ops, end, epoch, "restarted"));
	memset(end->replica, 0, sizeof(end->replica));
	memset(end->marked, 0, sizeof(end->marked));
	drain(end);
}

/* --- frames by hand ------------------------------------------------------ */

enum part { BEGIN, END, OBJECT, GONE, HELLO, ASK, UNKNOWN };

/* A frame of the far end with these parts in this order. */
static void frame(struct pair *pair, struct end *to, uint64_t epoch,
		  uint32_t seq, unsigned int n, const enum part *parts)
{
	static uint8_t key[16] = {5};
	Swmesh__SyncBegin begin = SWMESH__SYNC_BEGIN__INIT;
	Swmesh__SyncEnd end = SWMESH__SYNC_END__INIT;
	Swmesh__Demand demand = SWMESH__DEMAND__INIT;
	Swmesh__DemandGone gone = SWMESH__DEMAND_GONE__INIT;
	Swmesh__Hello hello = SWMESH__HELLO__INIT, ask = SWMESH__HELLO__INIT;
	Swmesh__Item item[8], *items[8];
	Swmesh__Frame out = SWMESH__FRAME__INIT;
	uint8_t *buf;
	size_t len;

	demand.sw_nhop = gone.sw_nhop = (ProtobufCBinaryData){16, key};
	demand.routes_ipv4 = 7;
	ask.resync = true;
	for (unsigned int i = 0; i < n; i++) {
		swmesh__item__init(&item[i]);
		items[i] = &item[i];
		switch (parts[i]) {
		case BEGIN:
			item[i].body_case = SWMESH__ITEM__BODY_SYNC_BEGIN;
			item[i].sync_begin = &begin;
			break;
		case END:
			item[i].body_case = SWMESH__ITEM__BODY_SYNC_END;
			item[i].sync_end = &end;
			break;
		case OBJECT:
			item[i].body_case = SWMESH__ITEM__BODY_DEMAND;
			item[i].demand = &demand;
			break;
		case GONE:
			item[i].body_case = SWMESH__ITEM__BODY_DEMAND_GONE;
			item[i].demand_gone = &gone;
			break;
		case HELLO:
		case ASK:
			item[i].body_case = SWMESH__ITEM__BODY_HELLO;
			item[i].hello = parts[i] == ASK ? &ask : &hello;
			break;
		case UNKNOWN:
			break;
		}
	}
	out.version = SWMESH_MSG_VERSION;
	out.epoch = epoch;
	out.seq = seq;
	out.n_items = n;
	out.items = items;
	buf = malloc(swmesh__frame__get_packed_size(&out));
	len = swmesh__frame__pack(&out, buf);
	swmesh_msg_receive(&to->msg, buf, len, pair->now);
	free(buf);
}

#define FRAME(pair, seq, ...)                                                  \
	frame(pair, &(pair)->a, 22, seq,                                       \
	      sizeof((enum part[]){__VA_ARGS__}) / sizeof(enum part),          \
	      (enum part[]){__VA_ARGS__})

/* Bring the near end (a) into a state, far end's frames up to seq 10 heard. */
static struct pair *in_state(enum swmesh_msg_state state)
{
	struct pair *pair = pair_new();

	FRAME(pair, 9, HELLO);
	assert_int_equal(pair->a.msg.state, SWMESH_MSG_UNSYNCED);
	switch (state) {
	case SWMESH_MSG_UNSYNCED:
		FRAME(pair, 10, HELLO);
		break;
	case SWMESH_MSG_SYNCING:
		FRAME(pair, 10, BEGIN);
		break;
	case SWMESH_MSG_SYNCED:
		FRAME(pair, 10, BEGIN, END);
		break;
	}
	assert_int_equal(pair->a.msg.state, state);
	pair->now += SWMESH_MSG_ASK_MS;
	pair->a.items = pair->a.begins = pair->a.ends = pair->a.sent = 0;
	drain(&pair->b);
	return pair;
}

/* Did the near end ask for the full state since it was last looked? */
static bool asked(struct pair *pair)
{
	struct end *b = &pair->b;
	bool found = false;

	for (unsigned int i = b->head; i != b->tail; i = (i + 1) % QUEUE) {
		Swmesh__Frame *f = swmesh__frame__unpack(NULL, b->queue_len[i],
							 b->queue[i]);

		assert_non_null(f);
		for (size_t k = 0; k < f->n_items; k++)
			if (f->items[k]->body_case ==
				    SWMESH__ITEM__BODY_HELLO &&
			    f->items[k]->hello->resync)
				found = true;
		swmesh__frame__free_unpacked(f, NULL);
	}
	drain(b);
	return found;
}

/* The table in swmesh_msg.h, one row a test vector. */
static const struct row {
	enum swmesh_msg_state from;
	enum part part;
	enum swmesh_msg_state to;
	unsigned int items, begins, ends;
} rows[] = {
	{SWMESH_MSG_UNSYNCED, BEGIN, SWMESH_MSG_SYNCING, 0, 1, 0},
	{SWMESH_MSG_UNSYNCED, END, SWMESH_MSG_UNSYNCED, 0, 0, 0},
	{SWMESH_MSG_UNSYNCED, OBJECT, SWMESH_MSG_UNSYNCED, 0, 0, 0},
	{SWMESH_MSG_UNSYNCED, GONE, SWMESH_MSG_UNSYNCED, 0, 0, 0},
	{SWMESH_MSG_UNSYNCED, UNKNOWN, SWMESH_MSG_UNSYNCED, 0, 0, 0},
	{SWMESH_MSG_SYNCING, BEGIN, SWMESH_MSG_SYNCING, 0, 1, 0},
	{SWMESH_MSG_SYNCING, END, SWMESH_MSG_SYNCED, 0, 0, 1},
	{SWMESH_MSG_SYNCING, OBJECT, SWMESH_MSG_SYNCING, 1, 0, 0},
	{SWMESH_MSG_SYNCING, GONE, SWMESH_MSG_SYNCING, 1, 0, 0},
	{SWMESH_MSG_SYNCING, UNKNOWN, SWMESH_MSG_SYNCING, 0, 0, 0},
	{SWMESH_MSG_SYNCED, BEGIN, SWMESH_MSG_SYNCING, 0, 1, 0},
	{SWMESH_MSG_SYNCED, END, SWMESH_MSG_SYNCED, 0, 0, 0},
	{SWMESH_MSG_SYNCED, OBJECT, SWMESH_MSG_SYNCED, 1, 0, 0},
	{SWMESH_MSG_SYNCED, GONE, SWMESH_MSG_SYNCED, 1, 0, 0},
	{SWMESH_MSG_SYNCED, UNKNOWN, SWMESH_MSG_SYNCED, 0, 0, 0},
};

static void test_table_rows(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct pair *pair = in_state(row->from);

		frame(pair, &pair->a, 22, 11, 1, &row->part);
		if (pair->a.msg.state != row->to ||
		    pair->a.items != row->items ||
		    pair->a.begins != row->begins || pair->a.ends != row->ends)
			fail_msg("row %zu: %s, %u items, %u begins, %u ends", i,
				 swmesh_msg_state_name(pair->a.msg.state),
				 pair->a.items, pair->a.begins, pair->a.ends);
		assert_false(asked(pair));
		pair_free(pair);
	}
}

static void test_gap_in_every_state(void **state)
{
	for (int from = SWMESH_MSG_UNSYNCED; from <= SWMESH_MSG_SYNCED;
	     from++) {
		struct pair *pair = in_state(from);

		FRAME(pair, 12, OBJECT);
		assert_int_equal(pair->a.msg.state, SWMESH_MSG_UNSYNCED);
		assert_int_equal(pair->a.items, 0);
		assert_int_equal(pair->a.msg.stats.gaps, 1);
		assert_true(asked(pair));
		/* the rest of a full state whose beginning was lost */
		FRAME(pair, 13, OBJECT, END);
		assert_int_equal(pair->a.msg.state, SWMESH_MSG_UNSYNCED);
		assert_int_equal(pair->a.items + pair->a.ends, 0);
		assert_false(asked(pair));
		pair_free(pair);
	}
}

static void test_new_epoch_in_every_state(void **state)
{
	for (int from = SWMESH_MSG_UNSYNCED; from <= SWMESH_MSG_SYNCED;
	     from++) {
		struct pair *pair = in_state(from);
		enum part object = OBJECT;

		/* even with the very number that was expected */
		frame(pair, &pair->a, 33, 11, 1, &object);
		assert_int_equal(pair->a.msg.state, SWMESH_MSG_UNSYNCED);
		assert_int_equal(pair->a.items, 0);
		assert_int_equal(pair->a.msg.peer_epoch, 33);
		assert_int_equal(pair->a.msg.stats.gaps, 0);
		assert_true(asked(pair));
		pair_free(pair);
	}
}

/* A full state that comes with the gap answers the question before it is put.
 */
static void test_gap_with_full_state(void **state)
{
	struct pair *pair = in_state(SWMESH_MSG_SYNCED);

	FRAME(pair, 15, GONE, BEGIN, OBJECT, END);
	assert_int_equal(pair->a.msg.state, SWMESH_MSG_SYNCED);
	assert_int_equal(pair->a.items, 1); /* GONE was of the lost context */
	assert_int_equal(pair->a.replica[5], 7);
	assert_int_equal(pair->a.sent, 0);
	pair_free(pair);
}

static void test_sequence_wraps(void **state)
{
	struct pair *pair = pair_new();

	FRAME(pair, UINT32_MAX, BEGIN, END);
	FRAME(pair, 0, OBJECT);
	assert_int_equal(pair->a.msg.state, SWMESH_MSG_SYNCED);
	assert_int_equal(pair->a.items, 1);
	assert_int_equal(pair->a.msg.stats.gaps, 0);
	pair_free(pair);
}

static void test_repeated_frame(void **state)
{
	struct pair *pair = in_state(SWMESH_MSG_SYNCED);

	FRAME(pair, 10, OBJECT);
	assert_int_equal(pair->a.msg.state, SWMESH_MSG_UNSYNCED);
	assert_true(asked(pair));
	pair_free(pair);
}

/* Gaps ask at once, but not without pause; the hello repeats the request. */
static void test_requests_are_bounded(void **state)
{
	struct pair *pair = in_state(SWMESH_MSG_SYNCED);

	for (uint32_t seq = 20; seq < 120; seq += 2)
		FRAME(pair, seq, OBJECT);
	assert_int_equal(pair->a.sent, 1);
	assert_int_equal(pair->a.msg.stats.gaps, 50);
	pair->now += SWMESH_MSG_ASK_MS;
	FRAME(pair, 200, OBJECT);
	assert_int_equal(pair->a.sent, 2);
	assert_true(asked(pair));
	swmesh_msg_tick(&pair->a.msg, pair->now);
	assert_true(asked(pair));
	pair_free(pair);
}

/* --- the life of two ends ------------------------------------------------- */

static struct pair *running_pair(void)
{
	struct pair *pair = pair_new();

	for (unsigned int id = 0; id < 20; id++)
		pair->a.own[id] = ++pair->a.value_out;
	pair->b.own[3] = ++pair->b.value_out;
	tick(pair);
	assert_converged(pair);
	return pair;
}

static void test_start(void **state)
{
	struct pair *pair = pair_new();

	pair->a.own[1] = 100;
	pair->b.own[2] = 200;
	swmesh_msg_tick(&pair->a.msg, pair->now); /* b is not there yet */
	drain(&pair->b);
	tick(pair);
	assert_converged(pair);
	assert_int_equal(pair->a.ups, 1);
	assert_int_equal(pair->b.ups, 1);
	assert_string_equal(pair->a.msg.peer_software, "b 2");
	assert_string_equal(pair->b.msg.peer_software, "a 1");
	for (int i = 0; i < 5; i++)
		tick(pair);
	assert_int_equal(pair->a.msg.stats.gaps + pair->b.msg.stats.gaps, 0);
	pair_free(pair);
}

/* One side late: one full state in each direction, no more. */
static void test_start_costs_one_full_state(void **state)
{
	struct pair *pair = pair_new();

	pair->a.own[1] = 100;
	swmesh_msg_tick(&pair->a.msg, pair->now);
	deliver(pair);
	assert_converged(pair);
	assert_int_equal(pair->a.msg.stats.full_states, 1);
	assert_int_equal(pair->b.msg.stats.full_states, 1);
	tick(pair);
	assert_int_equal(pair->a.msg.stats.full_states, 1);
	assert_int_equal(pair->b.msg.stats.full_states, 1);
	pair_free(pair);
}

static void test_changes_arrive(void **state)
{
	struct pair *pair = running_pair();
	uint64_t full = pair->a.msg.stats.full_states;

	change(&pair->a, 5, true);
	change(&pair->a, 6, false);
	change(&pair->b, 7, true);
	deliver(pair);
	assert_converged(pair);
	assert_int_equal(pair->b.replica[6], 0);
	assert_int_equal(pair->a.msg.stats.full_states, full);
	pair_free(pair);
}

static void test_restart_of_each_side(void **state)
{
	struct pair *pair = running_pair();

	memset(pair->a.own, 0, sizeof(pair->a.own));
	pair->a.own[40] = 4000; /* comes back with other objects */
	restart(&pair->a, 12);
	tick(pair);
	assert_converged(pair);
	assert_int_equal(pair->b.replica[0], 0); /* swept */
	assert_int_equal(pair->b.downs, 0);

	memset(pair->b.own, 0, sizeof(pair->b.own));
	restart(&pair->b, 23);
	tick(pair);
	assert_converged(pair);

	restart(&pair->a, 13);
	restart(&pair->b, 24);
	tick(pair);
	assert_converged(pair);
	assert_string_equal(pair->a.msg.peer_software, "restarted");
	pair_free(pair);
}

/* A restart between any two frames of an exchange. */
static void test_restart_in_the_middle(void **state)
{
	for (unsigned int after = 0; after < 12; after++) {
		struct pair *pair = running_pair();

		pair->a.pad = 3000; /* a full state takes several frames */
		restart(&pair->b, 30);
		swmesh_msg_tick(&pair->b.msg, pair->now);
		for (unsigned int i = 0; i < after; i++)
			if (!deliver_one(pair, &pair->b))
				deliver_one(pair, &pair->a);
		restart(after & 1 ? &pair->a : &pair->b, 31);
		for (int i = 0; i < 3; i++)
			tick(pair);
		assert_converged(pair);
		pair_free(pair);
	}
}

static void test_silence(void **state)
{
	struct pair *pair = running_pair();

	pair->now += SWMESH_MSG_DEAD_MS;
	swmesh_msg_tick(&pair->a.msg, pair->now); /* not longer than */
	assert_int_equal(pair->a.downs, 0);
	pair->now += 1;
	swmesh_msg_tick(&pair->a.msg, pair->now);
	assert_int_equal(pair->a.downs, 1);
	assert_int_equal(pair->a.msg.state, SWMESH_MSG_UNSYNCED);
	swmesh_msg_tick(&pair->a.msg, pair->now + SWMESH_MSG_HELLO_MS);
	assert_int_equal(pair->a.downs, 1);	     /* said once */
	assert_int_not_equal(pair->a.replica[3], 0); /* kept: it may be back */

	pair->b.own[3] = 0; /* what changed meanwhile is learnt again */
	for (int i = 0; i < 2; i++)
		tick(pair);
	assert_int_equal(pair->a.ups, 2);
	assert_converged(pair);
	pair_free(pair);
}

/* --- loss ----------------------------------------------------------------- */

static unsigned int lose_number;

static bool lose_one(struct end *sender)
{
	return sender->sent == lose_number;
}

/* Of all frames of a start and some changes, lose each one in its turn. */
static void test_each_frame_lost_once(void **state)
{
	for (int who = 0; who < 2; who++) {
		for (lose_number = 1; lose_number < 14; lose_number++) {
			struct pair *pair = pair_new();

			pair->a.pad = pair->b.pad = 4000;
			for (unsigned int id = 0; id < 10; id++)
				pair->a.own[id] = pair->b.own[id] = 50 + id;
			if (who)
				pair->a.lose = lose_one;
			else
				pair->b.lose = lose_one;
			tick(pair);
			for (unsigned int id = 0; id < 4; id++) {
				change(&pair->a, id, id & 1);
				change(&pair->b, id + 4, id & 1);
				deliver(pair);
			}
			tick(pair);
			tick(pair);
			assert_converged(pair);
			pair_free(pair);
		}
	}
}

static unsigned int seed;

static bool lose_some(struct end *sender)
{
	return rand_r(&seed) % 100 < 30;
}

static void test_random_loss(void **state)
{
	for (unsigned int round = 0; round < 300; round++) {
		struct pair *pair = pair_new();

		seed = round + 1;
		pair->a.lose = pair->b.lose = lose_some;
		pair->a.pad = rand_r(&seed) % 5000;
		for (int step = 0; step < 60; step++) {
			struct end *end =
				rand_r(&seed) & 1 ? &pair->a : &pair->b;

			change(end, rand_r(&seed) % OBJECTS, rand_r(&seed) & 1);
			pair->now += rand_r(&seed) % 400;
			if (rand_r(&seed) % 4 == 0)
				deliver(pair);
			if (step % 12 == 11)
				tick(pair);
			if (step == 37)
				restart(end, 1000 + round);
		}
		deliver(pair);
		pair->a.lose = pair->b.lose = NULL;
		tick(pair);
		tick(pair);
		assert_converged(pair);
		pair_free(pair);
	}
}

static void test_transport_refuses(void **state)
{
	struct pair *pair = running_pair();
	uint64_t out = pair->a.msg.stats.frames_out;

	pair->a.refuse = true;
	change(&pair->a, 5, false);
	assert_int_equal(pair->a.msg.stats.frames_out, out);
	pair->a.refuse = false;
	deliver(pair);
	assert_int_not_equal(pair->b.replica[5], 0); /* not known yet */
	tick(pair);
	assert_int_equal(pair->b.msg.stats.gaps, 1);
	assert_converged(pair);
	pair_free(pair);
}

/* --- sizes and garbage ------------------------------------------------------
 */

static void test_item_sizes(void **state)
{
	struct pair *pair = running_pair();
	uint8_t *tea = calloc(1, 2 * SWMESH_MSG_MAX);
	uint8_t key[16] = {9};
	Swmesh__Demand demand = SWMESH__DEMAND__INIT;
	Swmesh__Item item = SWMESH__ITEM__INIT;
	size_t largest = 0;

	item.body_case = SWMESH__ITEM__BODY_DEMAND;
	item.demand = &demand;
	demand.sw_nhop = (ProtobufCBinaryData){sizeof(key), key};
	demand.tea.data = tea;
	demand.routes_ipv4 = 77;
	for (size_t len = SWMESH_MSG_MAX - 200; len < SWMESH_MSG_MAX + 200;
	     len++) {
		unsigned int sent = pair->a.sent;

		demand.tea.len = len;
		if (swmesh_msg_queue(&pair->a.msg, &item)) {
			assert_int_equal(largest + 1, largest ? len : 1);
			largest = len;
			swmesh_msg_flush(&pair->a.msg);
			assert_int_equal(pair->a.sent, sent + 1);
			deliver(pair);
		} else { /* nothing of it was sent */
			swmesh_msg_flush(&pair->a.msg);
			assert_int_equal(pair->a.sent, sent);
		}
	}
	assert_true(largest > 8192 && largest < SWMESH_MSG_MAX);
	assert_int_equal(pair->b.replica[9], 77);
	assert_true(pair->a.longest <= SWMESH_MSG_MAX);
	/* two that just fit together, and that just do not */
	for (size_t len = SWMESH_MSG_MAX / 2 - 100; len < SWMESH_MSG_MAX / 2;
	     len++) {
		demand.tea.len = len;
		assert_true(swmesh_msg_queue(&pair->a.msg, &item));
		assert_true(swmesh_msg_queue(&pair->a.msg, &item));
		swmesh_msg_flush(&pair->a.msg);
		deliver(pair);
	}
	assert_in_range(pair->a.longest, SWMESH_MSG_MAX - 1, SWMESH_MSG_MAX);
	demand.tea.len = 2 * SWMESH_MSG_MAX;
	assert_false(swmesh_msg_queue(&pair->a.msg, &item));
	free(tea);
	pair_free(pair);
}

static void test_items_share_frames(void **state)
{
	struct pair *pair = running_pair();
	unsigned int sent = pair->a.sent;

	pair->a.pad = 100;
	for (unsigned int id = 0; id < OBJECTS; id++) {
		pair->a.own[id] = ++pair->a.value_out;
		put_object(&pair->a, id);
	}
	assert_int_equal(pair->a.sent, sent); /* 64 * ~130 octets */
	swmesh_msg_flush(&pair->a.msg);
	assert_int_equal(pair->a.sent, sent + 1);
	swmesh_msg_flush(&pair->a.msg); /* nothing to send */
	assert_int_equal(pair->a.sent, sent + 1);

	pair->a.pad = 1000; /* 64,000 octets: five frames, none too long */
	for (unsigned int id = 0; id < OBJECTS; id++) {
		pair->a.own[id] = ++pair->a.value_out;
		put_object(&pair->a, id);
	}
	swmesh_msg_flush(&pair->a.msg);
	assert_int_equal(pair->a.sent, sent + 6);
	deliver(pair);
	assert_converged(pair);
	pair_free(pair);
}

static void test_other_version(void **state)
{
	struct pair *pair = running_pair();
	Swmesh__Frame out = SWMESH__FRAME__INIT;
	uint8_t buf[64];
	size_t len;

	out.version = SWMESH_MSG_VERSION + 1;
	out.epoch = 22;
	out.seq = 1;
	len = swmesh__frame__pack(&out, buf);
	swmesh_msg_receive(&pair->a.msg, buf, len, pair->now);
	assert_int_equal(pair->a.msg.stats.bad_frames, 1);
	assert_int_equal(pair->a.msg.peer_version, SWMESH_MSG_VERSION + 1);
	assert_converged(pair); /* nothing of it was taken */
	pair_free(pair);
}

/* Cut and damaged frames: counted or survived, and put right afterwards. */
static void test_garbage(void **state)
{
	struct pair *pair = running_pair();
	uint8_t buf[512], good[512];
	size_t good_len;
	uint32_t good_seq;
	uint64_t bad;

	swmesh_msg_receive(&pair->a.msg, NULL, 0, pair->now);
	assert_int_equal(pair->a.msg.stats.bad_frames, 1);

	pair->b.pad = 40;
	change(&pair->b, 30, true);
	good_len = pair->a.queue_len[pair->a.head];
	good_seq = pair->b.msg.tx_seq;
	assert_true(good_len < sizeof(good));
	memcpy(good, pair->a.queue[pair->a.head], good_len);
	deliver(pair);

	seed = 1;
	bad = pair->a.msg.stats.bad_frames;
	for (int i = 0; i < 20000; i++) {
		size_t len = rand_r(&seed) % sizeof(buf);

		for (size_t k = 0; k < len; k++)
			buf[k] = rand_r(&seed);
		swmesh_msg_receive(&pair->a.msg, buf, len, pair->now);
	}
	assert_true(pair->a.msg.stats.bad_frames > bad + 19000);
	for (size_t len = 0; len < good_len; len++) {
		memcpy(buf, good, len);
		swmesh_msg_receive(&pair->a.msg, buf, len, pair->now);
		drain(&pair->b);
	}
	for (size_t bit = 0; bit < 8 * good_len; bit++) {
		memcpy(buf, good, good_len);
		buf[bit / 8] ^= 1 << (bit % 8);
		/* as if it were the next one, so that its items are taken */
		pair->a.msg.state = SWMESH_MSG_SYNCED;
		pair->a.msg.peer_epoch = 22;
		pair->a.msg.peer_seq = good_seq - 1;
		swmesh_msg_receive(&pair->a.msg, buf, good_len, pair->now);
		drain(&pair->b);
	}
	tick(pair);
	tick(pair);
	assert_converged(pair);
	pair_free(pair);
}

static void test_state_names(void **state)
{
	assert_string_equal(swmesh_msg_state_name(SWMESH_MSG_UNSYNCED),
			    "unsynced");
	assert_string_equal(swmesh_msg_state_name(SWMESH_MSG_SYNCING),
			    "syncing");
	assert_string_equal(swmesh_msg_state_name(SWMESH_MSG_SYNCED), "synced");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_rows),
		cmocka_unit_test(test_gap_in_every_state),
		cmocka_unit_test(test_new_epoch_in_every_state),
		cmocka_unit_test(test_gap_with_full_state),
		cmocka_unit_test(test_sequence_wraps),
		cmocka_unit_test(test_repeated_frame),
		cmocka_unit_test(test_requests_are_bounded),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_start_costs_one_full_state),
		cmocka_unit_test(test_changes_arrive),
		cmocka_unit_test(test_restart_of_each_side),
		cmocka_unit_test(test_restart_in_the_middle),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_each_frame_lost_once),
		cmocka_unit_test(test_random_loss),
		cmocka_unit_test(test_transport_refuses),
		cmocka_unit_test(test_item_sizes),
		cmocka_unit_test(test_items_share_frames),
		cmocka_unit_test(test_other_version),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_state_names),
	};

	return cmocka_run_group_tests_name("swmesh_msg", tests, NULL, NULL);
}
