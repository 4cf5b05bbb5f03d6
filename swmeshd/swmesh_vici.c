// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * charon's control socket on the event loop; see swmesh_vici.h.
 *
 * All that can go wrong ends in ended(), which is called from handlers of the
 * event loop only.
 */
#include <zebra.h>

#include <sys/un.h>

#include "log.h"
#include "monotime.h"
#include "network.h"
#include "printfrr.h"

#include "lib/log_limit.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_errors.h"
#include "swmeshd/swmesh_vici_ops.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, VICI_RX, "Packet from charon");

/* An attempt costs next to nothing, and charon is back a second or two after a
 * restart; the wait grows for a peer that cannot be talked with. */
#define WAIT_FIRST_MS 250
#define WAIT_MAX_MS 2000
/* Up for so many seconds: the next wait is the first again. */
#define STEADY_S 10
/* Read at once, unless a packet is longer. */
#define RX_MIN (64 * 1024)

static struct {
	enum swmesh_vici_state state;
	const struct swmesh_vici_ops *ops;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	int fd;
	unsigned int wait_ms, timeout_ms;
	bool warned; /* of the connection's absence */
	struct thread *t_attempt, *t_restart, *t_read, *t_write, *t_stuck;

	struct vici_pending pending; /* set up by swmesh_vici_start() */
	unsigned int registering;    /* initial registrations in it */

	uint8_t *rx;
	size_t rx_len, rx_cap;

	time_t since, error_at;
	char error[256];
	struct swmesh_vici_stats stats;
} vici = {
	.path = SWMESH_VICI_PATH,
	.fd = -1,
	.timeout_ms = SWMESH_VICI_TIMEOUT_MS,
};

static void attempt(struct thread *t);
static void on_writable(struct thread *t);

/* ---- what went wrong ---- */

static void set_error(const char *fmt, ...) PRINTFRR(1, 2);

static void set_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintfrr(vici.error, sizeof(vici.error), fmt, ap);
	va_end(ap);
	vici.error_at = monotime(NULL);
}

/* ---- the connection's end ---- */

static void close_socket(void)
{
	THREAD_OFF(vici.t_attempt);
	THREAD_OFF(vici.t_restart);
	THREAD_OFF(vici.t_read);
	THREAD_OFF(vici.t_write);
	THREAD_OFF(vici.t_stuck);
	if (vici.fd >= 0)
		close(vici.fd);
	vici.fd = -1;
	XFREE(MTYPE_VICI_RX, vici.rx);
	vici.rx_len = vici.rx_cap = 0;
	vici.registering = 0;
}

/* The connection ended, or could not be made: vici.error says why. */
static void ended(enum swmesh_vici_error error)
{
	bool was_up = vici.state == SWMESH_VICI_UP;
	time_t now = monotime(NULL);
	char text[sizeof(vici.error)];

	close_socket();
	vici.state = SWMESH_VICI_DOWN;
	if (was_up) {
		if (now - vici.since >= STEADY_S)
			vici.wait_ms = WAIT_FIRST_MS;
		vici.since = now;
	}
	if (was_up || !vici.warned)
		flog_warn_limited(EC_SWMESH_VICI, log_limit_key(vici.error),
				  "charon: %s", vici.error);
	else
		DEBUGD(&swmesh_dbg_ike, "charon: %s", vici.error);
	vici.warned = true;
	thread_add_timer_msec(master, attempt, NULL, vici.wait_ms,
			      &vici.t_attempt);
	vici.wait_ms = MIN(2 * vici.wait_ms, (unsigned int)WAIT_MAX_MS);

	strlcpy(text, vici.error, sizeof(text));
	vici.stats.failures += vici_pending_fail(&vici.pending, error, text);
	if (was_up && vici.state == SWMESH_VICI_DOWN)
		vici.ops->up(false);
}

static bool nonsense(const char *fmt, ...) PRINTFRR(1, 2);

/* Returns false: the connection is no more. */
static bool nonsense(const char *fmt, ...)
{
	char what[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintfrr(what, sizeof(what), fmt, ap);
	va_end(ap);
	set_error("%s sent %s; is it charon that listens there?", vici.path,
		  what);
	vici.stats.bad++;
	ended(SWMESH_VICI_LOST);
	return false;
}

static void stuck(struct thread *t)
{
	struct vici_op *op = vici_pending_next(&vici.pending);

	set_error("no answer to %s for %u ms; charon is stuck or overloaded",
		  op ? op->name : "the connection", vici.timeout_ms);
	vici.stats.timeouts++;
	ended(SWMESH_VICI_TIMED_OUT);
}

/* The time for the next answer, if one is due, begins now. */
static void watch(void)
{
	THREAD_OFF(vici.t_stuck);
	if (vici.state == SWMESH_VICI_CONNECTING ||
	    vici_ops_count(&vici.pending.wire))
		thread_add_timer_msec(master, stuck, NULL, vici.timeout_ms,
				      &vici.t_stuck);
}

/* ---- sending ---- */

static void schedule_write(void)
{
	if (vici.state >= SWMESH_VICI_REGISTERING &&
	    vici_pending_may_send(&vici.pending))
		thread_add_write(master, on_writable, NULL, vici.fd,
				 &vici.t_write);
}

static void enqueue(struct vici_op *op)
{
	vici_pending_add(&vici.pending, op);
	schedule_write();
}

static void on_writable(struct thread *t)
{
	struct vici_op *op;
	ssize_t n;

	while (vici_pending_may_send(&vici.pending)) {
		op = vici_pending_sending(&vici.pending);
		if (!vici.t_stuck)
			watch();
		n = send(vici.fd, op->b.buf + op->sent, op->b.len - op->sent,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && ERRNO_IO_RETRY(errno))
			break;
		if (n < 0) {
			set_error("sending to charon: %s",
				  safe_strerror(errno));
			ended(SWMESH_VICI_LOST);
			return;
		}
		op->sent += n;
		if (op->sent == op->b.len)
			vici_pending_sent(&vici.pending);
	}
	schedule_write();
}

/* ---- what charon says ---- */

static void came_up(void)
{
	vici.state = SWMESH_VICI_UP;
	vici.since = monotime(NULL);
	vici.warned = false;
	vici.stats.connects++;
	zlog_info_limited(0, "charon: connected at %s", vici.path);
	vici.ops->up(true);
}

/* The operation that this is the answer to; NULL: to none. */
static struct vici_op *answered(bool request)
{
	struct vici_op *op = vici_pending_answered(&vici.pending, request);

	if (op)
		watch();
	return op;
}

static bool answer_request(const struct vici_packet *packet)
{
	struct swmesh_vici_reply reply = {.msg = &packet->msg};
	struct vici_op *op = answered(true);
	char text[256] = "";

	if (!op)
		return nonsense("a reply to no request");
	if (packet->type == VICI_CMD_UNKNOWN || op->no_event) {
		reply.error = SWMESH_VICI_UNKNOWN;
		snprintf(text, sizeof(text),
			 "this charon does not know the %s %s",
			 op->no_event ? "event" : "command",
			 op->no_event ? op->event : op->name);
	} else if (vici_find_is(&packet->msg, "success", "no")) {
		reply.error = SWMESH_VICI_REFUSED;
		vici_find_text(&packet->msg, "errmsg", text, sizeof(text));
		if (!*text)
			strlcpy(text, "charon gave no reason", sizeof(text));
	}
	reply.text = text;
	if (reply.error)
		vici.stats.refusals++;
	vici_pending_finish(&vici.pending, op, &reply);
	return vici.fd >= 0;
}

static void event_is_unknown(const struct vici_op *registration)
{
	struct vici_op *op = vici_pending_next(&vici.pending);

	if (registration->initial)
		flog_warn_limited(
			EC_SWMESH_VICI, log_limit_key(registration->name),
			"charon: it has no event %s; its version may be too old",
			registration->name);
	else if (op) /* the request for a list: it comes right after */
		op->no_event = true;
}

static bool answer_register(const struct vici_packet *packet)
{
	struct vici_op *op = answered(false);
	bool last = false;

	if (!op)
		return nonsense("a confirmation of nothing");
	if (packet->type == VICI_EVENT_UNKNOWN && op->kind == VICI_OP_REGISTER)
		event_is_unknown(op);
	if (op->initial)
		last = --vici.registering == 0;
	vici_op_free(op);
	if (last)
		came_up();
	return vici.fd >= 0;
}

static const char *wanted_event(const struct vici_value *name)
{
	for (const char *const *event = vici.ops->events; event && *event;
	     event++)
		if (vici_is(name, *event))
			return *event;
	return NULL;
}

static bool is_wanted(const char *event)
{
	struct vici_value name = {.at = (const uint8_t *)event,
				  .len = strlen(event)};

	return wanted_event(&name);
}

static bool take_event(const struct vici_packet *packet)
{
	struct vici_op *op = vici_ops_first(&vici.pending.wire);
	const char *event;

	if (op && op->event && vici_is(&packet->name, op->event)) {
		watch();
		if (op->item)
			op->item(op->arg, &packet->msg);
		return vici.fd >= 0;
	}
	event = wanted_event(&packet->name);
	if (!event || vici.state != SWMESH_VICI_UP) {
		vici.stats.unexpected++;
		return true;
	}
	vici.stats.events++;
	DEBUGD(&swmesh_dbg_ike, "charon: event %s", event);
	vici.ops->event(event, &packet->msg);
	return vici.fd >= 0;
}

/* False: the connection is no more. */
static bool take_packet(const uint8_t *octets, size_t len)
{
	struct vici_packet packet;
	enum vici_error error;

	error = vici_parse(octets, len, &packet);
	if (error)
		return nonsense("a malformed packet (%s)",
				vici_error_text(error));
	switch (packet.type) {
	case VICI_CMD_RESPONSE:
	case VICI_CMD_UNKNOWN:
		return answer_request(&packet);
	case VICI_EVENT_CONFIRM:
	case VICI_EVENT_UNKNOWN:
		return answer_register(&packet);
	case VICI_EVENT:
		return take_event(&packet);
	case VICI_CMD_REQUEST:
	case VICI_EVENT_REGISTER:
	case VICI_EVENT_UNREGISTER:
	case VICI_TYPES:
		break;
	}
	return nonsense("a packet of type %u", packet.type);
}

/* ---- receiving ---- */

/* Take a packet from what was read, if it is there in full. */
static bool next_packet(struct wire_reader *r, bool *whole)
{
	struct wire_reader at = *r;
	const uint8_t *octets;
	uint32_t len;

	*whole = false;
	if (!wire_get_u32(&at, &len))
		return true;
	if (len > VICI_PACKET_MAX)
		return nonsense("a packet of %u octets", len);
	if (!wire_get_bytes(&at, len, &octets))
		return true;
	*whole = true;
	*r = at;
	return take_packet(octets, len);
}

/* Room for the packet that has begun, whose length has been checked. */
static void rx_reserve(void)
{
	struct wire_reader r = wire_reader_of(vici.rx, vici.rx_len);
	size_t want = RX_MIN;
	uint32_t len;

	if (wire_get_u32(&r, &len))
		want = MAX(want, VICI_HEADER_LEN + (size_t)len);
	if (vici.rx_cap < want || (!vici.rx_len && vici.rx_cap > want)) {
		vici.rx = XREALLOC(MTYPE_VICI_RX, vici.rx, want);
		vici.rx_cap = want;
	}
}

static void on_readable(struct thread *t)
{
	struct wire_reader r;
	bool whole = true;
	ssize_t n;

	thread_add_read(master, on_readable, NULL, vici.fd, &vici.t_read);
	rx_reserve();
	n = recv(vici.fd, vici.rx + vici.rx_len, vici.rx_cap - vici.rx_len,
		 MSG_DONTWAIT);
	if (n < 0 && ERRNO_IO_RETRY(errno))
		return;
	if (n <= 0) {
		set_error("the connection at %s has ended%s%s", vici.path,
			  n ? ": " : "", n ? safe_strerror(errno) : "");
		ended(SWMESH_VICI_LOST);
		return;
	}
	vici.rx_len += n;
	r = wire_reader_of(vici.rx, vici.rx_len);
	while (whole)
		if (!next_packet(&r, &whole))
			return;
	memmove(vici.rx, r.at, r.left);
	vici.rx_len = r.left;
	schedule_write();
}

/* ---- connecting ---- */

static void connect_failed(int err)
{
	switch (err) {
	case ENOENT:
	case ECONNREFUSED:
		set_error(
			"nobody listens at %s; see that charon runs, with its plugin vici (package strongswan-swanctl)",
			vici.path);
		break;
	case EACCES:
	case EPERM:
		set_error(
			"no permission to open %s; let the group of swmeshd's user: charon-systemd { group = ... } in strongswan.conf",
			vici.path);
		break;
	default:
		set_error("connecting to %s: %s", vici.path,
			  safe_strerror(err));
		break;
	}
	ended(SWMESH_VICI_LOST);
}

static void register_events(void)
{
	struct vici_op *op;

	for (const char *const *event = vici.ops->events; event && *event;
	     event++) {
		op = vici_op_register(VICI_OP_REGISTER, *event);
		if (!op)
			continue;
		op->initial = true;
		vici.registering++;
		enqueue(op);
	}
}

static void on_connected(struct thread *t)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (getsockopt(vici.fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		err = errno;
	if (err) {
		connect_failed(err);
		return;
	}
	vici.state = SWMESH_VICI_REGISTERING;
	thread_add_read(master, on_readable, NULL, vici.fd, &vici.t_read);
	watch();
	register_events();
	if (!vici.registering)
		came_up();
}

static void attempt(struct thread *t)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	vici.stats.attempts++;
	strlcpy(addr.sun_path, vici.path, sizeof(addr.sun_path));
	vici.fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (vici.fd < 0 ||
	    (connect(vici.fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 &&
	     errno != EINPROGRESS)) {
		connect_failed(errno);
		return;
	}
	vici.state = SWMESH_VICI_CONNECTING;
	thread_add_write(master, on_connected, NULL, vici.fd, &vici.t_write);
	watch();
}

static void restart(struct thread *t)
{
	if (vici.fd >= 0) {
		set_error("the socket is %s now", vici.path);
		ended(SWMESH_VICI_LOST);
	}
	if (vici.state != SWMESH_VICI_DOWN)
		return;
	vici.wait_ms = WAIT_FIRST_MS;
	THREAD_OFF(vici.t_attempt);
	thread_add_event(master, attempt, NULL, 0, &vici.t_attempt);
}

/* ---- public ---- */

bool swmesh_vici_set_path(const char *path)
{
	if (strlen(path) >= sizeof(vici.path))
		return false;
	if (!strcmp(path, vici.path))
		return true;
	strlcpy(vici.path, path, sizeof(vici.path));
	if (vici.state != SWMESH_VICI_STOPPED)
		thread_add_event(master, restart, NULL, 0, &vici.t_restart);
	return true;
}

void swmesh_vici_set_timeout(unsigned int ms)
{
	vici.timeout_ms = ms;
}

void swmesh_vici_start(const struct swmesh_vici_ops *ops)
{
	if (vici.state != SWMESH_VICI_STOPPED)
		return;
	vici.ops = ops;
	vici_pending_init(&vici.pending);
	vici.state = SWMESH_VICI_DOWN;
	vici.since = monotime(NULL);
	vici.wait_ms = WAIT_FIRST_MS;
	vici.warned = false;
	thread_add_event(master, attempt, NULL, 0, &vici.t_attempt);
}

void swmesh_vici_stop(void)
{
	if (vici.state == SWMESH_VICI_STOPPED)
		return;
	close_socket();
	vici.state = SWMESH_VICI_STOPPED;
	vici_pending_clear(&vici.pending);
}

/* May it be taken? The registrations around a list are not asked for. */
static enum swmesh_vici_error admit(const struct vici_op *op)
{
	if (!op)
		return SWMESH_VICI_BAD_REQUEST;
	if (vici.state != SWMESH_VICI_UP)
		return SWMESH_VICI_NOT_UP;
	if (vici.pending.requests >= SWMESH_VICI_REQUESTS_MAX ||
	    vici.pending.unsent + op->b.len > SWMESH_VICI_OCTETS_MAX) {
		return SWMESH_VICI_FULL;
	}
	return SWMESH_VICI_OK;
}

/* op and the registrations around it, which may be NULL. */
static void take(struct vici_op *op, struct vici_op *before,
		 struct vici_op *after)
{
	vici.stats.requests++;
	if (before)
		enqueue(before);
	enqueue(op);
	if (after)
		enqueue(after);
}

enum swmesh_vici_error swmesh_vici_list(struct vici_builder *b,
					const char *event,
					swmesh_vici_item item,
					swmesh_vici_done done, void *arg)
{
	struct vici_op *op, *before = NULL, *after = NULL;
	enum swmesh_vici_error error;

	if (b->type != VICI_CMD_REQUEST)
		vici_fail(b, VICI_ERR_TYPE);
	op = vici_op_new(VICI_OP_REQUEST, b);
	error = admit(op);
	if (!error && event && !is_wanted(event)) {
		before = vici_op_register(VICI_OP_REGISTER, event);
		after = vici_op_register(VICI_OP_UNREGISTER, event);
		if (!before || !after)
			error = SWMESH_VICI_BAD_REQUEST;
	}
	if (error) {
		DEBUGD(&swmesh_dbg_ike, "charon: %s not sent: %s",
		       op ? op->name : "request",
		       swmesh_vici_error_name(error));
		vici_op_free(op);
		vici_op_free(before);
		vici_op_free(after);
		return error;
	}
	op->event = event;
	op->item = item;
	op->done = done;
	op->arg = arg;
	take(op, before, after);
	return SWMESH_VICI_OK;
}

enum swmesh_vici_error swmesh_vici_request(struct vici_builder *b,
					   swmesh_vici_done done, void *arg)
{
	return swmesh_vici_list(b, NULL, NULL, done, arg);
}

void swmesh_vici_cancel(const void *arg)
{
	if (vici.state != SWMESH_VICI_STOPPED)
		vici_pending_cancel(&vici.pending, arg);
}

unsigned int swmesh_vici_room(void)
{
	if (vici.state != SWMESH_VICI_UP ||
	    vici.pending.unsent >= SWMESH_VICI_OCTETS_MAX)
		return 0;
	return SWMESH_VICI_REQUESTS_MAX - vici.pending.requests;
}

struct swmesh_vici_status swmesh_vici_status(void)
{
	return (struct swmesh_vici_status){
		.state = vici.state,
		.path = vici.path,
		.since = vici.since,
		.queued = vici_ops_count(&vici.pending.queue),
		.wire = vici_ops_count(&vici.pending.wire),
		.error = vici.error,
		.error_at = vici.error_at,
		.stats = &vici.stats,
	};
}
