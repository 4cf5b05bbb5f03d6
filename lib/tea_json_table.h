/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The JSON fields of each sub-TLV layout, private to lib/tea_json*.c.
 */
#ifndef SWMESH_TEA_JSON_TABLE_H
#define SWMESH_TEA_JSON_TABLE_H

#include <json-c/json.h>

#include "lib/tea_table.h"

/* What a sub-TLV being read from JSON points into; reused for each. */
struct tea_json_scratch {
	uint8_t octets[TEA_MAX_LEN];
};

struct tea_json_field {
	enum tea_layout layout;
	const char *key;
	bool required;
	/* NULL when there is nothing to show. */
	struct json_object *(*show)(const struct tea_json_field *f,
				    const struct tea_subtlv *sub);
	/* NULL, or what the value must be. */
	const char *(*read)(const struct tea_json_field *f,
			    struct json_object *value, struct tea_subtlv *sub,
			    struct tea_json_scratch *scratch);
	/* of an unsigned integer in struct tea_subtlv */
	size_t offset;
	size_t size;
};

/* The field after prev (NULL: the first) of a layout; NULL at the end. */
const struct tea_json_field *
tea_json_next_field(enum tea_layout layout, const struct tea_json_field *prev);

struct json_object *tea_json_hex(const uint8_t *octets, size_t len);

/* Octets from a string of hex digits; -1 if it is none. */
ssize_t tea_json_read_hex(struct json_object *value, uint8_t *buf, size_t cap);

/* An integer, or a string that holds one in C's notation. */
bool tea_json_read_uint(struct json_object *value, uint64_t max, uint64_t *out);

#endif /* SWMESH_TEA_JSON_TABLE_H */
