// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rtnetlink client on an event loop, with a peer that sends what the kernel
 * would.
 */
#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "debug.h"
#include "memory.h"
#include "privs.h"
#include "thread.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/kernel/netlink.h"
#include "swmeshd/kernel/nldump.h"
#include "swmeshd/swmesh_slice.h"
#include "swmeshd/swmeshd.h"

DEFINE_MGROUP(SWMESHD, "swmeshd netlink test");
struct debug swmesh_dbg_kernel = {0, "kernel"};
struct zebra_privs_t swmesh_privs;
struct thread_master *master;

/* Long enough for any event that is due. */
#define LIMIT_MS 1000

static struct mnl_socket *peer, *last_opened;
static unsigned int told, idle_at; /* routes; how many when idle() was called */
static bool slow, over;

/* ---- instead of the kernel ---- */

/* Netlink between processes needs no rights. */
struct mnl_socket *mnl_socket_open2(int bus, int flags)
{
	last_opened = mnl_socket_open(NETLINK_USERSOCK);
	return last_opened;
}

int mnl_socket_setsockopt(const struct mnl_socket *nl, int type, void *buf,
			  socklen_t len)
{
	return 0;
}

bool nl_dump_open(void)
{
	return true;
}

void nl_dump_close(void)
{
}

static void send_route(void)
{
	uint8_t buf[256] __attribute__((aligned(NLMSG_ALIGNTO))) = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct sockaddr_nl to = {.nl_family = AF_NETLINK,
				 .nl_pid = mnl_socket_get_portid(last_opened)};
	struct rtmsg *rtm;

	nlh->nlmsg_type = RTM_DELROUTE;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_protocol = SWMESH_RTPROT;
	assert_int_equal(sendto(mnl_socket_get_fd(peer), buf, nlh->nlmsg_len, 0,
				(struct sockaddr *)&to, sizeof(to)),
			 nlh->nlmsg_len);
}

/* ---- the client's side ---- */

static void on_link(const struct nlmsghdr *nlh)
{
}

static void on_route(const struct nlmsghdr *nlh)
{
	told++;
	if (slow)
		usleep(2 * SLICE_MS * 1000);
}

static void on_overrun(void)
{
}

static bool on_idle(void)
{
	idle_at = told;
	return true;
}

static const struct nl_ops ops = {
	.link = on_link,
	.route = on_route,
	.overrun = on_overrun,
	.idle = on_idle,
};

static void at_limit(struct thread *t)
{
	over = true;
}

static void run_until_idle(unsigned int routes)
{
	struct thread *t_limit = NULL, t;

	over = false;
	thread_add_timer_msec(master, at_limit, NULL, LIMIT_MS, &t_limit);
	while (!over && idle_at != routes && thread_fetch(master, &t))
		thread_call(&t);
	THREAD_OFF(t_limit);
}

static int setup(void **state)
{
	zprivs_preinit(&swmesh_privs);
	zprivs_init(&swmesh_privs);
	master = thread_master_create(NULL);
	peer = mnl_socket_open(NETLINK_USERSOCK);
	assert_non_null(peer);
	assert_int_equal(mnl_socket_bind(peer, 0, MNL_SOCKET_AUTOPID), 0);
	told = idle_at = 0;
	slow = false;
	assert_true(nl_init(&ops));
	return 0;
}

static int teardown(void **state)
{
	nl_stop();
	zprivs_terminate(&swmesh_privs);
	mnl_socket_close(peer);
	thread_master_free(master);
	return 0;
}

static void test_idle(void **state)
{
	send_route();
	send_route();
	run_until_idle(2);
	assert_int_equal(told, 2);
	assert_int_equal(idle_at, 2);
}

/* The slice of time ends with the last notification that is there: it is acted
 * upon all the same, though nothing more comes. */
static void test_idle_after_slow_one(void **state)
{
	slow = true;
	send_route();
	run_until_idle(1);
	assert_int_equal(told, 1);
	assert_int_equal(idle_at, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_idle),
		TEST(test_idle_after_slow_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
