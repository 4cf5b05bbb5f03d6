/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each sub-TLV, well-formed and not, alone and twice (T1-T11, B8): RFC 9012
 * sections 3.2 to 3.7 and 13, RFC 5566, RFC 5640.  No
 * error of these removes the TLV or makes the tunnel unusable.
 */
#include "tests/unit/tea_test.h"

#define SHA1 "00112233445566778899aabbccddeeff01234567"
#define OK TEA_SUB_OK
#define BAD TEA_SUB_MALFORMED
#define ALIEN TEA_SUB_UNRECOGNISED
#define IDLE TEA_SUB_MEANINGLESS
#define AGAIN TEA_SUB_DUPLICATE

struct row {
	const char *what;
	uint16_t tunnel;
	const char *subs;	     /* one or two, after the endpoint */
	enum tea_sub_state state[2]; /* of each */
};

static const struct row rows[] = {
	/* T1, 3.2.4: the key's four octets */
	{"GRE key", 2, "01 04 00000064", {OK}},
	{"GRE key 0 is a key", 2, "01 04 00000000", {OK}},
	{"GRE key of 3 octets", 2, "01 03 000064", {BAD}},
	{"GRE key of 5 octets", 2, "01 05 0000000064", {BAD}},
	{"GRE key of no octet", 2, "01 00", {BAD}},
	{"MPLS-in-GRE key (3.2.5)", 11, "01 04 00000064", {OK}},
	{"MPLS-in-GRE key of 8 octets", 11, "01 08 0000006400000064", {BAD}},
	{"GRE key twice", 2, "01 04 00000064 01 04 00000065", {OK, AGAIN}},
	{"malformed, then good: the first copy is the one that counts",
	 2,
	 "01 03 000064 01 04 00000065",
	 {BAD, AGAIN}},
	/* T1, 3.2.3: session 4, cookie 0 to 8 */
	{"L2TPv3 session", 1, "01 04 00000001", {OK}},
	{"L2TPv3 cookie of 32 bits", 1, "01 08 00000001 aabbccdd", {OK}},
	{"L2TPv3 cookie of 64 bits",
	 1,
	 "01 0c ffffffff 0011223344556677",
	 {OK}},
	{"L2TPv3 session 0", 1, "01 04 00000000", {BAD}},
	{"L2TPv3 session of 3 octets", 1, "01 03 000001", {BAD}},
	{"L2TPv3 cookie of 9 octets",
	 1,
	 "01 0d 00000001 001122334455667788",
	 {BAD}},
	/* 3.2.1, 3.2.2: flags, VN-ID(3), MAC(6), reserved(2) */
	{"VXLAN", 8, "01 0c c0 000005 020000000001 0000", {OK}},
	{"VXLAN, reserved bits and field are not ours",
	 8,
	 "01 0c ff 000005 020000000001 ffff",
	 {OK}},
	{"VXLAN of 11 octets", 8, "01 0b c0 000005 020000000001 00", {BAD}},
	{"VXLAN of 13 octets", 8, "01 0d c0 000005 020000000001 000000", {BAD}},
	{"NVGRE", 9, "01 0c 80 ffffff 000000000000 0000", {OK}},
	{"NVGRE of 4 octets", 9, "01 04 80 ffffff", {BAD}},
	/* 13: meaningless for the tunnel type, whatever is in it */
	{"Encapsulation of IP-in-IP", 7, "01 04 00000064", {IDLE}},
	{"Encapsulation of an IPsec type", 4, "01 00", {IDLE}},

	/* T2, 3.4.1 */
	{"IPv4 over GRE", 2, "02 02 0800", {OK}},
	{"two payloads", 2, "02 02 0800 02 02 86dd", {OK, OK}},
	{"0xffff is reserved", 2, "02 02 ffff", {BAD}},
	{"of 1 octet", 2, "02 01 08", {BAD}},
	{"of 3 octets", 2, "02 03 080000", {BAD}},
	{"IPv6 in IP", 7, "02 02 86dd", {OK}},
	{"Ethernet in IP is not IP-in-IP: ignored", 7, "02 02 6558", {IDLE}},
	{"MPLS in GRE", 11, "02 02 8847", {OK}},
	{"IPv4 is not MPLS-in-GRE: ignored", 11, "02 02 0800", {IDLE}},
	{"IPv4 is not MPLS-in-UDP: ignored", 13, "02 02 0800", {IDLE}},

	/* T3, RFC 5566 */
	{"SHA-1 of a key", 2, "03 16 0001 " SHA1, {OK}},
	{"two keys while one replaces the other",
	 2,
	 "03 16 0001 " SHA1 "03 16 0001 " SHA1,
	 {OK, OK}},
	{"SHA-1 of 19 octets",
	 2,
	 "03 15 0001 00112233445566778899aabbccddeeff012345",
	 {BAD}},
	{"SHA-1 of 21 octets", 2, "03 17 0001 " SHA1 "00", {BAD}},
	{"another authenticator", 2, "03 04 0002 abcd", {OK}},
	{"another, empty", 2, "03 02 0002", {OK}},
	{"half a type", 2, "03 01 00", {BAD}},

	/* T4, 3.4.2: any fault makes it unrecognised */
	{"Color", 2, "04 08 030b 0000 00000007", {OK}},
	{"flags are ignored", 2, "04 08 030b ffff 00000007", {OK}},
	{"two colors",
	 2,
	 "04 08 030b 0000 00000007 04 08 030b 0000 00000008",
	 {OK, OK}},
	{"Color of 7 octets", 2, "04 07 030b 0000 000007", {ALIEN}},
	{"Color of 9 octets", 2, "04 09 030b 0000 0000000700", {ALIEN}},
	{"another community", 2, "04 08 030c 0000 00000007", {ALIEN}},
	{"a non-transitive one", 2, "04 08 430b 0000 00000007", {ALIEN}},

	/* T5, B12, RFC 5640: bits of the Session ID or the key */
	{"block of 8 bits", 2, "05 02 0008", {OK}},
	{"block of the whole field", 1, "05 02 0020", {OK}},
	{"block larger than the field", 2, "05 02 0021", {BAD}},
	{"of 1 octet", 2, "05 01 08", {BAD}},
	{"of 4 octets", 2, "05 04 00000008", {BAD}},
	{"no such field in IP-in-IP", 7, "05 02 0008", {IDLE}},
	{"twice", 2, "05 02 0008 05 02 0009", {OK, AGAIN}},

	/* T7, 3.3.1 */
	{"DS field", 2, "07 01 b8", {OK}},
	{"of no octet", 2, "07 00", {BAD}},
	{"of 2 octets", 2, "07 02 b8b8", {BAD}},
	{"twice", 2, "07 01 b8 07 01 00", {OK, AGAIN}},
	{"an MPLS tunnel has none", 10, "07 01 b8", {IDLE}},

	/* T8, 3.3.2 */
	{"UDP port", 8, "08 02 12b5", {OK}},
	{"port 0", 8, "08 02 0000", {BAD}},
	{"of 1 octet", 8, "08 01 12", {BAD}},
	{"of 3 octets", 8, "08 03 12b500", {BAD}},
	{"twice", 13, "08 02 19eb 08 02 12b5", {OK, AGAIN}},
	{"GRE has no UDP: the example of section 13", 2, "08 02 12b5", {IDLE}},
	{"not even when it is malformed: it means nothing",
	 2,
	 "08 02 0000",
	 {IDLE}},

	/* T9, 3.5 */
	{"label handling 1", 8, "09 01 01", {OK}},
	{"label handling 2", 9, "09 01 02", {OK}},
	{"label handling 0", 8, "09 01 00", {BAD}},
	{"label handling 3", 8, "09 01 03", {BAD}},
	{"of no octet", 8, "09 00", {BAD}},
	{"of 2 octets", 8, "09 02 0001", {BAD}},
	{"twice", 8, "09 01 01 09 01 02", {OK, AGAIN}},
	{"GRE has no VN-ID", 2, "09 01 01", {IDLE}},

	/* T10, 3.6: entries of four octets */
	{"one label", 2, "0a 04 000101ff", {OK}},
	{"two labels", 2, "0a 08 000100ff 000111ff", {OK}},
	{"no label", 2, "0a 00", {BAD}},
	{"a label and a half", 2, "0a 06 000100ff 0001", {BAD}},
	{"twice", 2, "0a 04 000101ff 0a 04 000101ff", {OK, AGAIN}},
	/* T10, 3.7 and RFC 8669 section 3.1: Type(1) Length(2) Value */
	{"Label-Index", 2, "0b 0a 01 0007 00 0000 00000064", {OK}},
	{"its TLV ends after the sub-TLV",
	 2,
	 "0b 0a 01 0008 00 0000 00000064",
	 {BAD}},
	{"half a TLV header", 2, "0b 02 0100", {BAD}},
	{"twice", 2, "0b 03 01 0000 0b 03 01 0000", {OK, AGAIN}},

	/* T11 and all that is assigned to nobody, or not to us */
	{"experimental 126 and 127", 2, "7e 01 00 7f 00", {ALIEN, ALIEN}},
	{"experimental 253 and 254", 2, "fd 0001 00 fe 0000", {ALIEN, ALIEN}},
	{"reserved 0 and 255", 2, "00 01 00 ff 0001 00", {ALIEN, ALIEN}},
	{"SR Policy's preference and segment list",
	 2,
	 "0c 06 000000000064 80 0001 00",
	 {ALIEN, ALIEN}},
	{"unknown twice", 2, "63 00 63 00", {ALIEN, ALIEN}},
};

/* The octets of an endpoint come first; whatever follows, the TLV stays. */
static void test_rows(void **state)
{
	struct tea_opts opts = {.usable = ALL_TYPES};
	char hex[512];
	struct tea tea;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		const struct tea_tunnel *tunnel;
		struct octets o;

		print_message("  %s: %s\n", tea_type_name(row->tunnel),
			      row->what);
		/* an L2TPv3 tunnel is not usable without a session */
		snprintf(hex, sizeof(hex), EP_IPV6 "%s", row->subs);
		o = tlv_of(row->tunnel, hex);
		assert_int_equal(tea_decode(o.at, o.len, &opts, &tea),
				 TEA_ACCEPT);
		tunnel = &tea.tunnels[0];
		assert_in_range(tunnel->n_subs, 2, 3);
		for (size_t j = 1; j < tunnel->n_subs; j++)
			assert_int_equal(tunnel->subs[j].state,
					 row->state[j - 1]);
		assert_false(tunnel->removed);
		assert_int_equal(tea.propagate_len, o.len);
		assert_memory_equal(tea.propagate, o.at, o.len);
		if (row->tunnel != TEA_TYPE_L2TPV3)
			assert_true(tunnel->usable);
		/* it is there exactly when the first copy counts */
		if (tunnel->subs[1].type < 32)
			assert_int_equal(
				TEA_HAS(tunnel, tunnel->subs[1].type) != 0,
				row->state[0] == OK);
		assert_stable(&tea, &opts);
		tea_free(&tea);
	}
}

static struct tea decode(uint16_t type, const char *subs)
{
	static const struct tea_opts opts = {.usable = ALL_TYPES};
	struct octets o = tlv_of(type, subs);
	struct tea tea;

	assert_int_equal(tea_decode(o.at, o.len, &opts, &tea), TEA_ACCEPT);
	return tea;
}

/* Which sub-TLV means something for which tunnel type: 3.2 defines an
 * Encapsulation for five, 3.3.1 wants an outer IP header, 3.3.2 an outer UDP
 * header, 3.5 a virtual network identifier, RFC 5640 a field to spread over. */
static void test_meaning(void **state)
{
	static const struct {
		uint16_t type;
		const char *means; /* e b d u l: ENCAP, LB, DS, UDP, label */
	} cases[] = {
		{1, "ebd"},  {2, "ebd"},  {3, "d"},    {4, "d"},   {5, "d"},
		{6, "d"},    {7, "d"},	  {8, "edul"}, {9, "edl"}, {10, ""},
		{11, "ebd"}, {12, "dul"}, {13, "du"},  {14, "d"},  {15, ""},
		{16, ""},    {19, "dul"},
	};
	static const struct {
		char letter;
		const char *sub;
	} subs[] = {
		{'e', "01 04 00000001"}, {'b', "05 02 0008"}, {'d', "07 01 b8"},
		{'u', "08 02 12b5"},	 {'l', "09 01 01"},
	};
	bool vxlan, means;
	char hex[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t j = 0; j < sizeof(subs) / sizeof(subs[0]); j++) {
			struct tea tea;

			vxlan = subs[j].letter == 'e' &&
				(cases[i].type == 8 || cases[i].type == 9);
			snprintf(hex, sizeof(hex), EP_IPV6 "%s",
				 vxlan ? "01 0c 00 000000 000000000000 0000"
				       : subs[j].sub);
			tea = decode(cases[i].type, hex);
			means = strchr(cases[i].means, subs[j].letter) != NULL;
			assert_int_equal(tea.tunnels[0].subs[1].state,
					 means ? OK : IDLE);
			tea_free(&tea);
		}
	}
}

/* The values, not only the state. */
static void test_values(void **state)
{
	const struct tea_tunnel *t;
	const struct tea_subtlv *sub;
	uint32_t key = 0;
	struct tea tea;

	(void)state;
	tea = decode(2, EP_IPV6
		     "01 04 80000064 01 04 00000001 05 02 0008 07 01 b8");
	t = &tea.tunnels[0];
	assert_true(tea_tunnel_gre_key(t, &key));
	assert_int_equal(key, 0x80000064);
	assert_int_equal(t->lb_block, 8);
	assert_int_equal(t->ds, 0xb8);
	tea_free(&tea);

	tea = decode(2, EP_IPV6 "01 03 000064");
	assert_false(tea_tunnel_gre_key(&tea.tunnels[0], &key));
	tea_free(&tea);

	tea = decode(1, EP_IPV6 "01 0a 01020304 aabbccddeeff");
	t = &tea.tunnels[0];
	assert_int_equal(t->l2tpv3.session, 0x01020304);
	assert_octets(t->l2tpv3.cookie, t->l2tpv3.cookie_len, "aabbccddeeff");
	assert_false(tea_tunnel_gre_key(t, &key));
	tea_free(&tea);

	tea = decode(8, EP_IPV4
		     "01 0c c0 123456 020000000001 0009 08 02 12b5 09 01 02");
	t = &tea.tunnels[0];
	sub = tea_tunnel_next(t, TEA_SUB_ENCAP, NULL);
	assert_non_null(sub);
	assert_int_equal(sub->u.vxlan.flags, 0xc0);
	assert_int_equal(sub->u.vxlan.vni, 0x123456);
	assert_octets(sub->u.vxlan.mac, 6, "020000000001");
	assert_int_equal(sub->u.vxlan.reserved, 9);
	assert_int_equal(t->udp_port, 4789);
	assert_int_equal(t->label_handling, 2);
	tea_free(&tea);

	tea = decode(2, EP_IPV4 "03 16 0001 " SHA1 "03 04 0002 abcd");
	t = &tea.tunnels[0];
	sub = tea_tunnel_next(t, TEA_SUB_AUTHENTICATOR, NULL);
	assert_int_equal(sub->u.auth.type, TEA_AUTH_SHA1);
	assert_octets(sub->u.auth.value, sub->u.auth.len, SHA1);
	sub = tea_tunnel_next(t, TEA_SUB_AUTHENTICATOR, sub);
	assert_octets(sub->u.auth.value, sub->u.auth.len, "abcd");
	assert_null(tea_tunnel_next(t, TEA_SUB_AUTHENTICATOR, sub));
	tea_free(&tea);
}

/* 3.4.1: with Protocol Types only those payloads, without any payload that
 * the tunnel type can carry; a malformed one is as if it were not there. */
static void test_payload(void **state)
{
	static const struct {
		uint16_t type;
		const char *subs;
		bool ipv4, ipv6, ethernet;
	} cases[] = {
		{2, EP_IPV6, true, true, true},
		{2, EP_IPV6 "02 02 0800", true, false, false},
		{2, EP_IPV6 "02 02 0800 02 02 86dd", true, true, false},
		{2, EP_IPV6 "02 02 ffff", true, true, true},
		{2, EP_IPV6 "02 02 6558", false, false, true},
		{7, EP_IPV6, true, true, false},
		{7, EP_IPV6 "02 02 86dd", false, true, false},
		{7, EP_IPV6 "02 02 6558", true, true, false},
		{11, EP_IPV6, false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tea tea = decode(cases[i].type, cases[i].subs);

		assert_int_equal(
			tea_tunnel_allows(&tea.tunnels[0], TEA_ETHERTYPE_IPV4),
			cases[i].ipv4);
		assert_int_equal(
			tea_tunnel_allows(&tea.tunnels[0], TEA_ETHERTYPE_IPV6),
			cases[i].ipv6);
		assert_int_equal(
			tea_tunnel_allows(&tea.tunnels[0], TEA_ETHERTYPE_TEB),
			cases[i].ethernet);
		tea_free(&tea);
	}
}

static void test_color(void **state)
{
	struct tea tea =
		decode(2, EP_IPV6
		       "04 08 030b 0000 00000007 04 08 030c 0000 00000008 "
		       "04 08 030b 4000 00000009");

	(void)state;
	assert_true(tea_tunnel_has_color(&tea.tunnels[0], 7));
	assert_false(tea_tunnel_has_color(&tea.tunnels[0], 8));
	assert_true(tea_tunnel_has_color(&tea.tunnels[0], 9));
	tea_free(&tea);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),   cmocka_unit_test(test_meaning),
		cmocka_unit_test(test_values), cmocka_unit_test(test_payload),
		cmocka_unit_test(test_color),
	};

	return cmocka_run_group_tests_name("tea_subs", tests, NULL, NULL);
}
