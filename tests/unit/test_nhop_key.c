// SPDX-License-Identifier: GPL-2.0-or-later
/* What counts as a machine's id, machine-id(5), and SW-NHOPs out of a hash. */
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

static void address_is(const char *prefix, uint64_t hash, const char *want)
{
	struct in6_addr addr, wanted;
	struct prefix_ipv6 p;

	assert_int_equal(str2prefix_ipv6(prefix, &p), 1);
	assert_int_equal(inet_pton(AF_INET6, want, &wanted), 1);
	swmesh_nhop_address(hash, &p, &addr);
	assert_memory_equal(&addr, &wanted, sizeof(addr));
}

/* No bit of the prefix is the hash's. */
static void test_address(void **state)
{
	const uint64_t hash = 0x123456789abcdef0;

	address_is("fd53:574d:4553:4800::/64", hash,
		   "fd53:574d:4553:4800:1234:5678:9abc:def0");
	address_is("fd53::/16", hash, "fd53::1234:5678:9abc:def0");
	address_is("fd53::ff00:0:0:0/68", hash, "fd53::f234:5678:9abc:def0");
	address_is("fd53::/96", hash, "fd53::9abc:def0");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_machine_id),
		cmocka_unit_test(test_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
