// SPDX-License-Identifier: GPL-2.0-or-later
/* Netlink to nf_tables: sockets and messages. */
#include <zebra.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>

#include "privs.h"

#include "swmeshd/filter/filter_sock.h"
#include "swmeshd/swmesh_nlsock.h"
#include "swmeshd/swmeshd.h"

/* What the kernel has to say is there at once; what is missing after this is
 * lost. */
#define ANSWER_S 2

bool filter_sock_open(struct mnl_socket **sock)
{
	if (*sock)
		return true;
	*sock = nl_sock_open(NETLINK_NETFILTER);
	if (!*sock)
		return false;
	nl_sock_patience(*sock, ANSWER_S);
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
