/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names, reasons and text: what operators read.
 */
#include "tests/unit/tea_test.h"

/* Every type of the checklist, by number and by name. */
static void test_type_names(void **state)
{
	static const struct {
		uint16_t type;
		const char *name;
	} names[] = {
		{1, "l2tpv3"},
		{2, "gre"},
		{3, "transmit-endpoint"},
		{4, "ipsec-tunnel"},
		{5, "ip-in-ip-ipsec"},
		{6, "mpls-in-ip-ipsec"},
		{7, "ip-in-ip"},
		{8, "vxlan"},
		{9, "nvgre"},
		{10, "mpls"},
		{11, "mpls-in-gre"},
		{12, "vxlan-gpe"},
		{13, "mpls-in-udp"},
		{14, "ipv6-tunnel"},
		{15, "sr-policy"},
		{16, "bare"},
		{19, "geneve"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_string_equal(tea_type_name(names[i].type),
				    names[i].name);
		assert_int_equal(tea_type_by_name(names[i].name),
				 names[i].type);
		assert_true(tea_type_known(names[i].type));
	}
	assert_string_equal(tea_type_name(17), "unknown");
	assert_false(tea_type_known(0));
	assert_int_equal(tea_type_by_name("42"), 42);
	assert_int_equal(tea_type_by_name("65535"), 65535);
	assert_int_equal(tea_type_by_name("65536"), -1);
	assert_int_equal(tea_type_by_name("unknown"), -1);
	assert_int_equal(tea_type_by_name("2x"), -1);
	assert_int_equal(tea_type_by_name("-1"), -1);
	assert_int_equal(tea_type_by_name(""), -1);
}

static void test_sub_names(void **state)
{
	static const char *const names[] = {
		[1] = "encapsulation",
		"protocol-type",
		"ipsec-tunnel-authenticator",
		"color",
		"load-balancing-block",
		"tunnel-egress-endpoint",
		"ds-field",
		"udp-destination-port",
		"embedded-label-handling",
		"mpls-label-stack",
		"prefix-sid",
	};

	(void)state;
	for (int i = 1; i <= 11; i++) {
		assert_string_equal(tea_sub_name((uint8_t)i), names[i]);
		assert_int_equal(tea_sub_by_name(names[i]), i);
	}
	assert_string_equal(tea_sub_name(0), "unknown");
	assert_string_equal(tea_sub_name(12), "unknown");
	assert_string_equal(tea_sub_name(126), "experimental");
	assert_string_equal(tea_sub_name(254), "experimental");
	assert_string_equal(tea_sub_name(255), "unknown");
	assert_int_equal(tea_sub_by_name("experimental"), -1);
}

static void test_tunnels(void **state)
{
	static const struct {
		uint16_t type;
		const char *subs, *text, *reason;
	} cases[] = {
		{2,
		 EP_IPV6
		 "01 04 00000064 02 02 0800 02 02 86dd 04 08 030b 0000 00000005",
		 "gre(2) endpoint fd00::1 key 100 protocol 0x0800 protocol 0x86dd color 5",
		 "usable"},
		{7, EP_NEXT_HOP "07 01 b8",
		 "ip-in-ip(7) endpoint next-hop ds 0xb8", "usable"},
		{1, EP_IPV4 "01 0c 00000007 0102030405060708 05 02 0008",
		 "l2tpv3(1) endpoint 10.0.0.1 session 7 cookie 64 bits load-balancing-block 8",
		 "l2tpv3(1) not supported"},
		{8, EP_IPV4 "08 02 12b5",
		 "vxlan(8) endpoint 10.0.0.1 udp-port 4789",
		 "vxlan(8) not supported"},
		{4, EP_IPV4 "03 02 0002",
		 "ipsec-tunnel(4) endpoint 10.0.0.1 authenticator type 2",
		 "ipsec-tunnel(4) not supported"},
		{99, EP_IPV4, "unknown(99) endpoint 10.0.0.1",
		 "tunnel type 99 not known"},
		{2, "07 01 00", "gre(2) ds 0x00", "no tunnel egress endpoint"},
		{2, EP_IPV4 EP_IPV6, "gre(2) endpoint 10.0.0.1",
		 "more than one tunnel egress endpoint"},
		{2, "06 00", "gre(2)",
		 "tunnel egress endpoint of the wrong length"},
		{2, "06 0a 00000000 0001 7f000001", "gre(2)",
		 "endpoint 127.0.0.1 is a special-purpose address (RFC 6890)"},
		{2, "06 06 00000000 0019", "gre(2)",
		 "endpoint of unknown address family 25"},
		{2, "06 0a 00000000 0001 e0000001", "gre(2) endpoint 224.0.0.1",
		 "no tunnel can end at 224.0.0.1"},
	};
	char text[TEA_TEXT_LEN];
	struct tea tea;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct octets o = tlv_of(cases[i].type, cases[i].subs);

		tea_decode(o.at, o.len, NULL, &tea);
		assert_string_equal(
			tea_tunnel_format(&tea.tunnels[0], text, sizeof(text)),
			cases[i].text);
		assert_string_equal(
			tea_tunnel_reason(&tea.tunnels[0], text, sizeof(text)),
			cases[i].reason);
		tea_free(&tea);
	}
}

static void test_reasons(void **state)
{
	static const struct {
		const char *hex, *reason;
	} cases[] = {
		{"0007 0008 " EP_NEXT_HOP, "accepted"},
		{"", "the attribute has no tunnel TLV"},
		{"0007 00",
		 "the attribute ends inside a tunnel TLV's header (tunnel TLV 1, octet 0)"},
		{"0007 0008 " EP_NEXT_HOP "0007 0001",
		 "a tunnel TLV is longer than the attribute (tunnel TLV 2, octet 12)"},
		{"0007 0001 00",
		 "a tunnel TLV ends inside a sub-TLV's header (tunnel TLV 1, octet 0)"},
		{"0007 0002 0701",
		 "a sub-TLV is longer than its tunnel TLV (tunnel TLV 1, octet 0)"},
		{"0007 0000",
		 "no valid tunnel TLV: ip-in-ip(7): no tunnel egress endpoint"},
	};
	char text[TEA_TEXT_LEN];
	struct tea tea;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct octets o = octets_of(cases[i].hex);

		tea_decode(o.at, o.len, NULL, &tea);
		assert_string_equal(tea_reason(&tea, text, sizeof(text)),
				    cases[i].reason);
		tea_free(&tea);
	}
}

/* A short buffer cuts the text, and nothing behind it is touched. */
static void test_cut(void **state)
{
	struct octets o = tlv_of(TEA_TYPE_GRE, EP_IPV6);
	static const char whole[] = "gre(2) endpoint fd00::1";
	char text[64];
	struct tea tea;

	(void)state;
	tea_decode(o.at, o.len, NULL, &tea);
	for (size_t len = 0; len <= sizeof(whole); len++) {
		memset(text, '#', sizeof(text));
		tea_tunnel_format(&tea.tunnels[0], text, len);
		assert_int_equal(text[len], '#');
		if (len == 0)
			continue;
		assert_int_equal(strlen(text), len - 1 < strlen(whole)
						       ? len - 1
						       : strlen(whole));
		assert_memory_equal(text, whole, strlen(text));
	}
	tea_free(&tea);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_type_names),
		cmocka_unit_test(test_sub_names),
		cmocka_unit_test(test_tunnels),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests_name("tea_text", tests, NULL, NULL);
}
