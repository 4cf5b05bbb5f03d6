// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tunnel table: what is written for a device reads back as the same, for
 * every type and family; what is not quite ours, or not ours at all, is told.
 */
#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <linux/rtnetlink.h>

#include "swmeshd/kernel/tun.h"
#include "swmeshd/kernel/uapi.h"

static uint8_t buf[4096];

static struct ipaddr addr(const char *text)
{
	struct ipaddr a;

	assert_int_equal(str2ipaddr(text, &a), 0);
	return a;
}

static struct tun_params params(uint16_t type, bool v4)
{
	struct tun_params p = {};

	p.local = addr(v4 ? "192.0.2.1" : "2001:db8:c::1");
	p.remote = addr(v4 ? "192.0.2.2" : "2001:db8:c::2");
	p.tunnel.type = type;
	return p;
}

static struct nlattr *write_it(const struct tun_params *p)
{
	struct nlmsghdr *nlh;

	memset(buf, 0, sizeof(buf));
	nlh = mnl_nlmsg_put_header(buf);
	tun_put(nlh, p);
	return mnl_nlmsg_get_payload(nlh);
}

/* A number inside IFLA_INFO_DATA, to change it. */
static uint8_t *inside(struct nlattr *linkinfo, uint16_t type)
{
	struct nlattr *data, *attr;

	mnl_attr_for_each_nested(data, linkinfo)
	{
		if (mnl_attr_get_type(data) != IFLA_INFO_DATA)
			continue;
		mnl_attr_for_each_nested(attr, data)
		{
			if (mnl_attr_get_type(attr) == type)
				return mnl_attr_get_payload(attr);
		}
	}
	fail();
	return NULL;
}

static void same(const struct tun_params *a, const struct tun_params *b)
{
	assert_int_equal(ipaddr_cmp(&a->local, &b->local), 0);
	assert_int_equal(ipaddr_cmp(&a->remote, &b->remote), 0);
	assert_int_equal(a->tunnel.type, b->tunnel.type);
	assert_int_equal(a->tunnel.has_key, b->tunnel.has_key);
	assert_int_equal(a->tunnel.key, b->tunnel.key);
	assert_int_equal(a->has_okey, b->has_okey);
	assert_int_equal(a->okey, b->okey);
	assert_int_equal(a->fragment, b->fragment);
}

static void test_reads_back(void **state)
{
	static const uint16_t types[] = {TEA_TYPE_GRE, TEA_TYPE_IPIP};
	struct tun_params p, q;
	bool exact;

	for (unsigned int i = 0; i < 4; i++) {
		p = params(types[i / 2], i % 2);
		assert_true(tun_get(write_it(&p), &q, &exact));
		assert_true(exact);
		same(&p, &q);
	}
}

/* Keys of the two directions are apart, and no key is not key 0. */
static void test_keys(void **state)
{
	struct tun_params p = params(TEA_TYPE_GRE, false), q;
	bool exact;

	p.tunnel.has_key = true;
	p.tunnel.key = 0x01020304;
	assert_true(tun_get(write_it(&p), &q, &exact));
	same(&p, &q);
	p.has_okey = true;
	p.okey = 4294967295;
	assert_true(tun_get(write_it(&p), &q, &exact));
	same(&p, &q);
	p.tunnel.has_key = false;
	p.tunnel.key = 0;
	assert_true(tun_get(write_it(&p), &q, &exact));
	same(&p, &q);
}

/* Whether outer packets may be fragmented, which GRE over IPv4 alone tells. */
static void test_fragment(void **state)
{
	struct tun_params p = params(TEA_TYPE_GRE, true), q;
	bool exact;

	p.fragment = true;
	assert_true(tun_get(write_it(&p), &q, &exact));
	assert_true(exact);
	same(&p, &q);
}

static void test_kinds(void **state)
{
	assert_string_equal(
		tun_kind_name(tun_kind_find(TEA_TYPE_GRE, AF_INET6)), "ip6gre");
	assert_string_equal(tun_kind_name(tun_kind_find(TEA_TYPE_GRE, AF_INET)),
			    "gre");
	assert_string_equal(
		tun_kind_name(tun_kind_find(TEA_TYPE_IPIP, AF_INET6)),
		"ip6tnl");
	assert_string_equal(
		tun_kind_name(tun_kind_find(TEA_TYPE_IPIP, AF_INET)), "sit");
	assert_null(tun_kind_find(TEA_TYPE_VXLAN, AF_INET6));
}

/* F4, F5: another hop limit, an encapsulation limit, no path MTU discovery, or
 * only one payload are to be corrected. */
static void test_not_exact(void **state)
{
	static const struct {
		uint16_t type;
		bool v4;
		uint16_t attr;
	} rows[] = {
		{TEA_TYPE_GRE, false, IFLA_GRE_TTL},
		{TEA_TYPE_GRE, false, IFLA_GRE_FLAGS},
		{TEA_TYPE_GRE, true, IFLA_GRE_TTL},
		{TEA_TYPE_GRE, true, IFLA_GRE_TOS},
		{TEA_TYPE_IPIP, false, IFLA_IPTUN_TTL},
		{TEA_TYPE_IPIP, false, IFLA_IPTUN_FLAGS},
		{TEA_TYPE_IPIP, false, IFLA_IPTUN_PROTO},
		{TEA_TYPE_IPIP, true, IFLA_IPTUN_TOS},
		{TEA_TYPE_IPIP, true, IFLA_IPTUN_PMTUDISC},
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct tun_params p = params(rows[i].type, rows[i].v4), q;
		struct nlattr *linkinfo = write_it(&p);
		bool exact = true;

		*inside(linkinfo, rows[i].attr) ^= 0x43;
		assert_true(tun_get(linkinfo, &q, &exact));
		assert_false(exact);
		same(&p, &q);
	}
}

/* A device without a fixed far end, or of another kind, is nobody's softwire.
 */
static void test_not_ours(void **state)
{
	struct tun_params p = params(TEA_TYPE_GRE, false), q;
	struct nlattr *linkinfo, *attr;
	bool exact;

	memset(&p.remote.ip, 0, sizeof(p.remote.ip));
	assert_false(tun_get(write_it(&p), &q, &exact));

	p = params(TEA_TYPE_GRE, false);
	linkinfo = write_it(&p);
	mnl_attr_for_each_nested(attr, linkinfo)
	{
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			memcpy(mnl_attr_get_payload(attr), "ip6grx", 6);
	}
	assert_false(tun_get(linkinfo, &q, &exact));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_back),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_fragment),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_not_exact),
		cmocka_unit_test(test_not_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
