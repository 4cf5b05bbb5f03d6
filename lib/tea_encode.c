/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Encoding the Tunnel Encapsulation attribute and the Encapsulation extended
 * community, and the questions asked of a decoded tunnel.
 */
#include "lib/tea_table.h"

/* ---- builder ---- */

void tea_build_start(struct tea_builder *b, uint8_t *buf, size_t cap)
{
	*b = (struct tea_builder){.w = wire_writer_of(buf, cap)};
}

/* Write the length of the open tunnel TLV, now that it is known.  One over
 * 65535 makes the attribute too long, which tea_build_finish() refuses. */
static void close_tunnel(struct tea_builder *b)
{
	if (b->body_at == 0)
		return;
	wire_patch_u16(&b->w, b->body_at - 2,
		       (uint16_t)(b->w.len - b->body_at));
	b->body_at = 0;
}

void tea_build_tunnel(struct tea_builder *b, uint16_t type)
{
	close_tunnel(b);
	wire_put_u16(&b->w, type);
	wire_put_u16(&b->w, 0);
	b->type = type;
	b->body_at = b->w.len;
}

/* A sub-TLV's header with a length to come; returns where its value starts. */
static size_t open_sub(struct tea_builder *b, uint8_t type)
{
	if (b->body_at == 0)
		b->w.failed = true;
	wire_put_u8(&b->w, type);
	if (type >= TEA_SUB_LONG)
		wire_put_u16(&b->w, 0);
	else
		wire_put_u8(&b->w, 0);
	return b->w.len;
}

static void close_sub(struct tea_builder *b, uint8_t type, size_t at)
{
	size_t len = b->w.len - at;

	if (b->w.failed)
		return;
	if (len > (type >= TEA_SUB_LONG ? UINT16_MAX : UINT8_MAX))
		b->w.failed = true;
	else if (type >= TEA_SUB_LONG)
		wire_patch_u16(&b->w, at - 2, (uint16_t)len);
	else
		b->w.buf[at - 1] = (uint8_t)len;
}

void tea_build_raw(struct tea_builder *b, uint8_t type, const uint8_t *value,
		   size_t len)
{
	size_t at = open_sub(b, type);

	wire_put_bytes(&b->w, value, len);
	close_sub(b, type, at);
}

void tea_build_sub(struct tea_builder *b, const struct tea_subtlv *sub)
{
	const struct tea_sub_row *row =
		tea_sub_row(tea_type_row(b->type), sub->type);
	struct tea_subtlv written = {.type = sub->type};
	size_t at;

	if (!sub->typed) {
		tea_build_raw(b, sub->type, sub->raw, sub->len);
		return;
	}
	if (!row || !row->encode) {
		b->w.failed = true;
		return;
	}
	at = open_sub(b, sub->type);
	row->encode(&b->w, sub);
	close_sub(b, sub->type, at);
	if (b->w.failed)
		return;
	/* what we send must be what we would take */
	written.raw = b->w.buf + at;
	written.len = (uint16_t)(b->w.len - at);
	if (tea_sub_decode(row, &written) != TEA_SUB_OK)
		b->w.failed = true;
}

ssize_t tea_build_finish(struct tea_builder *b)
{
	close_tunnel(b);
	return b->w.failed || b->w.len > TEA_MAX_LEN ? -1 : (ssize_t)b->w.len;
}

/* ---- one function a sub-TLV ---- */

void tea_build_endpoint(struct tea_builder *b,
			const struct tea_endpoint *endpoint)
{
	struct tea_subtlv sub = {.type = TEA_SUB_ENDPOINT, .typed = true};

	sub.u.endpoint = *endpoint;
	tea_build_sub(b, &sub);
}

void tea_build_endpoint_none(struct tea_builder *b)
{
	tea_build_endpoint(b, &(struct tea_endpoint){.family = TEA_AF_NONE});
}

void tea_build_endpoint_ipv4(struct tea_builder *b, const struct in_addr *addr)
{
	struct tea_endpoint ep = {.family = TEA_AF_IPV4, .addr_len = 4};

	ep.v4 = *addr;
	tea_build_endpoint(b, &ep);
}

void tea_build_endpoint_ipv6(struct tea_builder *b, const struct in6_addr *addr)
{
	struct tea_endpoint ep = {.family = TEA_AF_IPV6, .addr_len = 16};

	ep.v6 = *addr;
	tea_build_endpoint(b, &ep);
}

void tea_build_gre_key(struct tea_builder *b, uint32_t key)
{
	struct tea_subtlv sub = {
		.type = TEA_SUB_ENCAP, .typed = true, .u.gre_key = key};
	const struct tea_type_row *type = tea_type_row(b->type);

	if (!type || type->encap != &tea_encap_gre)
		b->w.failed = true;
	tea_build_sub(b, &sub);
}

void tea_build_l2tpv3(struct tea_builder *b, uint32_t session,
		      const uint8_t *cookie, size_t cookie_len)
{
	struct tea_subtlv sub = {.type = TEA_SUB_ENCAP, .typed = true};
	struct tea_l2tpv3 *l2tp = &sub.u.l2tpv3;

	if (b->type != TEA_TYPE_L2TPV3 || cookie_len > sizeof(l2tp->cookie)) {
		b->w.failed = true;
		return;
	}
	l2tp->session = session;
	l2tp->cookie_len = (uint8_t)cookie_len;
	if (cookie_len)
		memcpy(l2tp->cookie, cookie, cookie_len);
	tea_build_sub(b, &sub);
}

void tea_build_protocol(struct tea_builder *b, uint16_t ethertype)
{
	tea_build_sub(b, &(struct tea_subtlv){.type = TEA_SUB_PROTOCOL,
					      .typed = true,
					      .u.protocol = ethertype});
}

void tea_build_color(struct tea_builder *b, uint32_t color)
{
	tea_build_sub(b, &(struct tea_subtlv){.type = TEA_SUB_COLOR,
					      .typed = true,
					      .u.color.color = color});
}

void tea_build_authenticator(struct tea_builder *b, uint16_t type,
			     const uint8_t *value, size_t len)
{
	struct tea_subtlv sub = {.type = TEA_SUB_AUTHENTICATOR, .typed = true};

	if (len > UINT8_MAX) {
		b->w.failed = true;
		return;
	}
	sub.u.auth = (struct tea_auth){
		.type = type, .len = (uint16_t)len, .value = value};
	tea_build_sub(b, &sub);
}

void tea_build_public_key(struct tea_builder *b, const uint8_t *spki,
			  size_t len)
{
	uint8_t value[TEA_PUBLIC_KEY_MAGIC_LEN + TEA_PUBLIC_KEY_MAX];

	if (!len || len > TEA_PUBLIC_KEY_MAX) {
		b->w.failed = true;
		return;
	}
	memcpy(value, TEA_PUBLIC_KEY_MAGIC, TEA_PUBLIC_KEY_MAGIC_LEN);
	memcpy(value + TEA_PUBLIC_KEY_MAGIC_LEN, spki, len);
	tea_build_raw(b, TEA_SUB_PUBLIC_KEY, value,
		      TEA_PUBLIC_KEY_MAGIC_LEN + len);
}

void tea_build_protected(struct tea_builder *b)
{
	tea_build_raw(b, TEA_SUB_PROTECTED,
		      (const uint8_t *)TEA_PROTECTED_MAGIC,
		      TEA_PROTECTED_MAGIC_LEN);
}

void tea_build_lb_block(struct tea_builder *b, uint16_t bits)
{
	tea_build_sub(b, &(struct tea_subtlv){.type = TEA_SUB_LB_BLOCK,
					      .typed = true,
					      .u.lb_block = bits});
}

void tea_build_ds(struct tea_builder *b, uint8_t ds)
{
	tea_build_sub(b, &(struct tea_subtlv){.type = TEA_SUB_DS,
					      .typed = true,
					      .u.ds = ds});
}

void tea_build_udp_port(struct tea_builder *b, uint16_t port)
{
	tea_build_sub(b, &(struct tea_subtlv){.type = TEA_SUB_UDP_PORT,
					      .typed = true,
					      .u.udp_port = port});
}

/* ---- a decoded attribute, and the attribute's header ---- */

ssize_t tea_encode(const struct tea *tea, uint8_t *buf, size_t cap)
{
	const struct tea_tunnel *tunnel;
	struct tea_builder b;

	tea_build_start(&b, buf, cap);
	for (size_t i = 0; i < tea->n_tunnels; i++) {
		tunnel = &tea->tunnels[i];
		tea_build_tunnel(&b, tunnel->type);
		for (size_t j = 0; j < tunnel->n_subs; j++)
			tea_build_sub(&b, &tunnel->subs[j]);
	}
	return tea_build_finish(&b);
}

ssize_t tea_attr_write(uint8_t flags, const uint8_t *value, size_t value_len,
		       uint8_t *buf, size_t cap)
{
	struct wire_writer w = wire_writer_of(buf, cap);

	if (value_len > TEA_MAX_LEN)
		return -1;
	flags |= TEA_ATTR_OPTIONAL | TEA_ATTR_TRANSITIVE;
	if (value_len > UINT8_MAX)
		flags |= TEA_ATTR_EXTLEN;
	wire_put_u8(&w, flags);
	wire_put_u8(&w, TEA_ATTR_TYPE);
	if (flags & TEA_ATTR_EXTLEN)
		wire_put_u16(&w, (uint16_t)value_len);
	else
		wire_put_u8(&w, (uint8_t)value_len);
	wire_put_bytes(&w, value, value_len);
	return w.failed ? -1 : (ssize_t)w.len;
}

int tea_cmp(const struct tea *a, const struct tea *b)
{
	if (a->propagate_len != b->propagate_len)
		return a->propagate_len < b->propagate_len ? -1 : 1;
	return a->propagate_len
		       ? memcmp(a->propagate, b->propagate, a->propagate_len)
		       : 0;
}

bool tea_equal(const struct tea *a, const struct tea *b)
{
	return tea_cmp(a, b) == 0;
}

/* ---- the Encapsulation extended community (B2) ---- */

/* Transitive opaque, sub-type 0x0c (RFC 9012 section 4.1). */
#define EC_PREFIX 0x030c

bool tea_ec_decode(const uint8_t ec[TEA_EC_LEN], uint16_t *type)
{
	struct wire_reader r = wire_reader_of(ec, TEA_EC_LEN);
	uint32_t reserved;
	uint16_t prefix;

	return wire_get_u16(&r, &prefix) && prefix == EC_PREFIX &&
	       wire_get_u32(&r, &reserved) && wire_get_u16(&r, type);
}

void tea_ec_encode(uint16_t type, uint8_t ec[TEA_EC_LEN])
{
	struct wire_writer w = wire_writer_of(ec, TEA_EC_LEN);

	wire_put_u16(&w, EC_PREFIX);
	wire_put_u32(&w, 0);
	wire_put_u16(&w, type);
}

void tea_build_bare(struct tea_builder *b, uint16_t type)
{
	tea_build_tunnel(b, type);
	tea_build_endpoint_none(b);
}

bool tea_tunnel_is_bare(const struct tea_tunnel *tunnel)
{
	return tunnel->n_subs == 1 && TEA_HAS(tunnel, TEA_SUB_ENDPOINT) &&
	       tunnel->endpoint.family == TEA_AF_NONE &&
	       tunnel->endpoint.reserved == 0;
}

/* ---- looking into a tunnel ---- */

const struct tea_subtlv *tea_tunnel_next(const struct tea_tunnel *tunnel,
					 uint8_t sub,
					 const struct tea_subtlv *prev)
{
	const struct tea_subtlv *end = tunnel->subs + tunnel->n_subs;
	const struct tea_subtlv *at = prev ? prev + 1 : tunnel->subs;

	for (; at < end; at++)
		if (at->type == sub && at->state == TEA_SUB_OK)
			return at;
	return NULL;
}

bool tea_tunnel_gre_key(const struct tea_tunnel *tunnel, uint32_t *key)
{
	if (!TEA_HAS(tunnel, TEA_SUB_ENCAP) ||
	    (tunnel->type != TEA_TYPE_GRE &&
	     tunnel->type != TEA_TYPE_MPLS_IN_GRE))
		return false;
	*key = tunnel->gre_key;
	return true;
}

bool tea_tunnel_allows(const struct tea_tunnel *tunnel, uint16_t ethertype)
{
	const struct tea_subtlv *sub = NULL;

	if (!tea_type_carries(tea_type_row(tunnel->type), ethertype))
		return false;
	if (!TEA_HAS(tunnel, TEA_SUB_PROTOCOL))
		return true;
	while ((sub = tea_tunnel_next(tunnel, TEA_SUB_PROTOCOL, sub)))
		if (sub->u.protocol == ethertype)
			return true;
	return false;
}

bool tea_tunnel_has_color(const struct tea_tunnel *tunnel, uint32_t color)
{
	const struct tea_subtlv *sub = NULL;

	while ((sub = tea_tunnel_next(tunnel, TEA_SUB_COLOR, sub)))
		if (sub->u.color.color == color)
			return true;
	return false;
}

bool tea_sub_public_key(const struct tea_subtlv *sub, const uint8_t **spki,
			size_t *len)
{
	if (sub->type != TEA_SUB_PUBLIC_KEY ||
	    sub->len <= TEA_PUBLIC_KEY_MAGIC_LEN ||
	    memcmp(sub->raw, TEA_PUBLIC_KEY_MAGIC, TEA_PUBLIC_KEY_MAGIC_LEN))
		return false;
	*spki = sub->raw + TEA_PUBLIC_KEY_MAGIC_LEN;
	*len = sub->len - TEA_PUBLIC_KEY_MAGIC_LEN;
	return true;
}

const struct tea_subtlv *tea_tunnel_public_key(const struct tea_tunnel *tunnel,
					       const struct tea_subtlv *prev,
					       const uint8_t **spki,
					       size_t *len)
{
	size_t i = prev ? (size_t)(prev - tunnel->subs) + 1 : 0;

	for (; i < tunnel->n_subs; i++)
		if (tea_sub_public_key(&tunnel->subs[i], spki, len))
			return &tunnel->subs[i];
	return NULL;
}

bool tea_tunnel_is_protected(const struct tea_tunnel *tunnel)
{
	for (size_t i = 0; i < tunnel->n_subs; i++) {
		const struct tea_subtlv *sub = &tunnel->subs[i];

		if (sub->type == TEA_SUB_PROTECTED &&
		    sub->len == TEA_PROTECTED_MAGIC_LEN &&
		    !memcmp(sub->raw, TEA_PROTECTED_MAGIC,
			    TEA_PROTECTED_MAGIC_LEN))
			return true;
	}
	return false;
}
