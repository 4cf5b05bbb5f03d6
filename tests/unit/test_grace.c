// SPDX-License-Identifier: GPL-2.0-or-later
/* When what an earlier run left behind may go. */
#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "swmeshd/model/settle.h"
#include "swmeshd/model/model.h"
#include "swmeshd/swmeshd.h"

unsigned int swmesh_grace;
struct mesh *swmesh;
struct thread_master *master;
static struct mesh the_mesh;

static unsigned int calls;
static bool woken;

static void over(void)
{
	calls++;
}

static void wake(struct thread *t)
{
	woken = true;
}

static int setup(void **state)
{
	swmesh = &the_mesh;
	swmesh->config.enabled = true;
	swmesh_grace = 0;
	calls = 0;
	swmesh_grace_init(over);
	return 0;
}

static int teardown(void **state)
{
	swmesh_grace_stop();
	return 0;
}

/* What is due now. */
static void run_timer(void)
{
	struct thread t;

	thread_add_timer_msec(master, wake, NULL, 10, NULL);
	do {
		assert_non_null(thread_fetch(master, &t));
		thread_call(&t);
	} while (!woken);
	woken = false;
}

/* One clock for all leftovers: it calls once, and not while bgpd is away. */
static void test_called_once(void **state)
{
	run_timer();
	assert_int_equal(calls, 0);
	swmesh_grace_synced();
	run_timer();
	swmesh_grace_synced();
	run_timer();
	assert_int_equal(calls, 1);
}

/* bgpd is away: however long, it has not been able to ask. */
static void test_bgpd_away(void **state)
{
	assert_false(swmesh_grace_over());
	swmesh_grace_synced();
	assert_true(swmesh_grace_over());
}

/* ... and has the whole time from then on. */
static void test_from_sync(void **state)
{
	swmesh_grace = 3600;
	swmesh_grace_synced();
	assert_false(swmesh_grace_over());
}

static void test_no_configuration(void **state)
{
	swmesh->config.enabled = false;
	assert_true(swmesh_grace_over());
	swmesh_grace = 3600;
	assert_false(swmesh_grace_over());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_called_once),
		TEST(test_bgpd_away),
		TEST(test_from_sync),
		TEST(test_no_configuration),
	};

	master = thread_master_create(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
