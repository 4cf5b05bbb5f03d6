// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The vici codec: what it writes, octet for octet as strongSwan's README and
 * charon have it, what it reads back, and what it refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/hex.h"
#include "lib/vici.h"

/* ---- building ---- */

static void assert_packet(struct vici_builder *b, const char *hex)
{
	uint8_t want[256];
	ssize_t len = hex_decode(hex, strlen(hex), want, sizeof(want));

	assert_true(len > 0);
	assert_string_equal(vici_error_text(vici_finish(b)),
			    vici_error_text(VICI_OK));
	assert_int_equal(b->len, len);
	assert_memory_equal(b->buf, want, len);
	vici_free(b);
	assert_null(b->buf);
}

static void test_build_plain(void **state)
{
	struct vici_builder b;

	vici_begin(&b, VICI_CMD_REQUEST, "version");
	assert_packet(&b, "00000009 00 07 76657273696f6e");
	vici_begin(&b, VICI_EVENT_REGISTER, "list-sa");
	assert_packet(&b, "00000009 03 07 6c6973742d7361");
	vici_begin(&b, VICI_EVENT_UNREGISTER, "list-sa");
	assert_packet(&b, "00000009 04 07 6c6973742d7361");
	vici_begin(&b, VICI_EVENT_CONFIRM, NULL);
	assert_packet(&b, "00000001 05");
}

/* The example of strongSwan's README: keys, sections within sections, a list.
 */
static void build_tree(struct vici_builder *b)
{
	vici_begin(b, VICI_CMD_RESPONSE, NULL);
	vici_key_value(b, "key1", "value1");
	vici_section_start(b, "section1");
	vici_section_start(b, "sub-section");
	vici_key_value(b, "key2", "value2");
	vici_section_end(b);
	vici_list_start(b, "list1");
	vici_list_item(b, "item1");
	vici_list_item(b, "item2");
	vici_list_end(b);
	vici_section_end(b);
}

static void test_build_tree(void **state)
{
	struct vici_builder b;

	build_tree(&b);
	assert_packet(&b,
		      "0000004e 01"
		      "03 04 6b657931 0006 76616c756531"
		      "01 08 73656374696f6e31"
		      "01 0b 7375622d73656374696f6e"
		      "03 04 6b657932 0006 76616c756532"
		      "02"
		      "04 05 6c69737431"
		      "05 0005 6974656d31"
		      "05 0005 6974656d32"
		      "06"
		      "02");
}

static void test_build_values(void **state)
{
	struct vici_builder b;

	vici_begin(&b, VICI_CMD_RESPONSE, NULL);
	vici_key_value(&b, "e", "");
	vici_key_octets(&b, "o", "\x00\xff", 2);
	vici_key_number(&b, "n", -1);
	vici_key_number(&b, "m", INT64_MIN);
	vici_key_bool(&b, "y", true);
	vici_key_bool(&b, "f", false);
	vici_list_one(&b, "l", "x");
	vici_list_start(&b, "z");
	vici_list_item_octets(&b, "\n", 1);
	vici_list_end(&b);
	assert_packet(&b,
		      "0000004c 01"
		      "03 01 65 0000"
		      "03 01 6f 0002 00ff"
		      "03 01 6e 0002 2d31"
		      "03 01 6d 0014 2d39323233333732303336383534373735383038"
		      "03 01 79 0003 796573"
		      "03 01 66 0002 6e6f"
		      "04 01 6c 05 0001 78 06"
		      "04 01 7a 05 0001 0a 06");
}

static void begin(struct vici_builder *b)
{
	vici_begin(b, VICI_CMD_REQUEST, "load-conn");
}

/* The first error stays, and later calls change nothing. */
static void assert_fails(struct vici_builder *b, enum vici_error error)
{
	assert_int_equal(vici_finish(b), error);
	vici_fail(b, VICI_ERR_TYPE);
	vici_key_value(b, "later", "on");
	vici_list_one(b, "later", "on");
	vici_section_start(b, "later");
	vici_section_end(b);
	assert_int_equal(vici_finish(b), error);
	assert_string_not_equal(b->where, "later");
	vici_free(b);
	vici_free(b);
}

static void test_build_nesting(void **state)
{
	struct vici_builder b;

	begin(&b);
	vici_section_end(&b);
	assert_fails(&b, VICI_ERR_NESTING);
	begin(&b);
	vici_list_item(&b, "x");
	assert_fails(&b, VICI_ERR_NESTING);
	begin(&b);
	vici_list_end(&b);
	assert_fails(&b, VICI_ERR_NESTING);
	begin(&b);
	vici_list_start(&b, "l");
	vici_key_value(&b, "k", "v");
	assert_fails(&b, VICI_ERR_NESTING);
	begin(&b);
	vici_list_start(&b, "l");
	vici_list_start(&b, "m");
	assert_fails(&b, VICI_ERR_NESTING);
	begin(&b);
	vici_list_start(&b, "l");
	vici_section_start(&b, "s");
	assert_fails(&b, VICI_ERR_NESTING);
	begin(&b);
	vici_section_start(&b, "s");
	assert_fails(&b, VICI_ERR_UNCLOSED);
	begin(&b);
	vici_list_start(&b, "l");
	assert_fails(&b, VICI_ERR_UNCLOSED);
	vici_begin(&b, VICI_EVENT_REGISTER, "log");
	vici_key_value(&b, "k", "v");
	assert_fails(&b, VICI_ERR_NESTING);
	memset(&b, 0, sizeof(b));
	vici_key_value(&b, "k", "v");
	assert_fails(&b, VICI_ERR_NESTING);
	vici_begin(&b, VICI_TYPES, "x");
	vici_key_value(&b, "k", "v");
	assert_fails(&b, VICI_ERR_TYPE);
}

static void test_build_names(void **state)
{
	char name[VICI_NAME_MAX + 2];
	struct vici_builder b;

	memset(name, 'n', sizeof(name));
	name[VICI_NAME_MAX + 1] = '\0';
	begin(&b);
	vici_key_value(&b, name, "v");
	assert_fails(&b, VICI_ERR_NAME);
	begin(&b);
	vici_key_value(&b, name + 1, "v");
	assert_int_equal(vici_finish(&b), VICI_OK);
	assert_string_equal(b.where, name + 1);
	vici_section_start(&b, "a\tb");
	assert_fails(&b, VICI_ERR_NAME);
	begin(&b);
	vici_section_start(&b, "");
	assert_fails(&b, VICI_ERR_NAME);
	begin(&b);
	vici_key_value(&b, NULL, "v");
	assert_fails(&b, VICI_ERR_NAME);
	begin(&b);
	vici_key_value(&b, "v\xc3\xa4", "v");
	assert_fails(&b, VICI_ERR_NAME);
	vici_begin(&b, VICI_CMD_REQUEST, NULL);
	assert_fails(&b, VICI_ERR_NAME);
}

static void test_build_values_bad(void **state)
{
	static const char octets[VICI_VALUE_MAX + 1];
	struct vici_builder b;

	begin(&b);
	vici_key_octets(&b, "data", octets, VICI_VALUE_MAX);
	assert_int_equal(vici_finish(&b), VICI_OK);
	vici_key_octets(&b, "data2", octets, VICI_VALUE_MAX + 1);
	assert_string_equal(b.where, "data2");
	assert_fails(&b, VICI_ERR_VALUE);
	begin(&b);
	vici_key_value(&b, "k", NULL);
	assert_fails(&b, VICI_ERR_VALUE);
	begin(&b);
	vici_list_one(&b, "k", NULL);
	assert_fails(&b, VICI_ERR_VALUE);
}

static void test_build_depth(void **state)
{
	struct vici_builder b;

	begin(&b);
	for (int i = 0; i < VICI_DEPTH_MAX; i++)
		vici_section_start(&b, "s");
	assert_int_equal(b.error, VICI_OK);
	vici_section_start(&b, "s");
	assert_fails(&b, VICI_ERR_DEPTH);
}

/* Grows to what charon takes, to the octet, and no further. */
static void test_build_size(void **state)
{
	static char octets[VICI_VALUE_MAX];
	struct vici_builder b;
	size_t left;

	begin(&b);
	memset(octets, 'x', sizeof(octets));
	for (int i = 0; i < 7; i++)
		vici_key_octets(&b, "k", octets, sizeof(octets));
	left = VICI_HEADER_LEN + VICI_PACKET_MAX - b.len - 5;
	vici_key_octets(&b, "k", octets, left);
	assert_int_equal(vici_finish(&b), VICI_OK);
	assert_int_equal(b.len, VICI_HEADER_LEN + VICI_PACKET_MAX);
	assert_memory_equal(b.buf, "\x00\x08\x00\x00", 4);
	assert_memory_equal(b.buf + b.len - left, octets, left);
	vici_section_start(&b, "s");
	assert_fails(&b, VICI_ERR_LONG);
}

/* ---- parsing ---- */

/* From memory of exactly that size, so that a sanitizer sees a read beyond. */
static enum vici_error parse(const char *hex)
{
	struct vici_packet packet;
	uint8_t octets[512], *copy;
	enum vici_error error;
	ssize_t len;

	len = hex_decode(hex, strlen(hex), octets, sizeof(octets));
	assert_true(len >= 0);
	copy = malloc(len ? len : 1);
	memcpy(copy, octets, len);
	error = vici_parse(copy, len, &packet);
	free(copy);
	return error;
}

static void test_parse_types(void **state)
{
	struct vici_packet packet;

	assert_int_equal(parse("01"), VICI_OK);
	assert_int_equal(parse("02"), VICI_OK);
	assert_int_equal(parse("05"), VICI_OK);
	assert_int_equal(parse("06"), VICI_OK);
	assert_int_equal(parse("07 00"), VICI_OK);
	assert_int_equal(parse("00 01 61"), VICI_OK);
	assert_int_equal(parse("03 01 61"), VICI_OK);
	assert_int_equal(parse("04 01 61"), VICI_OK);
	assert_int_equal(vici_parse((const uint8_t *)"\x07\x03log", 5, &packet),
			 VICI_OK);
	assert_int_equal(packet.type, VICI_EVENT);
	assert_true(vici_is(&packet.name, "log"));
	assert_int_equal(packet.msg.len, 0);
}

static void test_parse_bad(void **state)
{
	static const struct {
		const char *hex;
		enum vici_error error;
	} bad[] = {
		{"", VICI_ERR_SHORT},
		{"08", VICI_ERR_TYPE},
		{"ff 00", VICI_ERR_TYPE},
		/* what has no message */
		{"02 00", VICI_ERR_LONG},
		{"05 03", VICI_ERR_LONG},
		{"03 01 61 02", VICI_ERR_LONG},
		/* name of the packet cut off */
		{"07", VICI_ERR_SHORT},
		{"07 01", VICI_ERR_SHORT},
		{"07 ff 61", VICI_ERR_SHORT},
		/* elements that are none */
		{"01 00", VICI_ERR_ELEMENT},
		{"01 07", VICI_ERR_ELEMENT},
		{"01 ff", VICI_ERR_ELEMENT},
		/* cut off in each of their parts */
		{"01 01", VICI_ERR_SHORT},
		{"01 01 01", VICI_ERR_SHORT},
		{"01 03 01 61", VICI_ERR_SHORT},
		{"01 03 01 61 00", VICI_ERR_SHORT},
		{"01 03 01 61 0001", VICI_ERR_SHORT},
		{"01 03 01 61 ffff 6161", VICI_ERR_SHORT},
		{"01 04", VICI_ERR_SHORT},
		{"01 04 01 61 05", VICI_ERR_SHORT},
		{"01 04 01 61 05 0002 61", VICI_ERR_SHORT},
		/* where they may not be */
		{"01 02", VICI_ERR_NESTING},
		{"01 05 0000", VICI_ERR_NESTING},
		{"01 06", VICI_ERR_NESTING},
		{"01 04 01 61 03 01 61 0000", VICI_ERR_NESTING},
		{"01 04 01 61 01 01 61", VICI_ERR_NESTING},
		{"01 04 01 61 04 01 61", VICI_ERR_NESTING},
		{"01 04 01 61 02", VICI_ERR_NESTING},
		{"01 01 01 61 06", VICI_ERR_NESTING},
		{"01 01 01 61 02 02", VICI_ERR_NESTING},
		/* left open */
		{"01 01 01 61", VICI_ERR_UNCLOSED},
		{"01 04 01 61", VICI_ERR_UNCLOSED},
		{"01 01 01 61 04 01 61 06", VICI_ERR_UNCLOSED},
		/* one section too deep */
		{"01 010161 010161 010161 010161 010161 010161 010161 010161 010161",
		 VICI_ERR_DEPTH},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(bad[i].hex) != bad[i].error)
			fail_msg("%s: %s instead of %s", bad[i].hex,
				 vici_error_text(parse(bad[i].hex)),
				 vici_error_text(bad[i].error));
}

static void test_parse_long(void **state)
{
	uint8_t *octets = calloc(1, VICI_PACKET_MAX + 1);
	struct vici_packet packet;

	octets[0] = VICI_CMD_RESPONSE;
	assert_int_equal(vici_parse(octets, VICI_PACKET_MAX + 1, &packet),
			 VICI_ERR_LONG);
	free(octets);
}

/* No prefix of a good message is good, but for those that end between two
 * elements outside of all sections; none is read beyond its end. */
static void test_parse_prefixes(void **state)
{
	struct vici_packet packet;
	struct vici_builder b;
	size_t body, good = 0;
	uint8_t *copy;

	build_tree(&b);
	assert_int_equal(vici_finish(&b), VICI_OK);
	body = b.len - VICI_HEADER_LEN;
	for (size_t len = 1; len <= body; len++) {
		copy = malloc(len);
		memcpy(copy, b.buf + VICI_HEADER_LEN, len);
		if (vici_parse(copy, len, &packet) == VICI_OK)
			good++;
		free(copy);
	}
	assert_int_equal(good, 3); /* nothing, key1, all */
	vici_free(&b);
}

/* ---- reading ---- */

/* As list-sas has it, names with dots and colons included. */
static void build_sa(struct vici_builder *b)
{
	vici_begin(b, VICI_EVENT, "list-sa");
	vici_section_start(b, "peer-2001:db8::2");
	vici_key_value(b, "uniqueid", "17");
	vici_key_value(b, "state", "ESTABLISHED");
	vici_key_value(b, "state", "again");
	vici_list_start(b, "remote-vips");
	vici_list_end(b);
	vici_section_start(b, "child-sas");
	vici_section_start(b, "c-1");
	vici_key_value(b, "spi-in", "c0FFee01");
	vici_key_value(b, "bytes-in", "18446744073709551615");
	vici_list_start(b, "local-ts");
	vici_list_item(b, "10.0.0.1/32[gre]");
	vici_list_item(b, "10.0.0.2/32[gre]");
	vici_list_end(b);
	vici_section_end(b);
	vici_section_start(b, "c-2");
	vici_key_value(b, "spi-in", "1");
	vici_section_end(b);
	vici_section_end(b);
	vici_key_value(b, "version", "2");
	vici_section_end(b);
	assert_int_equal(vici_finish(b), VICI_OK);
}

static struct vici_section body_of(const struct vici_builder *b)
{
	struct vici_packet packet;

	assert_int_equal(vici_parse(b->buf + VICI_HEADER_LEN,
				    b->len - VICI_HEADER_LEN, &packet),
			 VICI_OK);
	return packet.msg;
}

static void test_iterate(void **state)
{
	static const struct {
		enum vici_element element;
		const char *name, *value;
	} want[] = {
		{VICI_KEY_VALUE, "uniqueid", "17"},
		{VICI_KEY_VALUE, "state", "ESTABLISHED"},
		{VICI_KEY_VALUE, "state", "again"},
		{VICI_LIST_START, "remote-vips", ""},
		{VICI_SECTION_START, "child-sas", ""},
		{VICI_KEY_VALUE, "version", "2"},
	};
	struct vici_section msg, list;
	struct vici_iter sa, it;
	struct vici_builder b;
	char text[64] = "";
	size_t n = 0;

	build_sa(&b);
	msg = body_of(&b);
	sa = vici_iter_of(&msg);
	assert_true(vici_next_section(&sa));
	assert_true(vici_is(&sa.name, "peer-2001:db8::2"));
	vici_each(&sa.section, it)
	{
		assert_true(n < sizeof(want) / sizeof(want[0]));
		assert_int_equal(it.element, want[n].element);
		assert_true(vici_is(&it.name, want[n].name));
		assert_true(vici_is(&it.value, want[n].value));
		n++;
	}
	assert_int_equal(n, 6);
	assert_false(vici_next_section(&sa));
	assert_false(vici_next_section(&sa));

	n = 0;
	assert_true(
		vici_find_section(&msg, "peer-2001:db8::2/child-sas", &list));
	vici_each_section(&list, it) assert_int_equal(it.name.at[2], '1' + n++);
	assert_int_equal(n, 2);

	assert_true(vici_find_list(&list, "c-1/local-ts", &list));
	vici_each(&list, it)
	{
		assert_int_equal(it.element, VICI_LIST_ITEM);
		vici_text(&it.value, text + strlen(text),
			  sizeof(text) - strlen(text));
	}
	assert_string_equal(text, "10.0.0.1/32[gre]10.0.0.2/32[gre]");
	vici_free(&b);
}

static void test_find(void **state)
{
	struct vici_section msg, sa, none;
	struct vici_value value;
	uint64_t number = 5;
	struct vici_builder b;
	char text[16];

	build_sa(&b);
	msg = body_of(&b);
	assert_true(vici_find_section(&msg, "peer-2001:db8::2", &sa));
	assert_true(vici_find(&sa, "state", &value));
	assert_true(vici_is(&value, "ESTABLISHED"));
	assert_false(vici_is(&value, "ESTABLISHE"));
	assert_false(vici_is(&value, "ESTABLISHED?"));
	assert_true(vici_find_is(&sa, "version", "2"));
	assert_true(vici_find_number(&sa, "uniqueid", &number));
	assert_int_equal(number, 17);
	assert_true(vici_find_hex(&sa, "child-sas/c-1/spi-in", &number));
	assert_int_equal(number, 0xc0ffee01);
	assert_true(vici_find_number(&sa, "child-sas/c-1/bytes-in", &number));
	assert_true(number == UINT64_MAX);
	assert_true(vici_find_text(&sa, "child-sas/c-2/spi-in", text,
				   sizeof(text)));
	assert_string_equal(text, "1");

	/* of another kind, elsewhere, or not at all */
	assert_false(vici_find(&sa, "child-sas", &value));
	assert_false(vici_find(&sa, "remote-vips", &value));
	assert_false(vici_find(&sa, "spi-in", &value));
	assert_false(vici_find(&msg, "state", &value));
	assert_false(vici_find(&sa, "child-sas/c-3/spi-in", &value));
	assert_false(vici_find(&sa, "child-sas/", &value));
	assert_false(vici_find(&sa, "/uniqueid", &value));
	assert_false(vici_find(&sa, "", &value));
	assert_false(vici_find_section(&sa, "state", &none));
	assert_false(vici_find_list(&sa, "child-sas", &none));
	assert_false(vici_find_number(&sa, "state", &number));
	assert_false(vici_find_hex(&sa, "state", &number));
	assert_false(vici_find_text(&sa, "none", text, sizeof(text)));
	assert_string_equal(text, "");
	assert_true(number == UINT64_MAX);
	vici_free(&b);
}

static struct vici_value value_of(const char *string)
{
	return (struct vici_value){.at = (const uint8_t *)string,
				   .len = strlen(string)};
}

static void test_numbers(void **state)
{
	static const char *const not_decimal[] = {
		"", "-1", "+1", " 1", "1 ", "0x1", "1a", "18446744073709551616",
	};
	static const char *const not_hex[] = {"", "0x1", "g",
					      "10000000000000000"};
	struct vici_value value;
	uint64_t number = 7;

	for (size_t i = 0; i < sizeof(not_decimal) / sizeof(char *); i++) {
		value = value_of(not_decimal[i]);
		assert_false(vici_number(&value, &number));
	}
	for (size_t i = 0; i < sizeof(not_hex) / sizeof(char *); i++) {
		value = value_of(not_hex[i]);
		assert_false(vici_hex_number(&value, &number));
	}
	assert_int_equal(number, 7);
	value = value_of("ffffffffffffffff");
	assert_true(vici_hex_number(&value, &number));
	assert_true(number == UINT64_MAX);
	value = value_of("00");
	assert_true(vici_number(&value, &number));
	assert_int_equal(number, 0);
}

static void test_text(void **state)
{
	struct vici_value value = value_of("ab\x1b[1m\xc3\xa4\n");
	struct vici_value empty = {0};
	char text[16];

	assert_string_equal(vici_text(&value, text, sizeof(text)), "ab?[1m???");
	assert_string_equal(vici_text(&value, text, 3), "ab");
	assert_string_equal(vici_text(&value, text, 1), "");
	assert_ptr_equal(vici_text(&value, NULL, 0), NULL);
	assert_string_equal(vici_text(&empty, text, sizeof(text)), "");
	assert_true(vici_is(&empty, ""));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build_plain),
		cmocka_unit_test(test_build_tree),
		cmocka_unit_test(test_build_values),
		cmocka_unit_test(test_build_nesting),
		cmocka_unit_test(test_build_names),
		cmocka_unit_test(test_build_values_bad),
		cmocka_unit_test(test_build_depth),
		cmocka_unit_test(test_build_size),
		cmocka_unit_test(test_parse_types),
		cmocka_unit_test(test_parse_bad),
		cmocka_unit_test(test_parse_long),
		cmocka_unit_test(test_parse_prefixes),
		cmocka_unit_test(test_iterate),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
