/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Tunnel Encapsulation attribute as JSON: the attribute, its tunnels and
 * sub-TLVs.  The fields of the sub-TLVs are in tea_json_fields.c.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/tea_json.h"
#include "lib/tea_json_table.h"

/* ---- to JSON ---- */

/* Of our experimental sub-TLV, which is raw otherwise. */
#define PUBLIC_KEY "public-key"

static void add(struct json_object *to, const char *key,
		struct json_object *value)
{
	json_object_object_add(to, key, value);
}

static struct json_object *sub_to_json(const struct tea_subtlv *sub,
				       const struct tea_sub_row *row)
{
	struct json_object *json = json_object_new_object(), *value;
	const struct tea_json_field *f = NULL;
	const uint8_t *spki;
	size_t len;

	add(json, "type", json_object_new_int(sub->type));
	add(json, "name", json_object_new_string(tea_sub_name(sub->type)));
	add(json, "state",
	    json_object_new_string(tea_sub_state_text(sub->state)));
	/* a stack is shown although it is carried raw: its length fits */
	if (row && (sub->typed || (row->layout == TEA_LAYOUT_MPLS_STACK &&
				   sub->len > 0 && sub->len % row->step == 0)))
		while ((f = tea_json_next_field(row->layout, f)))
			if ((value = f->show(f, sub)))
				add(json, f->key, value);
	if (tea_sub_public_key(sub, &spki, &len))
		add(json, PUBLIC_KEY, tea_json_hex(spki, len));
	add(json, "raw", tea_json_hex(sub->raw, sub->len));
	return json;
}

static struct json_object *tunnel_to_json(const struct tea_tunnel *tunnel)
{
	struct json_object *json = json_object_new_object();
	struct json_object *subs = json_object_new_array();
	const struct tea_type_row *type = tea_type_row(tunnel->type);
	char text[TEA_TEXT_LEN];

	add(json, "type", json_object_new_int(tunnel->type));
	add(json, "name", json_object_new_string(tunnel->name));
	add(json, "usable", json_object_new_boolean(tunnel->usable));
	add(json, "reason",
	    tunnel->usable ? NULL
			   : json_object_new_string(tea_tunnel_reason(
				     tunnel, text, sizeof(text))));
	add(json, "removed", json_object_new_boolean(tunnel->removed));
	for (size_t i = 0; i < tunnel->n_subs; i++)
		json_object_array_add(
			subs,
			sub_to_json(&tunnel->subs[i],
				    tea_sub_row(type, tunnel->subs[i].type)));
	add(json, "subtlvs", subs);
	return json;
}

struct json_object *tea_to_json(const struct tea *tea)
{
	struct json_object *json = json_object_new_object();
	struct json_object *tunnels = json_object_new_array();
	bool accepted = tea->verdict == TEA_ACCEPT;
	char text[TEA_TEXT_LEN];

	add(json, "verdict",
	    json_object_new_string(accepted ? "accept" : "withdraw"));
	add(json, "reason",
	    accepted ? NULL
		     : json_object_new_string(
			       tea_reason(tea, text, sizeof(text))));
	for (size_t i = 0; i < tea->n_tunnels; i++)
		json_object_array_add(tunnels,
				      tunnel_to_json(&tea->tunnels[i]));
	add(json, "tunnels", tunnels);
	add(json, "propagate",
	    tea_json_hex(tea->propagate, tea->propagate_len));
	return json;
}

/* ---- from JSON ---- */

struct reader {
	struct tea_builder b;
	struct tea_json_scratch *scratch;
	char *error;	    /* TEA_JSON_ERROR_LEN octets */
	size_t tunnel, sub; /* where we are, for errors */
};

static bool fail(struct reader *rd, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static bool fail(struct reader *rd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(rd->error, TEA_JSON_ERROR_LEN, fmt, ap);
	va_end(ap);
	return false;
}

/* A number under "type", or else a name under "name". */
static bool read_type(struct json_object *json,
		      int (*by_name)(const char *name), uint64_t max,
		      uint64_t *type)
{
	struct json_object *value;
	int found;

	if (json_object_object_get_ex(json, "type", &value))
		return tea_json_read_uint(value, max, type);
	if (!json_object_object_get_ex(json, "name", &value) ||
	    !json_object_is_type(value, json_type_string))
		return false;
	found = by_name(json_object_get_string(value));
	*type = (uint64_t)found;
	return found >= 0;
}

static bool is_one_of(const char *key, const char *const *known)
{
	for (; *known; known++)
		if (strcmp(key, *known) == 0)
			return true;
	return false;
}

static bool is_field(const struct tea_sub_row *row, const char *key)
{
	const struct tea_json_field *f = NULL;

	while (row && (f = tea_json_next_field(row->layout, f)))
		if (strcmp(f->key, key) == 0)
			return true;
	return false;
}

/* Count the fields present; false on a key that means nothing. */
static bool check_sub_keys(struct reader *rd, struct json_object *json,
			   uint8_t type, const struct tea_sub_row *row,
			   size_t *n_fields)
{
	static const char *const always[] = {"type", "name", "state", "raw",
					     NULL};

	*n_fields = 0;
	json_object_object_foreach (json, key, value) {
		(void)value;
		if (is_field(row, key) || (type == TEA_SUB_PUBLIC_KEY &&
					   strcmp(key, PUBLIC_KEY) == 0))
			(*n_fields)++;
		else if (!is_one_of(key, always))
			return fail(
				rd,
				"tunnels[%zu].subtlvs[%zu]: unknown field '%s'; remove it",
				rd->tunnel, rd->sub, key);
	}
	return true;
}

static bool read_fields(struct reader *rd, struct json_object *json,
			const struct tea_sub_row *row, struct tea_subtlv *sub)
{
	const struct tea_json_field *f = NULL;
	struct json_object *value;
	const char *must;

	while ((f = tea_json_next_field(row->layout, f))) {
		if (!json_object_object_get_ex(json, f->key, &value)) {
			if (!f->required)
				continue;
			return fail(
				rd,
				"tunnels[%zu].subtlvs[%zu]: field '%s' is missing; add it, "
				"or give nothing but raw",
				rd->tunnel, rd->sub, f->key);
		}
		must = f->read(f, value, sub, rd->scratch);
		if (must)
			return fail(
				rd,
				"tunnels[%zu].subtlvs[%zu]: field '%s' must be %s",
				rd->tunnel, rd->sub, f->key, must);
	}
	sub->typed = row->encode != NULL;
	return true;
}

static bool read_public_key(struct reader *rd, struct json_object *json,
			    struct tea_subtlv *sub)
{
	uint8_t *octets = rd->scratch->octets;
	struct json_object *value;
	ssize_t len = -1;

	memcpy(octets, TEA_PUBLIC_KEY_MAGIC, TEA_PUBLIC_KEY_MAGIC_LEN);
	if (json_object_object_get_ex(json, PUBLIC_KEY, &value))
		len = tea_json_read_hex(value,
					octets + TEA_PUBLIC_KEY_MAGIC_LEN,
					TEA_PUBLIC_KEY_MAX);
	if (len <= 0)
		return fail(
			rd,
			"tunnels[%zu].subtlvs[%zu]: field 'public-key' must be a string of 1 to 1100 octets in hex",
			rd->tunnel, rd->sub);
	sub->raw = octets;
	sub->len = (uint16_t)(TEA_PUBLIC_KEY_MAGIC_LEN + len);
	return true;
}

static bool read_raw(struct reader *rd, struct json_object *json,
		     struct tea_subtlv *sub)
{
	struct json_object *value;
	ssize_t len;

	if (!json_object_object_get_ex(json, "raw", &value))
		return fail(
			rd,
			"tunnels[%zu].subtlvs[%zu]: neither fields nor raw; give the value",
			rd->tunnel, rd->sub);
	len = tea_json_read_hex(value, rd->scratch->octets,
				sizeof(rd->scratch->octets));
	if (len < 0)
		return fail(
			rd,
			"tunnels[%zu].subtlvs[%zu]: raw must be a string of octets in hex",
			rd->tunnel, rd->sub);
	sub->raw = rd->scratch->octets;
	sub->len = (uint16_t)len;
	return true;
}

static bool read_sub(struct reader *rd, struct json_object *json)
{
	struct tea_subtlv sub = {0};
	const struct tea_sub_row *row;
	size_t n_fields;
	uint64_t type;
	bool ok;

	if (!json_object_is_type(json, json_type_object) ||
	    !read_type(json, tea_sub_by_name, UINT8_MAX, &type))
		return fail(
			rd,
			"tunnels[%zu].subtlvs[%zu]: must be an object with a type from 0 "
			"to 255, or the name of a known sub-TLV",
			rd->tunnel, rd->sub);
	sub.type = (uint8_t)type;
	row = tea_sub_row(tea_type_row(rd->b.type), sub.type);
	if (!check_sub_keys(rd, json, sub.type, row, &n_fields))
		return false;
	if (!n_fields)
		ok = read_raw(rd, json, &sub);
	else if (sub.type == TEA_SUB_PUBLIC_KEY)
		ok = read_public_key(rd, json, &sub);
	else
		ok = read_fields(rd, json, row, &sub);
	if (!ok)
		return false;
	tea_build_sub(&rd->b, &sub);
	if (rd->b.w.failed)
		return fail(
			rd, "tunnels[%zu].subtlvs[%zu] (%s): %s", rd->tunnel,
			rd->sub, tea_sub_name(sub.type),
			n_fields
				? "RFC 9012 forbids this value, or it is too long; to encode "
				  "it all the same give nothing but raw"
				: "too long");
	return true;
}

static bool read_tunnel(struct reader *rd, struct json_object *json)
{
	static const char *const known[] = {
		"type", "name", "usable", "reason", "removed", "subtlvs", NULL};
	struct json_object *subs;
	uint64_t type;

	if (!json_object_is_type(json, json_type_object) ||
	    !read_type(json, tea_type_by_name, UINT16_MAX, &type))
		return fail(
			rd,
			"tunnels[%zu]: must be an object with a type from 0 to 65535, or "
			"the name of a known tunnel type",
			rd->tunnel);
	json_object_object_foreach (json, key, value) {
		(void)value;
		if (!is_one_of(key, known))
			return fail(
				rd,
				"tunnels[%zu]: unknown field '%s'; remove it",
				rd->tunnel, key);
	}
	tea_build_tunnel(&rd->b, (uint16_t)type);
	if (!json_object_object_get_ex(json, "subtlvs", &subs))
		return true;
	if (!json_object_is_type(subs, json_type_array))
		return fail(rd, "tunnels[%zu].subtlvs: must be an array",
			    rd->tunnel);
	for (rd->sub = 0; rd->sub < json_object_array_length(subs); rd->sub++)
		if (!read_sub(rd, json_object_array_get_idx(subs, rd->sub)))
			return false;
	return true;
}

static bool read_tunnels(struct reader *rd, struct json_object *json)
{
	struct json_object *tunnels;

	if (!json_object_is_type(json, json_type_object) ||
	    !json_object_object_get_ex(json, "tunnels", &tunnels) ||
	    !json_object_is_type(tunnels, json_type_array))
		return fail(
			rd,
			"the input must be a JSON object with an array \"tunnels\"");
	for (rd->tunnel = 0; rd->tunnel < json_object_array_length(tunnels);
	     rd->tunnel++)
		if (!read_tunnel(
			    rd, json_object_array_get_idx(tunnels, rd->tunnel)))
			return false;
	return true;
}

ssize_t tea_from_json(struct json_object *json, uint8_t *buf, size_t cap,
		      char error[TEA_JSON_ERROR_LEN])
{
	struct reader rd = {.error = error};
	ssize_t len = -1;

	rd.scratch = malloc(sizeof(*rd.scratch));
	if (!rd.scratch) {
		fail(&rd, "out of memory");
		return -1;
	}
	tea_build_start(&rd.b, buf, cap);
	if (read_tunnels(&rd, json)) {
		len = tea_build_finish(&rd.b);
		if (len < 0)
			fail(&rd,
			     "the attribute would be longer than %zu octets",
			     cap < TEA_MAX_LEN ? cap : (size_t)TEA_MAX_LEN);
	}
	free(rd.scratch);
	return len;
}
