// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading and rewriting a BGP UPDATE in place; see swmesh_update.h. */

#include <string.h>

#include "bgpd/swmesh_update.h"

#define FLAG_OPTIONAL 0x80
#define FLAG_TRANSITIVE 0x40
#define FLAG_PARTIAL 0x20
#define FLAG_EXTLEN 0x10

#define EXT_COMM_LEN 8
#define EXT_COMM_OPAQUE 0x03
#define EXT_COMM_ENCAP 0x0c

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static bool seen(const struct update_scan *scan, uint8_t type)
{
	return scan->seen[type / 64] & (1ULL << (type % 64));
}

static void note_span(struct update_span *slot, const struct update_span *span)
{
	if (!slot->total)
		*slot = *span;
}

static void note_attr(struct update_scan *scan, uint8_t type,
		      const struct update_span *span)
{
	scan->seen[type / 64] |= 1ULL << (type % 64);
	switch (type) {
	case UPDATE_ATTR_TEA:
		note_span(&scan->tea, span);
		scan->n_tea++;
		break;
	case UPDATE_ATTR_EXT_COMMUNITIES:
		note_span(&scan->ext_comm, span);
		break;
	case UPDATE_ATTR_MP_REACH:
		note_span(&scan->mp_reach, span);
		break;
	case UPDATE_ATTR_MP_UNREACH:
		note_span(&scan->mp_unreach, span);
		break;
	default:
		break;
	}
}

/* Read the header at `at`; false when attribute or header passes `end`. */
static bool read_header(const uint8_t *body, size_t at, size_t end,
			struct update_span *span)
{
	size_t left = end - at;
	size_t len;

	if (left < 3)
		return false;
	span->at = at;
	if (body[at] & FLAG_EXTLEN) {
		if (left < 4)
			return false;
		span->header = 4;
		len = get16(body + at + 2);
	} else {
		span->header = 3;
		len = body[at + 2];
	}
	if (len > left - span->header)
		return false;
	span->total = span->header + len;
	return true;
}

static void walk_attrs(struct update_scan *scan)
{
	size_t at = scan->attrs_at;
	size_t end = at + scan->attrs_len;
	struct update_span span = {};

	for (; at < end; at += span.total) {
		uint8_t *p = scan->body + at;

		if (!read_header(scan->body, at, end, &span)) {
			scan->broken = true;
			scan->broken_at = at;
			scan->tea_broken =
				end - at >= 2 && p[1] == UPDATE_ATTR_TEA;
			return;
		}
		if (update_is_marked(p[0], p[1]))
			p[0] &= ~UPDATE_MARK_MASK;
		note_attr(scan, p[1], &span);
	}
}

bool update_scan(struct update_scan *scan, uint8_t *body, size_t len)
{
	size_t at;

	memset(scan, 0, sizeof(*scan));
	scan->body = body;
	scan->len = len;
	if (len < 4)
		return false;
	scan->withdrawn_at = 2;
	scan->withdrawn_len = get16(body);
	if (scan->withdrawn_len > len - 4)
		return false;
	at = scan->withdrawn_at + scan->withdrawn_len;
	scan->attrs_at = at + 2;
	scan->attrs_len = get16(body + at);
	if (scan->attrs_len > len - scan->attrs_at)
		return false;
	scan->nlri_at = scan->attrs_at + scan->attrs_len;
	scan->nlri_len = len - scan->nlri_at;
	walk_attrs(scan);
	return true;
}

/* SAFI of the routes in MP_REACH_NLRI if they are of IPv4 or IPv6; 0: not. */
static uint8_t reach_safi(const struct update_scan *scan)
{
	const struct update_span *mp = &scan->mp_reach;
	const uint8_t *value = scan->body + mp->at + mp->header;
	uint16_t afi;

	if (mp->total - mp->header < 3)
		return 0;
	afi = get16(value);
	return afi == 1 || afi == 2 ? value[2] : 0;
}

bool update_has_ip_routes(const struct update_scan *scan)
{
	uint8_t safi;

	if (scan->nlri_len || !scan->mp_reach.total)
		return true;
	safi = reach_safi(scan);
	return safi == 1 || safi == 2 || safi == 4;
}

bool update_lacks_mandatory(const struct update_scan *scan)
{
	return scan->nlri_len && !(seen(scan, UPDATE_ATTR_ORIGIN) &&
				   seen(scan, UPDATE_ATTR_AS_PATH) &&
				   seen(scan, UPDATE_ATTR_NEXT_HOP));
}

bool update_is_of_endpoints(const struct update_scan *scan)
{
	uint8_t safi;

	if (scan->nlri_len || !scan->mp_reach.total)
		return false;
	safi = reach_safi(scan);
	return safi == 7 || safi == 73;
}

static bool is_encap(const uint8_t *community)
{
	return community[0] == EXT_COMM_OPAQUE &&
	       community[1] == EXT_COMM_ENCAP;
}

bool update_has_encap_community(const struct update_scan *scan)
{
	const struct update_span *ec = &scan->ext_comm;
	size_t at = ec->header;

	for (; at + EXT_COMM_LEN <= ec->total; at += EXT_COMM_LEN)
		if (is_encap(scan->body + ec->at + at))
			return true;
	return false;
}

/* A type for an attribute of our own; 0 when all of them are taken. */
static uint8_t free_code(const struct update_scan *scan)
{
	for (int i = 0; i < UPDATE_CODES; i++)
		if (!seen(scan, UPDATE_CODE_FIRST + i))
			return UPDATE_CODE_FIRST + i;
	return 0;
}

static void mark(uint8_t *attr, uint8_t code)
{
	attr[0] = (attr[0] & ~UPDATE_MARK_MASK) |
		  (attr[0] & FLAG_PARTIAL ? UPDATE_MARK_PART : UPDATE_MARK);
	attr[1] = code;
}

static void reverse(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len / 2; i++) {
		uint8_t octet = p[i];

		p[i] = p[len - 1 - i];
		p[len - 1 - i] = octet;
	}
}

bool update_mark_tea(struct update_scan *scan)
{
	uint8_t *list = scan->body + scan->attrs_at;
	size_t before = scan->tea.at - scan->attrs_at;
	uint8_t code = free_code(scan);

	if (!code)
		return false;
	mark(scan->body + scan->tea.at, code);
	/* To the front: exchange it and what is before it. */
	reverse(list, before);
	reverse(list + before, scan->tea.total);
	reverse(list, before + scan->tea.total);
	return true;
}

struct output {
	uint8_t *buf;
	size_t len;
};

static void put(struct output *out, const void *octets, size_t len)
{
	memcpy(out->buf + out->len, octets, len);
	out->len += len;
}

/* Header as received, but for the length. */
static void put_header(struct output *out, const uint8_t *attr, size_t header,
		       size_t value_len)
{
	uint8_t *p = out->buf + out->len;

	p[0] = attr[0];
	p[1] = attr[1];
	if (header == 4)
		put16(p + 2, value_len);
	else
		p[2] = (uint8_t)value_len;
	out->len += header;
}

static void put_ext_comm(struct output *out, const uint8_t *attr,
			 const struct update_span *span)
{
	size_t start = out->len;
	size_t at = span->header;

	out->len += span->header;
	for (; at + EXT_COMM_LEN <= span->total; at += EXT_COMM_LEN)
		if (!is_encap(attr + at))
			put(out, attr + at, EXT_COMM_LEN);
	/* A length that is no multiple of eight is bgpd's to refuse. */
	put(out, attr + at, span->total - at);

	size_t value_len = out->len - start - span->header;

	out->len = start;
	if (!value_len)
		return;
	put_header(out, attr, span->header, value_len);
	out->len += value_len;
}

/* RFC 7606 section 3(g): of several the first counts. */
static void put_tea(struct output *out, const struct update_scan *scan,
		    const struct update_edit *edit, uint8_t code)
{
	size_t start = out->len;

	put_header(out, scan->body + scan->tea.at, scan->tea.header,
		   edit->tea_len);
	put(out, edit->tea, edit->tea_len);
	mark(out->buf + start, code);
}

static void put_attr(struct output *out, const struct update_scan *scan,
		     const struct update_edit *edit,
		     const struct update_span *span)
{
	const uint8_t *attr = scan->body + span->at;
	uint8_t type = attr[1];

	if (type == UPDATE_ATTR_TEA)
		return;
	if (edit->withdraw && type != UPDATE_ATTR_MP_REACH &&
	    type != UPDATE_ATTR_MP_UNREACH)
		return;
	if (type == UPDATE_ATTR_EXT_COMMUNITIES &&
	    edit->drop_encap_communities) {
		put_ext_comm(out, attr, span);
		return;
	}
	put(out, attr, span->total);
}

/* Fill up with one attribute that is ignored, in front of the list, which
 * begins at `start`; false when none is so short. */
static bool put_padding(struct output *out, size_t start, size_t len,
			uint8_t code)
{
	uint8_t *p = out->buf + start;
	size_t header = len > 3 + 255 ? 4 : 3;

	if (!len)
		return true;
	if (len < 3 || !code)
		return false;
	memmove(p + len, p, out->len - start);
	memset(p, 0, len);
	p[0] = header == 4 ? FLAG_OPTIONAL | FLAG_EXTLEN : FLAG_OPTIONAL;
	p[1] = code;
	if (header == 4)
		put16(p + 2, len - header);
	else
		p[2] = (uint8_t)(len - header);
	out->len += len;
	return true;
}

/* The whole attributes as edited, without attribute 23. */
static void put_attrs(struct output *out, const struct update_scan *scan,
		      const struct update_edit *edit)
{
	size_t at = scan->attrs_at;
	size_t end = scan->broken ? scan->broken_at : at + scan->attrs_len;
	struct update_span span = {};

	for (; at < end && read_header(scan->body, at, end, &span);
	     at += span.total)
		put_attr(out, scan, edit, &span);
}

/* Withdrawn routes; those that were announced become ones, too. */
static void put_withdrawn(struct output *out, const struct update_scan *scan,
			  bool withdraw)
{
	size_t move = withdraw ? scan->nlri_len : 0;

	put16(out->buf, scan->withdrawn_len + move);
	out->len = 2;
	put(out, scan->body + scan->withdrawn_at, scan->withdrawn_len);
	put(out, scan->body + scan->nlri_at, move);
}

/* The attributes as edited, as many octets in all as there were. */
static bool write_attrs(struct output *out, struct update_scan *scan,
			const struct update_edit *edit)
{
	size_t start = out->len;
	uint8_t code = 0;

	if (edit->keep_tea) {
		code = free_code(scan);
		if (!code || edit->tea_len > scan->tea.total - scan->tea.header)
			return false;
		scan->seen[code / 64] |= 1ULL << (code % 64);
		put_tea(out, scan, edit, code);
	}
	put_attrs(out, scan, edit);
	if (out->len - start > scan->attrs_len)
		return false;
	/* Nothing unknown stays in a withdrawal: any type will do. */
	code = edit->withdraw ? UPDATE_CODE_FIRST : free_code(scan);
	return put_padding(out, start, scan->attrs_len - (out->len - start),
			   code);
}

bool update_rewrite(struct update_scan *scan, const struct update_edit *edit,
		    uint8_t *scratch)
{
	struct output out = {.buf = scratch};

	put_withdrawn(&out, scan, edit->withdraw);
	put16(out.buf + out.len, scan->attrs_len);
	out.len += 2;
	if (!write_attrs(&out, scan, edit))
		return false;
	if (!edit->withdraw)
		put(&out, scan->body + scan->nlri_at, scan->nlri_len);
	memcpy(scan->body, scratch, out.len);
	return true;
}

size_t update_take_withdrawal(struct update_scan *scan, uint8_t *out_body)
{
	const struct update_edit edit = {.withdraw = true};
	struct output out = {.buf = out_body};
	bool routes = scan->withdrawn_len || scan->nlri_len ||
		      scan->mp_reach.total || scan->mp_unreach.total;
	size_t at;

	put_withdrawn(&out, scan, true);
	at = out.len;
	out.len += 2;
	put_attrs(&out, scan, &edit);
	put16(out.buf + at, out.len - at - 2);
	memset(scan->body, 0, scan->len);
	return routes ? out.len : 0;
}
