// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The state machine of an IKE peer: its table, and how it behaves with the rest
 * of the backend played by this file. Timers are FRR's; those that would take
 * long are not waited for, but their events are given.
 */
#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "debug.h"
#include "thread.h"

#include "lib/vici.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/ike/ike_peer.h"
#include "swmeshd/charon/charon.h"
#include "swmeshd/charon/charon_log.h"
#include "swmeshd/swmeshd.h"

DEFINE_MGROUP(SWMESHD, "swmeshd ike test");
struct debug swmesh_dbg_ike = {0, "ike"};
struct thread_master *master;
struct mesh *swmesh;
static struct mesh the_mesh;

/* ---- the rest of the backend ---- */

static bool synced;
static enum ike_kind missing;
static unsigned int initiated, works;
static char told[MESH_REASON_LEN];

bool ike_synced(void)
{
	return synced;
}

enum ike_kind ike_missing(const struct ike_peer *peer)
{
	return missing;
}

bool ike_sas_tidy(struct ike_peer *peer)
{
	return false;
}

bool ike_peer_wanted(const struct ike_peer *peer)
{
	return true;
}

bool ike_peer_protected(const struct ike_peer *peer)
{
	return false;
}

const struct ike_sa *ike_peer_sa(const struct ike_peer *peer)
{
	return NULL;
}

struct ike_sa *ike_sa_find(struct ike_peer *peer, uint32_t id)
{
	return NULL;
}

void ike_sa_terminate(struct ike_peer *peer, struct ike_sa *sa, bool force)
{
}

void ike_work_add(struct ike_peer *peer)
{
	works++;
}

void ike_peer_error(struct ike_peer *peer, const char *text)
{
	strlcpy(told, text, sizeof(told));
}

void ike_peer_note(struct ike_peer *peer, const char *text)
{
	strlcpy(told, text, sizeof(told));
}

void ike_log_changed(const struct ike_peer *peer)
{
}

bool ike_request(struct vici_builder *b)
{
	vici_free(b);
	return true;
}

enum swmesh_vici_error swmesh_vici_request(struct vici_builder *b,
					   swmesh_vici_done done, void *arg)
{
	initiated++;
	vici_free(b);
	return SWMESH_VICI_OK;
}

bool swmesh_vici_log_ready(void)
{
	return true;
}

struct swmesh_vici_status swmesh_vici_status(void)
{
	struct swmesh_vici_status status = {.path = "/run/charon.vici"};

	return status;
}

/* ---- scenery ---- */

static struct ike_peer peers[3];

static void turn(struct thread *t)
{
	unsigned int *turns = THREAD_ARG(t);

	if (++*turns < 4)
		thread_add_event(master, turn, turns, 0, NULL);
}

/* What is due now, and what follows from it at once. */
static void run(void)
{
	unsigned int turns = 0;
	struct thread t;

	thread_add_event(master, turn, &turns, 0, NULL);
	while (turns < 4 && thread_fetch(master, &t))
		thread_call(&t);
}

static int setup(void **state)
{
	master = thread_master_create(NULL);
	swmesh = &the_mesh;
	swmesh->config.handshakes = 2;
	memset(peers, 0, sizeof(peers));
	for (unsigned int i = 0; i < array_size(peers); i++) {
		ike_sas_init(&peers[i].sas);
		peers[i].has_conn = peers[i].loaded = true;
		peers[i].initiator = true;
		peers[i].child[ENCAP_PROTOCOL_GRE].wanted = true;
	}
	synced = true;
	missing = ENCAP_PROTOCOL_GRE;
	initiated = works = 0;
	told[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	for (unsigned int i = 0; i < array_size(peers); i++)
		ike_fsm_clear(&peers[i]);
	run();
	assert_int_equal(swmesh_ike_in_flight(), 0);
	assert_int_equal(swmesh_ike_queued(), 0);
	ike_queue_stop();
	thread_master_free(master);
	return 0;
}

/* ---- the table ---- */

static void test_table(void **state)
{
	for (unsigned int s = 0; s < IKE_STATES; s++) {
		enum ike_state up = ike_next_state(s, IKE_EV_COMPLETE);

		/* Without charon, and when it must not be: wherever it is. */
		assert_int_equal(ike_next_state(s, IKE_EV_AWAY), IKE_AWAY);
		assert_int_equal(ike_next_state(s, IKE_EV_BLOCKED),
				 IKE_BLOCKED);
		assert_int_equal(up, IKE_UP);
		/* A handshake has to be granted. */
		if (s != IKE_INITIATING && s != IKE_QUEUED)
			assert_int_not_equal(ike_next_state(s, IKE_EV_SLOT),
					     IKE_INITIATING);
		/* Only what is complete is up. */
		for (unsigned int e = 0; e < IKE_EVENTS; e++)
			if (s != IKE_UP && e != IKE_EV_COMPLETE)
				assert_int_not_equal(ike_next_state(s, e),
						     IKE_UP);
		assert_non_null(ike_state_name(s));
	}
	for (unsigned int e = 0; e < IKE_EVENTS; e++)
		assert_non_null(ike_event_name(e));
}

/* ---- behaviour ---- */

static void test_turns(void **state)
{
	peers[1].initiator = false;
	peers[1].proven = true; /* or they would share one turn */
	ike_check(&peers[0]);
	ike_check(&peers[1]);
	assert_int_equal(peers[0].state, IKE_QUEUED);
	assert_int_equal(peers[1].state, IKE_WAITING);
	run();
	assert_int_equal(peers[0].state, IKE_INITIATING);
	assert_int_equal(peers[1].state, IKE_WAITING);
	assert_int_equal(initiated, 1);
	/* Not for ever: the other end may think that all is well. */
	assert_true(peers[1].next_try > ike_now_ms());
	ike_event(&peers[1], IKE_EV_TIMER);
	run();
	assert_int_equal(peers[1].state, IKE_INITIATING);
}

static void test_pace(void **state)
{
	for (unsigned int i = 0; i < 3; i++) {
		peers[i].proven = true;
		ike_check(&peers[i]);
	}
	run();
	assert_int_equal(swmesh_ike_in_flight(), 2);
	assert_int_equal(swmesh_ike_queued(), 1);
	assert_int_equal(initiated, 2);
	assert_int_equal(peers[2].state, IKE_QUEUED);

	missing = IKE_CHILDREN;
	ike_check(&peers[0]);
	assert_int_equal(peers[0].state, IKE_UP);
	missing = ENCAP_PROTOCOL_GRE;
	run();
	assert_int_equal(peers[2].state, IKE_INITIATING);
	assert_int_equal(initiated, 3);
}

static void test_backoff(void **state)
{
	int64_t waits[8];

	ike_check(&peers[0]);
	for (unsigned int i = 0; i < array_size(waits); i++) {
		run();
		assert_int_equal(peers[0].state, IKE_INITIATING);
		strlcpy(peers[0].why, "authentication failed",
			sizeof(peers[0].why));
		ike_event(&peers[0], IKE_EV_FAILED);
		assert_int_equal(peers[0].state, IKE_BACKOFF);
		assert_string_equal(told, "authentication failed");
		waits[i] = peers[0].next_try - ike_now_ms();
		ike_event(&peers[0], IKE_EV_TIMER);
	}
	assert_in_range(waits[0], 900, 1300);
	assert_in_range(waits[1], 1900, 2500);
	assert_in_range(waits[7], 59000, 73000);

	/* A new beginning once it was up. */
	missing = IKE_CHILDREN;
	ike_check(&peers[0]);
	assert_int_equal(peers[0].retries, 0);
}

/* The other end may not be ready yet: not too long. */
static void test_soon(void **state)
{
	ike_check(&peers[0]);
	peers[0].retries = 6;
	run();
	peers[0].why_soon = true;
	ike_event(&peers[0], IKE_EV_FAILED);
	assert_true(peers[0].next_try - ike_now_ms() < 10000);
}

/* Why it failed is told when it has: so late is soon enough. */
static void test_soon_told_late(void **state)
{
	ike_check(&peers[0]);
	peers[0].retries = 6;
	run();
	peers[0].attempt = 7;
	ike_event(&peers[0], IKE_EV_FAILED);
	assert_int_equal(peers[0].failed, 7);
	assert_true(peers[0].next_try - ike_now_ms() > 30000);
	assert_string_equal(told, "");
	peers[0].why_soon = true;
	strlcpy(peers[0].why, "not ready", sizeof(peers[0].why));
	ike_failed_by(&peers[0]);
	assert_string_equal(told, "not ready");
	assert_true(peers[0].next_try - ike_now_ms() < 10000);
	/* It waits no longer for that. */
	peers[0].retries = 0;
	ike_event(&peers[0], IKE_EV_TIMER);
	run();
	ike_event(&peers[0], IKE_EV_FAILED);
	peers[0].why_soon = true;
	ike_failed_by(&peers[0]);
	assert_true(peers[0].next_try - ike_now_ms() < 1300);
}

static void test_time_out(void **state)
{
	ike_check(&peers[0]);
	run();
	assert_in_range(peers[0].attempt_until - ike_now_ms(), 29000, 30000);
	ike_event(&peers[0], IKE_EV_TIMER);
	assert_int_equal(peers[0].state, IKE_BACKOFF);
	assert_int_equal(swmesh_ike_in_flight(), 0);
	assert_non_null(strstr(told, "no answer"));
}

static void test_children_one_by_one(void **state)
{
	ike_check(&peers[0]);
	run();
	assert_int_equal(initiated, 1);
	ike_check(&peers[0]); /* nothing new */
	assert_int_equal(initiated, 1);
	missing = ENCAP_PROTOCOL_IP4;
	ike_check(&peers[0]);
	assert_int_equal(initiated, 2);
	assert_int_equal(peers[0].state, IKE_INITIATING);
}

static void test_charon_away(void **state)
{
	ike_check(&peers[0]);
	run();
	synced = false;
	ike_check(&peers[0]);
	assert_int_equal(peers[0].state, IKE_AWAY);
	assert_int_equal(swmesh_ike_in_flight(), 0);
	assert_non_null(strstr(told, "charon"));
	synced = true;
	peers[0].has_conn = false;
	ike_check(&peers[0]);
	assert_int_equal(peers[0].state, IKE_LOADING);
	assert_int_equal(initiated, 1);
	peers[0].has_conn = true;
	ike_check(&peers[0]);
	run();
	assert_int_equal(peers[0].state, IKE_INITIATING);
}

static void test_blocked(void **state)
{
	strlcpy(peers[0].blocked, "no such file", sizeof(peers[0].blocked));
	ike_check(&peers[0]);
	assert_int_equal(peers[0].state, IKE_BLOCKED);
	assert_string_equal(told, "no such file");
	run();
	assert_int_equal(initiated, 0);
}

/* Not before charon has what it is to use. */
static void test_loading(void **state)
{
	peers[0].loading = true;
	ike_check(&peers[0]);
	run();
	assert_int_equal(initiated, 0);
	peers[0].loading = false;
	ike_check(&peers[0]);
	run();
	assert_int_equal(initiated, 1);
}

static void complete(struct ike_peer *peer)
{
	missing = IKE_CHILDREN;
	ike_check(peer);
	assert_int_equal(peer->state, IKE_UP);
	missing = ENCAP_PROTOCOL_GRE;
}

/* The peer has begun: two IKE_SAs would be one too many. */
static void test_incoming(void **state)
{
	ike_yield(&peers[0]);
	ike_check(&peers[0]);
	assert_int_equal(peers[0].state, IKE_WAITING);
	assert_non_null(strstr(told, "first message"));
	run();
	assert_int_equal(initiated, 0);
	ike_yield_end(&peers[0]);
	ike_check(&peers[0]);
	run();
	assert_int_equal(initiated, 1);
}

/* Anybody can send a first message: we wait once, however many come, until it
 * was up again. */
static void test_incoming_again(void **state)
{
	int64_t until;

	complete(&peers[0]);
	ike_yield(&peers[0]);
	ike_check(&peers[0]);
	assert_int_equal(peers[0].state, IKE_WAITING);
	until = peers[0].yield_until;
	assert_in_range(until - ike_now_ms(), 9000, 10000);
	/* As if that were over. */
	peers[0].yield_until = 1;
	ike_yield(&peers[0]);
	assert_int_equal(peers[0].yield_until, 1);
	ike_check(&peers[0]);
	run();
	assert_int_equal(peers[0].state, IKE_INITIATING);
	/* Nor after an attempt that has failed. */
	ike_event(&peers[0], IKE_EV_FAILED);
	ike_yield(&peers[0]);
	ike_event(&peers[0], IKE_EV_TIMER);
	run();
	assert_int_equal(peers[0].state, IKE_INITIATING);
	complete(&peers[0]);
	ike_yield(&peers[0]);
	assert_true(peers[0].yield_until > ike_now_ms());
}

/* ---- whose turn it is ---- */

static void lose(struct ike_peer *peer)
{
	ike_check(peer);
	assert_int_equal(peer->state, IKE_QUEUED);
}

/* Who was up before does not wait for those who do not answer. */
static void test_proven_first(void **state)
{
	complete(&peers[2]);
	ike_check(&peers[0]);
	ike_check(&peers[1]);
	run();
	/* One of two is kept for such. */
	assert_int_equal(peers[0].state, IKE_INITIATING);
	assert_int_equal(peers[1].state, IKE_QUEUED);
	lose(&peers[2]);
	run();
	assert_int_equal(peers[2].state, IKE_INITIATING);
	assert_int_equal(swmesh_ike_in_flight(), 2);
}

/* An attempt that has to be repeated gives way, if there are too many. */
static void test_overdue_gives_way(void **state)
{
	swmesh->config.handshakes = 1;
	ike_check(&peers[0]);
	run();
	ike_check(&peers[1]);
	run();
	assert_int_equal(peers[1].state, IKE_QUEUED);
	ike_does_not_answer(&peers[0]);
	run();
	assert_int_equal(peers[0].state, IKE_BACKOFF);
	assert_non_null(strstr(told, "no answer"));
	assert_int_equal(peers[1].state, IKE_INITIATING);
	/* It comes last, then. */
	ike_event(&peers[0], IKE_EV_TIMER);
	ike_check(&peers[2]);
	assert_int_equal(swmesh_ike_queued(), 2);
	ike_event(&peers[1], IKE_EV_FAILED);
	run();
	assert_int_equal(peers[2].state, IKE_INITIATING);
	assert_int_equal(peers[0].state, IKE_QUEUED);
}

/* Those that did not answer have their share, and no more. */
static void test_silent_share(void **state)
{
	swmesh->config.handshakes = 8;
	for (unsigned int i = 0; i < 3; i++) {
		ike_does_not_answer(&peers[i]);
		ike_check(&peers[i]);
	}
	run();
	assert_int_equal(swmesh_ike_in_flight(), 2);
	assert_int_equal(swmesh_ike_queued(), 1);
	ike_answers(&peers[0]);
	ike_turns_run();
	run();
	assert_int_equal(swmesh_ike_in_flight(), 3);
}

/* Whether it was up is remembered when it goes and comes. */
static void test_proven_remembered(void **state)
{
	complete(&peers[0]);
	assert_true(ike_proven_before(&peers[0].addr));
	ike_queue_stop();
	assert_false(ike_proven_before(&peers[0].addr));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_table),
		TEST(test_turns),
		TEST(test_pace),
		TEST(test_backoff),
		TEST(test_soon),
		TEST(test_soon_told_late),
		TEST(test_time_out),
		TEST(test_children_one_by_one),
		TEST(test_charon_away),
		TEST(test_blocked),
		TEST(test_loading),
		TEST(test_incoming),
		TEST(test_incoming_again),
		TEST(test_proven_first),
		TEST(test_overdue_gives_way),
		TEST(test_silent_share),
		TEST(test_proven_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
