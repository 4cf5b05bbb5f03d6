// SPDX-License-Identifier: GPL-2.0-or-later
/* rtnetlink on the event loop; see kernel/netlink.h. */
#include <zebra.h>

#include <linux/filter.h>

#include "jhash.h"
#include "memory.h"
#include "monotime.h"
#include "privs.h"
#include "thread.h"
#include "typesafe.h"

#include "lib/log_limit.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_errors.h"
#include "swmeshd/kernel/netlink.h"
#include "swmeshd/swmesh_nlsock.h"
#include "swmeshd/swmesh_slice.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, NL_UNIT, "Netlink request");

/*
 * What is sent in one go: the kernel works on it before the call returns, and
 * the event loop has other things to do. A machine that takes longer than
 * BATCH_MS for it is given less the next time.
 */
#define BATCH_WEIGHT 1024
/* Of a message about a device: making one takes longer than a route, ... */
#define DEVICE_WEIGHT 16
/* ... and when one is removed the kernel waits for all who may use it. Others
 * weigh 1. */
#define REMOVAL_WEIGHT 256
#define BATCH_OCTETS 32768
#define BATCH_MS 20
/* Messages not answered yet; their answers have to fit the socket's buffer. */
#define OUTSTANDING_MAX 512
#define RCVBUF_OCTETS (8 * 1024 * 1024)
#define READ_OCTETS 65536
#define UNIT_OCTETS (3 * NL_MESSAGE_MAX)
/* Unhurried units go when no more have come for the one time, at the latest
 * after the other. */
#define UNHURRIED_QUIET_MS 50
#define UNHURRIED_MAX_MS 500

PREDECL_DLIST(nl_queue);
PREDECL_HASH(nl_waiting);
struct nl_unit {
	struct nl_queue_item queue_item;     /* not sent yet */
	struct nl_waiting_item waiting_item; /* sent, by first seq */
	nl_done done;
	void *arg;
	uint32_t seq; /* of the first message */
	unsigned int messages, answered, weight;
	int err;
	char text[128];
	size_t len;
	uint8_t data[];
};

static int unit_cmp(const struct nl_unit *a, const struct nl_unit *b)
{
	return numcmp(a->seq, b->seq);
}

static uint32_t unit_hash(const struct nl_unit *u)
{
	return jhash_1word(u->seq, 0x53574d4e);
}

DECLARE_DLIST(nl_queue, struct nl_unit, queue_item);
DECLARE_HASH(nl_waiting, struct nl_unit, waiting_item, unit_cmp, unit_hash);

static const struct nl_ops *nl_ops;
static struct mnl_socket *req_sock, *event_sock;
static struct thread *t_req, *t_event, *t_send, *t_unhurried, *t_drain;
static struct nl_queue_head queue, unhurried;
static struct timeval unhurried_since;
static struct nl_waiting_head waiting;
static unsigned int outstanding; /* messages */
static unsigned int batch_max = 4 * DEVICE_WEIGHT;
static uint32_t next_seq = 1;
static struct nl_stats stats;

/* The unit being put together. */
static struct {
	nl_done done;
	void *arg;
	unsigned int messages, weight;
	size_t len;
	uint8_t buf[UNIT_OCTETS] __attribute__((aligned(NLMSG_ALIGNTO)));
} making;

const struct nl_stats *nl_stats(void)
{
	return &stats;
}

/* ---- queueing ---- */

static void send_batch(struct thread *t);

static void schedule_send(void)
{
	if (nl_queue_count(&queue) && outstanding < OUTSTANDING_MAX)
		thread_add_event(master, send_batch, NULL, 0, &t_send);
}

static void making_close(void)
{
	if (making.messages) {
		struct nlmsghdr *nlh =
			(struct nlmsghdr *)(making.buf + making.len);

		making.len += MNL_ALIGN(nlh->nlmsg_len);
	}
}

void nl_unit_begin(nl_done done, void *arg)
{
	making.done = done;
	making.arg = arg;
	making.messages = making.weight = 0;
	making.len = 0;
}

static unsigned int weight_of(uint16_t type)
{
	switch (type) {
	case RTM_NEWLINK:
		return DEVICE_WEIGHT;
	case RTM_DELLINK:
		return REMOVAL_WEIGHT;
	default:
		return 1;
	}
}

struct nlmsghdr *nl_unit_message(uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh;

	making_close();
	assert(making.len + NL_MESSAGE_MAX <= sizeof(making.buf));
	making.messages++;
	making.weight += weight_of(type);
	nlh = mnl_nlmsg_put_header(making.buf + making.len);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	return nlh;
}

static void number_messages(struct nl_unit *unit)
{
	size_t at = 0;

	unit->seq = next_seq;
	while (at < unit->len) {
		struct nlmsghdr *nlh = (struct nlmsghdr *)(unit->data + at);

		nlh->nlmsg_seq = next_seq++;
		at += MNL_ALIGN(nlh->nlmsg_len);
	}
}

static struct nl_unit *making_finish(void)
{
	struct nl_unit *unit;

	making_close();
	unit = XCALLOC(MTYPE_NL_UNIT, sizeof(*unit) + making.len);
	unit->done = making.done;
	unit->arg = making.arg;
	unit->messages = making.messages;
	unit->weight = making.weight;
	unit->len = making.len;
	memcpy(unit->data, making.buf, making.len);
	number_messages(unit);
	stats.requests += unit->messages;
	return unit;
}

void nl_unit_end(void)
{
	nl_queue_add_tail(&queue, making_finish());
	schedule_send();
}

static void unhurried_go(struct thread *t)
{
	struct nl_unit *unit;

	while ((unit = nl_queue_pop(&unhurried)))
		nl_queue_add_tail(&queue, unit);
	schedule_send();
}

void nl_unit_end_unhurried(void)
{
	int64_t left;

	if (!nl_queue_count(&unhurried))
		monotime(&unhurried_since);
	nl_queue_add_tail(&unhurried, making_finish());
	left = UNHURRIED_MAX_MS - monotime_since(&unhurried_since, NULL) / 1000;
	THREAD_OFF(t_unhurried);
	thread_add_timer_msec(master, unhurried_go, NULL,
			      MAX(0, MIN(left, UNHURRIED_QUIET_MS)),
			      &t_unhurried);
}

void nl_forget(void *arg)
{
	struct nl_unit *unit;

	frr_each (nl_queue, &queue, unit)
		if (unit->arg == arg)
			unit->done = NULL;
	frr_each (nl_queue, &unhurried, unit)
		if (unit->arg == arg)
			unit->done = NULL;
	frr_each (nl_waiting, &waiting, unit)
		if (unit->arg == arg)
			unit->done = NULL;
}

/* ---- sending ---- */

static ssize_t send_octets(const uint8_t *data, size_t len)
{
	ssize_t n = -1;

	frr_with_privs (&swmesh_privs) {
		n = mnl_socket_sendto(req_sock, data, len);
	}
	return n;
}

static void unit_finish(struct nl_unit *unit)
{
	if (unit->err)
		stats.errors++;
	if (unit->done)
		unit->done(unit->arg, unit->err, unit->text);
	XFREE(MTYPE_NL_UNIT, unit);
}

/* A batch that was not full tells nothing of a larger one. */
static void adapt_batch(unsigned int weight, int64_t us)
{
	if (us > BATCH_MS * 1000)
		batch_max = MAX(1u, MIN(weight, batch_max) / 2);
	else if (us < BATCH_MS * 1000 / 2 && weight >= batch_max)
		batch_max = MIN(2 * batch_max, (unsigned int)BATCH_WEIGHT);
}

static void send_batch(struct thread *t)
{
	static uint8_t buf[BATCH_OCTETS];
	struct nl_unit *unit, *last = NULL;
	struct timeval began;
	unsigned int messages = 0, weight = 0;
	size_t len = 0;

	frr_each (nl_queue, &queue, unit) {
		if (len + unit->len > sizeof(buf) || weight >= batch_max ||
		    outstanding + messages >= OUTSTANDING_MAX)
			break;
		memcpy(buf + len, unit->data, unit->len);
		len += unit->len;
		messages += unit->messages;
		weight += unit->weight;
		last = unit;
	}
	if (!last)
		return;
	monotime(&began);
	if (send_octets(buf, len) < 0) {
		DEBUGD(&swmesh_dbg_kernel, "kernel: sending %u messages: %m",
		       messages);
		thread_add_timer_msec(master, send_batch, NULL, 10, &t_send);
		return;
	}
	DEBUGD(&swmesh_dbg_kernel, "kernel: %u messages, %zu octets sent",
	       messages, len);
	adapt_batch(weight, monotime_since(&began, NULL));
	stats.batches++;
	outstanding += messages;
	do {
		unit = nl_queue_pop(&queue);
		nl_waiting_add(&waiting, unit);
	} while (unit != last);
	schedule_send();
}

/* ---- answers ---- */

static struct nl_unit *unit_of(uint32_t seq)
{
	struct nl_unit ref, *unit;

	for (unsigned int back = 0; back < UNIT_OCTETS / NL_MESSAGE_MAX;
	     back++) {
		ref.seq = seq - back;
		unit = nl_waiting_find(&waiting, &ref);
		if (unit)
			return back < unit->messages ? unit : NULL;
	}
	return NULL;
}

static int text_attr(const struct nlattr *attr, void *arg)
{
	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		*(const char **)arg = mnl_attr_get_str(attr);
	return MNL_CB_OK;
}

/* What the kernel says in words, if it does. */
static const char *ext_ack(const struct nlmsghdr *nlh,
			   const struct nlmsgerr *err)
{
	size_t at = sizeof(*err);
	const char *text = NULL;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		at += err->msg.nlmsg_len - sizeof(err->msg);
	if (mnl_nlmsg_get_payload_len(nlh) > at)
		mnl_attr_parse(nlh, at, text_attr, &text);
	return text;
}

static void answer(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	struct nl_unit *unit;
	const char *text;

	if (nlh->nlmsg_type != NLMSG_ERROR ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*err))
		return;
	unit = unit_of(nlh->nlmsg_seq);
	if (!unit)
		return;
	if (outstanding)
		outstanding--;
	if (err->error && !unit->err) {
		unit->err = -err->error;
		text = ext_ack(nlh, err);
		strlcpy(unit->text, text ? text : "", sizeof(unit->text));
	}
	if (++unit->answered < unit->messages)
		return;
	nl_waiting_del(&waiting, unit);
	unit_finish(unit);
}

/* The kernel could not deliver its answers: what became of the requests is not
 * known. Their owners try again, and what there is now is read. */
static void answers_lost(void)
{
	struct nl_unit *unit;

	outstanding = 0;
	nl_ops->overrun();
	while ((unit = nl_waiting_pop(&waiting))) {
		unit->err = ENOBUFS;
		unit_finish(unit);
	}
}

enum nl_read {
	NL_READ_EMPTY, /* all that was there */
	NL_READ_MORE,  /* the slice of time is over; perhaps that was all */
	NL_READ_LOST,  /* the kernel had to drop some */
};

static enum nl_read read_socket(struct mnl_socket *sock,
				void (*each)(const struct nlmsghdr *))
{
	static uint8_t buf[READ_OCTETS] __attribute__((aligned(NLMSG_ALIGNTO)));
	const struct nlmsghdr *nlh;
	struct timeval began;
	ssize_t n;
	int len;

	monotime(&began);
	for (;;) {
		n = recv(mnl_socket_get_fd(sock), buf, sizeof(buf),
			 MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == ENOBUFS ? NL_READ_LOST : NL_READ_EMPTY;
		len = n;
		for (nlh = (const struct nlmsghdr *)buf; mnl_nlmsg_ok(nlh, len);
		     nlh = mnl_nlmsg_next(nlh, &len))
			each(nlh);
		if (slice_over(&began))
			return NL_READ_MORE;
	}
}

static void read_answers(struct thread *t)
{
	thread_add_read(master, read_answers, NULL, mnl_socket_get_fd(req_sock),
			&t_req);
	if (read_socket(req_sock, answer) == NL_READ_LOST)
		answers_lost();
	nl_drain();
	schedule_send();
}

/* ---- notifications ---- */

static void notification(const struct nlmsghdr *nlh)
{
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		nl_ops->link(nlh);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		nl_ops->route(nlh);
		break;
	default:
		break;
	}
}

static void drain_again(struct thread *t)
{
	nl_drain();
}

static void drain_soon(void)
{
	thread_add_event(master, drain_again, NULL, 0, &t_drain);
}

void nl_drain(void)
{
	switch (read_socket(event_sock, notification)) {
	case NL_READ_MORE:
		/* That may have been the last one: nothing but this event
		 * would call idle() then. */
		drain_soon();
		return;
	case NL_READ_LOST:
		stats.overruns++;
		flog_warn_limited(
			EC_SWMESH_NETLINK_OVERRUN, 0,
			"kernel: notifications were lost; reading devices and routes anew");
		nl_ops->overrun();
		break;
	case NL_READ_EMPTY:
		break;
	}
	if (!nl_ops->idle())
		drain_soon();
}

static void read_events(struct thread *t)
{
	thread_add_read(master, read_events, NULL,
			mnl_socket_get_fd(event_sock), &t_event);
	nl_drain();
}

/*
 * A full table passes by on every change of routing: take only what carries our
 * protocol number. Loads are big-endian, nlmsg_type is of the host.
 */
static bool filter_routes(struct mnl_socket *sock)
{
	enum {
		AT_TYPE = offsetof(struct nlmsghdr, nlmsg_type),
		AT_PROTOCOL =
			NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_protocol),
	};
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_TYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 0, 2),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_PROTOCOL),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SWMESH_RTPROT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = {.len = array_size(code), .filter = code};

	return setsockopt(mnl_socket_get_fd(sock), SOL_SOCKET, SO_ATTACH_FILTER,
			  &prog, sizeof(prog)) == 0;
}

/* ---- sockets ---- */

static struct mnl_socket *open_socket(void)
{
	struct mnl_socket *sock = nl_sock_open(NETLINK_ROUTE);

	if (sock)
		nl_sock_buffer(sock, RCVBUF_OCTETS);
	return sock;
}

static bool open_sockets(void)
{
	req_sock = open_socket();
	event_sock = open_socket();
	/* Notifications are asked for after the filter is on. */
	return req_sock && event_sock && filter_routes(event_sock) &&
	       nl_sock_join(event_sock, RTNLGRP_LINK) &&
	       nl_sock_join(event_sock, RTNLGRP_IPV6_ROUTE);
}

bool nl_init(const struct nl_ops *ops)
{
	nl_ops = ops;
	nl_queue_init(&queue);
	nl_queue_init(&unhurried);
	nl_waiting_init(&waiting);
	if (!open_sockets()) {
		flog_err(EC_SWMESH_NETLINK_SOCKET,
			 "kernel: no netlink socket: %m");
		return false;
	}
	thread_add_read(master, read_answers, NULL, mnl_socket_get_fd(req_sock),
			&t_req);
	thread_add_read(master, read_events, NULL,
			mnl_socket_get_fd(event_sock), &t_event);
	return true;
}

void nl_stop(void)
{
	struct nl_unit *unit;

	THREAD_OFF(t_req);
	THREAD_OFF(t_event);
	THREAD_OFF(t_send);
	THREAD_OFF(t_unhurried);
	THREAD_OFF(t_drain);
	while ((unit = nl_queue_pop(&unhurried)))
		XFREE(MTYPE_NL_UNIT, unit);
	while ((unit = nl_queue_pop(&queue)))
		XFREE(MTYPE_NL_UNIT, unit);
	while ((unit = nl_waiting_pop(&waiting)))
		XFREE(MTYPE_NL_UNIT, unit);
	if (req_sock)
		mnl_socket_close(req_sock);
	if (event_sock)
		mnl_socket_close(event_sock);
	req_sock = event_sock = NULL;
}
