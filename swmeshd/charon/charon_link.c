// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One connection with charon's socket, kept up; see charon/charon_link.h, and
 * charon/charon.h for what it promises.
 *
 * All that can go wrong ends in ended(), which is called from handlers of the
 * event loop only.
 */
#include <zebra.h>

#include <poll.h>

#include "log.h"
#include "monotime.h"
#include "network.h"
#include "printfrr.h"

#include "lib/log_limit.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_errors.h"
#include "swmeshd/charon/charon_link.h"
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
/* Looks at whether an answer has come, for each that is waited for. */
#define LOOKS 10
/* For the answer to our last word, when we end. charon is busy, mostly, when
 * its log is read. */
#define LAST_WORD_MS 3000

static void attempt(struct thread *t);
static void on_writable(struct thread *t);

/* ---- what went wrong ---- */

static void set_error(struct vici_link *v, const char *fmt, ...) PRINTFRR(2, 3);

static void set_error(struct vici_link *v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintfrr(v->error, sizeof(v->error), fmt, ap);
	va_end(ap);
	v->error_at = monotime(NULL);
}

/* ---- the connection's end ---- */

static void close_socket(struct vici_link *v)
{
	THREAD_OFF(v->t_attempt);
	THREAD_OFF(v->t_restart);
	THREAD_OFF(v->t_read);
	THREAD_OFF(v->t_write);
	THREAD_OFF(v->t_patience);
	if (v->fd >= 0)
		close(v->fd);
	v->fd = -1;
	XFREE(MTYPE_VICI_RX, v->rx);
	v->rx_len = v->rx_cap = 0;
	v->registering = 0;
	v->ending = false;
}

/* The connection ended, or could not be made: v->error says why. */
static void ended(struct vici_link *v, enum swmesh_vici_error error)
{
	bool was_up = v->state == SWMESH_VICI_UP;
	time_t now = monotime(NULL);
	char text[sizeof(v->error)];

	if (v->ending) {
		vici_link_stop(v);
		return;
	}
	close_socket(v);
	v->state = SWMESH_VICI_DOWN;
	if (was_up) {
		if (now - v->since >= STEADY_S)
			v->wait_ms = WAIT_FIRST_MS;
		v->since = now;
	}
	if (!v->quiet && (was_up || !v->warned))
		flog_warn_limited(EC_SWMESH_VICI, log_limit_key(v->error),
				  "charon: %s", v->error);
	else
		DEBUGD(&swmesh_dbg_ike, "charon: %s", v->error);
	v->warned = true;
	thread_add_timer_msec(master, attempt, v, v->wait_ms, &v->t_attempt);
	v->wait_ms = MIN(2 * v->wait_ms, (unsigned int)WAIT_MAX_MS);

	strlcpy(text, v->error, sizeof(text));
	v->stats.failures += vici_pending_fail(&v->pending, error, text);
	if (was_up && v->state == SWMESH_VICI_DOWN)
		v->ops->up(false);
}

bool vici_link_nonsense(struct vici_link *v, const char *fmt, ...)
{
	char what[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintfrr(what, sizeof(what), fmt, ap);
	va_end(ap);
	set_error(v, "%s sent %s; is it charon that listens there?", v->path,
		  what);
	v->stats.bad++;
	ended(v, SWMESH_VICI_LOST);
	return false;
}

/* ---- patience ---- */

static int64_t now_ms(void)
{
	struct timeval tv;

	monotime(&tv);
	return (int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000;
}

static unsigned int limit_ms(const struct vici_link *v)
{
	return v->state == SWMESH_VICI_UP
		       ? v->timeout_ms
		       : MIN(v->timeout_ms, (unsigned int)VICI_FRESH_MS);
}

/* A new connection that charon does not answer, twice: it hangs, which no
 * other connection would change. */
static void count_mute(struct vici_link *v)
{
	if (v->state == SWMESH_VICI_UP || ++v->mute != VICI_MUTE_MAX ||
	    v->quiet)
		return;
	v->hangs_since = monotime(NULL);
	flog_err_limited(
		EC_SWMESH_CHARON_HANGS, 0,
		"charon hangs: it does not answer new connections at %s; restart it: systemctl restart strongswan",
		v->path);
}

static void stuck(struct vici_link *v)
{
	struct vici_op *op = vici_pending_next(&v->pending);

	set_error(v, "no answer to %s for %u ms; charon is stuck or overloaded",
		  op ? op->name : "the connection", limit_ms(v));
	v->stats.timeouts++;
	count_mute(v);
	ended(v, SWMESH_VICI_TIMED_OUT);
}

static void patience(struct thread *t);

static unsigned int look_ms(const struct vici_link *v)
{
	return MAX(limit_ms(v) / LOOKS, 1u);
}

static void look_again(struct vici_link *v)
{
	thread_add_timer_msec(master, patience, v, look_ms(v), &v->t_patience);
}

/* We may have been stopped, or busy, and the answer lies in the socket: of the
 * time since the last look only as much counts as the loop needs to get there.
 */
static void patience(struct thread *t)
{
	struct vici_link *v = THREAD_ARG(t);
	int64_t now = now_ms();

	v->waited_ms += MIN(now - v->looked_at, (int64_t)2 * look_ms(v));
	v->looked_at = now;
	if (v->waited_ms >= limit_ms(v))
		stuck(v);
	else
		look_again(v);
}

/* The time for the next answer, if one is due, begins now. */
void vici_link_watch(struct vici_link *v)
{
	THREAD_OFF(v->t_patience);
	v->waited_ms = 0;
	v->looked_at = now_ms();
	if (v->state == SWMESH_VICI_CONNECTING ||
	    vici_ops_count(&v->pending.wire))
		look_again(v);
}

/* ---- sending ---- */

static void schedule_write(struct vici_link *v)
{
	if (v->state >= SWMESH_VICI_REGISTERING &&
	    vici_pending_may_send(&v->pending))
		thread_add_write(master, on_writable, v, v->fd, &v->t_write);
}

void vici_link_send(struct vici_link *v, struct vici_op *op)
{
	vici_pending_add(&v->pending, op);
	schedule_write(v);
}

static void write_some(struct vici_link *v)
{
	struct vici_op *op;
	ssize_t n;

	while (vici_pending_may_send(&v->pending)) {
		op = vici_pending_sending(&v->pending);
		if (!v->t_patience)
			vici_link_watch(v);
		n = send(v->fd, op->b.buf + op->sent, op->b.len - op->sent,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && ERRNO_IO_RETRY(errno))
			break;
		if (n < 0) {
			set_error(v, "sending to charon: %s",
				  safe_strerror(errno));
			ended(v, SWMESH_VICI_LOST);
			return;
		}
		op->sent += n;
		if (op->sent == op->b.len)
			vici_pending_sent(&v->pending);
	}
	schedule_write(v);
}

static void on_writable(struct thread *t)
{
	write_some(THREAD_ARG(t));
}

void vici_link_came_up(struct vici_link *v)
{
	v->state = SWMESH_VICI_UP;
	v->since = monotime(NULL);
	v->warned = false;
	v->stats.connects++;
	v->mute = 0;
	if (v->hangs_since)
		zlog_notice_limited(0, "charon: it answers again");
	v->hangs_since = 0;
	if (!v->quiet)
		zlog_info_limited(0, "charon: connected at %s", v->path);
	v->ops->up(true);
}

/* ---- receiving ---- */

/* Take a packet from what was read, if it is there in full. */
static bool next_packet(struct vici_link *v, struct wire_reader *r, bool *whole)
{
	struct wire_reader at = *r;
	const uint8_t *octets;
	uint32_t len;

	*whole = false;
	if (!wire_get_u32(&at, &len))
		return true;
	if (len > VICI_PACKET_MAX)
		return vici_link_nonsense(v, "a packet of %u octets", len);
	if (!wire_get_bytes(&at, len, &octets))
		return true;
	*whole = true;
	*r = at;
	return vici_link_take(v, octets, len);
}

/* Room for the packet that has begun, whose length has been checked. */
static void rx_reserve(struct vici_link *v)
{
	struct wire_reader r = wire_reader_of(v->rx, v->rx_len);
	size_t want = RX_MIN;
	uint32_t len;

	if (wire_get_u32(&r, &len))
		want = MAX(want, VICI_HEADER_LEN + (size_t)len);
	if (v->rx_cap < want || (!v->rx_len && v->rx_cap > want)) {
		v->rx = XREALLOC(MTYPE_VICI_RX, v->rx, want);
		v->rx_cap = want;
	}
}

static void read_some(struct vici_link *v)
{
	struct wire_reader r;
	bool whole = true;
	ssize_t n;

	rx_reserve(v);
	n = recv(v->fd, v->rx + v->rx_len, v->rx_cap - v->rx_len, MSG_DONTWAIT);
	if (n < 0 && ERRNO_IO_RETRY(errno))
		return;
	if (n <= 0) {
		set_error(v, "the connection at %s has ended%s%s", v->path,
			  n ? ": " : "", n ? safe_strerror(errno) : "");
		ended(v, SWMESH_VICI_LOST);
		return;
	}
	v->rx_len += n;
	r = wire_reader_of(v->rx, v->rx_len);
	while (whole)
		if (!next_packet(v, &r, &whole))
			return;
	memmove(v->rx, r.at, r.left);
	v->rx_len = r.left;
	schedule_write(v);
}

static void on_readable(struct thread *t)
{
	struct vici_link *v = THREAD_ARG(t);

	thread_add_read(master, on_readable, v, v->fd, &v->t_read);
	read_some(v);
}

/* ---- connecting ---- */

static void connect_failed(struct vici_link *v, int err)
{
	switch (err) {
	case ENOENT:
	case ECONNREFUSED:
		set_error(
			v,
			"nobody listens at %s; see that charon runs, with its plugin vici (package strongswan-swanctl)",
			v->path);
		break;
	case EAGAIN:
		set_error(
			v,
			"charon does not accept connections at %s; it is stuck or overloaded",
			v->path);
		count_mute(v);
		break;
	case EACCES:
	case EPERM:
		set_error(
			v,
			"no permission to open %s; let the group of swmeshd's user: charon-systemd { group = ... } in strongswan.conf",
			v->path);
		break;
	default:
		set_error(v, "connecting to %s: %s", v->path,
			  safe_strerror(err));
		break;
	}
	ended(v, SWMESH_VICI_LOST);
}

static void register_events(struct vici_link *v)
{
	struct vici_op *op;

	for (const char *const *event = v->ops->events; event && *event;
	     event++) {
		op = vici_op_register(VICI_OP_REGISTER, *event);
		if (!op)
			continue;
		op->initial = true;
		v->registering++;
		vici_link_send(v, op);
	}
}

static void on_connected(struct thread *t)
{
	struct vici_link *v = THREAD_ARG(t);
	socklen_t len = sizeof(int);
	int err = 0;

	if (getsockopt(v->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		err = errno;
	if (err) {
		connect_failed(v, err);
		return;
	}
	v->state = SWMESH_VICI_REGISTERING;
	thread_add_read(master, on_readable, v, v->fd, &v->t_read);
	vici_link_watch(v);
	register_events(v);
	if (!v->registering)
		vici_link_came_up(v);
}

static void attempt(struct thread *t)
{
	struct vici_link *v = THREAD_ARG(t);
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	v->stats.attempts++;
	strlcpy(addr.sun_path, v->path, sizeof(addr.sun_path));
	v->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (v->fd < 0 ||
	    (connect(v->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 &&
	     errno != EINPROGRESS)) {
		connect_failed(v, errno);
		return;
	}
	v->state = SWMESH_VICI_CONNECTING;
	thread_add_write(master, on_connected, v, v->fd, &v->t_write);
	vici_link_watch(v);
}

static void restart(struct thread *t)
{
	struct vici_link *v = THREAD_ARG(t);

	if (v->fd >= 0) {
		set_error(v, "the socket is %s now", v->path);
		ended(v, SWMESH_VICI_LOST);
	}
	if (v->state != SWMESH_VICI_DOWN)
		return;
	v->wait_ms = WAIT_FIRST_MS;
	THREAD_OFF(v->t_attempt);
	thread_add_event(master, attempt, v, 0, &v->t_attempt);
}

/* ---- for the two that use it ---- */

void vici_link_restart(struct vici_link *v)
{
	if (v->state != SWMESH_VICI_STOPPED)
		thread_add_event(master, restart, v, 0, &v->t_restart);
}

void vici_link_start(struct vici_link *v, const struct vici_link_ops *ops)
{
	if (v->state != SWMESH_VICI_STOPPED)
		return;
	v->ops = ops;
	v->fd = -1;
	vici_pending_init(&v->pending);
	v->state = SWMESH_VICI_DOWN;
	v->since = monotime(NULL);
	v->wait_ms = WAIT_FIRST_MS;
	v->warned = false;
	thread_add_event(master, attempt, v, 0, &v->t_attempt);
}

void vici_link_stop(struct vici_link *v)
{
	if (v->state == SWMESH_VICI_STOPPED)
		return;
	close_socket(v);
	v->state = SWMESH_VICI_STOPPED;
	v->mute = 0;
	v->hangs_since = 0;
	vici_pending_clear(&v->pending);
}

void vici_link_end(struct vici_link *v)
{
	struct vici_op *op;

	if (v->ending)
		return;
	if (v->state < SWMESH_VICI_REGISTERING) {
		vici_link_stop(v);
		return;
	}
	/* It may have registered us, though we do not know it yet. */
	v->ending = true;
	for (const char *const *event = v->ops->events; *event; event++) {
		op = vici_op_register(VICI_OP_UNREGISTER, *event);
		if (op)
			vici_link_send(v, op);
	}
}

void vici_link_end_now(struct vici_link *v)
{
	int64_t until = now_ms() + LAST_WORD_MS;

	vici_link_end(v);
	if (v->ending)
		write_some(v);
	while (v->ending) {
		struct pollfd fd = {.fd = v->fd, .events = POLLIN};
		int64_t left = until - now_ms();

		if (left <= 0 || poll(&fd, 1, (int)left) <= 0)
			break;
		read_some(v);
	}
	vici_link_stop(v);
}
