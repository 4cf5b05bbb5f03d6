// SPDX-License-Identifier: GPL-2.0-or-later
/* The wire format of vici; see vici.h. */

#include <stdio.h>
#include <stdlib.h>

#include "lib/hex.h"
#include "lib/vici.h"

/* What comes after an element's octet: a name behind one octet of length, a
 * value behind two. */
struct element_row {
	bool known;
	bool name;
	bool value;
	bool in_list; /* stands within a list, all others outside */
};

static const struct element_row elements[] = {
	[VICI_SECTION_START] = {.known = true, .name = true},
	[VICI_SECTION_END] = {.known = true},
	[VICI_KEY_VALUE] = {.known = true, .name = true, .value = true},
	[VICI_LIST_START] = {.known = true, .name = true},
	[VICI_LIST_ITEM] = {.known = true, .value = true, .in_list = true},
	[VICI_LIST_END] = {.known = true, .in_list = true},
};
#define ELEMENTS (sizeof(elements) / sizeof(elements[0]))

struct packet_row {
	bool name;
	bool message;
};

static const struct packet_row packets[VICI_TYPES] = {
	[VICI_CMD_REQUEST] = {.name = true, .message = true},
	[VICI_CMD_RESPONSE] = {.message = true},
	[VICI_EVENT_REGISTER] = {.name = true},
	[VICI_EVENT_UNREGISTER] = {.name = true},
	[VICI_EVENT] = {.name = true, .message = true},
};

const char *vici_error_text(enum vici_error error)
{
	static const char *const texts[] = {
		[VICI_OK] = "no error",
		[VICI_ERR_SHORT] = "ends within an element",
		[VICI_ERR_LONG] = "longer than it may be",
		[VICI_ERR_TYPE] = "unknown type of packet",
		[VICI_ERR_ELEMENT] = "unknown type of element",
		[VICI_ERR_NESTING] = "an element where it may not be",
		[VICI_ERR_DEPTH] = "sections nested too deeply",
		[VICI_ERR_UNCLOSED] = "a section or list without its end",
		[VICI_ERR_NAME] =
			"a name that is empty, too long or not printable",
		[VICI_ERR_VALUE] = "a value that is missing or too long",
		[VICI_ERR_MEMORY] = "out of memory",
	};

	return error < VICI_ERRORS ? texts[error] : "unknown error";
}

/* ---- building ---- */

#define CAP_FIRST 512
#define CAP_MAX (VICI_HEADER_LEN + VICI_PACKET_MAX)

void vici_fail(struct vici_builder *b, enum vici_error error)
{
	if (!b->error)
		b->error = error;
}

/* Room for n octets more. Not realloc(): it may leave a copy behind. */
static bool reserve(struct vici_builder *b, size_t n)
{
	size_t cap = b->cap ? b->cap : CAP_FIRST;
	uint8_t *buf;

	if (b->error)
		return false;
	if (n > CAP_MAX - b->len) {
		b->error = VICI_ERR_LONG;
		return false;
	}
	if (n <= b->cap - b->len)
		return true;
	while (cap < b->len + n)
		cap *= 2;
	buf = malloc(cap);
	if (!buf) {
		b->error = VICI_ERR_MEMORY;
		return false;
	}
	if (b->buf) {
		memcpy(buf, b->buf, b->len);
		explicit_bzero(b->buf, b->cap);
		free(b->buf);
	}
	b->buf = buf;
	b->cap = cap;
	return true;
}

/* charon refuses names that are not printable. */
static bool name_is_good(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (name[i] < 0x20 || name[i] > 0x7e)
			return false;
	return len > 0 && len <= VICI_NAME_MAX;
}

/* Write an octet (of a type), and name and value where they are not NULL. */
static void put(struct vici_builder *b, uint8_t type, const char *name,
		const void *value, size_t value_len)
{
	size_t name_len = name ? strlen(name) : 0;
	struct wire_writer w;

	if (b->error)
		return;
	if (name) {
		snprintf(b->where, sizeof(b->where), "%s", name);
		if (!name_is_good(name, name_len))
			b->error = VICI_ERR_NAME;
	}
	if (value_len > VICI_VALUE_MAX)
		vici_fail(b, VICI_ERR_VALUE);
	if (!reserve(b, 1 + (name ? 1 + name_len : 0) +
				(value ? 2 + value_len : 0)))
		return;
	w = wire_writer_of(b->buf + b->len, b->cap - b->len);
	wire_put_u8(&w, type);
	if (name) {
		wire_put_u8(&w, (uint8_t)name_len);
		wire_put_bytes(&w, name, name_len);
	}
	if (value) {
		wire_put_u16(&w, (uint16_t)value_len);
		wire_put_bytes(&w, value, value_len);
	}
	b->len += w.len;
}

void vici_begin(struct vici_builder *b, enum vici_type type, const char *name)
{
	memset(b, 0, sizeof(*b));
	b->type = type;
	if (!reserve(b, VICI_HEADER_LEN))
		return;
	memset(b->buf, 0, VICI_HEADER_LEN);
	b->len = VICI_HEADER_LEN;
	if (type >= VICI_TYPES)
		b->error = VICI_ERR_TYPE;
	else if (packets[type].name)
		put(b, (uint8_t)type, name ? name : "", NULL, 0);
	else
		put(b, (uint8_t)type, NULL, NULL, 0);
}

/* An element of a message, if it may stand here. */
static void put_element(struct vici_builder *b, enum vici_element element,
			const char *name, const void *value, size_t len)
{
	const struct element_row *row = &elements[element];

	if (b->error)
		return;
	if (!b->buf || !packets[b->type].message ||
	    row->in_list != b->in_list ||
	    (element == VICI_SECTION_END && b->depth == 0))
		vici_fail(b, VICI_ERR_NESTING);
	if (element == VICI_SECTION_START && b->depth == VICI_DEPTH_MAX)
		vici_fail(b, VICI_ERR_DEPTH);
	if (row->name && !name)
		vici_fail(b, VICI_ERR_NAME);
	if (row->value && !value)
		vici_fail(b, VICI_ERR_VALUE);
	put(b, (uint8_t)element, name, value, len);
}

void vici_section_start(struct vici_builder *b, const char *name)
{
	put_element(b, VICI_SECTION_START, name, NULL, 0);
	if (!b->error)
		b->depth++;
}

void vici_section_end(struct vici_builder *b)
{
	put_element(b, VICI_SECTION_END, NULL, NULL, 0);
	if (!b->error)
		b->depth--;
}

void vici_key_octets(struct vici_builder *b, const char *key,
		     const void *octets, size_t len)
{
	put_element(b, VICI_KEY_VALUE, key, octets, len);
}

void vici_key_value(struct vici_builder *b, const char *key, const char *value)
{
	vici_key_octets(b, key, value, value ? strlen(value) : 0);
}

void vici_key_number(struct vici_builder *b, const char *key, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	vici_key_value(b, key, text);
}

void vici_key_bool(struct vici_builder *b, const char *key, bool yes)
{
	vici_key_value(b, key, yes ? "yes" : "no");
}

void vici_list_start(struct vici_builder *b, const char *key)
{
	put_element(b, VICI_LIST_START, key, NULL, 0);
	if (!b->error)
		b->in_list = true;
}

void vici_list_item_octets(struct vici_builder *b, const void *octets,
			   size_t len)
{
	put_element(b, VICI_LIST_ITEM, NULL, octets, len);
}

void vici_list_item(struct vici_builder *b, const char *value)
{
	vici_list_item_octets(b, value, value ? strlen(value) : 0);
}

void vici_list_end(struct vici_builder *b)
{
	put_element(b, VICI_LIST_END, NULL, NULL, 0);
	if (!b->error)
		b->in_list = false;
}

void vici_list_one(struct vici_builder *b, const char *key, const char *value)
{
	vici_list_start(b, key);
	vici_list_item(b, value);
	vici_list_end(b);
}

enum vici_error vici_finish(struct vici_builder *b)
{
	struct wire_writer w = wire_writer_of(b->buf, b->cap);

	if (!b->buf || b->depth || b->in_list)
		vici_fail(b, VICI_ERR_UNCLOSED);
	if (!b->error)
		wire_put_u32(&w, (uint32_t)(b->len - VICI_HEADER_LEN));
	return b->error;
}

void vici_free(struct vici_builder *b)
{
	if (b->buf) {
		explicit_bzero(b->buf, b->cap);
		free(b->buf);
	}
	memset(b, 0, sizeof(*b));
}

/* ---- parsing ---- */

struct element {
	enum vici_element type;
	struct vici_value name, value;
};

/* Lengths are checked here; where the element stands, by the caller. */
static enum vici_error read_element(struct wire_reader *r, struct element *e)
{
	const struct element_row *row;
	uint8_t type, name_len = 0;
	uint16_t value_len = 0;

	if (!wire_get_u8(r, &type))
		return VICI_ERR_SHORT;
	row = type < ELEMENTS ? &elements[type] : &elements[0];
	if (!row->known)
		return VICI_ERR_ELEMENT;
	e->type = type;
	if (row->name && !wire_get_u8(r, &name_len))
		return VICI_ERR_SHORT;
	if (!wire_get_bytes(r, name_len, &e->name.at))
		return VICI_ERR_SHORT;
	if (row->value && !wire_get_u16(r, &value_len))
		return VICI_ERR_SHORT;
	if (!wire_get_bytes(r, value_len, &e->value.at))
		return VICI_ERR_SHORT;
	e->name.len = name_len;
	e->value.len = value_len;
	return VICI_OK;
}

static enum vici_error check_message(struct wire_reader r)
{
	enum vici_error error;
	unsigned int depth = 0;
	bool in_list = false;
	struct element e;

	while (r.left) {
		error = read_element(&r, &e);
		if (error)
			return error;
		if (elements[e.type].in_list != in_list)
			return VICI_ERR_NESTING;
		switch (e.type) {
		case VICI_SECTION_START:
			if (depth++ == VICI_DEPTH_MAX)
				return VICI_ERR_DEPTH;
			break;
		case VICI_SECTION_END:
			if (depth-- == 0)
				return VICI_ERR_NESTING;
			break;
		case VICI_LIST_START:
			in_list = true;
			break;
		case VICI_LIST_END:
			in_list = false;
			break;
		case VICI_KEY_VALUE:
		case VICI_LIST_ITEM:
			break;
		}
	}
	return depth || in_list ? VICI_ERR_UNCLOSED : VICI_OK;
}

enum vici_error vici_parse(const uint8_t *octets, size_t len,
			   struct vici_packet *packet)
{
	struct wire_reader r = wire_reader_of(octets, len);
	const struct packet_row *row;
	uint8_t type, name_len = 0;

	memset(packet, 0, sizeof(*packet));
	if (len > VICI_PACKET_MAX)
		return VICI_ERR_LONG;
	if (!wire_get_u8(&r, &type))
		return VICI_ERR_SHORT;
	if (type >= VICI_TYPES)
		return VICI_ERR_TYPE;
	row = &packets[type];
	packet->type = type;
	if (row->name && !wire_get_u8(&r, &name_len))
		return VICI_ERR_SHORT;
	if (!wire_get_bytes(&r, name_len, &packet->name.at))
		return VICI_ERR_SHORT;
	packet->name.len = name_len;
	packet->msg = (struct vici_section){.at = r.at, .len = r.left};
	if (!row->message)
		return r.left ? VICI_ERR_LONG : VICI_OK;
	return check_message(r);
}

struct vici_iter vici_iter_of(const struct vici_section *section)
{
	return (struct vici_iter){
		.left = wire_reader_of(section->at, section->len)};
}

/* The elements up to the end that belongs to the section or list whose start
 * has just been read; the end is taken too. */
static bool read_body(struct wire_reader *r, struct vici_section *body)
{
	unsigned int open = 1;
	struct element e;

	body->at = r->at;
	do {
		body->len = (size_t)(r->at - body->at);
		if (read_element(r, &e) != VICI_OK)
			return false;
		if (e.type == VICI_SECTION_START || e.type == VICI_LIST_START)
			open++;
		else if (e.type == VICI_SECTION_END || e.type == VICI_LIST_END)
			open--;
	} while (open);
	return true;
}

bool vici_next(struct vici_iter *it)
{
	struct element e;

	if (!it->left.left || read_element(&it->left, &e) != VICI_OK)
		return false;
	it->element = e.type;
	it->name = e.name;
	it->value = e.value;
	it->section = (struct vici_section){0};
	if (e.type == VICI_SECTION_START || e.type == VICI_LIST_START)
		return read_body(&it->left, &it->section);
	return true;
}

bool vici_next_section(struct vici_iter *it)
{
	while (vici_next(it))
		if (it->element == VICI_SECTION_START)
			return true;
	return false;
}

static bool equal(const struct vici_value *value, const char *at, size_t len)
{
	return value->len == len && (!len || memcmp(value->at, at, len) == 0);
}

/* The first element of that type and name, directly within a section. */
static bool find_here(const struct vici_section *in, enum vici_element type,
		      const char *name, size_t len, struct vici_iter *it)
{
	vici_each(in, *it) if (it->element == type &&
			       equal(&it->name, name, len)) return true;
	return false;
}

static bool find(const struct vici_section *in, enum vici_element type,
		 const char *path, struct vici_iter *it)
{
	struct vici_section section = *in;
	size_t len;

	for (;;) {
		len = strcspn(path, "/");
		if (!path[len])
			return find_here(&section, type, path, len, it);
		if (!find_here(&section, VICI_SECTION_START, path, len, it))
			return false;
		section = it->section;
		path += len + 1;
	}
}

bool vici_find(const struct vici_section *in, const char *path,
	       struct vici_value *out)
{
	struct vici_iter it;

	if (!find(in, VICI_KEY_VALUE, path, &it))
		return false;
	*out = it.value;
	return true;
}

bool vici_find_section(const struct vici_section *in, const char *path,
		       struct vici_section *out)
{
	struct vici_iter it;

	if (!find(in, VICI_SECTION_START, path, &it))
		return false;
	*out = it.section;
	return true;
}

bool vici_find_list(const struct vici_section *in, const char *path,
		    struct vici_section *out)
{
	struct vici_iter it;

	if (!find(in, VICI_LIST_START, path, &it))
		return false;
	*out = it.section;
	return true;
}

/* ---- values ---- */

bool vici_is(const struct vici_value *value, const char *string)
{
	return equal(value, string, strlen(string));
}

char *vici_text(const struct vici_value *value, char *buf, size_t size)
{
	size_t n = value->len;

	if (size == 0)
		return buf;
	if (n > size - 1)
		n = size - 1;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = value->at[i];

		buf[i] = c >= 0x20 && c <= 0x7e ? (char)c : '?';
	}
	buf[n] = '\0';
	return buf;
}

static bool read_number(const struct vici_value *value, unsigned int base,
			uint64_t *out)
{
	uint64_t number = 0;

	for (size_t i = 0; i < value->len; i++) {
		/* none: a large one */
		unsigned int digit = hex_digit((char)value->at[i]);

		if (digit >= base || number > (UINT64_MAX - digit) / base)
			return false;
		number = number * base + digit;
	}
	if (value->len)
		*out = number;
	return value->len > 0;
}

bool vici_number(const struct vici_value *value, uint64_t *out)
{
	return read_number(value, 10, out);
}

bool vici_hex_number(const struct vici_value *value, uint64_t *out)
{
	return read_number(value, 16, out);
}

bool vici_find_text(const struct vici_section *in, const char *path, char *buf,
		    size_t size)
{
	struct vici_value value = {0};
	bool found = vici_find(in, path, &value);

	vici_text(&value, buf, size);
	return found;
}

bool vici_find_number(const struct vici_section *in, const char *path,
		      uint64_t *out)
{
	struct vici_value value;

	return vici_find(in, path, &value) && vici_number(&value, out);
}

bool vici_find_hex(const struct vici_section *in, const char *path,
		   uint64_t *out)
{
	struct vici_value value;

	return vici_find(in, path, &value) && vici_hex_number(&value, out);
}

bool vici_find_is(const struct vici_section *in, const char *path,
		  const char *string)
{
	struct vici_value value;

	return vici_find(in, path, &value) && vici_is(&value, string);
}
