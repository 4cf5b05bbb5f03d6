// SPDX-License-Identifier: GPL-2.0-or-later
/* When what an earlier run left behind may go. */
#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "swmeshd/swmesh_grace.h"
#include "swmeshd/swmesh_model.h"
#include "swmeshd/swmeshd.h"

unsigned int swmesh_grace;
struct mesh *swmesh;
static struct mesh the_mesh;

static int setup(void **state)
{
	swmesh = &the_mesh;
	swmesh->config.enabled = true;
	swmesh_grace = 0;
	swmesh_grace_init();
	return 0;
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

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bgpd_away),
		TEST(test_from_sync),
		TEST(test_no_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
