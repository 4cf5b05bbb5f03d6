// SPDX-License-Identifier: GPL-2.0-or-later
/* Both ends of a connection to charon; see vici_scenery.h. */
#include "tests/unit/vici_scenery.h"

#include <malloc.h>
#include <sys/un.h>

#include "debug.h"
#include "memory.h"
#include "printfrr.h"
#include "thread.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmeshd.h"

DEFINE_MGROUP(SWMESHD, "swmeshd vici test");
struct debug swmesh_dbg_ike = {0, "ike"};
struct thread_master *master;

static char dir[] = "/tmp/swmesh-vici-XXXXXX";
char path[64], other_path[64];
int listener = -1, peer = -1;
static struct thread *t_tick;

static uint8_t rx[VICI_HEADER_LEN + VICI_PACKET_MAX];
static size_t rx_len, taken;
struct vici_packet got;

char journal[JOURNAL_SIZE];
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

void note(const char *fmt, ...)
{
	size_t len = strlen(journal);
	va_list ap;

	va_start(ap, fmt);
	vsnprintfrr(journal + len, sizeof(journal) - len, fmt, ap);
	va_end(ap);
}

void assert_journal(const char *want)
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

static const char *const events[] = {"ike-updown", "log", NULL};
const struct swmesh_vici_ops ops = {.events = events,
				    .event = on_event,
				    .up = on_up};
const struct swmesh_vici_ops no_events = {.event = on_event, .up = on_up};

void on_done(void *arg, const struct swmesh_vici_reply *reply)
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

enum swmesh_vici_error request(const char *name, const char *who)
{
	struct vici_builder b;
	enum swmesh_vici_error error;

	vici_begin(&b, VICI_CMD_REQUEST, name);
	vici_key_value(&b, "data", SECRET);
	error = swmesh_vici_request(&b, on_done, (void *)who);
	assert_null(b.buf);
	return error;
}

enum swmesh_vici_error list(const char *event, const char *who)
{
	struct vici_builder b;

	vici_begin(&b, VICI_CMD_REQUEST, "list-sas");
	return swmesh_vici_list(&b, event, on_item, on_done, (void *)who);
}

const struct swmesh_vici_stats *stats(void)
{
	return swmesh_vici_status().stats;
}

enum swmesh_vici_state state(void)
{
	return swmesh_vici_status().state;
}

/* ---- the event loop ---- */

static void tick(struct thread *t)
{
	thread_add_timer_msec(master, tick, NULL, 5, &t_tick);
}

void run_once(void)
{
	struct thread t;

	assert_non_null(thread_fetch(master, &t));
	thread_call(&t);
}

void settle(void)
{
	struct timeval begin;

	monotime(&begin);
	while (monotime_since(&begin, NULL) < 30000)
		run_once();
}

/* ---- the peer's side ---- */

void peer_close(void)
{
	if (peer >= 0)
		close(peer);
	peer = -1;
	rx_len = taken = 0;
}

void listen_at(const char *at)
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

bool accepted(void)
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

bool peer_has_packet(size_t max)
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

void peer_expect(enum vici_type type, const char *name)
{
	RUN_UNTIL(peer_has_packet(SIZE_MAX));
	if (got.type != type || !vici_is(&got.name, name))
		fail_msg("packet %u %.*s instead of %u %s", got.type,
			 (int)got.name.len, (const char *)got.name.at, type,
			 name);
}

void peer_send_octets(const void *octets, size_t len)
{
	assert_int_equal(send(peer, octets, len, MSG_NOSIGNAL), len);
}

void peer_build(struct vici_builder *b, enum vici_type type, const char *name,
		const char *what)
{
	vici_begin(b, type, name);
	if (what)
		vici_key_value(b, "what", what);
	assert_int_equal(vici_finish(b), VICI_OK);
}

void peer_send(enum vici_type type, const char *name, const char *what)
{
	struct vici_builder b;

	peer_build(&b, type, name, what);
	peer_send_octets(b.buf, b.len);
	vici_free(&b);
}

void peer_reply(const char *what)
{
	peer_send(VICI_CMD_RESPONSE, NULL, what);
}

void peer_refuse(const char *errmsg)
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

void peer_confirm(void)
{
	peer_send(VICI_EVENT_CONFIRM, NULL, NULL);
}

bool peer_sees_end(void)
{
	char buf[256];
	ssize_t n;

	do
		n = recv(peer, buf, sizeof(buf), MSG_DONTWAIT);
	while (n > 0);
	return n == 0 || errno == ECONNRESET;
}

void peer_welcome(void)
{
	RUN_UNTIL(accepted());
	peer_expect(VICI_EVENT_REGISTER, "ike-updown");
	peer_confirm();
	peer_expect(VICI_EVENT_REGISTER, "log");
	peer_confirm();
	RUN_UNTIL(state() == SWMESH_VICI_UP);
	assert_journal("up\n");
}

int setup(void **unused)
{
	journal[0] = '\0';
	secrets_freed = 0;
	listen_at(path);
	assert_true(swmesh_vici_set_path(path));
	swmesh_vici_set_timeout(SWMESH_VICI_TIMEOUT_MS);
	swmesh_vici_start(&ops);
	return 0;
}

int teardown(void **unused)
{
	swmesh_vici_stop();
	peer_close();
	assert_int_equal(secrets_freed, 0);
	return 0;
}

int setup_group(void **unused)
{
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/vici", dir);
	snprintf(other_path, sizeof(other_path), "%s/other", dir);
	master = thread_master_create(NULL);
	thread_add_timer_msec(master, tick, NULL, 5, &t_tick);
	return 0;
}

int teardown_group(void **unused)
{
	THREAD_OFF(t_tick);
	thread_master_free(master);
	if (listener >= 0)
		close(listener);
	unlink(path);
	return rmdir(dir);
}
