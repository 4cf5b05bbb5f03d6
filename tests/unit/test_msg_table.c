// SPDX-License-Identifier: GPL-2.0-or-later
/* Every row of the state table of lib/swmesh_msg.h, with frames made by hand.
 */
#include "tests/unit/msg_scenery.h"

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
		cmocka_unit_test(test_state_names),
	};

	return cmocka_run_group_tests_name("swmesh_msg_table", tests, NULL,
					   NULL);
}
