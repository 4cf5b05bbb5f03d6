/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target: any octets as a packet of vici. What is accepted must read
 * in place, stay within the packet, and come out the same when it is built
 * again from what was read. A broken promise ends in abort().
 */
#include "lib/vici.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t *packet_at, *packet_end;

static void check_within(const uint8_t *at, size_t len)
{
	PROMISE(at >= packet_at && at <= packet_end);
	PROMISE(len <= (size_t)(packet_end - at));
}

static void check_value(const struct vici_value *value)
{
	uint64_t decimal = 0, hex = 0;
	char text[32];

	check_within(value->at, value->len);
	for (size_t size = 1; size <= sizeof(text); size += 7) {
		PROMISE(vici_text(value, text, size) == text);
		PROMISE(strlen(text) < size);
	}
	/* digits only: no smaller when read as hexadecimal, if that fits */
	if (vici_number(value, &decimal) && vici_hex_number(value, &hex))
		PROMISE(hex >= decimal);
}

/* As a string of the same length. The builder refuses what is not printable, so
 * a zero in it may become any other such octet. */
static const char *name_of(const struct vici_value *name, char *buf)
{
	for (size_t i = 0; i < name->len; i++)
		buf[i] = name->at[i] ? (char)name->at[i] : 1;
	buf[name->len] = '\0';
	return buf;
}

static void rebuild(struct vici_builder *b, const struct vici_section *section)
{
	char name[VICI_NAME_MAX + 1];
	struct vici_iter it;

	check_within(section->at, section->len);
	vici_each(section, it)
	{
		switch (it.element) {
		case VICI_KEY_VALUE:
			check_value(&it.value);
			vici_key_octets(b, name_of(&it.name, name), it.value.at,
					it.value.len);
			break;
		case VICI_LIST_ITEM:
			check_value(&it.value);
			vici_list_item_octets(b, it.value.at, it.value.len);
			break;
		case VICI_SECTION_START:
			vici_section_start(b, name_of(&it.name, name));
			rebuild(b, &it.section);
			vici_section_end(b);
			break;
		case VICI_LIST_START:
			vici_list_start(b, name_of(&it.name, name));
			rebuild(b, &it.section);
			vici_list_end(b);
			break;
		case VICI_SECTION_END:
		case VICI_LIST_END:
			PROMISE(false);
		}
	}
	PROMISE(it.left.left == 0);
}

/* By its own name, the first of a kind is found, and within the packet. */
static void check_find(const struct vici_section *msg)
{
	char name[VICI_NAME_MAX + 1];
	struct vici_section section;
	struct vici_value value;
	struct vici_iter it;

	vici_each(msg, it)
	{
		name_of(&it.name, name);
		if (memchr(it.name.at, 0, it.name.len) || strchr(name, '/'))
			continue;
		if (it.element == VICI_KEY_VALUE) {
			PROMISE(vici_find(msg, name, &value));
			check_within(value.at, value.len);
			PROMISE(value.at <= it.value.at);
		} else if (it.element == VICI_SECTION_START) {
			PROMISE(vici_find_section(msg, name, &section));
			check_within(section.at, section.len);
		} else {
			PROMISE(vici_find_list(msg, name, &section));
			check_within(section.at, section.len);
		}
	}
	vici_find(msg, "success/errmsg/x", &value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[VICI_NAME_MAX + 1];
	struct vici_packet packet;
	struct vici_builder b;
	enum vici_error error;

	error = vici_parse(data, size, &packet);
	PROMISE(*vici_error_text(error));
	if (error)
		return 0;
	packet_at = data;
	packet_end = data + size;
	check_within(packet.name.at, packet.name.len);
	check_find(&packet.msg);

	vici_begin(&b, packet.type, name_of(&packet.name, name));
	rebuild(&b, &packet.msg);
	error = vici_finish(&b);
	PROMISE(error == VICI_OK || error == VICI_ERR_NAME);
	if (!error) {
		PROMISE(b.len == size + VICI_HEADER_LEN);
		PROMISE(memcmp(b.buf + VICI_HEADER_LEN, data, size) == 0);
	}
	vici_free(&b);
	return 0;
}
