// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How many lines are written, whatever happens how often: those of one object,
 * of many, and of another logging call beside them.
 */
#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "printfrr.h"

#include "lib/log_limit.h"

#define REPEATS 1000

static unsigned int told;
static char last_told[512];

static void tell(int priority, const char *format, ...)
{
	va_list ap;

	told++;
	va_start(ap, format);
	vsnprintf(last_told, sizeof(last_told), format, ap);
	va_end(ap);
}

static unsigned int written;
static char last_written[512];

#define write_line(...)                                                        \
	(written++,                                                            \
	 (void)snprintfrr(last_written, sizeof(last_written), __VA_ARGS__))

/* As zlog_warn_limited() does it, without a log. */
static void one_fails(unsigned int object, const char *why)
{
	LOG_LIMITED(LOG_WARNING, object,
		    write_line("object %u: %s", object, why), "object %u: %s",
		    object, why);
}

static void another_fails(void)
{
	LOG_LIMITED(LOG_ERR, 0, write_line("otherwise"), "otherwise");
}

static int begin(void **state)
{
	log_limit_period(tell);
	told = written = 0;
	last_told[0] = '\0';
	return 0;
}

static void test_one_object(void **state)
{
	for (unsigned int i = 0; i < REPEATS; i++)
		one_fails(7, i ? "again" : "at first");
	assert_int_equal(written, 1);
	assert_string_equal(last_written, "object 7: at first");
	log_limit_period(tell);
	assert_int_equal(told, 1);
	assert_string_equal(
		last_told,
		"left out in the last 60 s: 999 more like: object 7: again");
	/* The next minute begins anew, and nothing is told twice. */
	one_fails(7, "later");
	assert_int_equal(written, 2);
	log_limit_period(tell);
	assert_int_equal(told, 1);
}

/* Objects do not hide each other, up to a bound. */
static void test_objects(void **state)
{
	for (unsigned int i = 0; i < REPEATS; i++)
		one_fails(i, "gone");
	assert_int_equal(written, LOG_LIMIT_OBJECTS);
	log_limit_period(tell);
	assert_int_equal(told, 1);
	assert_string_equal(
		last_told,
		"left out in the last 60 s: 936 more like: object 64: gone");
}

/* A flood of one kind does not hide another kind. */
static void test_calls(void **state)
{
	for (unsigned int i = 0; i < REPEATS; i++)
		one_fails(i, "gone");
	another_fails();
	assert_string_equal(last_written, "otherwise");
	another_fails();
	assert_int_equal(written, LOG_LIMIT_OBJECTS + 1);
	log_limit_period(tell);
	assert_int_equal(told, 2);
}

static void test_nothing_left_out(void **state)
{
	one_fails(1, "once");
	another_fails();
	log_limit_period(tell);
	log_limit_period(tell);
	assert_int_equal(told, 0);
}

static void test_key(void **state)
{
	assert_int_equal(log_limit_key("nft, process 12"),
			 log_limit_key("nft, process 12"));
	assert_int_not_equal(log_limit_key("nft, process 12"),
			     log_limit_key("nft, process 13"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_one_object, begin),
		cmocka_unit_test_setup(test_objects, begin),
		cmocka_unit_test_setup(test_calls, begin),
		cmocka_unit_test_setup(test_nothing_left_out, begin),
		cmocka_unit_test_setup(test_key, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
