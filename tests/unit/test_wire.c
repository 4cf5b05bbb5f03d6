/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bounds-checked reader and writer, hex, and SipHash-2-4.
 */
#include "lib/siphash.h"
#include "tests/unit/tea_test.h"

static void test_reader(void **state)
{
	static const uint8_t octets[] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct wire_reader r = wire_reader_of(octets, sizeof(octets)), sub;
	const uint8_t *at;
	uint8_t copy[4];
	uint32_t u32;
	uint16_t u16;
	uint8_t u8;

	(void)state;
	assert_true(wire_get_u8(&r, &u8));
	assert_int_equal(u8, 1);
	assert_true(wire_get_u16(&r, &u16));
	assert_int_equal(u16, 0x0203);
	assert_true(wire_get_u32(&r, &u32));
	assert_int_equal(u32, 0x04050607);
	/* too few octets: false, and nothing moves */
	assert_false(wire_get_u16(&r, &u16));
	assert_false(wire_get_u32(&r, &u32));
	assert_false(wire_get_bytes(&r, 2, &at));
	assert_false(wire_get_copy(&r, copy, 2));
	assert_false(wire_get_sub(&r, 2, &sub));
	assert_false(wire_get_bytes(&r, SIZE_MAX, &at));
	assert_int_equal(r.left, 1);
	assert_true(wire_get_u8(&r, &u8));
	assert_int_equal(u8, 8);
	assert_false(wire_get_u8(&r, &u8));
	/* none of nothing is fine, without a buffer too */
	assert_true(wire_get_bytes(&r, 0, &at));
	r = wire_reader_of(NULL, 0);
	assert_true(wire_get_sub(&r, 0, &sub));
	assert_false(wire_get_u8(&sub, &u8));

	/* a reader within a reader stops at its own end */
	r = wire_reader_of(octets, sizeof(octets));
	assert_true(wire_get_sub(&r, 3, &sub));
	assert_true(wire_get_u16(&sub, &u16));
	assert_false(wire_get_u16(&sub, &u16));
	assert_true(wire_get_u8(&r, &u8));
	assert_int_equal(u8, 4);
}

static void test_writer(void **state)
{
	uint8_t buf[8];
	struct wire_writer w = wire_writer_of(buf, 7);

	(void)state;
	memset(buf, 0xa5, sizeof(buf));
	wire_put_u8(&w, 1);
	wire_put_u16(&w, 0x0203);
	wire_put_u32(&w, 0x04050607);
	assert_false(w.failed);
	assert_octets(buf, w.len, "01020304050607");
	wire_patch_u16(&w, 5, 0xabcd);
	assert_false(w.failed);
	assert_octets(buf, 8, "0102030405abcd a5");
	wire_put_u8(&w, 8);
	assert_true(w.failed);
	wire_put_bytes(&w, buf, 0);
	assert_true(w.failed);
	assert_octets(buf, 8, "0102030405abcd a5");

	w = wire_writer_of(buf, 7);
	wire_put_u16(&w, 1);
	wire_patch_u16(&w, 1, 0); /* not all of it written yet */
	assert_true(w.failed);
}

static void test_hex(void **state)
{
	uint8_t buf[4];
	char text[9];

	(void)state;
	assert_int_equal(hex_decode("00fFAb", 6, buf, 4), 3);
	assert_memory_equal(buf, "\x00\xff\xab", 3);
	assert_int_equal(hex_decode(" 0:0\n1 1\t", 9, buf, 4), 2);
	assert_int_equal(hex_decode("", 0, buf, 4), 0);
	assert_int_equal(hex_decode("001", 3, buf, 4), -1);
	assert_int_equal(hex_decode("0g", 2, buf, 4), -1);
	assert_int_equal(hex_decode("0x00", 4, buf, 4), -1);
	assert_int_equal(hex_decode("00112233", 8, buf, 4), 4);
	assert_int_equal(hex_decode("0011223344", 10, buf, 4), -2);
	hex_encode((const uint8_t *)"\x00\xff\xab\x10", 4, text);
	assert_string_equal(text, "00ffab10");
	hex_encode(NULL, 0, text);
	assert_string_equal(text, "");
}

/* The paper's own example (appendix A), and the first values of the reference
 * implementation's table: key 00..0f, message 00 01 02... */
static void test_siphash(void **state)
{
	static const uint64_t reference[] = {
		UINT64_C(0x726fdb47dd0e0e31), UINT64_C(0x74f839c593dc67fd),
		UINT64_C(0x0d6c8009d9a94f5a), UINT64_C(0x85676696d7fb7e2d),
		UINT64_C(0xcf2794e0277187b7), UINT64_C(0x18765564cd99a68d),
		UINT64_C(0xcbc9466e58fee3ce), UINT64_C(0xab0200f58b01d137),
		UINT64_C(0x93f5f5799a932462),
	};
	uint8_t key[SIPHASH_KEY_LEN], message[64];
	struct siphash h;

	(void)state;
	for (uint8_t i = 0; i < sizeof(message); i++)
		message[i] = i;
	memcpy(key, message, sizeof(key));
	for (size_t len = 0; len < sizeof(reference) / sizeof(reference[0]);
	     len++)
		assert_true(siphash24(key, message, len) == reference[len]);
	assert_true(siphash24(key, message, 15) ==
		    UINT64_C(0xa129ca6149be45e5));

	/* in one piece or in two: the same, wherever the cut is */
	for (size_t cut = 0; cut <= sizeof(message); cut++) {
		siphash_init(&h, key);
		siphash_add(&h, message, cut);
		siphash_add(&h, message + cut, sizeof(message) - cut);
		assert_true(siphash_end(&h) ==
			    siphash24(key, message, sizeof(message)));
	}
	/* another key, another value */
	key[0] ^= 1;
	assert_true(siphash24(key, message, 15) !=
		    UINT64_C(0xa129ca6149be45e5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reader),
		cmocka_unit_test(test_writer),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_siphash),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
