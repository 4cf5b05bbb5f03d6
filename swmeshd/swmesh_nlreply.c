// SPDX-License-Identifier: GPL-2.0-or-later
/* The whole answer to one request; see swmesh_nlreply.h. */
#include <zebra.h>

#include "swmeshd/swmesh_nlreply.h"

/* NLMSG_DONE has an errno, too, when the dump could not go on. */
static int end_error(const struct nlmsghdr *nlh)
{
	const int *err = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err))
		return nlh->nlmsg_type == NLMSG_DONE ? 0 : EBADMSG;
	return -*err;
}

struct reading {
	uint32_t seq;
	mnl_cb_t each;
	void *arg;
	bool *interrupted;
	int err;
};

/* True: that was its end. */
static bool read_message(struct reading *r, const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_seq != r->seq)
		return false;
	if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR) {
		r->err = end_error(nlh);
		return true;
	}
	if (nlh->nlmsg_type < NLMSG_MIN_TYPE)
		return false;
	/* On NLMSG_DONE it says that something changed after the last entry
	 * was read, which harms nothing. */
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		*r->interrupted = true;
	if (r->each)
		r->each(nlh, r->arg);
	return false;
}

static bool read_datagram(struct reading *r, const void *buf, int len)
{
	const struct nlmsghdr *nlh = buf;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
		if (read_message(r, nlh))
			return true;
	return false;
}

int nl_reply(struct mnl_socket *sock, void *buf, size_t size, uint32_t seq,
	     mnl_cb_t each, void *arg, bool *interrupted)
{
	struct reading r = {seq, each, arg, interrupted, 0};
	ssize_t n;

	do {
		n = mnl_socket_recvfrom(sock, buf, size);
		if (n < 0 && errno != EINTR)
			return errno;
	} while (n < 0 || !read_datagram(&r, buf, n));
	return r.err;
}
