// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's IPsec over NETLINK_XFRM; see xfrm/xfrm.h.
 *
 * Requests are few and each is carried out before the call returns: nothing may
 * happen before a drop policy is there. Notifications have a socket of their
 * own; when they overrun, or tell that all was flushed, everything is read
 * anew. Messages about SAs carry their keys: what they were read into is wiped.
 */
#include <zebra.h>

#include "thread.h"

#include "lib/log_limit.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_errors.h"
#include "swmeshd/swmesh_nlreply.h"
#include "swmeshd/swmesh_nlsock.h"
#include "swmeshd/xfrm/xfrm.h"
#include "swmeshd/xfrm/xfrm_policy.h"
#include "swmeshd/xfrm/xfrm_view.h"
#include "swmeshd/swmeshd.h"

#define RCVBUF_OCTETS (8 * 1024 * 1024)
#define READ_OCTETS 65536
/* The kernel answers before send() returns; this is for what cannot be. */
#define ANSWER_LIMIT_S 5
#define STAT_PATH "/proc/thread-self/net/xfrm_stat"

static const struct xfrm_ops *xfrm_ops; /* NULL: not started */
static struct mnl_socket *ask_sock, *event_sock;
static struct thread *t_event, *t_resync;
static uint32_t next_seq = 1;
static uint8_t read_buf[READ_OCTETS] __attribute__((aligned(NLMSG_ALIGNTO)));

static void resync(struct thread *t);

/* ---- requests ---- */

struct nlmsghdr *xfrm_request(uint8_t buf[XFRM_MESSAGE_MAX], uint16_t type,
			      uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	return nlh;
}

/* Until the answer is complete; 0 or an errno. cb: of each message, or NULL. */
static int exchange(struct nlmsghdr *nlh, mnl_cb_t cb, void *arg,
		    bool *interrupted)
{
	ssize_t n = -1;
	int err;

	if (!ask_sock)
		return ENOTCONN;
	nlh->nlmsg_seq = next_seq++;
	frr_with_privs (&swmesh_privs) {
		n = mnl_socket_sendto(ask_sock, nlh, nlh->nlmsg_len);
	}
	err = n < 0 ? errno
		    : nl_reply(ask_sock, read_buf, sizeof(read_buf),
			       nlh->nlmsg_seq, cb, arg, interrupted);
	explicit_bzero(read_buf, sizeof(read_buf));
	return err;
}

int xfrm_ask(struct nlmsghdr *nlh)
{
	bool interrupted;

	nlh->nlmsg_flags |= NLM_F_ACK;
	return exchange(nlh, NULL, NULL, &interrupted);
}

int xfrm_list(struct nlmsghdr *nlh, mnl_cb_t each, void *arg)
{
	bool interrupted = true;
	int err = 0;

	for (int i = 0; i < NL_DUMP_ATTEMPTS && interrupted && !err; i++) {
		interrupted = false;
		err = exchange(nlh, each, arg, &interrupted);
	}
	return !err && interrupted ? EINTR : err;
}

int xfrm_put_drop(const struct xfrm_selector *sel, uint8_t dir,
		  uint32_t priority, bool update)
{
	uint8_t buf[XFRM_MESSAGE_MAX] XFRM_ALIGNED;
	struct nlmsghdr *nlh = xfrm_request(
		buf, update ? XFRM_MSG_UPDPOLICY : XFRM_MSG_NEWPOLICY, 0);
	struct xfrm_userpolicy_info *info;

	info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));
	info->sel = *sel;
	info->lft.soft_byte_limit = info->lft.hard_byte_limit = XFRM_INF;
	info->lft.soft_packet_limit = info->lft.hard_packet_limit = XFRM_INF;
	info->priority = priority;
	info->dir = dir;
	info->action = XFRM_POLICY_BLOCK;
	info->share = XFRM_SHARE_ANY;
	return xfrm_ask(nlh);
}

int xfrm_del_policy(const struct xfrm_userpolicy_id *id)
{
	uint8_t buf[XFRM_MESSAGE_MAX] XFRM_ALIGNED;
	struct nlmsghdr *nlh = xfrm_request(buf, XFRM_MSG_DELPOLICY, 0);
	struct xfrm_userpolicy_id *to;

	to = mnl_nlmsg_put_extra_header(nlh, sizeof(*to));
	to->sel = id->sel;
	to->index = id->index;
	to->dir = id->dir;
	return xfrm_ask(nlh);
}

static int dump_message(const struct nlmsghdr *nlh, void *arg)
{
	view_message(nlh);
	return MNL_CB_OK;
}

static bool dump(bool policies)
{
	uint8_t buf[XFRM_MESSAGE_MAX] XFRM_ALIGNED;
	struct nlmsghdr *nlh = xfrm_request(
		buf, policies ? XFRM_MSG_GETPOLICY : XFRM_MSG_GETSA,
		NLM_F_DUMP);
	int err;

	view_mark(policies);
	err = xfrm_list(nlh, dump_message, NULL);
	if (err) {
		flog_err_limited(EC_SWMESH_NETLINK_DUMP, policies,
				 "kernel: reading IPsec %s: %s",
				 policies ? "policies" : "SAs", strerror(err));
		return false;
	}
	view_unmarked(policies);
	return true;
}

static void resync_later(void)
{
	thread_add_timer(master, resync, NULL, 1, &t_resync);
}

static void read_all(void)
{
	/* SAs first: charon takes the policies away first and puts the SAs
	 * first, so what is seen protected was. */
	if (!dump(false) || !dump(true))
		resync_later();
}

static void resync(struct thread *t)
{
	read_all();
	view_tell();
}

/* ---- notifications ---- */

static bool read_events_once(bool *anew)
{
	const struct nlmsghdr *nlh;
	ssize_t n;
	int len;

	n = recv(mnl_socket_get_fd(event_sock), read_buf, sizeof(read_buf),
		 MSG_DONTWAIT);
	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == ENOBUFS) {
		flog_warn_limited(
			EC_SWMESH_NETLINK_OVERRUN, 0,
			"kernel: notifications of IPsec were lost; reading SAs and policies anew");
		*anew = true;
		return true;
	}
	if (n < 0)
		return false;
	len = n;
	for (nlh = (const struct nlmsghdr *)read_buf; mnl_nlmsg_ok(nlh, len);
	     nlh = mnl_nlmsg_next(nlh, &len))
		if (view_message(nlh) == VIEW_READ_ANEW)
			*anew = true;
	explicit_bzero(read_buf, n);
	return true;
}

void xfrm_drain(void)
{
	bool anew = false;

	if (!event_sock)
		return;
	while (read_events_once(&anew))
		;
	if (anew)
		read_all();
	view_tell();
}

static void read_events(struct thread *t)
{
	thread_add_read(master, read_events, NULL,
			mnl_socket_get_fd(event_sock), &t_event);
	xfrm_drain();
}

/* ---- sockets ---- */

static struct mnl_socket *open_socket(void)
{
	struct mnl_socket *sock = nl_sock_open(NETLINK_XFRM);

	if (!sock)
		return NULL;
	nl_sock_patience(sock, ANSWER_LIMIT_S);
	nl_sock_buffer(sock, RCVBUF_OCTETS);
	return sock;
}

static void close_sockets(void)
{
	if (ask_sock)
		mnl_socket_close(ask_sock);
	if (event_sock)
		mnl_socket_close(event_sock);
	ask_sock = event_sock = NULL;
}

static int open_sockets(void)
{
	static const int groups[] = {XFRMNLGRP_SA, XFRMNLGRP_EXPIRE,
				     XFRMNLGRP_POLICY};
	int err = 0;

	ask_sock = open_socket();
	event_sock = ask_sock ? open_socket() : NULL;
	if (!event_sock)
		err = errno;
	for (unsigned int i = 0; i < array_size(groups) && !err; i++)
		if (!nl_sock_join(event_sock, groups[i]))
			err = errno;
	if (err)
		close_sockets();
	return err;
}

bool xfrm_open(char *err, size_t len)
{
	int no;

	if (ask_sock)
		return true;
	if (!xfrm_ops) {
		snprintf(err, len, "the IKE backend is not there");
		return false;
	}
	no = open_sockets();
	if (no) {
		snprintf(err, len, "no talking to the kernel's IPsec: %s; %s",
			 strerror(no),
			 no == EPROTONOSUPPORT
				 ? "load the module xfrm_user"
				 : "start swmeshd with CAP_NET_ADMIN");
		return false;
	}
	thread_add_read(master, read_events, NULL,
			mnl_socket_get_fd(event_sock), &t_event);
	read_all();
	view_tell();
	return true;
}

/* ---- what others ask ---- */

bool swmesh_xfrm_child(const struct ipaddr *local, const struct ipaddr *remote,
		       uint8_t protocol, uint16_t local_port,
		       uint16_t remote_port, struct xfrm_child *out)
{
	return view_child(local, remote, protocol, local_port, remote_port,
			  out);
}

bool swmesh_xfrm_sends(const struct ipaddr *local, const struct ipaddr *remote,
		       uint8_t protocol, uint8_t sa_protocol, uint32_t spi)
{
	struct view_sas_head *list = view_pair_sas(local, remote);
	struct xfrm_child child;
	struct view_sa *s;

	if (!list || !view_child(local, remote, protocol, 0, 0, &child) ||
	    child.protocol != sa_protocol)
		return false;
	frr_each (view_sas, list, s)
		if (s->sa.spi == spi && s->sa.protocol == sa_protocol &&
		    s->sa.reqid == child.reqid &&
		    !ipaddr_cmp(&s->sa.dst, remote))
			return true;
	return false;
}

unsigned int swmesh_xfrm_sas(const struct ipaddr *local,
			     const struct ipaddr *remote, struct xfrm_sa *sas,
			     unsigned int cap)
{
	struct view_sas_head *list = view_pair_sas(local, remote);
	struct view_sa *s;
	unsigned int n = 0;

	if (!list)
		return 0;
	frr_each (view_sas, list, s)
		if (n < cap)
			sas[n++] = s->sa;
	return n;
}

struct xfrm_traffic swmesh_xfrm_traffic(const struct ipaddr *local,
					const struct xfrm_sa *sas,
					unsigned int n)
{
	struct xfrm_traffic t = {};

	for (unsigned int i = 0; i < n; i++) {
		if (!ipaddr_cmp(&sas[i].dst, local))
			t.in += sas[i].packets;
		else
			t.out += sas[i].packets;
		t.refused += sas[i].replays + sas[i].replay_window_misses +
			     sas[i].integrity_failures;
	}
	return t;
}

void swmesh_xfrm_read_stats(void)
{
	if (!ask_sock)
		return;
	if (!dump(false))
		resync_later();
	view_tell();
}

static bool sa_kept(uint32_t spi, const uint32_t *keep, unsigned int n_keep)
{
	for (unsigned int i = 0; i < n_keep; i++)
		if (keep[i] == spi)
			return true;
	return false;
}

static bool sa_delete(const struct xfrm_sa *sa)
{
	uint8_t buf[XFRM_MESSAGE_MAX] XFRM_ALIGNED;
	struct nlmsghdr *nlh = xfrm_request(buf, XFRM_MSG_DELSA, 0);
	struct xfrm_usersa_id *id;
	xfrm_address_t src;
	int err;

	id = mnl_nlmsg_put_extra_header(nlh, sizeof(*id));
	id->family = view_put_address(&sa->dst, &id->daddr);
	id->spi = htonl(sa->spi);
	id->proto = sa->protocol;
	view_put_address(&sa->src, &src);
	mnl_attr_put(nlh, XFRMA_SRCADDR, sizeof(src), &src);
	err = xfrm_ask(nlh);
	if (err && err != ESRCH)
		zlog_warn_limited(
			sa->spi,
			"kernel: IPsec SA %08x to %pIA cannot be removed: %s",
			sa->spi, &sa->dst, strerror(err));
	return !err;
}

unsigned int swmesh_xfrm_purge(const struct ipaddr *local,
			       const struct ipaddr *remote,
			       const uint32_t *keep, unsigned int n_keep)
{
	struct view_sas_head *list = view_pair_sas(local, remote);
	struct view_sa *s;
	unsigned int n = 0;

	if (!list)
		return 0;
	/* Nothing leaves the list before the notifications are read. */
	frr_each (view_sas, list, s)
		if (!sa_kept(s->sa.spi, keep, n_keep))
			n += sa_delete(&s->sa);
	if (n)
		DEBUGD(&swmesh_dbg_ike,
		       "kernel: %u IPsec SAs of nobody to %pIA removed", n,
		       remote);
	return n;
}

unsigned int swmesh_xfrm_purge_policies(const struct ipaddr *local,
					const struct ipaddr *remote,
					uint32_t reqid)
{
	struct view_policies_head *list = view_pair_policies(local, remote);
	struct view_policy *p;
	unsigned int n = 0;
	int err;

	if (!list)
		return 0;
	/* Nothing leaves the list before the notifications are read. */
	frr_each (view_policies, list, p) {
		struct xfrm_userpolicy_id id = {
			.sel = p->sel, .index = p->index, .dir = p->dir};

		if (!p->n || p->tmpl[0].reqid != reqid)
			continue;
		err = xfrm_del_policy(&id);
		n += !err;
		if (err && err != ENOENT)
			zlog_warn_limited(
				reqid,
				"kernel: an IPsec policy for %pIA cannot be removed: %s",
				remote, strerror(err));
	}
	if (n)
		DEBUGD(&swmesh_dbg_ike,
		       "kernel: %u IPsec policies of nobody for %pIA removed",
		       n, remote);
	return n;
}

unsigned int swmesh_xfrm_pairs(bool (*take)(const struct ipaddr *local,
					    const struct ipaddr *remote,
					    uint32_t reqid),
			       struct xfrm_pair *pairs, unsigned int cap)
{
	return view_pairs_with(take, pairs, cap);
}

uint64_t swmesh_xfrm_stat(const char *name)
{
	char line[128], word[64];
	unsigned long long value, found = 0;
	FILE *file = fopen(STAT_PATH, "re");

	if (!file) /* a kernel without the counters */
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %llu", word, &value) == 2 &&
		    !strcmp(word, name))
			found = value;
	fclose(file);
	return found;
}

/* ---- start and stop ---- */

static void changed(const struct ipaddr *local, const struct ipaddr *remote)
{
	DEBUGD(&swmesh_dbg_ike, "kernel: IPsec between %pIA and %pIA changed",
	       local, remote);
	if (xfrm_ops->changed)
		xfrm_ops->changed(local, remote);
}

static void policies_changed(void)
{
	if (xfrm_ops->policies_changed)
		xfrm_ops->policies_changed();
}

static const struct view_ops view_callbacks = {
	.changed = changed,
	.policies_changed = policies_changed,
};

bool swmesh_xfrm_init(const struct xfrm_ops *ops)
{
	char err[128];

	xfrm_ops = ops;
	view_init(&view_callbacks);
	if (xfrm_open(err, sizeof(err)))
		return true;
	flog_err(EC_SWMESH_NETLINK_SOCKET, "kernel: %s", err);
	return false;
}

void swmesh_xfrm_stop(void)
{
	THREAD_OFF(t_event);
	THREAD_OFF(t_resync);
	close_sockets();
	view_fini();
	xfrm_ops = NULL;
}
