/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoding the Tunnel Encapsulation attribute: framing, verdict, what each
 * tunnel says and the octets to pass on (RFC 9012 sections 2 and 13; B7-B9).
 *
 * Two passes.  The first reads nothing but lengths, allocates nothing, and
 * counts.  The second fills arrays of exactly that size, so what an attribute
 * can make us allocate is a small multiple of the octets really received.
 */
#include <stdlib.h>

#include "lib/tea_table.h"

const struct tea_opts tea_opts_default = {
	.usable = TEA_TYPE_BIT(TEA_TYPE_GRE) | TEA_TYPE_BIT(TEA_TYPE_IPIP),
};

/* ---- pass one: framing ---- */

struct frame {
	size_t n_tunnels; /* whole, well-framed TLVs */
	size_t n_subs;	  /* sub-TLVs in them */
	enum tea_error error;
	size_t error_at;
};

/* The header of a sub-TLV: its length has one octet below 128, else two. */
static bool get_sub_header(struct wire_reader *r, uint8_t *type, uint16_t *len)
{
	uint8_t short_len;

	if (!wire_get_u8(r, type))
		return false;
	if (*type >= TEA_SUB_LONG)
		return wire_get_u16(r, len);
	if (!wire_get_u8(r, &short_len))
		return false;
	*len = short_len;
	return true;
}

static enum tea_error frame_subs(struct wire_reader *tlv, size_t *n_subs)
{
	const uint8_t *value;
	uint16_t len;
	uint8_t type;

	while (tlv->left > 0) {
		if (!get_sub_header(tlv, &type, &len))
			return TEA_ERR_SUBTLV_HEADER;
		if (!wire_get_bytes(tlv, len, &value))
			return TEA_ERR_SUBTLV_OVERRUN;
		(*n_subs)++;
	}
	return TEA_ERR_NONE;
}

static enum tea_error frame_tunnel(struct wire_reader *r, size_t *n_subs)
{
	struct wire_reader tlv;
	uint16_t type, len;

	if (!wire_get_u16(r, &type) || !wire_get_u16(r, &len))
		return TEA_ERR_TLV_HEADER;
	if (!wire_get_sub(r, len, &tlv))
		return TEA_ERR_TLV_OVERRUN;
	return frame_subs(&tlv, n_subs);
}

static struct frame frame(const uint8_t *value, size_t len)
{
	struct wire_reader r = wire_reader_of(value, len);
	struct frame f = {0};
	size_t n_subs = 0, at;

	while (r.left > 0) {
		at = len - r.left;
		f.error = frame_tunnel(&r, &n_subs);
		if (f.error != TEA_ERR_NONE) {
			f.error_at = at;
			return f;
		}
		f.n_tunnels++;
		f.n_subs = n_subs;
	}
	if (f.n_tunnels == 0)
		f.error = TEA_ERR_EMPTY;
	return f;
}

/* ---- pass two: meaning ---- */

/* Addresses no tunnel can end at, whatever the registries say of them. */
static bool not_a_host(const struct tea_endpoint *ep)
{
	if (ep->family == TEA_AF_IPV4)
		return ep->addr[0] == 0 || ep->addr[0] == 127 ||
		       (ep->addr[0] & 0xf0) == 0xe0 ||
		       ep->v4.s_addr == 0xffffffff;
	if (ep->family == TEA_AF_IPV6)
		return IN6_IS_ADDR_MULTICAST(&ep->v6) ||
		       IN6_IS_ADDR_UNSPECIFIED(&ep->v6) ||
		       IN6_IS_ADDR_LOOPBACK(&ep->v6) ||
		       IN6_IS_ADDR_V4MAPPED(&ep->v6) ||
		       IN6_IS_ADDR_LINKLOCAL(&ep->v6);
	return false;
}

static bool martian(const struct tea_endpoint *ep, const struct tea_opts *opts)
{
	if (opts->allow_martian)
		return false;
	if (ep->family == TEA_AF_IPV4)
		return tea_martian_ipv4(&ep->v4) ||
		       (opts->refuse_documentation &&
			tea_documentation_ipv4(&ep->v4));
	if (ep->family == TEA_AF_IPV6)
		return tea_martian_ipv6(&ep->v6) ||
		       (opts->refuse_documentation &&
			tea_documentation_ipv6(&ep->v6));
	return false;
}

/* What a well-formed sub-TLV that counts says about its tunnel. */
static void take(struct tea_tunnel *tunnel, const struct tea_subtlv *sub,
		 const struct tea_sub_row *row)
{
	switch (row->layout) {
	case TEA_LAYOUT_GRE:
		tunnel->gre_key = sub->u.gre_key;
		break;
	case TEA_LAYOUT_L2TPV3:
		tunnel->l2tpv3 = sub->u.l2tpv3;
		break;
	case TEA_LAYOUT_LB_BLOCK:
		tunnel->lb_block = sub->u.lb_block;
		break;
	case TEA_LAYOUT_ENDPOINT:
		tunnel->endpoint = sub->u.endpoint;
		break;
	case TEA_LAYOUT_DS:
		tunnel->ds = sub->u.ds;
		break;
	case TEA_LAYOUT_UDP_PORT:
		tunnel->udp_port = sub->u.udp_port;
		break;
	case TEA_LAYOUT_EMBEDDED_LABEL:
		tunnel->label_handling = sub->u.label_handling;
		break;
	case TEA_LAYOUT_RAW:
	case TEA_LAYOUT_VXLAN:
	case TEA_LAYOUT_PROTOCOL:
	case TEA_LAYOUT_AUTH:
	case TEA_LAYOUT_COLOR:
	case TEA_LAYOUT_MPLS_STACK:
		/* looked up among the sub-TLVs when wanted */
		break;
	}
	tunnel->present |= 1u << row->type;
}

/* 3.1: the configurable part of what makes an endpoint malformed. */
static bool bad_endpoint(const struct tea_subtlv *sub,
			 const struct tea_opts *opts)
{
	return sub->type == TEA_SUB_ENDPOINT && martian(&sub->u.endpoint, opts);
}

/* 3.4.1: for an X-in-Y tunnel a Protocol Type other than X is ignored. */
static bool wrong_payload(const struct tea_subtlv *sub,
			  const struct tea_type_row *type)
{
	return sub->type == TEA_SUB_PROTOCOL &&
	       !tea_type_carries(type, sub->u.protocol);
}

/* One sub-TLV: its state by the order of section 13's rules. */
static void judge_sub(const struct tea_type_row *type,
		      const struct tea_sub_row *row,
		      const struct tea_opts *opts, uint32_t *seen,
		      struct tea_subtlv *sub)
{
	enum tea_sub_state own;

	/* An Encapsulation sub-TLV for a type that defines none has no
	 * meaning there; any other without a row is unknown to us. */
	if (!row) {
		sub->state = type && sub->type == TEA_SUB_ENCAP
				     ? TEA_SUB_MEANINGLESS
				     : TEA_SUB_UNRECOGNISED;
		return;
	}
	own = tea_sub_decode(row, sub);
	if (type && !(type->means & 1u << row->type))
		sub->state = TEA_SUB_MEANINGLESS;
	else if (row->single && *seen & 1u << row->type)
		sub->state = TEA_SUB_DUPLICATE;
	else if (own != TEA_SUB_OK)
		sub->state = own;
	else if (wrong_payload(sub, type))
		sub->state = TEA_SUB_MEANINGLESS;
	else if (bad_endpoint(sub, opts))
		sub->state = TEA_SUB_MALFORMED;
	else
		sub->state = TEA_SUB_OK;
	*seen |= 1u << row->type;
}

/* Sections 3.1 and 13 on endpoints: what is wrong with the TLV's one and only
 * endpoint (the first of n), if anything is. */
static enum tea_why judge_endpoint(const struct tea_opts *opts,
				   const struct tea_subtlv *first, size_t n)
{
	if (n == 0)
		return opts->endpoint_optional ? TEA_WHY_USABLE
					       : TEA_WHY_NO_ENDPOINT;
	if (n > 1 && !opts->endpoint_optional)
		return TEA_WHY_TWO_ENDPOINTS;
	if (first->state == TEA_SUB_MALFORMED)
		return first->typed ? TEA_WHY_ENDPOINT_MARTIAN
				    : TEA_WHY_ENDPOINT_LENGTH;
	/* 3.1 calls another family "unrecognised", which section 13 tells
	 * apart from malformed and wants passed on. */
	if (first->state == TEA_SUB_UNRECOGNISED)
		return TEA_WHY_ENDPOINT_FAMILY;
	return not_a_host(&first->u.endpoint) ? TEA_WHY_ENDPOINT_NOT_A_HOST
					      : TEA_WHY_USABLE;
}

/* What can be said of the tunnel once all its sub-TLVs are known. */
static void judge_tunnel(struct tea_tunnel *tunnel,
			 const struct tea_type_row *type,
			 const struct tea_opts *opts,
			 const struct tea_subtlv *endpoint, size_t n_endpoints)
{
	/* B8: of a type we do not know nothing is asked, not even an endpoint;
	 * the TLV "MUST remain in the attribute". */
	if (!type) {
		tunnel->why = TEA_WHY_UNKNOWN_TYPE;
		tunnel->removed = false;
		return;
	}
	tunnel->why = judge_endpoint(opts, endpoint, n_endpoints);
	/* not exactly one: "as if it contained a malformed" one */
	if (tunnel->why == TEA_WHY_NO_ENDPOINT ||
	    tunnel->why == TEA_WHY_TWO_ENDPOINTS)
		tunnel->removed = true;
	if (tunnel->why != TEA_WHY_USABLE)
		return;
	if (tunnel->type >= 64 || !(opts->usable & TEA_TYPE_BIT(tunnel->type)))
		tunnel->why = TEA_WHY_UNSUPPORTED_TYPE;
	else if (tunnel->type == TEA_TYPE_L2TPV3 && tunnel->l2tpv3.session == 0)
		tunnel->why = TEA_WHY_NO_SESSION;
	tunnel->usable = tunnel->why == TEA_WHY_USABLE;
}

/* Read the TLV's sub-TLVs into subs; framing is known to be right. */
static void decode_tunnel(struct wire_reader *r, const struct tea_opts *opts,
			  struct tea_tunnel *tunnel, struct tea_subtlv *subs)
{
	const struct tea_subtlv *endpoint = NULL;
	const struct tea_type_row *type;
	const struct tea_sub_row *row;
	struct tea_subtlv *sub = subs;
	size_t n_endpoints = 0;
	struct wire_reader tlv;
	uint32_t seen = 0;
	uint16_t len;

	tunnel->wire = r->at;
	tunnel->subs = subs;
	tunnel->name = "unknown";
	if (!wire_get_u16(r, &tunnel->type) || !wire_get_u16(r, &len) ||
	    !wire_get_sub(r, len, &tlv))
		return;
	tunnel->wire_len = 4 + (size_t)len;
	type = tea_type_row(tunnel->type);
	if (type)
		tunnel->name = type->name;

	while (tlv.left > 0 && get_sub_header(&tlv, &sub->type, &sub->len) &&
	       wire_get_bytes(&tlv, sub->len, &sub->raw)) {
		row = tea_sub_row(type, sub->type);
		judge_sub(type, row, opts, &seen, sub);
		if (sub->state == TEA_SUB_OK)
			take(tunnel, sub, row);
		else if (sub->state == TEA_SUB_MALFORMED &&
			 row->on_error == TEA_ACT_REMOVE_TLV)
			tunnel->removed = true;
		if (sub->type == TEA_SUB_ENDPOINT && n_endpoints++ == 0)
			endpoint = sub;
		sub++;
	}
	tunnel->n_subs = (size_t)(sub - subs);
	/* not usable, but the reason names what it says */
	if (endpoint && endpoint->state != TEA_SUB_OK)
		tunnel->endpoint = endpoint->u.endpoint;
	judge_tunnel(tunnel, type, opts, endpoint, n_endpoints);
}

/* ---- the whole ---- */

static enum tea_verdict refuse(struct tea *out, enum tea_error error, size_t at)
{
	struct tea_tunnel *tunnels = out->mem; /* it starts with them */

	out->verdict = TEA_WITHDRAW;
	out->error = error;
	out->error_at = at;
	out->propagate_len = 0;
	for (size_t i = 0; i < out->n_tunnels; i++) {
		if (tunnels[i].usable)
			tunnels[i].why = TEA_WHY_WITHDRAWN;
		tunnels[i].usable = false;
	}
	return TEA_WITHDRAW;
}

/* The TLVs that are passed on, copied one after the other. */
static void write_propagate(struct tea *out, uint8_t *buf, size_t cap)
{
	struct wire_writer w = wire_writer_of(buf, cap);

	for (size_t i = 0; i < out->n_tunnels; i++)
		if (!out->tunnels[i].removed)
			wire_put_bytes(&w, out->tunnels[i].wire,
				       out->tunnels[i].wire_len);
	out->propagate = buf;
	out->propagate_len = w.len;
}

enum tea_verdict tea_decode(const uint8_t *value, size_t len,
			    const struct tea_opts *opts, struct tea *out)
{
	struct tea_tunnel *tunnels;
	struct tea_subtlv *subs;
	struct wire_reader r;
	struct frame f;
	uint8_t *octets;
	size_t used = 0;

	memset(out, 0, sizeof(*out));
	if (!opts)
		opts = &tea_opts_default;
	if (len > TEA_MAX_LEN)
		return refuse(out, TEA_ERR_TOO_LONG, 0);

	/* One block: tunnels, sub-TLVs, the value, what is passed on. */
	f = frame(value, len);
	out->mem = calloc(1, f.n_tunnels * sizeof(*tunnels) +
				     f.n_subs * sizeof(*subs) + 2 * len + 1);
	if (!out->mem)
		return refuse(out, TEA_ERR_NO_MEMORY, 0);
	tunnels = out->mem;
	subs = (struct tea_subtlv *)(tunnels + f.n_tunnels);
	octets = (uint8_t *)(subs + f.n_subs);
	if (len)
		memcpy(octets, value, len);
	out->wire = octets;
	out->wire_len = len;
	out->tunnels = tunnels;
	out->n_tunnels = f.n_tunnels;

	r = wire_reader_of(octets, len);
	for (size_t i = 0; i < f.n_tunnels; i++) {
		decode_tunnel(&r, opts, &tunnels[i], subs + used);
		used += tunnels[i].n_subs;
	}

	if (f.error != TEA_ERR_NONE)
		return refuse(out, f.error, f.error_at);
	if (opts->not_transitive)
		return refuse(out, TEA_ERR_NOT_TRANSITIVE, 0);
	write_propagate(out, octets + len, len);
	if (out->propagate_len == 0)
		return refuse(out, TEA_ERR_NO_VALID_TLV, 0);
	return TEA_ACCEPT;
}

void tea_free(struct tea *tea)
{
	free(tea->mem);
	memset(tea, 0, sizeof(*tea));
}

/* ---- with the path attribute's header ---- */

bool tea_attr_read(const uint8_t *attr, size_t len, struct tea_attr *out)
{
	struct wire_reader r = wire_reader_of(attr, len);
	uint8_t short_len;

	memset(out, 0, sizeof(*out));
	if (!wire_get_u8(&r, &out->flags) || !wire_get_u8(&r, &out->type))
		return false;
	if (out->flags & TEA_ATTR_EXTLEN) {
		if (!wire_get_u16(&r, &out->len))
			return false;
	} else {
		if (!wire_get_u8(&r, &short_len))
			return false;
		out->len = short_len;
	}
	if (!wire_get_bytes(&r, out->len, &out->value))
		return false;
	out->total = len - r.left;
	return true;
}

enum tea_verdict tea_decode_attr(const uint8_t *attr, size_t len,
				 const struct tea_opts *opts, struct tea *out)
{
	struct tea_opts own = opts ? *opts : tea_opts_default;
	enum tea_verdict verdict;
	struct tea_attr header;

	if (!tea_attr_read(attr, len, &header)) {
		memset(out, 0, sizeof(*out));
		return refuse(out, TEA_ERR_ATTR_TRUNCATED, 0);
	}
	if (!(header.flags & TEA_ATTR_TRANSITIVE))
		own.not_transitive = true;
	verdict = tea_decode(header.value, header.len, &own, out);
	/* RFC 7606 section 3 (c): wrong flags are a treat-as-withdraw too */
	if (verdict == TEA_ACCEPT && !(header.flags & TEA_ATTR_OPTIONAL))
		verdict = refuse(out, TEA_ERR_NOT_OPTIONAL, 0);
	return verdict;
}
