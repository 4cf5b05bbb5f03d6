/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Tunnel Egress Endpoint, RFC 9012 sections 3.1 and 13 (T6, B8, B9): what
 * is usable, what is removed, what is ignored and passed on.
 */
#include <arpa/inet.h>

#include "tests/unit/tea_test.h"

enum fate { USABLE, KEPT, REMOVED };

struct row {
	const char *what;
	uint16_t tunnel;
	const char *subs;
	enum fate fate;
	enum tea_why why;
};

static const struct row rows[] = {
	/* the three lengths that are right */
	{"next hop", 2, EP_NEXT_HOP, USABLE, TEA_WHY_USABLE},
	{"IPv4", 2, EP_IPV4, USABLE, TEA_WHY_USABLE},
	{"IPv6", 2, EP_IPV6, USABLE, TEA_WHY_USABLE},
	{"Reserved is disregarded, and passed on", 2, "06 06 deadbeef 0000",
	 USABLE, TEA_WHY_USABLE},
	/* "the permitted values are 10, 22 and 6" */
	{"no address family", 2, "06 05 00000000 00", REMOVED,
	 TEA_WHY_ENDPOINT_LENGTH},
	{"empty", 2, "06 00", REMOVED, TEA_WHY_ENDPOINT_LENGTH},
	{"next hop of 10", 2, "06 0a 00000000 0000 0a000001", REMOVED,
	 TEA_WHY_ENDPOINT_LENGTH},
	{"IPv4 of 6", 2, "06 06 00000000 0001", REMOVED,
	 TEA_WHY_ENDPOINT_LENGTH},
	{"IPv4 of 9", 2, "06 09 00000000 0001 0a0000", REMOVED,
	 TEA_WHY_ENDPOINT_LENGTH},
	{"IPv4 of 11", 2, "06 0b 00000000 0001 0a00000100", REMOVED,
	 TEA_WHY_ENDPOINT_LENGTH},
	{"IPv4 of 22", 2,
	 "06 16 00000000 0001 fd000000000000000000000000000001", REMOVED,
	 TEA_WHY_ENDPOINT_LENGTH},
	{"IPv6 of 10", 2, "06 0a 00000000 0002 0a000001", REMOVED,
	 TEA_WHY_ENDPOINT_LENGTH},
	{"IPv6 of 21", 2, "06 15 00000000 0002 fd0000000000000000000000000001",
	 REMOVED, TEA_WHY_ENDPOINT_LENGTH},
	/* "exactly one" */
	{"none", 2, "07 01 00", REMOVED, TEA_WHY_NO_ENDPOINT},
	{"two", 2, EP_IPV6 EP_IPV4, REMOVED, TEA_WHY_TWO_ENDPOINTS},
	{"two and the same", 2, EP_IPV6 EP_IPV6, REMOVED,
	 TEA_WHY_TWO_ENDPOINTS},
	{"a good and a malformed one", 2, EP_IPV6 "06 00", REMOVED,
	 TEA_WHY_TWO_ENDPOINTS},
	{"none, in a type we cannot use", 8, "07 01 00", REMOVED,
	 TEA_WHY_NO_ENDPOINT},
	/* another family is unrecognised, not malformed */
	{"AFI 25", 2, "06 0c 00000000 0019 010203040506", KEPT,
	 TEA_WHY_ENDPOINT_FAMILY},
	{"AFI 25 without address", 2, "06 06 00000000 0019", KEPT,
	 TEA_WHY_ENDPOINT_FAMILY},
	/* martians, one of each registry */
	{"127.0.0.1", 2, "06 0a 00000000 0001 7f000001", REMOVED,
	 TEA_WHY_ENDPOINT_MARTIAN},
	{"::1", 2, "06 16 00000000 0002 00000000000000000000000000000001",
	 REMOVED, TEA_WHY_ENDPOINT_MARTIAN},
	{"fe80::1", 2, "06 16 00000000 0002 fe800000000000000000000000000001",
	 REMOVED, TEA_WHY_ENDPOINT_MARTIAN},
	/* not in the registries, but no tunnel ends there */
	{"224.0.0.5", 2, "06 0a 00000000 0001 e0000005", KEPT,
	 TEA_WHY_ENDPOINT_NOT_A_HOST},
	{"ff02::5", 2, "06 16 00000000 0002 ff020000000000000000000000000005",
	 KEPT, TEA_WHY_ENDPOINT_NOT_A_HOST},
	/* types: unknown ones are not looked into (B8) */
	{"unknown type without endpoint", 99, "07 01 00", KEPT,
	 TEA_WHY_UNKNOWN_TYPE},
	{"unknown type with a malformed one", 99, "06 00", KEPT,
	 TEA_WHY_UNKNOWN_TYPE},
	{"reserved type 0", 0, EP_IPV6, KEPT, TEA_WHY_UNKNOWN_TYPE},
	{"reserved type 65535", 65535, EP_IPV6, KEPT, TEA_WHY_UNKNOWN_TYPE},
	{"known, not supported", 8, EP_IPV6, KEPT, TEA_WHY_UNSUPPORTED_TYPE},
	{"deprecated, not supported", 4, EP_IPV6, KEPT,
	 TEA_WHY_UNSUPPORTED_TYPE},
};

/* Each TLV stands between two good ones, which must not suffer. */
static void test_rows(void **state)
{
	struct octets good = tlv_of(TEA_TYPE_IPIP, EP_NEXT_HOP), whole, tlv;
	struct wire_writer w;
	struct tea tea;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		const struct tea_tunnel *t;

		print_message("  %s\n", row->what);
		tlv = tlv_of(row->tunnel, row->subs);
		w = wire_writer_of(whole.at, sizeof(whole.at));
		wire_put_bytes(&w, good.at, good.len);
		wire_put_bytes(&w, tlv.at, tlv.len);
		wire_put_bytes(&w, good.at, good.len);
		assert_int_equal(tea_decode(whole.at, w.len, NULL, &tea),
				 TEA_ACCEPT);
		assert_int_equal(tea.n_tunnels, 3);
		t = &tea.tunnels[1];
		assert_int_equal(t->why, row->why);
		assert_int_equal(t->usable, row->fate == USABLE);
		assert_int_equal(t->removed, row->fate == REMOVED);
		assert_true(tea.tunnels[0].usable && tea.tunnels[2].usable);
		/* 3.1 calls a martian malformed, its value known all the same
		 */
		if (row->why == TEA_WHY_ENDPOINT_MARTIAN) {
			assert_int_equal(t->subs[0].state, TEA_SUB_MALFORMED);
			assert_true(t->subs[0].typed);
		}
		if (row->fate == REMOVED) {
			assert_int_equal(tea.propagate_len, 2 * good.len);
			assert_memory_equal(tea.propagate + good.len, good.at,
					    good.len);
		} else {
			assert_int_equal(tea.propagate_len, w.len);
			assert_memory_equal(tea.propagate, whole.at, w.len);
		}
		assert_stable(&tea, NULL);
		tea_free(&tea);
	}
}

/* Section 13: alone in the attribute, a TLV that is removed leaves none. */
static void test_alone(void **state)
{
	struct tea tea;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct octets o = tlv_of(rows[i].tunnel, rows[i].subs);

		tea_decode(o.at, o.len, NULL, &tea);
		assert_int_equal(tea.error, rows[i].fate == REMOVED
						    ? TEA_ERR_NO_VALID_TLV
						    : TEA_ERR_NONE);
		assert_int_equal(tea.propagate_len,
				 rows[i].fate == REMOVED ? 0 : o.len);
		tea_free(&tea);
	}
}

/* 3.1: the martian rule "MAY be relaxed by explicit configuration". */
static void test_allow_martian(void **state)
{
	static const struct {
		const char *subs;
		enum tea_why why;
	} cases[] = {
		{"06 0a 00000000 0001 f0000001", TEA_WHY_USABLE},
		{"06 16 00000000 0002 20010005000000000000000000000001",
		 TEA_WHY_USABLE},
		/* relaxed or not, these are no tunnel's end */
		{"06 0a 00000000 0001 7f000001", TEA_WHY_ENDPOINT_NOT_A_HOST},
		{"06 0a 00000000 0001 00000000", TEA_WHY_ENDPOINT_NOT_A_HOST},
		{"06 0a 00000000 0001 ffffffff", TEA_WHY_ENDPOINT_NOT_A_HOST},
		{"06 16 00000000 0002 00000000000000000000000000000000",
		 TEA_WHY_ENDPOINT_NOT_A_HOST},
		{"06 16 00000000 0002 fe800000000000000000000000000001",
		 TEA_WHY_ENDPOINT_NOT_A_HOST},
		{"06 16 00000000 0002 00000000000000000000ffff0a000001",
		 TEA_WHY_ENDPOINT_NOT_A_HOST},
	};
	struct tea_opts opts = tea_opts_default;
	struct tea tea;

	(void)state;
	opts.allow_martian = true;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct octets o = tlv_of(TEA_TYPE_GRE, cases[i].subs);

		assert_int_equal(tea_decode(o.at, o.len, &opts, &tea),
				 TEA_ACCEPT);
		assert_int_equal(tea.tunnels[0].why, cases[i].why);
		assert_int_equal(tea.propagate_len, o.len);
		tea_free(&tea);
		assert_int_equal(tea_decode(o.at, o.len, NULL, &tea),
				 TEA_WITHDRAW);
		tea_free(&tea);
	}
}

/* On SAFI 7 the endpoint is the NLRI (B11), so none is needed, the first of
 * several counts, and one that is malformed still removes its TLV. */
static void test_endpoint_optional(void **state)
{
	struct tea_opts opts = tea_opts_default;
	struct octets o = tlv_of(TEA_TYPE_GRE, "01 04 00000064");
	struct tea tea;

	(void)state;
	opts.endpoint_optional = true;
	assert_int_equal(tea_decode(o.at, o.len, &opts, &tea), TEA_ACCEPT);
	assert_true(tea.tunnels[0].usable);
	assert_false(TEA_HAS(&tea.tunnels[0], TEA_SUB_ENDPOINT));
	tea_free(&tea);

	o = tlv_of(TEA_TYPE_GRE, EP_IPV6 EP_IPV4);
	assert_int_equal(tea_decode(o.at, o.len, &opts, &tea), TEA_ACCEPT);
	assert_int_equal(tea.tunnels[0].endpoint.family, TEA_AF_IPV6);
	assert_int_equal(tea.tunnels[0].subs[1].state, TEA_SUB_DUPLICATE);
	tea_free(&tea);

	o = tlv_of(TEA_TYPE_GRE, "06 00");
	assert_int_equal(tea_decode(o.at, o.len, &opts, &tea), TEA_WITHDRAW);
	tea_free(&tea);
}

/* RFC 6890 and IANA's registries: first and last address of each block whose
 * destination or forwardable column is false, and their neighbours. */
static void test_martians(void **state)
{
	static const struct {
		const char *addr;
		bool martian;
	} cases[] = {
		{"0.0.0.0", true},
		{"0.255.255.255", true},
		{"1.0.0.0", false},
		{"10.0.0.1", false},
		{"100.64.0.1", false},
		{"126.255.255.255", false},
		{"127.0.0.0", true},
		{"127.255.255.255", true},
		{"128.0.0.0", false},
		{"169.253.255.255", false},
		{"169.254.0.0", true},
		{"169.254.255.255", true},
		{"172.16.0.1", false},
		{"192.0.0.0", false},
		{"192.0.0.7", false},
		{"192.0.0.8", true},
		{"192.0.0.9", false},
		{"192.0.0.10", false},
		{"192.0.0.11", true},
		{"192.0.0.170", true},
		{"192.0.0.255", true},
		{"192.0.1.0", false},
		{"192.0.2.0", false},
		{"192.0.2.255", false},
		{"192.0.3.0", false},
		{"192.88.99.1", false},
		{"192.168.0.1", false},
		{"198.18.0.1", false},
		{"198.51.100.0", false},
		{"198.51.101.0", false},
		{"203.0.113.255", false},
		{"203.0.114.0", false},
		{"224.0.0.1", false},
		{"239.255.255.255", false},
		{"240.0.0.0", true},
		{"255.255.255.255", true},
		{"::", true},
		{"::1", true},
		{"::2", false},
		{"::ffff:10.0.0.1", true},
		{"64:ff9b::1", false},
		{"100::1", false},
		{"2001::1", false},
		{"2001:1::1", false},
		{"2001:1::3", false},
		{"2001:1::4", true},
		{"2001:2::1", false},
		{"2001:2:1::1", true},
		{"2001:3::1", false},
		{"2001:4:112::1", false},
		{"2001:4:113::1", true},
		{"2001:10::1", true},
		{"2001:20::1", false},
		{"2001:2f:ffff::1", false},
		{"2001:30::1", false},
		{"2001:40::1", true},
		{"2001:1ff::1", true},
		{"2001:200::1", false},
		{"2001:db8::", false},
		{"2001:db8:ffff::1", false},
		{"2001:db9::1", false},
		{"2002::1", false},
		{"3ffe::1", false},
		{"3fff::1", false},
		{"3fff:fff::1", false},
		{"3fff:1000::1", false},
		{"fc00::1", false},
		{"fd53:574d::1", false},
		{"fe80::1", true},
		{"febf::1", true},
		{"fec0::1", false},
		{"ff02::1", false},
	};
	struct in6_addr v6;
	struct in_addr v4;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool martian;

		if (inet_pton(AF_INET, cases[i].addr, &v4) == 1) {
			martian = tea_martian_ipv4(&v4);
		} else {
			assert_int_equal(
				inet_pton(AF_INET6, cases[i].addr, &v6), 1);
			martian = tea_martian_ipv6(&v6);
		}
		if (martian != cases[i].martian)
			fail_msg("%s: martian %d", cases[i].addr, martian);
	}
}

/* The documentation blocks are martians by the letter of section 3.1, and are
 * refused on request: first and last address of each, and their neighbours. */
static void test_documentation(void **state)
{
	static const struct {
		const char *addr;
		bool documentation;
	} cases[] = {
		{"192.0.1.255", false},	    {"192.0.2.0", true},
		{"192.0.2.255", true},	    {"192.0.3.0", false},
		{"198.51.99.255", false},   {"198.51.100.0", true},
		{"198.51.100.255", true},   {"198.51.101.0", false},
		{"203.0.112.255", false},   {"203.0.113.0", true},
		{"203.0.113.255", true},    {"203.0.114.0", false},
		{"2001:db7:ffff::", false}, {"2001:db8::", true},
		{"2001:db8:ffff::1", true}, {"2001:db9::", false},
		{"3ffe:ffff::1", false},    {"3fff::", true},
		{"3fff:fff::1", true},	    {"3fff:1000::", false},
	};
	struct tea_opts strict = tea_opts_default;
	struct tea_builder b;
	struct in6_addr v6;
	struct in_addr v4;
	uint8_t value[64];
	struct tea tea;
	size_t len;

	(void)state;
	strict.refuse_documentation = true;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("  %s\n", cases[i].addr);
		tea_build_start(&b, value, sizeof(value));
		tea_build_tunnel(&b, TEA_TYPE_GRE);
		if (inet_pton(AF_INET, cases[i].addr, &v4) == 1) {
			tea_build_endpoint_ipv4(&b, &v4);
		} else {
			assert_int_equal(
				inet_pton(AF_INET6, cases[i].addr, &v6), 1);
			tea_build_endpoint_ipv6(&b, &v6);
		}
		len = (size_t)tea_build_finish(&b);
		assert_int_equal(tea_decode(value, len, NULL, &tea),
				 TEA_ACCEPT);
		assert_true(tea.tunnels[0].usable);
		tea_free(&tea);
		tea_decode(value, len, &strict, &tea);
		assert_int_equal(tea.error, cases[i].documentation
						    ? TEA_ERR_NO_VALID_TLV
						    : TEA_ERR_NONE);
		tea_free(&tea);
		strict.allow_martian = true;
		assert_int_equal(tea_decode(value, len, &strict, &tea),
				 TEA_ACCEPT);
		strict.allow_martian = false;
		tea_free(&tea);
	}
}

/* 3.2.3: an L2TPv3 tunnel cannot be used without a Session ID, but a TLV that
 * lacks it is not malformed. */
static void test_session_needed(void **state)
{
	struct tea_opts opts = {.usable = ALL_TYPES};
	struct octets o = tlv_of(TEA_TYPE_L2TPV3, EP_IPV6);
	struct tea tea;

	(void)state;
	assert_int_equal(tea_decode(o.at, o.len, &opts, &tea), TEA_ACCEPT);
	assert_int_equal(tea.tunnels[0].why, TEA_WHY_NO_SESSION);
	tea_free(&tea);
	o = tlv_of(TEA_TYPE_L2TPV3, EP_IPV6 "01 04 00000000");
	assert_int_equal(tea_decode(o.at, o.len, &opts, &tea), TEA_ACCEPT);
	assert_int_equal(tea.tunnels[0].why, TEA_WHY_NO_SESSION);
	tea_free(&tea);
	o = tlv_of(TEA_TYPE_L2TPV3, EP_IPV6 "01 04 00000001");
	assert_int_equal(tea_decode(o.at, o.len, &opts, &tea), TEA_ACCEPT);
	assert_true(tea.tunnels[0].usable);
	tea_free(&tea);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_allow_martian),
		cmocka_unit_test(test_endpoint_optional),
		cmocka_unit_test(test_martians),
		cmocka_unit_test(test_session_needed),
		cmocka_unit_test(test_documentation),
	};

	return cmocka_run_group_tests_name("tea_endpoint", tests, NULL, NULL);
}
