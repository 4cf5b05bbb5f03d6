// SPDX-License-Identifier: GPL-2.0-or-later
/* swmeshd's vici client and a peer that talks nonsense, or not at all. */
#include "tests/unit/vici_scenery.h"

#include <poll.h>

static void assert_thrown_out(const char *hostile, size_t len, const char *why,
			      const char *noted)
{
	uint64_t bad = stats()->bad;

	peer_welcome();
	assert_int_equal(request("one", "1"), SWMESH_VICI_OK);
	peer_expect(VICI_CMD_REQUEST, "one");
	peer_send_octets(hostile, len);
	RUN_UNTIL(state() != SWMESH_VICI_UP);
	assert_journal(noted);
	assert_int_equal(stats()->bad - bad, 1);
	assert_non_null(strstr(swmesh_vici_status().error, why));
	RUN_UNTIL(peer_sees_end());
	peer_close();
	/* not to wait for the next attempt */
	swmesh_vici_stop();
	swmesh_vici_start(&ops);
}

#define THROWN_OUT(hostile, why)                                               \
	assert_thrown_out(hostile, sizeof(hostile) - 1, why,                   \
			  "1: connection to charon lost, \ndown\n")

static void test_hostile(void **unused)
{
	THROWN_OUT("\x00\x08\x00\x01", "a packet of 524289 octets");
	THROWN_OUT("\xff\xff\xff\xff", "a packet of 4294967295 octets");
	THROWN_OUT("\x00\x00\x00\x00", "ends within");
	THROWN_OUT("\x00\x00\x00\x01\x09", "unknown type of packet");
	THROWN_OUT("\x00\x00\x00\x02\x01\x02", "malformed");
	THROWN_OUT("\x00\x00\x00\x03\x03\x01x", "a packet of type 3");
	THROWN_OUT("\x00\x00\x00\x01\x05", "a confirmation of nothing");
	/* one answer too many */
	assert_thrown_out("\x00\x00\x00\x01\x01\x00\x00\x00\x01\x01", 10,
			  "a reply to no request", "1: done\ndown\n");
}

/* An answer to a request that is not sent in full yet; and to a registration
 * that may not have been sent at all. */
static void test_hasty(void **unused)
{
	static char octets[VICI_VALUE_MAX];
	struct vici_builder b;

	peer_welcome();
	vici_begin(&b, VICI_CMD_REQUEST, "large");
	for (int i = 0; i < 7; i++)
		vici_key_octets(&b, "k", octets, sizeof(octets));
	assert_int_equal(swmesh_vici_request(&b, on_done, (void *)"1"),
			 SWMESH_VICI_OK);
	settle();
	peer_reply(NULL);
	RUN_UNTIL(state() != SWMESH_VICI_UP);
	assert_journal("1: connection to charon lost, \ndown\n");
	RUN_UNTIL(peer_sees_end());
	peer_close();

	RUN_UNTIL(accepted());
	peer_send(VICI_CMD_UNKNOWN, NULL, NULL);
	RUN_UNTIL(peer_sees_end());
	assert_journal("");
}

static void test_timeout(void **unused)
{
	time_t deadline = monotime(NULL) + PATIENCE_S;
	uint64_t timeouts = stats()->timeouts;

	peer_welcome();
	swmesh_vici_set_timeout(200);
	assert_int_equal(request("one", "1"), SWMESH_VICI_OK);
	assert_int_equal(request("two", "2"), SWMESH_VICI_OK);
	/* events are no progress */
	while (state() == SWMESH_VICI_UP) {
		assert_true(monotime(NULL) < deadline);
		journal[0] = '\0';
		peer_send(VICI_EVENT, "log", "x");
		run_once();
	}
	assert_journal(
		"1: no answer from charon, \n"
		"2: no answer from charon, \n"
		"down\n");
	assert_int_equal(stats()->timeouts - timeouts, 1);
	assert_non_null(strstr(swmesh_vici_status().error, "no answer to one"));
	swmesh_vici_set_timeout(SWMESH_VICI_TIMEOUT_MS);
	peer_close();
	peer_welcome();
}

/* We were stopped, or busy: what lies in the socket is read before it is
 * judged, and the time does not count. */
static void test_not_us(void **unused)
{
	uint64_t timeouts = stats()->timeouts;

	peer_welcome();
	swmesh_vici_set_timeout(200);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(request("one", "1"), SWMESH_VICI_OK);
		peer_expect(VICI_CMD_REQUEST, "one");
		peer_reply(NULL);
		poll(NULL, 0, 500);
		RUN_UNTIL(swmesh_vici_status().wire == 0);
		assert_journal("1: done\n");
	}
	assert_int_equal(stats()->timeouts, timeouts);
	assert_int_equal(state(), SWMESH_VICI_UP);
}

/* New connections are not answered, twice: it hangs, and that is told until it
 * answers again. */
static void test_hangs(void **unused)
{
	swmesh_vici_set_timeout(50);
	for (int i = 0; i < 3; i++) {
		RUN_UNTIL(accepted());
		RUN_UNTIL(state() == SWMESH_VICI_REGISTERING);
		assert_int_equal(swmesh_vici_status().hangs_since != 0, i > 1);
		RUN_UNTIL(state() == SWMESH_VICI_DOWN);
		peer_close();
	}
	assert_true(swmesh_vici_status().hangs_since != 0);
	swmesh_vici_set_timeout(SWMESH_VICI_TIMEOUT_MS);
	peer_welcome();
	assert_int_equal(swmesh_vici_status().hangs_since, 0);
}

/* A peer that accepts and says nothing. */
static void test_timeout_registering(void **unused)
{
	swmesh_vici_set_timeout(50);
	RUN_UNTIL(accepted());
	RUN_UNTIL(state() == SWMESH_VICI_REGISTERING);
	RUN_UNTIL(state() == SWMESH_VICI_DOWN);
	assert_journal("");
	assert_non_null(strstr(swmesh_vici_status().error, "ike-updown"));
}

/* Items of a list are progress, answers too; idle is not stuck. */
static void test_no_timeout(void **unused)
{
	struct timeval begin;
	int64_t next = 0;

	peer_welcome();
	swmesh_vici_set_timeout(2000);
	assert_int_equal(list("list-sa", "l"), SWMESH_VICI_OK);
	peer_expect(VICI_EVENT_REGISTER, "list-sa");
	peer_expect(VICI_CMD_REQUEST, "list-sas");
	peer_confirm();
	monotime(&begin);
	while (monotime_since(&begin, NULL) < 3000000) {
		if (monotime_since(&begin, NULL) >= next) {
			peer_send(VICI_EVENT, "list-sa", "a");
			next += 100000;
		}
		run_once();
		journal[0] = '\0';
	}
	assert_int_equal(state(), SWMESH_VICI_UP);
	peer_reply(NULL);
	peer_confirm();
	RUN_UNTIL(swmesh_vici_status().wire == 0);
	assert_journal("l: done\n");

	assert_int_equal(request("one", "1"), SWMESH_VICI_OK);
	peer_expect(VICI_EVENT_UNREGISTER, "list-sa");
	peer_expect(VICI_CMD_REQUEST, "one");
	peer_reply(NULL);
	monotime(&begin);
	while (monotime_since(&begin, NULL) < 3000000)
		run_once();
	assert_int_equal(state(), SWMESH_VICI_UP);
	assert_journal("1: done\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_hostile),    TEST(test_hasty),
		TEST(test_timeout),    TEST(test_timeout_registering),
		TEST(test_no_timeout), TEST(test_not_us),
		TEST(test_hangs),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
