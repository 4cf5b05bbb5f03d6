// SPDX-License-Identifier: GPL-2.0-or-later
/* Netlink to nf_tables: sockets and messages. */
#include <zebra.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>

#include "privs.h"

#include "swmeshd/filter/filter_sock.h"
#include "swmeshd/swmeshd.h"

/* What the kernel has to say is there at once; what is missing after this is
 * lost. */
#define ANSWER_S 2

bool filter_sock_open(struct mnl_socket **sock)
{
	const struct timeval limit = {.tv_sec = ANSWER_S};
	struct mnl_socket *s = NULL;
	int no = 0;

	if (*sock)
		return true;
	frr_with_privs (&swmesh_privs) {
		s = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
		if (!s)
			no = errno;
	}
	if (s && mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0) {
		no = errno;
		mnl_socket_close(s);
		s = NULL;
	}
	errno = no;
	if (!s)
		return false;
	setsockopt(mnl_socket_get_fd(s), SOL_SOCKET, SO_RCVTIMEO, &limit,
		   sizeof(limit));
	*sock = s;
	return true;
}

bool filter_sock_send(struct mnl_socket *sock, const void *data, size_t len)
{
	ssize_t n = -1;

	frr_with_privs (&swmesh_privs) {
		n = mnl_socket_sendto(sock, data, len);
	}
	return n >= 0;
}

uint32_t filter_sock_seq(void)
{
	static uint32_t last;

	return ++last;
}

struct nlmsghdr *filter_sock_message(void *to, uint16_t type, uint16_t flags,
				     uint32_t seq)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(to);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = seq;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = FILTER_FAMILY_INET;
	nfg->version = NFNETLINK_V0;
	return nlh;
}
