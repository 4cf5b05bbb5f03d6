// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading the kernel's tables; see kernel/nldump.h. */
#include <zebra.h>

#include "privs.h"

#include "lib/log_limit.h"

#include "swmeshd/swmesh_errors.h"
#include "swmeshd/kernel/netlink.h"
#include "swmeshd/kernel/nldump.h"
#include "swmeshd/swmesh_nlreply.h"
#include "swmeshd/swmesh_nlsock.h"
#include "swmeshd/kernel/tun.h"
#include "swmeshd/swmeshd.h"

#define READ_OCTETS 65536
/* A part of a dump is there at once; what is missing after this is lost. */
#define ANSWER_S 2
/* A part of a dump, and what else is told meanwhile. */
#define RCVBUF_OCTETS (8 * 1024 * 1024)

static struct mnl_socket *sock;
static uint32_t next_seq = 1;
static uint64_t dumps;

uint64_t nl_dumps(void)
{
	return dumps;
}

bool nl_dump_open(void)
{
	int one = 1;

	sock = nl_sock_open(NETLINK_ROUTE);
	if (!sock) {
		flog_err(EC_SWMESH_NETLINK_SOCKET,
			 "kernel: no netlink socket: %m");
		return false;
	}
	nl_sock_buffer(sock, RCVBUF_OCTETS);
	nl_sock_patience(sock, ANSWER_S);
	/* Old kernels lack it: then more is read. */
	mnl_socket_setsockopt(sock, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	return true;
}

void nl_dump_close(void)
{
	if (sock)
		mnl_socket_close(sock);
	sock = NULL;
}

static int dump_once(struct nlmsghdr *nlh, mnl_cb_t cb, void *arg,
		     bool *interrupted)
{
	static uint8_t buf[READ_OCTETS] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t n = -1;

	dumps++;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = next_seq++;
	frr_with_privs (&swmesh_privs) {
		n = mnl_socket_sendto(sock, nlh, nlh->nlmsg_len);
	}
	if (n < 0)
		return errno;
	return nl_reply(sock, buf, sizeof(buf), nlh->nlmsg_seq, cb, arg,
			interrupted);
}

/* foreign: set by cb when nothing that is told is ours: then it does not matter
 * what may be missing. */
static bool dump(struct nlmsghdr *nlh, mnl_cb_t cb, void *arg,
		 const bool *foreign)
{
	bool interrupted = true;
	int err = 0;

	for (int i = 0; i < NL_DUMP_ATTEMPTS && interrupted && !err; i++) {
		interrupted = false;
		err = dump_once(nlh, cb, arg, &interrupted);
		interrupted = interrupted && !*foreign;
	}
	if (!err && !interrupted)
		return true;
	flog_err_limited(EC_SWMESH_NETLINK_DUMP, nlh->nlmsg_type,
			 "kernel: reading %s: %s",
			 nlh->nlmsg_type == RTM_GETLINK ? "devices" : "routes",
			 err ? strerror(err)
			     : "they change all the while; tried again");
	return false;
}

struct picked {
	mnl_cb_t cb; /* the caller's */
	void *arg;
	bool foreign;
};

/*
 * Without the kind's module the kernel has no device of it, and does not pick:
 * what it tells is of others.
 */
static int pick(const struct nlmsghdr *nlh, void *arg)
{
	struct picked *to = arg;

	if (nlh->nlmsg_flags & NLM_F_DUMP_FILTERED)
		return to->cb(nlh, to->arg);
	to->foreign = true;
	return MNL_CB_OK;
}

static bool dump_kind(const char *kind, bool with_stats, struct picked *to)
{
	uint8_t buf[NL_MESSAGE_MAX];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nlattr *info;

	nlh->nlmsg_type = RTM_GETLINK;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	if (!with_stats)
		mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(nlh, info);
	to->foreign = false;
	return dump(nlh, pick, to, &to->foreign);
}

bool nl_dump_links(mnl_cb_t cb, void *arg, bool with_stats)
{
	struct picked to = {.cb = cb, .arg = arg};
	const struct tun_kind *kind = NULL;
	bool ok = true;

	while ((kind = tun_kind_next(kind)))
		ok = dump_kind(tun_kind_name(kind), with_stats, &to) && ok;
	return ok;
}

bool nl_dump_routes(mnl_cb_t cb, void *arg)
{
	uint8_t buf[NL_MESSAGE_MAX];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	const bool foreign = false;
	struct rtmsg *rtm;

	nlh->nlmsg_type = RTM_GETROUTE;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = AF_INET6;
	rtm->rtm_protocol = SWMESH_RTPROT; /* the kernel filters, if strict */
	return dump(nlh, cb, arg, &foreign);
}
