// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * swmeshd's vici client against a peer at a real socket. The peer is this same
 * thread: it reads and writes without waiting, between rounds of the event loop
 * that the client runs on, so each test says exactly what is sent when.
 *
 * What the client calls back is written to a journal, which tests compare.
 */
#include <zebra.h>

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/un.h>

#include <cmocka.h>

#include "debug.h"
#include "memory.h"
#include "monotime.h"
#include "printfrr.h"
#include "thread.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_vici.h"
#include "swmeshd/swmeshd.h"

DEFINE_MGROUP(SWMESHD, "swmeshd vici test");
struct debug swmesh_dbg_ike = {0, "ike"};
struct thread_master *master;

#define PATIENCE_S 30
#define SECRET "correct horse battery staple"

static char dir[] = "/tmp/swmesh-vici-XXXXXX";
static char path[64], other_path[64];
static int listener = -1, peer = -1;
static struct thread *t_tick;

static uint8_t rx[VICI_HEADER_LEN + VICI_PACKET_MAX];
static size_t rx_len, taken;
static struct vici_packet got; /* the last of peer_take() */

static char journal[4096];
static unsigned int secrets_freed;

/* ---- memory that is freed without being wiped ---- */

void __real_free(void *p);
void __wrap_free(void *p);

void __wrap_free(void *p)
{
	if (p && memmem(p, malloc_usable_size(p), SECRET, strlen(SECRET)))
		secrets_freed++;
	__real_free(p);
}

/* ---- the client's side ---- */

static void note(const char *fmt, ...)
{
	size_t len = strlen(journal);
	va_list ap;

	va_start(ap, fmt);
	vsnprintfrr(journal + len, sizeof(journal) - len, fmt, ap);
	va_end(ap);
}

/* What was noted since the last time. */
static void assert_journal(const char *want)
{
	assert_string_equal(journal, want);
	journal[0] = '\0';
}

static void on_event(const char *name, const struct vici_section *msg)
{
	char text[64];

	vici_find_text(msg, "what", text, sizeof(text));
	note("event %s %s\n", name, text);
}

static void on_up(bool up)
{
	note(up ? "up\n" : "down\n");
}

/* swmesh_vici_cancel() goes by the pointer. */
static const char many[] = "m", second[] = "2";

static const char *const events[] = {"ike-updown", "log", NULL};
static const struct swmesh_vici_ops ops = {.events = events,
					   .event = on_event,
					   .up = on_up};
static const struct swmesh_vici_ops no_events = {.event = on_event,
						 .up = on_up};

static void on_done(void *arg, const struct swmesh_vici_reply *reply)
{
	char text[64];

	vici_find_text(reply->msg, "what", text, sizeof(text));
	note("%s: %s", (const char *)arg, swmesh_vici_error_name(reply->error));
	note("%s%s%s%s\n", *text ? " " : "", text, *reply->text ? ", " : "",
	     reply->error == SWMESH_VICI_REFUSED ||
			     reply->error == SWMESH_VICI_UNKNOWN
		     ? reply->text
		     : "");
}

static void on_item(void *arg, const struct vici_section *msg)
{
	char text[64];

	vici_find_text(msg, "what", text, sizeof(text));
	note("%s: item %s\n", (const char *)arg, text);
}

static enum swmesh_vici_error request(const char *name, const char *who)
{
	struct vici_builder b;
	enum swmesh_vici_error error;

	vici_begin(&b, VICI_CMD_REQUEST, name);
	vici_key_value(&b, "data", SECRET);
	error = swmesh_vici_request(&b, on_done, (void *)who);
	assert_null(b.buf);
	return error;
}

static enum swmesh_vici_error list(const char *event, const char *who)
{
	struct vici_builder b;

	vici_begin(&b, VICI_CMD_REQUEST, "list-sas");
	return swmesh_vici_list(&b, event, on_item, on_done, (void *)who);
}

static const struct swmesh_vici_stats *stats(void)
{
	return swmesh_vici_status().stats;
}

static enum swmesh_vici_state state(void)
{
	return swmesh_vici_status().state;
}

/* ---- the event loop ---- */

static void tick(struct thread *t)
{
	thread_add_timer_msec(master, tick, NULL, 5, &t_tick);
}

static void run_once(void)
{
	struct thread t;

	assert_non_null(thread_fetch(master, &t));
	thread_call(&t);
}

#define RUN_UNTIL(condition)                                                   \
	do {                                                                   \
		time_t deadline = monotime(NULL) + PATIENCE_S;                 \
                                                                               \
		while (!(condition)) {                                         \
			run_once();                                            \
			if (monotime(NULL) > deadline)                         \
				fail_msg("waited in vain for " #condition);    \
		}                                                              \
	} while (0)

/* Long enough for whatever is ready to be done. */
static void settle(void)
{
	struct timeval begin;

	monotime(&begin);
	while (monotime_since(&begin, NULL) < 30000)
		run_once();
}

/* ---- the peer's side ---- */

static void peer_close(void)
{
	if (peer >= 0)
		close(peer);
	peer = -1;
	rx_len = taken = 0;
}

static void listen_at(const char *at)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	if (listener >= 0)
		close(listener);
	strlcpy(addr.sun_path, at, sizeof(addr.sun_path));
	unlink(at);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(addr)),
			 0);
	assert_int_equal(listen(listener, 5), 0);
}

static bool accepted(void)
{
	if (peer < 0)
		peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	return peer >= 0;
}

/* Read what is there, up to max octets. */
static void peer_read(size_t max)
{
	ssize_t n;

	n = recv(peer, rx + rx_len, MIN(max, sizeof(rx) - rx_len),
		 MSG_DONTWAIT);
	if (n > 0)
		rx_len += n;
}

/* A whole packet from the client? It is then in "got". */
static bool peer_has_packet(size_t max)
{
	struct wire_reader r;
	uint32_t len;

	memmove(rx, rx + taken, rx_len - taken);
	rx_len -= taken;
	taken = 0;
	peer_read(max);
	r = wire_reader_of(rx, rx_len);
	if (!wire_get_u32(&r, &len) || r.left < len)
		return false;
	assert_int_equal(vici_parse(r.at, len, &got), VICI_OK);
	taken = VICI_HEADER_LEN + len;
	return true;
}

static void peer_expect(enum vici_type type, const char *name)
{
	RUN_UNTIL(peer_has_packet(SIZE_MAX));
	if (got.type != type || !vici_is(&got.name, name))
		fail_msg("packet %u %.*s instead of %u %s", got.type,
			 (int)got.name.len, (const char *)got.name.at, type,
			 name);
}

static void peer_send_octets(const void *octets, size_t len)
{
	assert_int_equal(send(peer, octets, len, MSG_NOSIGNAL), len);
}

/* A packet with the message {what = WHAT}, or with none where what is NULL. */
static void peer_build(struct vici_builder *b, enum vici_type type,
		       const char *name, const char *what)
{
	vici_begin(b, type, name);
	if (what)
		vici_key_value(b, "what", what);
	assert_int_equal(vici_finish(b), VICI_OK);
}

static void peer_send(enum vici_type type, const char *name, const char *what)
{
	struct vici_builder b;

	peer_build(&b, type, name, what);
	peer_send_octets(b.buf, b.len);
	vici_free(&b);
}

static void peer_reply(const char *what)
{
	peer_send(VICI_CMD_RESPONSE, NULL, what);
}

static void peer_refuse(const char *errmsg)
{
	struct vici_builder b;

	vici_begin(&b, VICI_CMD_RESPONSE, NULL);
	vici_key_bool(&b, "success", false);
	if (errmsg)
		vici_key_value(&b, "errmsg", errmsg);
	assert_int_equal(vici_finish(&b), VICI_OK);
	peer_send_octets(b.buf, b.len);
	vici_free(&b);
}

static void peer_confirm(void)
{
	peer_send(VICI_EVENT_CONFIRM, NULL, NULL);
}

/* The client has closed the connection, whatever it sent before. */
static bool peer_sees_end(void)
{
	char buf[256];
	ssize_t n;

	do
		n = recv(peer, buf, sizeof(buf), MSG_DONTWAIT);
	while (n > 0);
	return n == 0 || errno == ECONNRESET;
}

/* Accept, and answer the registration of the two events. */
static void peer_welcome(void)
{
	RUN_UNTIL(accepted());
	peer_expect(VICI_EVENT_REGISTER, "ike-updown");
	peer_confirm();
	peer_expect(VICI_EVENT_REGISTER, "log");
	peer_confirm();
	RUN_UNTIL(state() == SWMESH_VICI_UP);
	assert_journal("up\n");
}

static int setup(void **unused)
{
	journal[0] = '\0';
	secrets_freed = 0;
	listen_at(path);
	assert_true(swmesh_vici_set_path(path));
	swmesh_vici_set_timeout(SWMESH_VICI_TIMEOUT_MS);
	swmesh_vici_start(&ops);
	return 0;
}

static int teardown(void **unused)
{
	swmesh_vici_stop();
	peer_close();
	assert_int_equal(secrets_freed, 0);
	return 0;
}

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

/* ---- a peer that is not well ---- */

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

/* ---- messages with FRR's formats ---- */

static void test_formats(void **unused)
{
	struct in6_addr addr = {.s6_addr = {0x20, 0x01, 0x0d, 0xb8}};
	char longest[1200];
	struct vici_builder b;
	struct vici_packet p;
	struct vici_section l;
	struct vici_iter it;

	vici_begin(&b, VICI_CMD_REQUEST, "x");
	swmesh_vici_sectionf(&b, "peer-%pI6", &addr);
	swmesh_vici_keyf(&b, "id", "%pI6[%u]", &addr, 47);
	swmesh_vici_listf(&b, "addrs", "%pI6", &addr);
	vici_list_start(&b, "two");
	swmesh_vici_itemf(&b, "%d", 1);
	vici_list_end(&b);
	vici_section_end(&b);
	assert_int_equal(vici_finish(&b), VICI_OK);
	assert_int_equal(vici_parse(b.buf + VICI_HEADER_LEN,
				    b.len - VICI_HEADER_LEN, &p),
			 VICI_OK);
	assert_true(
		vici_find_is(&p.msg, "peer-2001:db8::/id", "2001:db8::[47]"));
	assert_true(vici_find_list(&p.msg, "peer-2001:db8::/addrs", &l));
	it = vici_iter_of(&l);
	assert_true(vici_next(&it));
	assert_true(vici_is(&it.value, "2001:db8::"));
	assert_true(vici_find_list(&p.msg, "peer-2001:db8::/two", &l));
	it = vici_iter_of(&l);
	assert_true(vici_next(&it));
	assert_true(vici_is(&it.value, "1"));

	memset(longest, 'x', sizeof(longest));
	longest[1023] = '\0';
	swmesh_vici_keyf(&b, "fits", "%s", longest);
	assert_int_equal(vici_finish(&b), VICI_OK);
	swmesh_vici_keyf(&b, "not", "%s.", longest);
	assert_int_equal(vici_finish(&b), VICI_ERR_VALUE);
	vici_free(&b);
	vici_begin(&b, VICI_CMD_REQUEST, "x");
	swmesh_vici_sectionf(&b, "%s", longest);
	assert_int_equal(vici_finish(&b), VICI_ERR_NAME);
	vici_free(&b);
	for (unsigned int i = 0; i <= SWMESH_VICI_ERRORS; i++)
		assert_true(*swmesh_vici_error_name(i));
	for (unsigned int i = 0; i <= SWMESH_VICI_STATES; i++)
		assert_true(*swmesh_vici_state_name(i));
}

/* ---- all of it ---- */

static int setup_group(void **unused)
{
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/vici", dir);
	snprintf(other_path, sizeof(other_path), "%s/other", dir);
	master = thread_master_create(NULL);
	thread_add_timer_msec(master, tick, NULL, 5, &t_tick);
	return 0;
}

static int teardown_group(void **unused)
{
	THREAD_OFF(t_tick);
	thread_master_free(master);
	if (listener >= 0)
		close(listener);
	unlink(path);
	return rmdir(dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
		TEST(test_hostile),
		TEST(test_hasty),
		TEST(test_timeout),
		TEST(test_timeout_registering),
		TEST(test_no_timeout),
		TEST(test_cancel),
		TEST(test_from_callback),
		TEST(test_stop_from_callback),
		TEST(test_formats),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
