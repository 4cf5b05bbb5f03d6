/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building and encoding attributes, their header, comparison, and the
 * Encapsulation extended community (RFC 9012 section 4.1, B2).
 */
#include <arpa/inet.h>

#include "tests/unit/tea_test.h"

static struct in6_addr ipv6(const char *text)
{
	struct in6_addr addr;

	assert_int_equal(inet_pton(AF_INET6, text, &addr), 1);
	return addr;
}

static struct in_addr ipv4(const char *text)
{
	struct in_addr addr;

	assert_int_equal(inet_pton(AF_INET, text, &addr), 1);
	return addr;
}

/* What an AFBR with GRE, IP-in-IP and L2TPv3 announces. */
static void test_encap_set(void **state)
{
	static const uint8_t cookie[] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct in6_addr six = ipv6("fd00::1");
	struct in_addr four = ipv4("10.0.0.1");
	struct tea_builder b;
	uint8_t value[256];
	struct tea tea;
	ssize_t len;

	(void)state;
	tea_build_start(&b, value, sizeof(value));
	tea_build_tunnel(&b, TEA_TYPE_GRE);
	tea_build_endpoint_ipv6(&b, &six);
	tea_build_gre_key(&b, 100);
	tea_build_protocol(&b, TEA_ETHERTYPE_IPV4);
	tea_build_color(&b, 7);
	tea_build_tunnel(&b, TEA_TYPE_IPIP);
	tea_build_endpoint_ipv4(&b, &four);
	tea_build_ds(&b, 0xb8);
	tea_build_authenticator(&b, 2, cookie, 2);
	tea_build_tunnel(&b, TEA_TYPE_L2TPV3);
	tea_build_endpoint_none(&b);
	tea_build_l2tpv3(&b, 9, cookie, sizeof(cookie));
	tea_build_lb_block(&b, 8);
	tea_build_tunnel(&b, TEA_TYPE_VXLAN);
	tea_build_endpoint_none(&b);
	tea_build_udp_port(&b, 4789);
	tea_build_raw(&b, 200, cookie, 3);
	len = tea_build_finish(&b);

	assert_octets(value, (size_t)len,
		      "0002 002c " EP_IPV6
		      "01 04 00000064 02 02 0800 "
		      "04 08 030b 0000 00000007 "
		      "0007 0015 " EP_IPV4
		      "07 01 b8 03 04 0002 0102 "
		      "0001 001a " EP_NEXT_HOP
		      "01 0c 00000009 0102030405060708 05 02 0008 "
		      "0008 0012 " EP_NEXT_HOP "08 02 12b5 c8 0003 010203");
	assert_int_equal(tea_decode(value, (size_t)len, NULL, &tea),
			 TEA_ACCEPT);
	assert_int_equal(tea.n_tunnels, 4);
	assert_stable(&tea, NULL);
	tea_free(&tea);
}

/* Every buffer that is too small, by one octet and by all. */
static void test_no_room(void **state)
{
	struct in6_addr six = ipv6("fd00::1");
	struct tea_builder b;
	uint8_t value[64];

	(void)state;
	for (size_t cap = 0; cap <= 34; cap++) {
		memset(value, 0xa5, sizeof(value));
		tea_build_start(&b, value, cap);
		tea_build_tunnel(&b, TEA_TYPE_GRE);
		tea_build_endpoint_ipv6(&b, &six);
		tea_build_gre_key(&b, 100);
		assert_int_equal(tea_build_finish(&b), cap == 34 ? 34 : -1);
		assert_int_equal(value[cap], 0xa5);
	}
}

static void start(struct tea_builder *b, uint8_t *buf, size_t cap,
		  uint16_t type)
{
	tea_build_start(b, buf, cap);
	tea_build_tunnel(b, type);
}

/* What the RFC forbids is not built, and the failure sticks. */
static void test_refused(void **state)
{
	static uint8_t buf[TEA_MAX_LEN], big[TEA_MAX_LEN];
	struct tea_builder b;

	(void)state;
	tea_build_start(&b, buf, sizeof(buf));
	tea_build_color(&b, 1); /* no tunnel yet */
	assert_int_equal(tea_build_finish(&b), -1);

	start(&b, buf, sizeof(buf), TEA_TYPE_GRE);
	tea_build_protocol(&b, 0xffff);
	tea_build_protocol(&b, 0x0800);
	assert_int_equal(tea_build_finish(&b), -1);

	start(&b, buf, sizeof(buf), TEA_TYPE_IPIP);
	tea_build_gre_key(&b, 1);
	assert_int_equal(tea_build_finish(&b), -1);

	start(&b, buf, sizeof(buf), TEA_TYPE_L2TPV3);
	tea_build_l2tpv3(&b, 0, NULL, 0);
	assert_int_equal(tea_build_finish(&b), -1);

	start(&b, buf, sizeof(buf), TEA_TYPE_L2TPV3);
	tea_build_l2tpv3(&b, 1, big, 9);
	assert_int_equal(tea_build_finish(&b), -1);

	start(&b, buf, sizeof(buf), TEA_TYPE_GRE);
	tea_build_l2tpv3(&b, 1, NULL, 0);
	assert_int_equal(tea_build_finish(&b), -1);

	start(&b, buf, sizeof(buf), TEA_TYPE_GRE);
	tea_build_lb_block(&b, 33);
	assert_int_equal(tea_build_finish(&b), -1);

	start(&b, buf, sizeof(buf), TEA_TYPE_VXLAN);
	tea_build_udp_port(&b, 0);
	assert_int_equal(tea_build_finish(&b), -1);

	start(&b, buf, sizeof(buf), TEA_TYPE_GRE);
	tea_build_authenticator(&b, TEA_AUTH_SHA1, big, 19);
	assert_int_equal(tea_build_finish(&b), -1);

	start(&b, buf, sizeof(buf), TEA_TYPE_GRE);
	tea_build_endpoint(&b, &(struct tea_endpoint){.family = TEA_AF_IPV6,
						      .addr_len = 4});
	assert_int_equal(tea_build_finish(&b), -1);
}

/* The longest values that each length field can say, and one octet more. */
static void test_lengths(void **state)
{
	static uint8_t buf[TEA_MAX_LEN + 16], big[TEA_MAX_LEN + 1];
	struct tea_builder b;

	(void)state;
	start(&b, buf, sizeof(buf), TEA_TYPE_GRE);
	tea_build_raw(&b, 127, big, 255);
	assert_int_equal(tea_build_finish(&b), 4 + 2 + 255);

	start(&b, buf, sizeof(buf), TEA_TYPE_GRE);
	tea_build_raw(&b, 127, big, 256);
	assert_int_equal(tea_build_finish(&b), -1);

	start(&b, buf, sizeof(buf), TEA_TYPE_GRE);
	tea_build_raw(&b, 128, big, 256);
	assert_int_equal(tea_build_finish(&b), 4 + 3 + 256);

	/* sub-TLV and TLV fit, the attribute just does, and then not */
	start(&b, buf, sizeof(buf), TEA_TYPE_GRE);
	tea_build_raw(&b, 128, big, TEA_MAX_LEN - 7);
	assert_int_equal(tea_build_finish(&b), TEA_MAX_LEN);

	start(&b, buf, sizeof(buf), TEA_TYPE_GRE);
	tea_build_raw(&b, 128, big, TEA_MAX_LEN - 6);
	assert_int_equal(tea_build_finish(&b), -1);

	start(&b, buf, sizeof(buf), TEA_TYPE_GRE);
	tea_build_raw(&b, 128, big, TEA_MAX_LEN + 1);
	assert_int_equal(tea_build_finish(&b), -1);

	/* nothing in it: nothing written */
	tea_build_start(&b, buf, sizeof(buf));
	assert_int_equal(tea_build_finish(&b), 0);
}

static void test_attribute(void **state)
{
	static uint8_t value[TEA_MAX_LEN + 1], attr[TEA_MAX_LEN + 4];
	struct tea_attr got;

	(void)state;
	value[0] = 0xaa;
	assert_int_equal(tea_attr_write(0, value, 1, attr, sizeof(attr)), 4);
	assert_octets(attr, 4, "c0 17 01 aa");
	assert_int_equal(
		tea_attr_write(TEA_ATTR_PARTIAL, value, 1, attr, sizeof(attr)),
		4);
	assert_octets(attr, 4, "e0 17 01 aa");
	/* extended length: on request, and when it must be */
	assert_int_equal(
		tea_attr_write(TEA_ATTR_EXTLEN, value, 1, attr, sizeof(attr)),
		5);
	assert_octets(attr, 5, "d0 17 0001 aa");
	assert_int_equal(tea_attr_write(0, value, 255, attr, sizeof(attr)),
			 258);
	assert_octets(attr, 4, "c0 17 ff aa");
	assert_int_equal(tea_attr_write(0, value, 256, attr, sizeof(attr)),
			 260);
	assert_octets(attr, 5, "d0 17 0100 aa");
	assert_true(tea_attr_read(attr, 260, &got));
	assert_int_equal(got.flags, 0xd0);
	assert_int_equal(got.type, TEA_ATTR_TYPE);
	assert_int_equal(got.len, 256);
	assert_int_equal(got.total, 260);
	assert_ptr_equal(got.value, attr + 4);
	assert_false(tea_attr_read(attr, 259, &got));

	assert_int_equal(
		tea_attr_write(0, value, TEA_MAX_LEN, attr, sizeof(attr)),
		TEA_MAX_LEN + 4);
	assert_int_equal(
		tea_attr_write(0, value, TEA_MAX_LEN, attr, sizeof(attr) - 1),
		-1);
	assert_int_equal(
		tea_attr_write(0, value, TEA_MAX_LEN + 1, attr, sizeof(attr)),
		-1);
}

static void test_compare(void **state)
{
	struct octets short_one = tlv_of(TEA_TYPE_IPIP, EP_NEXT_HOP);
	struct octets long_one = tlv_of(TEA_TYPE_GRE, EP_NEXT_HOP "07 00");
	/* as short_one, and a TLV that is not passed on */
	struct octets removed = octets_of("0007 0008 " EP_NEXT_HOP "0002 0000");
	struct tea a, b, c;

	(void)state;
	tea_decode(short_one.at, short_one.len, NULL, &a);
	tea_decode(long_one.at, long_one.len, NULL, &b);
	tea_decode(removed.at, removed.len, NULL, &c);
	assert_true(tea_cmp(&a, &b) < 0);
	assert_true(tea_cmp(&b, &a) > 0);
	assert_true(tea_equal(&a, &a));
	assert_false(tea_equal(&a, &b));
	assert_true(tea_equal(&a, &c));
	tea_free(&a);
	tea_free(&b);
	tea_free(&c);
	/* freed ones are empty, and may be freed again */
	assert_true(tea_equal(&a, &b));
	tea_free(&a);
}

/* Section 4.1: 03 0c, four reserved octets, tunnel type. */
static void test_community(void **state)
{
	struct octets o = octets_of("030c 00000000 0007");
	struct tea_builder b;
	uint8_t ec[TEA_EC_LEN], value[32];
	uint16_t type = 0;
	struct tea tea;
	ssize_t len;

	(void)state;
	assert_true(tea_ec_decode(o.at, &type));
	assert_int_equal(type, TEA_TYPE_IPIP);
	tea_ec_encode(TEA_TYPE_IPIP, ec);
	assert_memory_equal(ec, o.at, TEA_EC_LEN);
	o = octets_of("030c ffffffff 0002"); /* reserved: ignored */
	assert_true(tea_ec_decode(o.at, &type));
	assert_int_equal(type, TEA_TYPE_GRE);
	o = octets_of("030b 00000000 0002"); /* Color */
	assert_false(tea_ec_decode(o.at, &type));
	o = octets_of("430c 00000000 0002"); /* not transitive */
	assert_false(tea_ec_decode(o.at, &type));

	/* what it stands for, and back */
	tea_build_start(&b, value, sizeof(value));
	tea_build_bare(&b, TEA_TYPE_IPIP);
	len = tea_build_finish(&b);
	assert_octets(value, (size_t)len, "0007 0008 " EP_NEXT_HOP);
	assert_int_equal(tea_decode(value, (size_t)len, NULL, &tea),
			 TEA_ACCEPT);
	assert_true(tea_tunnel_is_bare(&tea.tunnels[0]));
	tea_free(&tea);
}

static void test_bare(void **state)
{
	static const struct {
		const char *subs;
		bool bare;
	} cases[] = {
		{EP_NEXT_HOP, true},
		{EP_IPV6, false},
		{EP_NEXT_HOP "07 01 00", false},
		{EP_NEXT_HOP "63 00", false},
		{"06 06 00000001 0000", false}, /* would be lost */
	};
	struct tea tea;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct octets o = tlv_of(TEA_TYPE_GRE, cases[i].subs);

		assert_int_equal(tea_decode(o.at, o.len, NULL, &tea),
				 TEA_ACCEPT);
		assert_int_equal(tea_tunnel_is_bare(&tea.tunnels[0]),
				 cases[i].bare);
		tea_free(&tea);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encap_set),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_attribute),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_community),
		cmocka_unit_test(test_bare),
	};

	return cmocka_run_group_tests_name("tea_build", tests, NULL, NULL);
}
