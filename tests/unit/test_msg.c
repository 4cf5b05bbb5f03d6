// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The conversation of lib/swmesh_msg.h: two ends over a queue that loses
 * frames. Its state table is in test_msg_table.c.
 */
#include "tests/unit/msg_scenery.h"

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

/* One end has not kept all of what it was told, and asks for it. */
static void test_resync(void **state)
{
	struct pair *pair = running_pair();

	memset(pair->a.replica, 0, sizeof(pair->a.replica));
	swmesh_msg_resync(&pair->a.msg, pair->now);
	deliver(pair);
	assert_converged(pair);
	pair_free(pair);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_start_costs_one_full_state),
		cmocka_unit_test(test_changes_arrive),
		cmocka_unit_test(test_restart_of_each_side),
		cmocka_unit_test(test_restart_in_the_middle),
		cmocka_unit_test(test_resync),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_each_frame_lost_once),
		cmocka_unit_test(test_random_loss),
		cmocka_unit_test(test_transport_refuses),
		cmocka_unit_test(test_item_sizes),
		cmocka_unit_test(test_items_share_frames),
		cmocka_unit_test(test_other_version),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests_name("swmesh_msg", tests, NULL, NULL);
}
