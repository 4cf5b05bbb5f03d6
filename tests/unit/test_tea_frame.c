/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Framing and verdict: RFC 9012 sections 2 and 13 (B7, B8), RFC 7606.
 */
#include <stdlib.h>

#include "tests/unit/tea_test.h"

struct row {
	const char *what;
	const char *hex;
	enum tea_verdict verdict;
	enum tea_error error;
	size_t error_at;
	size_t n_tunnels;
};

static const struct row rows[] = {
	/* section 2: Type(2) Length(2) Value */
	{"one TLV", "0007 0008 " EP_NEXT_HOP, TEA_ACCEPT, TEA_ERR_NONE, 0, 1},
	{"two TLVs", "0007 0008 " EP_NEXT_HOP "0002 0018 " EP_IPV6, TEA_ACCEPT,
	 TEA_ERR_NONE, 0, 2},
	{"two TLVs of one type are two tunnels (B1)",
	 "0007 0008 " EP_NEXT_HOP "0007 000c " EP_IPV4, TEA_ACCEPT,
	 TEA_ERR_NONE, 0, 2},

	/* section 13: "does not have any valid TLVs" */
	{"nothing at all", "", TEA_WITHDRAW, TEA_ERR_EMPTY, 0, 0},
	{"a TLV without sub-TLVs has no endpoint", "0002 0000", TEA_WITHDRAW,
	 TEA_ERR_NO_VALID_TLV, 0, 1},

	/* the TLV itself */
	{"one octet", "00", TEA_WITHDRAW, TEA_ERR_TLV_HEADER, 0, 0},
	{"type without length", "0007 00", TEA_WITHDRAW, TEA_ERR_TLV_HEADER, 0,
	 0},
	{"length without value", "0007 0008", TEA_WITHDRAW, TEA_ERR_TLV_OVERRUN,
	 0, 0},
	{"value one octet short", "0007 0008 0606 00000000 00", TEA_WITHDRAW,
	 TEA_ERR_TLV_OVERRUN, 0, 0},
	{"one octet after the last TLV", "0007 0008 " EP_NEXT_HOP "00",
	 TEA_WITHDRAW, TEA_ERR_TLV_HEADER, 12, 1},
	{"second TLV overruns", "0007 0008 " EP_NEXT_HOP "0007 ffff 00",
	 TEA_WITHDRAW, TEA_ERR_TLV_OVERRUN, 12, 1},

	/* section 13: "the final octet of a TLV MUST also be the final octet
	 * of its final sub-TLV" */
	{"sub-TLV type without length", "0007 0009 " EP_NEXT_HOP "07",
	 TEA_WITHDRAW, TEA_ERR_SUBTLV_HEADER, 0, 0},
	{"long sub-TLV with half its length", "0007 000a " EP_NEXT_HOP "80 00",
	 TEA_WITHDRAW, TEA_ERR_SUBTLV_HEADER, 0, 0},
	{"sub-TLV ends after its TLV", "0007 000a " EP_NEXT_HOP "07 01",
	 TEA_WITHDRAW, TEA_ERR_SUBTLV_OVERRUN, 0, 0},
	{"long sub-TLV ends after its TLV",
	 "0007 000c " EP_NEXT_HOP "80 0002 00", TEA_WITHDRAW,
	 TEA_ERR_SUBTLV_OVERRUN, 0, 0},
	{"a sub-TLV may not borrow from the next TLV",
	 "0007 000a " EP_NEXT_HOP "07 04 0007 0008 " EP_NEXT_HOP, TEA_WITHDRAW,
	 TEA_ERR_SUBTLV_OVERRUN, 0, 0},
	{"the rule holds for unknown tunnel types too", "0063 0003 01 02 00",
	 TEA_WITHDRAW, TEA_ERR_SUBTLV_OVERRUN, 0, 0},

	/* section 2: one octet of length below 128, two from there */
	{"type 127 has a short length", "0007 000b " EP_NEXT_HOP "7f 01 00",
	 TEA_ACCEPT, TEA_ERR_NONE, 0, 1},
	{"type 128 has a long length", "0007 000c " EP_NEXT_HOP "80 0001 00",
	 TEA_ACCEPT, TEA_ERR_NONE, 0, 1},
	{"type 255 has a long length", "0007 000b " EP_NEXT_HOP "ff 0000",
	 TEA_ACCEPT, TEA_ERR_NONE, 0, 1},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct octets o = octets_of(row->hex);
		struct tea tea;

		print_message("  %s\n", row->what);
		assert_int_equal(tea_decode(o.at, o.len, NULL, &tea),
				 row->verdict);
		assert_int_equal(tea.verdict, row->verdict);
		assert_int_equal(tea.error, row->error);
		assert_int_equal(tea.error_at, row->error_at);
		assert_int_equal(tea.n_tunnels, row->n_tunnels);
		if (row->verdict == TEA_ACCEPT) {
			assert_octets(tea.propagate, tea.propagate_len,
				      row->hex);
			assert_stable(&tea, NULL);
		} else {
			assert_int_equal(tea.propagate_len, 0);
			for (size_t j = 0; j < tea.n_tunnels; j++)
				assert_false(tea.tunnels[j].usable);
		}
		tea_free(&tea);
	}
}

/* Whatever is cut off a good attribute's end, it is withdrawn unless the cut
 * falls between two TLVs; and nothing is read past the cut (the copy has
 * exactly that size, so a sanitizer sees it). */
static void test_every_cut(void **state)
{
	struct octets o =
		octets_of("0002 0022 " EP_IPV6
			  "0104 00000064 0202 0800 "
			  "0007 000c " EP_IPV4 "0063 0005 80 0002 abcd");
	struct tea tea;
	uint8_t *cut;

	(void)state;
	for (size_t len = 0; len < o.len; len++) {
		cut = malloc(len + 1);
		assert_non_null(cut);
		memcpy(cut + 1, o.at, len);
		tea_decode(cut + 1, len, NULL, &tea);
		assert_int_equal(tea.verdict == TEA_ACCEPT,
				 len == 38 || len == 54);
		tea_free(&tea);
		free(cut);
	}
	assert_int_equal(tea_decode(o.at, o.len, NULL, &tea), TEA_ACCEPT);
	tea_free(&tea);
}

/* Section 13: transitive bit clear, treat as withdraw; with everything else
 * in order, and the tunnel shown but not usable. */
static void test_transitive_bit(void **state)
{
	struct octets o = tlv_of(TEA_TYPE_GRE, EP_IPV6);
	struct tea_opts opts = tea_opts_default;
	struct tea tea;

	(void)state;
	opts.not_transitive = true;
	assert_int_equal(tea_decode(o.at, o.len, &opts, &tea), TEA_WITHDRAW);
	assert_int_equal(tea.error, TEA_ERR_NOT_TRANSITIVE);
	assert_int_equal(tea.n_tunnels, 1);
	assert_false(tea.tunnels[0].usable);
	assert_int_equal(tea.tunnels[0].why, TEA_WHY_WITHDRAWN);
	tea_free(&tea);
}

/* RFC 4271 section 4.3: flags, type, length of one octet or two. */
static void test_attribute_header(void **state)
{
	static const struct {
		const char *what, *hex;
		enum tea_error error;
	} heads[] = {
		{"short length", "c0 17 0c 0007 0008 " EP_NEXT_HOP,
		 TEA_ERR_NONE},
		{"extended length", "d0 17 000c 0007 0008 " EP_NEXT_HOP,
		 TEA_ERR_NONE},
		{"partial bit is nothing to us",
		 "e0 17 0c 0007 0008 " EP_NEXT_HOP, TEA_ERR_NONE},
		{"what follows is not ours",
		 "c0 17 0c 0007 0008 " EP_NEXT_HOP "ffff", TEA_ERR_NONE},
		{"transitive bit clear", "80 17 0c 0007 0008 " EP_NEXT_HOP,
		 TEA_ERR_NOT_TRANSITIVE},
		{"optional bit clear (RFC 7606 section 3)",
		 "40 17 0c 0007 0008 " EP_NEXT_HOP, TEA_ERR_NOT_OPTIONAL},
		{"length passes the end", "c0 17 0d 0007 0008 " EP_NEXT_HOP,
		 TEA_ERR_ATTR_TRUNCATED},
		{"half an extended length", "d0 17 00", TEA_ERR_ATTR_TRUNCATED},
		{"flags alone", "c0", TEA_ERR_ATTR_TRUNCATED},
		{"no octet", "", TEA_ERR_ATTR_TRUNCATED},
		{"empty value", "c0 17 00", TEA_ERR_EMPTY},
	};
	struct tea tea;

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct octets o = octets_of(heads[i].hex);

		print_message("  %s\n", heads[i].what);
		tea_decode_attr(o.at, o.len, NULL, &tea);
		assert_int_equal(tea.error, heads[i].error);
		assert_int_equal(tea.verdict == TEA_ACCEPT,
				 heads[i].error == TEA_ERR_NONE);
		assert_int_equal(tea.propagate_len,
				 tea.verdict == TEA_ACCEPT ? 12 : 0);
		tea_free(&tea);
	}
}

/* The largest attributes there can be: many TLVs, many sub-TLVs, one long
 * sub-TLV; and one octet more than the length field can say. */
static void test_largest(void **state)
{
	static uint8_t value[TEA_MAX_LEN + 1];
	struct wire_writer w = wire_writer_of(value, sizeof(value));
	struct tea tea;

	(void)state;
	/* 16383 TLVs of an unknown type, each empty */
	for (int i = 0; i < 16383; i++)
		wire_put_u32(&w, 0x00630000);
	assert_int_equal(tea_decode(value, w.len, NULL, &tea), TEA_ACCEPT);
	assert_int_equal(tea.n_tunnels, 16383);
	assert_stable(&tea, NULL);
	tea_free(&tea);

	/* one TLV, an endpoint and 32761 empty sub-TLVs of unknown type 99 */
	w = wire_writer_of(value, sizeof(value));
	wire_put_u32(&w, TEA_TYPE_GRE << 16 | (8 + 2 * 32761));
	wire_put_u16(&w, 0x0606);
	wire_put_u32(&w, 0);
	wire_put_u16(&w, 0);
	for (int i = 0; i < 32761; i++)
		wire_put_u16(&w, 99 << 8);
	assert_int_equal(tea_decode(value, w.len, NULL, &tea), TEA_ACCEPT);
	assert_int_equal(tea.tunnels[0].n_subs, 32762);
	assert_true(tea.tunnels[0].usable);
	assert_stable(&tea, NULL);
	tea_free(&tea);

	/* 65535 octets in all, most of them in one sub-TLV */
	w = wire_writer_of(value, sizeof(value));
	wire_put_u32(&w, TEA_TYPE_GRE << 16 | (TEA_MAX_LEN - 4));
	wire_put_u16(&w, 0x0606);
	wire_put_u32(&w, 0);
	wire_put_u16(&w, 0);
	wire_put_u8(&w, 200);
	wire_put_u16(&w, TEA_MAX_LEN - 4 - 8 - 3);
	memset(value + w.len, 0xa5, TEA_MAX_LEN - w.len);
	assert_int_equal(tea_decode(value, TEA_MAX_LEN, NULL, &tea),
			 TEA_ACCEPT);
	assert_stable(&tea, NULL);
	tea_free(&tea);

	assert_int_equal(tea_decode(value, TEA_MAX_LEN + 1, NULL, &tea),
			 TEA_WITHDRAW);
	assert_int_equal(tea.error, TEA_ERR_TOO_LONG);
	tea_free(&tea);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_transitive_bit),
		cmocka_unit_test(test_attribute_header),
		cmocka_unit_test(test_largest),
	};

	return cmocka_run_group_tests_name("tea_frame", tests, NULL, NULL);
}
