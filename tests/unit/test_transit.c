// SPDX-License-Identifier: GPL-2.0-or-later
/* Which ways lead through the transit core, by the rule alone. */
#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ipaddr.h"

#include "swmeshd/model/transit.h"

static struct transit_config config;
static struct transit_fault fault;

static int setup(void **state)
{
	memset(&config, 0, sizeof(config));
	memset(&fault, 0, sizeof(fault));
	return 0;
}

static void name_interface(const char *name)
{
	strlcpy(config.interface[config.n_interfaces++], name,
		INTERFACE_NAMSIZ);
}

static struct transit_leg leg(const char *ifname, const char *island)
{
	struct transit_leg l;

	memset(&l, 0, sizeof(l));
	strlcpy(l.ifname, ifname, sizeof(l.ifname));
	if (island)
		assert_int_equal(str2prefix(island, &l.island), 1);
	return l;
}

static enum transit_verdict judge(struct transit_leg l)
{
	memset(&fault, 0, sizeof(fault));
	transit_judge(&config, &l, &fault);
	return fault.verdict;
}

static bool island_address(const char *text, int core)
{
	struct prefix p;

	assert_int_equal(str2prefix(text, &p), 1);
	return transit_island_address(&p, core);
}

static void test_addresses(void **state)
{
	assert_true(island_address("10.1.0.1/24", AF_INET6));
	assert_true(island_address("192.0.2.1/32", AF_INET6));
	assert_false(island_address("169.254.3.1/16", AF_INET6));
	assert_false(island_address("2001:db8::1/64", AF_INET6));
	assert_true(island_address("2001:db8::1/64", AF_INET));
	assert_true(island_address("fd00::1/64", AF_INET));
	assert_false(island_address("fe80::1/64", AF_INET));
	assert_false(island_address("10.1.0.1/24", AF_INET));
}

/* Without a configuration the addresses tell. */
static void test_default(void **state)
{
	struct transit_leg l = leg("eth0", NULL);

	assert_int_equal(judge(l), TRANSIT_CORE);
	assert_int_equal(judge(leg("eth1", "10.1.0.1/24")), TRANSIT_ISLAND);
	assert_int_equal(judge(leg("", NULL)), TRANSIT_NO_INTERFACE);
	l.foreign = true; /* its addresses are not known */
	assert_int_equal(judge(l), TRANSIT_FOREIGN);
	l = leg("lo", NULL);
	l.loopback = true;
	assert_int_equal(judge(l), TRANSIT_LOOPBACK);
}

/* With one the names do, and nothing else. */
static void test_named(void **state)
{
	struct transit_leg l;

	name_interface("eth0");
	name_interface("eth1");
	assert_int_equal(judge(leg("eth0", NULL)), TRANSIT_CORE);
	assert_int_equal(judge(leg("eth1", "10.1.0.1/24")), TRANSIT_CORE);
	assert_int_equal(judge(leg("eth2", NULL)), TRANSIT_NOT_NAMED);
	assert_int_equal(judge(leg("eth10", NULL)), TRANSIT_NOT_NAMED);
	assert_int_equal(judge(leg("", NULL)), TRANSIT_NO_INTERFACE);
	l = leg("eth0", NULL);
	l.foreign = true;
	assert_int_equal(judge(l), TRANSIT_CORE);
	l.loopback = true; /* no name makes that the core */
	assert_int_equal(judge(l), TRANSIT_LOOPBACK);
}

/* One leg that does not comply is enough, wherever it comes. */
static void test_all_legs(void **state)
{
	struct transit_leg core = leg("eth0", NULL);
	struct transit_leg island = leg("eth1", "10.1.0.1/24");

	transit_judge(&config, &core, &fault);
	transit_judge(&config, &core, &fault);
	assert_int_equal(fault.verdict, TRANSIT_CORE);
	transit_judge(&config, &island, &fault);
	transit_judge(&config, &core, &fault);
	assert_int_equal(fault.verdict, TRANSIT_ISLAND);
	assert_string_equal(fault.ifname, "eth1");
}

static void test_reasons(void **state)
{
	struct ipaddr endpoint;
	char text[256];

	assert_int_equal(str2ipaddr("2001:db8:1::2", &endpoint), 0);
	assert_string_equal(
		transit_reason(&config, &fault, &endpoint, text, sizeof(text)),
		"");
	judge(leg("eth1", "10.1.0.1/24"));
	assert_string_equal(
		transit_reason(&config, &fault, &endpoint, text, sizeof(text)),
		"the way to 2001:db8:1::2 leaves by eth1, where an island is (10.1.0.1/24); if the core is there, enter 'transit interface eth1'");
	/* Longer ones do not lose the remedy. */
	assert_int_equal(
		str2ipaddr("2001:db8:1111:2222:3333:4444:5555:6666", &endpoint),
		0);
	judge(leg("abcdefghijklmno",
		  "2001:db8:1111:2222:3333:4444:5555:6666/128"));
	transit_reason(&config, &fault, &endpoint, text, sizeof(text));
	assert_non_null(strstr(text, "'transit interface abcdefghijklmno'"));
	strlcpy(config.prefix_list, "AFBRS", sizeof(config.prefix_list));
	fault.verdict = TRANSIT_NO_LIST;
	transit_reason(&config, &fault, &endpoint, text, sizeof(text));
	assert_non_null(strstr(text, "no ipv6 prefix-list AFBRS"));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_addresses), TEST(test_default), TEST(test_named),
		TEST(test_all_legs),  TEST(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
