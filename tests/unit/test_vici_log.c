// SPDX-License-Identifier: GPL-2.0-or-later
/* charon's log by a connection of its own: only while it is wanted, and never
 * closed before the registration is taken back. */
#include "tests/unit/vici_scenery.h"

#include "swmeshd/charon/charon_log.h"

/* The peer's two ends. */
static int requests;

static void on_event(const char *name, const struct vici_section *msg)
{
	note("event %s\n", name);
}

static void on_up(bool up)
{
	note("%s\n", up ? "up" : "down");
}

static void on_log(const struct vici_section *msg)
{
	char what[32];

	vici_find_text(msg, "what", what, sizeof(what));
	note("log %s\n", what);
}

static void on_log_up(void)
{
	note("log up\n");
}

static const char *const events[] = {"ike-updown", NULL};
static const struct swmesh_vici_ops with_log = {
	.events = events,
	.event = on_event,
	.up = on_up,
	.log = on_log,
	.log_up = on_log_up,
};

static int setup_log(void **unused)
{
	setup(unused);
	swmesh_vici_stop();
	swmesh_vici_start(&with_log);
	RUN_UNTIL(accepted());
	peer_expect(VICI_EVENT_REGISTER, "ike-updown");
	peer_confirm();
	RUN_UNTIL(state() == SWMESH_VICI_UP);
	assert_journal("up\n");
	requests = peer;
	peer = -1;
	return 0;
}

static int teardown_log(void **unused)
{
	close(requests);
	return teardown(unused);
}

/* The log is wanted: charon is asked for it, and has not answered yet. */
static void want_registered(void)
{
	swmesh_vici_log_want(true);
	RUN_UNTIL(accepted());
	peer_expect(VICI_EVENT_REGISTER, "log");
}

/* The registration is being taken back: it is closed when charon has confirmed,
 * not before, and nothing of it is told any more. */
static void closed_on_confirmation(void)
{
	settle();
	assert_false(peer_sees_end());
	peer_confirm();
	RUN_UNTIL(peer_sees_end());
	assert_journal("");
	peer_close();
}

static void log_welcome(void)
{
	want_registered();
	assert_false(swmesh_vici_log_ready());
	peer_confirm();
	RUN_UNTIL(swmesh_vici_log_ready());
	assert_journal("log up\n");
}

static void test_wanted(void **unused)
{
	settle();
	assert_false(accepted());
	log_welcome();
	peer_send(VICI_EVENT, "log", "a");
	peer_send(VICI_EVENT, "log", "b");
	settle();
	assert_journal("log a\nlog b\n");

	/* Not any more: it is closed when charon has confirmed. */
	swmesh_vici_log_want(false);
	peer_expect(VICI_EVENT_UNREGISTER, "log");
	peer_send(VICI_EVENT, "log", "late");
	closed_on_confirmation();
	assert_int_equal(state(), SWMESH_VICI_UP);
}

/* Wanted again while it is being closed. */
static void test_wanted_again(void **unused)
{
	log_welcome();
	swmesh_vici_log_want(false);
	peer_expect(VICI_EVENT_UNREGISTER, "log");
	swmesh_vici_log_want(true);
	settle();
	peer_confirm();
	RUN_UNTIL(peer_sees_end());
	peer_close();
	log_welcome();
}

/* The end of it does not touch requests; it comes again by itself. */
static void test_lost(void **unused)
{
	log_welcome();
	peer_close();
	RUN_UNTIL(accepted());
	peer_expect(VICI_EVENT_REGISTER, "log");
	peer_confirm();
	RUN_UNTIL(swmesh_vici_log_ready());
	assert_journal("log up\n");
	assert_int_equal(state(), SWMESH_VICI_UP);
}

/* charon is away: so is its log, until it is back. */
static void test_charon_away(void **unused)
{
	log_welcome();
	close(requests);
	RUN_UNTIL(state() == SWMESH_VICI_DOWN);
	peer_expect(VICI_EVENT_UNREGISTER, "log");
	peer_confirm();
	RUN_UNTIL(peer_sees_end());
	peer_close();
	assert_journal("down\n");
	RUN_UNTIL(accepted());
	peer_expect(VICI_EVENT_REGISTER, "ike-updown");
	requests = peer;
	peer_confirm();
	peer = -1;
	RUN_UNTIL(accepted());
	peer_expect(VICI_EVENT_REGISTER, "log");
	peer_confirm();
	RUN_UNTIL(swmesh_vici_log_ready());
	assert_journal("up\nlog up\n");
}

/* Our end: the registration is taken back, and charon's word waited for, but
 * not for long. */
static void test_stop(void **unused)
{
	log_welcome();
	swmesh_vici_stop();
	peer_expect(VICI_EVENT_UNREGISTER, "log");
	RUN_UNTIL(peer_sees_end());
}

/* ... and also when charon has not confirmed the registration yet, ... */
static void test_stop_early(void **unused)
{
	want_registered();
	swmesh_vici_stop();
	peer_expect(VICI_EVENT_UNREGISTER, "log");
	RUN_UNTIL(peer_sees_end());
	assert_journal("");
}

/* ... in which case it is not up for a moment in between. */
static void test_unwanted_early(void **unused)
{
	want_registered();
	swmesh_vici_log_want(false);
	peer_confirm();
	peer_expect(VICI_EVENT_UNREGISTER, "log");
	closed_on_confirmation();
}

#define LOG_TEST(name)                                                         \
	cmocka_unit_test_setup_teardown(name, setup_log, teardown_log)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LOG_TEST(test_wanted),	       LOG_TEST(test_wanted_again),
		LOG_TEST(test_lost),	       LOG_TEST(test_charon_away),
		LOG_TEST(test_stop),	       LOG_TEST(test_stop_early),
		LOG_TEST(test_unwanted_early),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
