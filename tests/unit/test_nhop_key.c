// SPDX-License-Identifier: GPL-2.0-or-later
/* What counts as a machine's id, machine-id(5). */
#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bgpd/swmesh_bgp_nhop_key.h"

#define ID "0123456789abcdef0123456789ABCDEF"

static bool valid(const char *text)
{
	return swmesh_machine_id_valid(text, strlen(text));
}

static void test_machine_id(void **state)
{
	assert_true(valid(ID));
	assert_true(valid(ID "\n"));
	assert_false(valid(""));
	assert_false(valid("\n"));
	/* As it is at the first boot, on all machines. */
	assert_false(valid("uninitialized\n"));
	assert_false(valid(ID "0"));
	assert_false(valid(ID "\n\n"));
	assert_false(valid("g123456789abcdef0123456789abcdef\n"));
	assert_false(valid("123456789abcdef0123456789abcdef\n"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_machine_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
