// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading the answer to one netlink request, from a peer that answers as the
 * kernel does on a busy system: dumps that are interrupted, the rest of an
 * answer that nobody read, errors.
 */
#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <linux/rtnetlink.h>

#include "swmeshd/swmesh_nlreply.h"

/* Netlink between processes: two ends, and no rights needed. */
static struct mnl_socket *sock, *peer;
static unsigned int told;
static bool interrupted;

static int setup(void **state)
{
	struct timeval limit = {.tv_sec = 5};

	sock = mnl_socket_open(NETLINK_USERSOCK);
	peer = mnl_socket_open(NETLINK_USERSOCK);
	assert_non_null(sock);
	assert_non_null(peer);
	assert_int_equal(mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID), 0);
	assert_int_equal(mnl_socket_bind(peer, 0, MNL_SOCKET_AUTOPID), 0);
	setsockopt(mnl_socket_get_fd(sock), SOL_SOCKET, SO_RCVTIMEO, &limit,
		   sizeof(limit));
	told = 0;
	interrupted = false;
	return 0;
}

static int teardown(void **state)
{
	mnl_socket_close(sock);
	mnl_socket_close(peer);
	return 0;
}

/* One datagram of one message; err: the payload of an end, or none (1). */
static void answer(uint16_t type, uint16_t flags, uint32_t seq, int err)
{
	uint8_t buf[256] __attribute__((aligned(NLMSG_ALIGNTO))) = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct sockaddr_nl to = {.nl_family = AF_NETLINK,
				 .nl_pid = mnl_socket_get_portid(sock)};

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	nlh->nlmsg_seq = seq;
	if (err <= 0)
		*(int *)mnl_nlmsg_put_extra_header(nlh, sizeof(int)) = err;
	assert_int_equal(sendto(mnl_socket_get_fd(peer), buf, nlh->nlmsg_len, 0,
				(struct sockaddr *)&to, sizeof(to)),
			 nlh->nlmsg_len);
}

static int each(const struct nlmsghdr *nlh, void *arg)
{
	told++;
	return MNL_CB_OK;
}

static int read_reply(uint32_t seq)
{
	uint8_t buf[8192] __attribute__((aligned(NLMSG_ALIGNTO)));

	return nl_reply(sock, buf, sizeof(buf), seq, each, NULL, &interrupted);
}

/* All of an interrupted dump is read: the next one has an answer of its own. */
static void test_interrupted(void **state)
{
	answer(RTM_NEWLINK, NLM_F_MULTI, 1, 1);
	answer(RTM_NEWLINK, NLM_F_MULTI | NLM_F_DUMP_INTR, 1, 1);
	answer(RTM_NEWLINK, NLM_F_MULTI, 1, 1);
	answer(NLMSG_DONE, NLM_F_MULTI, 1, 0);
	assert_int_equal(read_reply(1), 0);
	assert_true(interrupted);
	assert_int_equal(told, 3);

	interrupted = false;
	answer(RTM_NEWLINK, NLM_F_MULTI, 2, 1);
	answer(NLMSG_DONE, NLM_F_MULTI, 2, 0);
	assert_int_equal(read_reply(2), 0);
	assert_false(interrupted);
	assert_int_equal(told, 4);
}

/* A change after the last entry has been told takes nothing away from them. */
static void test_changed_at_the_end(void **state)
{
	answer(RTM_NEWLINK, NLM_F_MULTI, 1, 1);
	answer(NLMSG_DONE, NLM_F_MULTI | NLM_F_DUMP_INTR, 1, 0);
	assert_int_equal(read_reply(1), 0);
	assert_false(interrupted);
}

/* What was left of another request's answer is passed over. */
static void test_stale(void **state)
{
	answer(RTM_NEWLINK, NLM_F_MULTI | NLM_F_DUMP_INTR, 7, 1);
	answer(NLMSG_DONE, NLM_F_MULTI, 7, 0);
	answer(NLMSG_ERROR, 0, 7, -EPERM);
	answer(RTM_NEWLINK, NLM_F_MULTI, 8, 1);
	answer(NLMSG_DONE, NLM_F_MULTI, 8, 0);
	assert_int_equal(read_reply(8), 0);
	assert_false(interrupted);
	assert_int_equal(told, 1);
}

/* The kernel's errors: in place of an answer, at the end of a dump, and the
 * acknowledgement that there is none. */
static void test_errors(void **state)
{
	answer(NLMSG_ERROR, 0, 1, -EINVAL);
	assert_int_equal(read_reply(1), EINVAL);
	answer(RTM_NEWLINK, NLM_F_MULTI, 2, 1);
	answer(NLMSG_DONE, NLM_F_MULTI, 2, -ENOMEM);
	assert_int_equal(read_reply(2), ENOMEM);
	answer(NLMSG_ERROR, 0, 3, 0);
	assert_int_equal(read_reply(3), 0);
	answer(NLMSG_ERROR, 0, 4, 1); /* nothing in it */
	assert_int_equal(read_reply(4), EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_interrupted, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_changed_at_the_end, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
