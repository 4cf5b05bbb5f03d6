// SPDX-License-Identifier: GPL-2.0-or-later
/* The numbers of tunnel devices' names: ours, other programs', and none left.
 */
#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "swmeshd/kernel/kdev_name.h"

static int reset(void **state)
{
	for (unsigned int n = 1; n <= KDEV_NAME_MAX; n++)
		kdev_name_release(n);
	return 0;
}

static unsigned int take(void)
{
	unsigned int n = kdev_name_choose();

	kdev_name_take(n);
	return n;
}

static void test_form(void **state)
{
	static const char *const none[] = {"",	   "sw",     "sw0",  "sw01",
					   "sw-1", "sw1x",   "sw 1", "eth1",
					   "xsw1", "sw65536"};
	char buf[IFNAMSIZ];

	for (size_t i = 0; i < array_size(none); i++)
		assert_int_equal(kdev_name_number(none[i]), 0);
	assert_int_equal(kdev_name_number("sw1"), 1);
	assert_int_equal(kdev_name_number("sw65535"), 65535);
	assert_string_equal(kdev_name_text(7, buf, sizeof(buf)), "sw7");
}

static void test_lowest_first(void **state)
{
	assert_int_equal(take(), 1);
	assert_int_equal(take(), 2);
	assert_int_equal(take(), 3);
	kdev_name_release(2);
	assert_int_equal(take(), 2);
	assert_int_equal(take(), 4);
}

static void test_foreign_is_passed_over(void **state)
{
	assert_int_equal(kdev_name_choose(), 1);
	kdev_name_foreign(1);
	assert_int_equal(take(), 2);
	kdev_name_release(2);
	assert_int_equal(take(), 2);
}

/* Then what another program had is tried again. */
static void test_none_left(void **state)
{
	kdev_name_foreign(9);
	for (unsigned int n = 1; n <= KDEV_NAME_MAX; n++)
		assert_int_not_equal(take(), 0);
	assert_int_equal(take(), 0);
	kdev_name_release(40000);
	assert_int_equal(take(), 40000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_form, reset),
		cmocka_unit_test_setup(test_lowest_first, reset),
		cmocka_unit_test_setup(test_foreign_is_passed_over, reset),
		cmocka_unit_test_setup(test_none_left, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
