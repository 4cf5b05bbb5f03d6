// SPDX-License-Identifier: GPL-2.0-or-later
/* swmeshd's vici client: its connection, requests, events, lists, callbacks. */
#include "tests/unit/vici_scenery.h"

#include <sys/un.h>

/* swmesh_vici_cancel() goes by the pointer. */
static const char many[] = "m", second[] = "2";

/* ---- connecting ---- */

static void test_up(void **unused)
{
	assert_int_equal(state(), SWMESH_VICI_DOWN);
	RUN_UNTIL(accepted());
	peer_expect(VICI_EVENT_REGISTER, "ike-updown");
	peer_expect(VICI_EVENT_REGISTER, "log");
	peer_confirm();
	settle();
	assert_int_equal(state(), SWMESH_VICI_REGISTERING);
	assert_int_equal(request("early", NULL), SWMESH_VICI_NOT_UP);
	/* no news before up: whoever comes up reads the state */
	peer_send(VICI_EVENT, "log", "early");
	peer_confirm();
	RUN_UNTIL(state() == SWMESH_VICI_UP);
	assert_journal("up\n");
	assert_string_equal(swmesh_vici_status().path, path);
}

static void test_unknown_event(void **unused)
{
	RUN_UNTIL(accepted());
	peer_expect(VICI_EVENT_REGISTER, "ike-updown");
	peer_expect(VICI_EVENT_REGISTER, "log");
	peer_send(VICI_EVENT_UNKNOWN, NULL, NULL);
	peer_confirm();
	RUN_UNTIL(state() == SWMESH_VICI_UP);
	assert_journal("up\n");
}

static void test_no_events(void **unused)
{
	swmesh_vici_stop();
	swmesh_vici_start(&no_events);
	RUN_UNTIL(state() == SWMESH_VICI_UP);
	assert_journal("up\n");
	assert_int_equal(request("version", "a"), SWMESH_VICI_OK);
	RUN_UNTIL(accepted());
	peer_expect(VICI_CMD_REQUEST, "version");
	peer_reply("5.9.8");
	RUN_UNTIL(*journal);
	assert_journal("a: done 5.9.8\n");
}

static void test_reconnect(void **unused)
{
	uint64_t attempts;
	time_t since;

	peer_welcome();
	since = swmesh_vici_status().since;
	assert_int_equal(request("one", "1"), SWMESH_VICI_OK);
	assert_int_equal(request("two", "2"), SWMESH_VICI_OK);
	assert_int_equal(list("list-sa", "3"), SWMESH_VICI_OK);
	peer_expect(VICI_CMD_REQUEST, "one");
	close(listener);
	listener = -1;
	attempts = stats()->attempts;
	peer_close();
	RUN_UNTIL(state() == SWMESH_VICI_DOWN);
	assert_journal(
		"1: connection to charon lost, \n"
		"2: connection to charon lost, \n"
		"3: connection to charon lost, \n"
		"down\n");
	assert_true(swmesh_vici_status().since >= since);
	assert_non_null(strstr(swmesh_vici_status().error, path));
	assert_int_equal(request("three", "3"), SWMESH_VICI_NOT_UP);
	assert_int_equal(swmesh_vici_room(), 0);
	assert_int_equal(swmesh_vici_status().queued, 0);
	assert_int_equal(swmesh_vici_status().wire, 0);

	RUN_UNTIL(stats()->attempts > attempts);
	assert_int_equal(state(), SWMESH_VICI_DOWN);
	assert_non_null(strstr(swmesh_vici_status().error, "nobody listens"));
	listen_at(path);
	peer_welcome();
	assert_int_equal(request("four", "4"), SWMESH_VICI_OK);
	peer_expect(VICI_CMD_REQUEST, "four");
	peer_reply(NULL);
	RUN_UNTIL(*journal);
	assert_journal("4: done\n");
}

static void test_path(void **unused)
{
	char longest[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];

	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_false(swmesh_vici_set_path(longest));
	peer_welcome();
	listen_at(other_path);
	assert_int_equal(request("one", "1"), SWMESH_VICI_OK);
	assert_true(swmesh_vici_set_path(path));
	settle();
	assert_int_equal(state(), SWMESH_VICI_UP);
	assert_true(swmesh_vici_set_path(other_path));
	RUN_UNTIL(state() != SWMESH_VICI_UP);
	assert_journal("1: connection to charon lost, \ndown\n");
	peer_close();
	peer_welcome();
	unlink(other_path);
}

/* ---- requests ---- */

static void test_replies(void **unused)
{
	uint64_t refusals = stats()->refusals;

	peer_welcome();
	assert_int_equal(request("one", "1"), SWMESH_VICI_OK);
	assert_int_equal(request("two", "2"), SWMESH_VICI_OK);
	assert_int_equal(request("three", "3"), SWMESH_VICI_OK);
	assert_int_equal(request("four", "4"), SWMESH_VICI_OK);
	peer_expect(VICI_CMD_REQUEST, "one");
	assert_true(vici_find_is(&got.msg, "data", SECRET));
	peer_expect(VICI_CMD_REQUEST, "two");
	peer_expect(VICI_CMD_REQUEST, "three");
	peer_expect(VICI_CMD_REQUEST, "four");
	peer_reply("first");
	RUN_UNTIL(*journal);
	assert_journal("1: done first\n");
	peer_refuse("no such\nthing");
	peer_send(VICI_CMD_UNKNOWN, NULL, NULL);
	peer_refuse(NULL);
	RUN_UNTIL(strstr(journal, "4:"));
	assert_journal(
		"2: refused by charon, no such?thing\n"
		"3: unknown to charon, this charon does not know the command three\n"
		"4: refused by charon, charon gave no reason\n");
	assert_int_equal(stats()->refusals - refusals, 3);
}

static void test_bad_requests(void **unused)
{
	struct vici_builder b;

	peer_welcome();
	vici_begin(&b, VICI_CMD_REQUEST, "x");
	vici_section_start(&b, "open");
	assert_int_equal(swmesh_vici_request(&b, on_done, NULL),
			 SWMESH_VICI_BAD_REQUEST);
	assert_null(b.buf);
	vici_begin(&b, VICI_EVENT, "x");
	vici_key_value(&b, "data", SECRET);
	assert_int_equal(swmesh_vici_request(&b, on_done, NULL),
			 SWMESH_VICI_BAD_REQUEST);
	vici_begin(&b, VICI_CMD_REQUEST, "x");
	assert_int_equal(swmesh_vici_list(&b, "", NULL, on_done, NULL),
			 SWMESH_VICI_BAD_REQUEST);
	settle();
	assert_journal("");
}

static void test_window(void **unused)
{
	char arg[SWMESH_VICI_WINDOW + 5][8];

	peer_welcome();
	for (size_t i = 0; i < array_size(arg); i++) {
		snprintf(arg[i], sizeof(arg[i]), "%zu", i);
		assert_int_equal(request(arg[i], arg[i]), SWMESH_VICI_OK);
	}
	for (size_t i = 0; i < SWMESH_VICI_WINDOW; i++)
		peer_expect(VICI_CMD_REQUEST, arg[i]);
	settle();
	assert_false(peer_has_packet(SIZE_MAX));
	assert_int_equal(swmesh_vici_status().queued, 5);
	assert_int_equal(swmesh_vici_status().wire, SWMESH_VICI_WINDOW);
	peer_reply(NULL);
	peer_expect(VICI_CMD_REQUEST, arg[SWMESH_VICI_WINDOW]);
	settle();
	assert_false(peer_has_packet(SIZE_MAX));
	assert_journal("0: done\n");
}

static void test_full(void **unused)
{
	static char octets[VICI_VALUE_MAX];
	enum swmesh_vici_error error = SWMESH_VICI_OK;
	struct vici_builder b;
	unsigned int n;

	peer_welcome();
	assert_int_equal(swmesh_vici_room(), SWMESH_VICI_REQUESTS_MAX);
	for (n = 0; n < SWMESH_VICI_REQUESTS_MAX; n++)
		assert_int_equal(request("many", many), SWMESH_VICI_OK);
	assert_int_equal(swmesh_vici_room(), 0);
	assert_int_equal(request("many", many), SWMESH_VICI_FULL);
	swmesh_vici_cancel(many);
	swmesh_vici_stop();
	assert_journal("");
	peer_close();

	swmesh_vici_start(&ops);
	peer_welcome();
	for (n = 0; !error && n < SWMESH_VICI_REQUESTS_MAX; n++) {
		vici_begin(&b, VICI_CMD_REQUEST, "large");
		for (int i = 0; i < 7; i++)
			vici_key_octets(&b, "k", octets, sizeof(octets));
		error = swmesh_vici_request(&b, NULL, NULL);
	}
	assert_int_equal(error, SWMESH_VICI_FULL);
	assert_true(n > SWMESH_VICI_OCTETS_MAX / VICI_PACKET_MAX);
	assert_true(n < 20);
}

/* One that fills the socket's buffer many times over, read piece by piece. */
static void test_partial_write(void **unused)
{
	static char octets[VICI_VALUE_MAX];
	struct vici_value value;
	struct vici_builder b;
	struct vici_iter it;
	unsigned int n = 0;

	peer_welcome();
	memset(octets, 'x', sizeof(octets));
	memcpy(octets, SECRET, strlen(SECRET));
	vici_begin(&b, VICI_CMD_REQUEST, "large");
	for (int i = 0; i < 7; i++)
		vici_key_octets(&b, "k", octets, sizeof(octets));
	assert_int_equal(swmesh_vici_request(&b, on_done, (void *)"1"),
			 SWMESH_VICI_OK);
	assert_int_equal(request("small", "2"), SWMESH_VICI_OK);
	RUN_UNTIL(peer_has_packet(1000));
	assert_true(vici_is(&got.name, "large"));
	vici_each(&got.msg, it)
	{
		value = it.value;
		assert_int_equal(value.len, sizeof(octets));
		assert_memory_equal(value.at, octets, sizeof(octets));
		n++;
	}
	assert_int_equal(n, 7);
	peer_expect(VICI_CMD_REQUEST, "small");
	peer_reply("x");
	peer_reply("y");
	RUN_UNTIL(strstr(journal, "2:"));
	assert_journal("1: done x\n2: done y\n");
}

/* Answers, an event between them, octet by octet; then a very large one. */
static void test_partial_read(void **unused)
{
	static char octets[VICI_VALUE_MAX];
	struct vici_builder b;
	size_t sent = 0;
	ssize_t n;

	peer_welcome();
	assert_int_equal(request("one", "1"), SWMESH_VICI_OK);
	peer_expect(VICI_CMD_REQUEST, "one");
	peer_build(&b, VICI_EVENT, "log", "news");
	for (size_t i = 0; i < b.len; i++) {
		assert_journal("");
		peer_send_octets(b.buf + i, 1);
		run_once();
		run_once();
	}
	vici_free(&b);
	RUN_UNTIL(*journal);
	assert_journal("event log news\n");
	peer_build(&b, VICI_CMD_RESPONSE, NULL, "answer");
	for (size_t i = 0; i < b.len; i++) {
		peer_send_octets(b.buf + i, 1);
		run_once();
		run_once();
	}
	vici_free(&b);
	RUN_UNTIL(*journal);
	assert_journal("1: done answer\n");

	assert_int_equal(request("two", "2"), SWMESH_VICI_OK);
	peer_expect(VICI_CMD_REQUEST, "two");
	vici_begin(&b, VICI_CMD_RESPONSE, NULL);
	for (int i = 0; i < 7; i++)
		vici_key_octets(&b, "k", octets, sizeof(octets));
	vici_key_value(&b, "what", "large");
	assert_int_equal(vici_finish(&b), VICI_OK);
	while (sent < b.len) {
		n = send(peer, b.buf + sent, b.len - sent, MSG_NOSIGNAL);
		if (n > 0)
			sent += n;
		run_once();
	}
	vici_free(&b);
	RUN_UNTIL(*journal);
	assert_journal("2: done large\n");
}

/* ---- events and lists ---- */

static void test_events(void **unused)
{
	uint64_t unexpected = stats()->unexpected;

	peer_welcome();
	assert_int_equal(request("one", "1"), SWMESH_VICI_OK);
	peer_expect(VICI_CMD_REQUEST, "one");
	peer_send(VICI_EVENT, "ike-updown", "a");
	peer_send(VICI_EVENT, "nobody-asked", "b");
	peer_send(VICI_EVENT, "list-sa", "c");
	peer_send(VICI_EVENT, "log", "d");
	peer_reply("e");
	peer_send(VICI_EVENT, "log", "f");
	RUN_UNTIL(strstr(journal, " f"));
	assert_journal(
		"event ike-updown a\n"
		"event log d\n"
		"1: done e\n"
		"event log f\n");
	assert_int_equal(stats()->unexpected - unexpected, 2);
}

static void test_list(void **unused)
{
	peer_welcome();
	assert_int_equal(list("list-sa", "l"), SWMESH_VICI_OK);
	assert_int_equal(request("one", "1"), SWMESH_VICI_OK);
	peer_expect(VICI_EVENT_REGISTER, "list-sa");
	peer_expect(VICI_CMD_REQUEST, "list-sas");
	peer_expect(VICI_EVENT_UNREGISTER, "list-sa");
	peer_expect(VICI_CMD_REQUEST, "one");
	peer_confirm();
	peer_send(VICI_EVENT, "list-sa", "a");
	peer_send(VICI_EVENT, "log", "between");
	peer_send(VICI_EVENT, "list-sa", "b");
	peer_reply(NULL);
	peer_confirm();
	peer_reply(NULL);
	RUN_UNTIL(strstr(journal, "1:"));
	assert_journal(
		"l: item a\n"
		"event log between\n"
		"l: item b\n"
		"l: done\n"
		"1: done\n");
	assert_int_equal(swmesh_vici_status().wire, 0);
}

/* Its event is one that is registered anyway: twice would double it. */
static void test_list_of_registered(void **unused)
{
	peer_welcome();
	assert_int_equal(list("log", "l"), SWMESH_VICI_OK);
	peer_expect(VICI_CMD_REQUEST, "list-sas");
	peer_send(VICI_EVENT, "log", "a");
	peer_reply(NULL);
	peer_send(VICI_EVENT, "log", "b");
	RUN_UNTIL(strstr(journal, " b"));
	assert_journal("l: item a\nl: done\nevent log b\n");
	assert_false(peer_has_packet(SIZE_MAX));
}

static void test_list_unknown(void **unused)
{
	peer_welcome();
	assert_int_equal(list("list-sa", "l"), SWMESH_VICI_OK);
	peer_expect(VICI_EVENT_REGISTER, "list-sa");
	peer_expect(VICI_CMD_REQUEST, "list-sas");
	peer_expect(VICI_EVENT_UNREGISTER, "list-sa");
	peer_send(VICI_EVENT_UNKNOWN, NULL, NULL);
	peer_reply(NULL);
	peer_send(VICI_EVENT_UNKNOWN, NULL, NULL);
	RUN_UNTIL(*journal);
	assert_journal(
		"l: unknown to charon, this charon does not know the event list-sa\n");
	settle();
	assert_int_equal(state(), SWMESH_VICI_UP);
}

/* ---- callbacks ---- */

static void test_cancel(void **unused)
{
	char *gone = strdup("gone"), *gone_too = strdup("gone too");

	peer_welcome();
	assert_int_equal(request("one", gone), SWMESH_VICI_OK);
	assert_int_equal(list("list-sa", gone_too), SWMESH_VICI_OK);
	assert_int_equal(request("two", "2"), SWMESH_VICI_OK);
	peer_expect(VICI_CMD_REQUEST, "one");
	swmesh_vici_cancel(gone);
	free(gone);
	peer_expect(VICI_EVENT_REGISTER, "list-sa");
	peer_reply(NULL);
	peer_confirm();
	peer_send(VICI_EVENT, "list-sa", "a");
	RUN_UNTIL(*journal);
	assert_journal("gone too: item a\n");
	swmesh_vici_cancel(gone_too);
	free(gone_too);
	peer_send(VICI_EVENT, "list-sa", "b");
	peer_reply(NULL);
	settle();
	assert_journal("");
	peer_close();
	RUN_UNTIL(*journal);
	assert_journal("2: connection to charon lost, \ndown\n");
}

static void on_done_again(void *arg, const struct swmesh_vici_reply *reply)
{
	enum swmesh_vici_error error = request("again", arg);

	note("%s %u\n", (const char *)arg, error);
	swmesh_vici_cancel(second);
}

/* A callback asks for more, and silences another; while the connection is there
 * and while it ends. */
static void test_from_callback(void **unused)
{
	struct vici_builder b;

	peer_welcome();
	vici_begin(&b, VICI_CMD_REQUEST, "one");
	assert_int_equal(swmesh_vici_request(&b, on_done_again, (void *)"1"),
			 SWMESH_VICI_OK);
	assert_int_equal(request("two", second), SWMESH_VICI_OK);
	peer_expect(VICI_CMD_REQUEST, "one");
	peer_expect(VICI_CMD_REQUEST, "two");
	peer_reply(NULL);
	peer_reply(NULL);
	peer_expect(VICI_CMD_REQUEST, "again");
	peer_reply("x");
	RUN_UNTIL(strstr(journal, " x"));
	assert_journal("1 0\n1: done x\n");

	vici_begin(&b, VICI_CMD_REQUEST, "one");
	assert_int_equal(swmesh_vici_request(&b, on_done_again, (void *)"1"),
			 SWMESH_VICI_OK);
	assert_int_equal(request("two", second), SWMESH_VICI_OK);
	assert_int_equal(request("three", "3"), SWMESH_VICI_OK);
	peer_close();
	RUN_UNTIL(strstr(journal, "down"));
	assert_journal("1 5\n3: connection to charon lost, \ndown\n");
}

static void on_done_stop(void *arg, const struct swmesh_vici_reply *reply)
{
	note("stop\n");
	swmesh_vici_stop();
}

static void test_stop_from_callback(void **unused)
{
	struct vici_builder b;

	for (int lost = 0; lost < 2; lost++) {
		peer_welcome();
		vici_begin(&b, VICI_CMD_REQUEST, "one");
		assert_int_equal(swmesh_vici_request(&b, on_done_stop, NULL),
				 SWMESH_VICI_OK);
		assert_int_equal(request("two", "2"), SWMESH_VICI_OK);
		peer_expect(VICI_CMD_REQUEST, "one");
		if (lost) {
			peer_close();
		} else {
			peer_reply(NULL);
			peer_reply(NULL);
		}
		RUN_UNTIL(*journal);
		assert_int_equal(state(), SWMESH_VICI_STOPPED);
		settle();
		assert_journal("stop\n");
		peer_close();
		swmesh_vici_start(&ops);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_up),
		TEST(test_unknown_event),
		TEST(test_no_events),
		TEST(test_reconnect),
		TEST(test_path),
		TEST(test_replies),
		TEST(test_bad_requests),
		TEST(test_window),
		TEST(test_full),
		TEST(test_partial_write),
		TEST(test_partial_read),
		TEST(test_events),
		TEST(test_list),
		TEST(test_list_of_registered),
		TEST(test_list_unknown),
		TEST(test_cancel),
		TEST(test_from_callback),
		TEST(test_stop_from_callback),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
