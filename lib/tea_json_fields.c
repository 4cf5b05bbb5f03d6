/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The JSON fields of each sub-TLV layout: one row a field.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/hex.h"
#include "lib/tea_json_table.h"

/* ---- values ---- */

struct json_object *tea_json_hex(const uint8_t *octets, size_t len)
{
	char *text = malloc(2 * len + 1);
	struct json_object *json;

	if (!text)
		return NULL;
	hex_encode(octets, len, text);
	json = json_object_new_string_len(text, (int)(2 * len));
	free(text);
	return json;
}

ssize_t tea_json_read_hex(struct json_object *value, uint8_t *buf, size_t cap)
{
	if (!json_object_is_type(value, json_type_string))
		return -1;
	return hex_decode(json_object_get_string(value),
			  (size_t)json_object_get_string_len(value), buf, cap);
}

bool tea_json_read_uint(struct json_object *value, uint64_t max, uint64_t *out)
{
	const char *text;
	int64_t number;
	char *end;

	if (json_object_is_type(value, json_type_int)) {
		number = json_object_get_int64(value);
		if (number < 0)
			return false;
		*out = (uint64_t)number;
		return *out <= max;
	}
	if (!json_object_is_type(value, json_type_string))
		return false;
	text = json_object_get_string(value);
	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*out = strtoull(text, &end, 0);
	return errno == 0 && *end == '\0' && *out <= max;
}

/* ---- unsigned integers, by offset and size ---- */

static uint64_t load(const struct tea_json_field *f,
		     const struct tea_subtlv *sub)
{
	const uint8_t *at = (const uint8_t *)sub + f->offset;
	uint16_t two;
	uint32_t four;

	switch (f->size) {
	case 1:
		return *at;
	case 2:
		memcpy(&two, at, sizeof(two));
		return two;
	default:
		memcpy(&four, at, sizeof(four));
		return four;
	}
}

static void store(const struct tea_json_field *f, struct tea_subtlv *sub,
		  uint64_t v)
{
	uint8_t *at = (uint8_t *)sub + f->offset;
	uint16_t two = (uint16_t)v;
	uint32_t four = (uint32_t)v;

	switch (f->size) {
	case 1:
		*at = (uint8_t)v;
		break;
	case 2:
		memcpy(at, &two, sizeof(two));
		break;
	default:
		memcpy(at, &four, sizeof(four));
		break;
	}
}

static struct json_object *show_uint(const struct tea_json_field *f,
				     const struct tea_subtlv *sub)
{
	return json_object_new_int64((int64_t)load(f, sub));
}

/* Numbers that people know in hex. */
static struct json_object *show_hex16(const struct tea_json_field *f,
				      const struct tea_subtlv *sub)
{
	char text[8];

	snprintf(text, sizeof(text), "0x%04x", (unsigned int)load(f, sub));
	return json_object_new_string(text);
}

static const char *read_uint(const struct tea_json_field *f,
			     struct json_object *value, struct tea_subtlv *sub,
			     struct tea_json_scratch *scratch)
{
	static const char *const must[] = {
		[1] = "a number from 0 to 255",
		[2] = "a number from 0 to 65535",
		[4] = "a number from 0 to 4294967295",
	};
	uint64_t v;

	(void)scratch;
	if (!tea_json_read_uint(value, (UINT64_C(1) << (8 * f->size)) - 1, &v))
		return must[f->size];
	store(f, sub, v);
	return NULL;
}

/* ---- what is not a plain number ---- */

static struct json_object *show_cookie(const struct tea_json_field *f,
				       const struct tea_subtlv *sub)
{
	(void)f;
	return tea_json_hex(sub->u.l2tpv3.cookie, sub->u.l2tpv3.cookie_len);
}

static const char *read_cookie(const struct tea_json_field *f,
			       struct json_object *value,
			       struct tea_subtlv *sub,
			       struct tea_json_scratch *scratch)
{
	struct tea_l2tpv3 *l2tp = &sub->u.l2tpv3;
	ssize_t len =
		tea_json_read_hex(value, l2tp->cookie, sizeof(l2tp->cookie));

	(void)f;
	(void)scratch;
	if (len < 0)
		return "a string of 0 to 8 octets in hex";
	l2tp->cookie_len = (uint8_t)len;
	return NULL;
}

static struct json_object *show_mac(const struct tea_json_field *f,
				    const struct tea_subtlv *sub)
{
	const uint8_t *mac = sub->u.vxlan.mac;
	char text[18];

	(void)f;
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0],
		 mac[1], mac[2], mac[3], mac[4], mac[5]);
	return json_object_new_string(text);
}

static const char *read_mac(const struct tea_json_field *f,
			    struct json_object *value, struct tea_subtlv *sub,
			    struct tea_json_scratch *scratch)
{
	(void)f;
	(void)scratch;
	if (tea_json_read_hex(value, sub->u.vxlan.mac, 6) != 6)
		return "a string of 6 octets in hex";
	return NULL;
}

static struct json_object *show_auth(const struct tea_json_field *f,
				     const struct tea_subtlv *sub)
{
	(void)f;
	return tea_json_hex(sub->u.auth.value, sub->u.auth.len);
}

static const char *read_auth(const struct tea_json_field *f,
			     struct json_object *value, struct tea_subtlv *sub,
			     struct tea_json_scratch *scratch)
{
	ssize_t len = tea_json_read_hex(value, scratch->octets, 253);

	(void)f;
	if (len < 0)
		return "a string of at most 253 octets in hex";
	sub->u.auth.value = scratch->octets;
	sub->u.auth.len = (uint16_t)len;
	return NULL;
}

/* ---- endpoint: address and family, read in this order ---- */

static struct json_object *show_address(const struct tea_json_field *f,
					const struct tea_subtlv *sub)
{
	char text[INET6_ADDRSTRLEN + 16];

	(void)f;
	if (sub->u.endpoint.family == TEA_AF_NONE)
		return NULL;
	return json_object_new_string(
		tea_endpoint_format(&sub->u.endpoint, text, sizeof(text)));
}

static const char *read_address(const struct tea_json_field *f,
				struct json_object *value,
				struct tea_subtlv *sub,
				struct tea_json_scratch *scratch)
{
	struct tea_endpoint *ep = &sub->u.endpoint;
	const char *text = json_object_get_string(value);

	(void)f;
	(void)scratch;
	if (text && inet_pton(AF_INET, text, ep->addr) == 1) {
		ep->family = TEA_AF_IPV4;
		ep->addr_len = 4;
	} else if (text && inet_pton(AF_INET6, text, ep->addr) == 1) {
		ep->family = TEA_AF_IPV6;
		ep->addr_len = 16;
	} else {
		return "an IPv4 or IPv6 address";
	}
	return NULL;
}

static const struct {
	uint16_t family;
	uint8_t addr_len;
	const char *name;
} families[] = {
	{TEA_AF_NONE, 0, "none"},
	{TEA_AF_IPV4, 4, "ipv4"},
	{TEA_AF_IPV6, 16, "ipv6"},
};

#define N_FAMILIES (sizeof(families) / sizeof(families[0]))

static struct json_object *show_family(const struct tea_json_field *f,
				       const struct tea_subtlv *sub)
{
	(void)f;
	for (size_t i = 0; i < N_FAMILIES; i++)
		if (families[i].family == sub->u.endpoint.family)
			return json_object_new_string(families[i].name);
	return NULL;
}

static const char *read_family(const struct tea_json_field *f,
			       struct json_object *value,
			       struct tea_subtlv *sub,
			       struct tea_json_scratch *scratch)
{
	const char *text = json_object_get_string(value);

	(void)f;
	(void)scratch;
	for (size_t i = 0; i < N_FAMILIES; i++) {
		if (!text || strcmp(text, families[i].name) != 0)
			continue;
		if (families[i].addr_len != sub->u.endpoint.addr_len)
			return "the family of the address";
		sub->u.endpoint.family = families[i].family;
		return NULL;
	}
	return "\"none\", \"ipv4\" or \"ipv6\"";
}

/* ---- MPLS label stack: carried raw, shown entry by entry ---- */

static struct json_object *show_stack(const struct tea_json_field *f,
				      const struct tea_subtlv *sub)
{
	struct json_object *stack = json_object_new_array(), *entry;
	struct wire_reader r = wire_reader_of(sub->raw, sub->len);
	uint32_t word;

	(void)f;
	while (wire_get_u32(&r, &word)) {
		entry = json_object_new_object();
		json_object_object_add(entry, "label",
				       json_object_new_int64(word >> 12));
		json_object_object_add(entry, "tc",
				       json_object_new_int64(word >> 9 & 7));
		json_object_object_add(entry, "s",
				       json_object_new_int64(word >> 8 & 1));
		json_object_object_add(entry, "ttl",
				       json_object_new_int64(word & 0xff));
		json_object_array_add(stack, entry);
	}
	return stack;
}

static bool read_entry(struct json_object *entry, uint32_t *word)
{
	static const struct {
		const char *key;
		uint32_t max;
		unsigned int shift;
	} parts[] = {{"label", 0xfffff, 12},
		     {"tc", 7, 9},
		     {"s", 1, 8},
		     {"ttl", 255, 0}};
	struct json_object *value;
	uint64_t v;

	*word = 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!json_object_object_get_ex(entry, parts[i].key, &value) ||
		    !tea_json_read_uint(value, parts[i].max, &v))
			return false;
		*word |= (uint32_t)v << parts[i].shift;
	}
	return true;
}

static const char *read_stack(const struct tea_json_field *f,
			      struct json_object *value, struct tea_subtlv *sub,
			      struct tea_json_scratch *scratch)
{
	static const char must[] = "1 to 63 objects with label, tc, s and ttl";
	struct wire_writer w = wire_writer_of(scratch->octets, UINT8_MAX);
	size_t n;
	uint32_t word;

	(void)f;
	if (!json_object_is_type(value, json_type_array))
		return must;
	n = json_object_array_length(value);
	for (size_t i = 0; i < n && !w.failed; i++) {
		if (!read_entry(json_object_array_get_idx(value, i), &word))
			return must;
		wire_put_u32(&w, word);
	}
	if (n == 0 || w.failed)
		return must;
	sub->raw = scratch->octets;
	sub->len = (uint16_t)w.len;
	return NULL;
}

/* ---- the table ---- */

/* clang-format off */
#define UINT(l, k, need, member) \
	{.layout = TEA_LAYOUT_##l, .key = k, .required = need, .show = show_uint, \
	 .read = read_uint, .offset = offsetof(struct tea_subtlv, u.member), \
	 .size = sizeof(((struct tea_subtlv *)NULL)->u.member)}
#define HEX16(l, k, need, member) \
	{.layout = TEA_LAYOUT_##l, .key = k, .required = need, .show = show_hex16, \
	 .read = read_uint, .offset = offsetof(struct tea_subtlv, u.member), .size = 2}
#define OTHER(l, k, need, kind) \
	{.layout = TEA_LAYOUT_##l, .key = k, .required = need, .show = show_##kind, \
	 .read = read_##kind}
#define REQUIRED true
#define OPTIONAL false

static const struct tea_json_field fields[] = {
	UINT(GRE, "key", REQUIRED, gre_key),
	UINT(L2TPV3, "session-id", REQUIRED, l2tpv3.session),
	OTHER(L2TPV3, "cookie", OPTIONAL, cookie),
	UINT(VXLAN, "flags", OPTIONAL, vxlan.flags),
	UINT(VXLAN, "vn-id", OPTIONAL, vxlan.vni),
	OTHER(VXLAN, "mac", OPTIONAL, mac),
	UINT(VXLAN, "reserved", OPTIONAL, vxlan.reserved),
	HEX16(PROTOCOL, "protocol", REQUIRED, protocol),
	UINT(AUTH, "authenticator-type", REQUIRED, auth.type),
	OTHER(AUTH, "authenticator", REQUIRED, auth),
	UINT(COLOR, "flags", OPTIONAL, color.flags),
	UINT(COLOR, "color", REQUIRED, color.color),
	UINT(LB_BLOCK, "block-size", REQUIRED, lb_block),
	OTHER(ENDPOINT, "address", OPTIONAL, address),
	OTHER(ENDPOINT, "family", OPTIONAL, family),
	UINT(ENDPOINT, "reserved", OPTIONAL, endpoint.reserved),
	UINT(DS, "ds", REQUIRED, ds),
	UINT(UDP_PORT, "port", REQUIRED, udp_port),
	UINT(EMBEDDED_LABEL, "handling", REQUIRED, label_handling),
	OTHER(MPLS_STACK, "stack", REQUIRED, stack),
};
/* clang-format on */

const struct tea_json_field *
tea_json_next_field(enum tea_layout layout, const struct tea_json_field *prev)
{
	const struct tea_json_field *end =
		fields + sizeof(fields) / sizeof(fields[0]);

	for (const struct tea_json_field *f = prev ? prev + 1 : fields; f < end;
	     f++)
		if (f->layout == layout)
			return f;
	return NULL;
}
