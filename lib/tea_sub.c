/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sub-TLVs of the Tunnel Encapsulation attribute, one row each: how long,
 * how often, how read and written, and what an error does.  To add one, add a
 * row here, a layout in tea_table.h and its fields in tea_json.c.
 */
#include "lib/tea_table.h"

/* ---- 1 Encapsulation (T1; RFC 9012 section 3.2) ---- */

static enum tea_sub_state get_gre(struct wire_reader *r, struct tea_subtlv *sub)
{
	return wire_get_u32(r, &sub->u.gre_key) ? TEA_SUB_OK
						: TEA_SUB_MALFORMED;
}

static void put_gre(struct wire_writer *w, const struct tea_subtlv *sub)
{
	wire_put_u32(w, sub->u.gre_key);
}

static enum tea_sub_state get_l2tpv3(struct wire_reader *r,
				     struct tea_subtlv *sub)
{
	struct tea_l2tpv3 *l2tp = &sub->u.l2tpv3;

	if (!wire_get_u32(r, &l2tp->session) || r->left > sizeof(l2tp->cookie))
		return TEA_SUB_MALFORMED;
	l2tp->cookie_len = (uint8_t)r->left;
	memset(l2tp->cookie, 0, sizeof(l2tp->cookie));
	wire_get_copy(r, l2tp->cookie, r->left);
	/* "A non-zero 4-octet value" (3.2.3); 0 is L2TPv3's control channel */
	return l2tp->session != 0 ? TEA_SUB_OK : TEA_SUB_MALFORMED;
}

static void put_l2tpv3(struct wire_writer *w, const struct tea_subtlv *sub)
{
	const struct tea_l2tpv3 *l2tp = &sub->u.l2tpv3;

	wire_put_u32(w, l2tp->session);
	if (l2tp->cookie_len > sizeof(l2tp->cookie))
		w->failed = true;
	else
		wire_put_bytes(w, l2tp->cookie, l2tp->cookie_len);
}

/* VXLAN and NVGRE (3.2.1, 3.2.2): flags, VN-ID, MAC address, reserved. */
static enum tea_sub_state get_vxlan(struct wire_reader *r,
				    struct tea_subtlv *sub)
{
	struct tea_vxlan *vxlan = &sub->u.vxlan;
	uint8_t high;
	uint16_t low;

	if (!wire_get_u8(r, &vxlan->flags) || !wire_get_u8(r, &high) ||
	    !wire_get_u16(r, &low) ||
	    !wire_get_copy(r, vxlan->mac, sizeof(vxlan->mac)) ||
	    !wire_get_u16(r, &vxlan->reserved))
		return TEA_SUB_MALFORMED;
	vxlan->vni = (uint32_t)high << 16 | low;
	return TEA_SUB_OK;
}

static void put_vxlan(struct wire_writer *w, const struct tea_subtlv *sub)
{
	const struct tea_vxlan *vxlan = &sub->u.vxlan;

	if (vxlan->vni > 0xffffff)
		w->failed = true;
	wire_put_u8(w, vxlan->flags);
	wire_put_u8(w, (uint8_t)(vxlan->vni >> 16));
	wire_put_u16(w, (uint16_t)vxlan->vni);
	wire_put_bytes(w, vxlan->mac, sizeof(vxlan->mac));
	wire_put_u16(w, vxlan->reserved);
}

const struct tea_sub_row tea_encap_gre = {
	.type = TEA_SUB_ENCAP,
	.name = "encapsulation",
	.single = true,
	.layout = TEA_LAYOUT_GRE,
	.min = 4,
	.max = 4,
	.step = 1,
	.bad_length = TEA_SUB_MALFORMED,
	.decode = get_gre,
	.encode = put_gre,
};

const struct tea_sub_row tea_encap_l2tpv3 = {
	.type = TEA_SUB_ENCAP,
	.name = "encapsulation",
	.single = true,
	.layout = TEA_LAYOUT_L2TPV3,
	.min = 4,
	.max = 12,
	.step = 1,
	.bad_length = TEA_SUB_MALFORMED,
	.decode = get_l2tpv3,
	.encode = put_l2tpv3,
};

const struct tea_sub_row tea_encap_vxlan = {
	.type = TEA_SUB_ENCAP,
	.name = "encapsulation",
	.single = true,
	.layout = TEA_LAYOUT_VXLAN,
	.min = 12,
	.max = 12,
	.step = 1,
	.bad_length = TEA_SUB_MALFORMED,
	.decode = get_vxlan,
	.encode = put_vxlan,
};

/* ---- 2 Protocol Type (T2; 3.4.1) ---- */

static enum tea_sub_state get_protocol(struct wire_reader *r,
				       struct tea_subtlv *sub)
{
	if (!wire_get_u16(r, &sub->u.protocol) || sub->u.protocol == 0xffff)
		return TEA_SUB_MALFORMED;
	return TEA_SUB_OK;
}

static void put_protocol(struct wire_writer *w, const struct tea_subtlv *sub)
{
	wire_put_u16(w, sub->u.protocol);
}

/* ---- 3 IPsec Tunnel Authenticator (T3; RFC 5566) ---- */

#define SHA1_LEN 20

static enum tea_sub_state get_auth(struct wire_reader *r,
				   struct tea_subtlv *sub)
{
	struct tea_auth *auth = &sub->u.auth;

	if (!wire_get_u16(r, &auth->type))
		return TEA_SUB_MALFORMED;
	auth->len = (uint16_t)r->left;
	if (auth->type == TEA_AUTH_SHA1 && auth->len != SHA1_LEN)
		return TEA_SUB_MALFORMED;
	wire_get_bytes(r, r->left, &auth->value);
	return TEA_SUB_OK;
}

static void put_auth(struct wire_writer *w, const struct tea_subtlv *sub)
{
	wire_put_u16(w, sub->u.auth.type);
	wire_put_bytes(w, sub->u.auth.value, sub->u.auth.len);
}

/* ---- 4 Color (T4; 3.4.2) ---- */

/* The Color extended community, transitive opaque (RFC 9012 section 4.3). */
#define COLOR_PREFIX 0x030b

static enum tea_sub_state get_color(struct wire_reader *r,
				    struct tea_subtlv *sub)
{
	struct tea_color *color = &sub->u.color;
	uint16_t prefix;

	if (!wire_get_u16(r, &prefix) || prefix != COLOR_PREFIX ||
	    !wire_get_u16(r, &color->flags) || !wire_get_u32(r, &color->color))
		return TEA_SUB_UNRECOGNISED;
	return TEA_SUB_OK;
}

static void put_color(struct wire_writer *w, const struct tea_subtlv *sub)
{
	wire_put_u16(w, COLOR_PREFIX);
	wire_put_u16(w, sub->u.color.flags);
	wire_put_u32(w, sub->u.color.color);
}

/* ---- 5 Load-Balancing Block (T5, B12; RFC 5640) ---- */

/* The Session ID of L2TPv3 and the key of GRE both have 32 bits. */
#define LB_FIELD_BITS 32

static enum tea_sub_state get_lb_block(struct wire_reader *r,
				       struct tea_subtlv *sub)
{
	if (!wire_get_u16(r, &sub->u.lb_block) ||
	    sub->u.lb_block > LB_FIELD_BITS)
		return TEA_SUB_MALFORMED;
	return TEA_SUB_OK;
}

static void put_lb_block(struct wire_writer *w, const struct tea_subtlv *sub)
{
	wire_put_u16(w, sub->u.lb_block);
}

/* ---- 6 Tunnel Egress Endpoint (T6; 3.1) ---- */

static enum tea_sub_state get_endpoint(struct wire_reader *r,
				       struct tea_subtlv *sub)
{
	struct tea_endpoint *ep = &sub->u.endpoint;
	size_t want;

	ep->addr_len = 0;
	memset(ep->addr, 0, sizeof(ep->addr));
	if (!wire_get_u32(r, &ep->reserved) || !wire_get_u16(r, &ep->family))
		return TEA_SUB_MALFORMED;
	switch (ep->family) {
	case TEA_AF_NONE:
		want = 0;
		break;
	case TEA_AF_IPV4:
		want = 4;
		break;
	case TEA_AF_IPV6:
		want = 16;
		break;
	default:
		return TEA_SUB_UNRECOGNISED;
	}
	if (r->left != want)
		return TEA_SUB_MALFORMED;
	ep->addr_len = (uint8_t)want;
	wire_get_copy(r, ep->addr, want);
	return TEA_SUB_OK;
}

static void put_endpoint(struct wire_writer *w, const struct tea_subtlv *sub)
{
	const struct tea_endpoint *ep = &sub->u.endpoint;

	wire_put_u32(w, ep->reserved);
	wire_put_u16(w, ep->family);
	if (ep->addr_len > sizeof(ep->addr))
		w->failed = true;
	else
		wire_put_bytes(w, ep->addr, ep->addr_len);
}

/* ---- 7 DS, 8 UDP Destination Port, 9 Embedded Label Handling (T7-T9) ---- */

static enum tea_sub_state get_ds(struct wire_reader *r, struct tea_subtlv *sub)
{
	return wire_get_u8(r, &sub->u.ds) ? TEA_SUB_OK : TEA_SUB_MALFORMED;
}

static void put_ds(struct wire_writer *w, const struct tea_subtlv *sub)
{
	wire_put_u8(w, sub->u.ds);
}

static enum tea_sub_state get_udp_port(struct wire_reader *r,
				       struct tea_subtlv *sub)
{
	if (!wire_get_u16(r, &sub->u.udp_port) || sub->u.udp_port == 0)
		return TEA_SUB_MALFORMED;
	return TEA_SUB_OK;
}

static void put_udp_port(struct wire_writer *w, const struct tea_subtlv *sub)
{
	wire_put_u16(w, sub->u.udp_port);
}

/* 1: the NLRI's label is carried above the payload; 2: it is the VN-ID. */
static enum tea_sub_state get_embedded_label(struct wire_reader *r,
					     struct tea_subtlv *sub)
{
	uint8_t *handling = &sub->u.label_handling;

	if (!wire_get_u8(r, handling) || (*handling != 1 && *handling != 2))
		return TEA_SUB_MALFORMED;
	return TEA_SUB_OK;
}

static void put_embedded_label(struct wire_writer *w,
			       const struct tea_subtlv *sub)
{
	wire_put_u8(w, sub->u.label_handling);
}

/* ---- 11 Prefix-SID (T10; 3.7) ---- */

/* TLVs of one octet of type and two of length (RFC 8669 section 3), which must
 * fill the value.  Checked, never used. */
static enum tea_sub_state get_prefix_sid(struct wire_reader *r,
					 struct tea_subtlv *sub)
{
	const uint8_t *value;
	uint16_t len;
	uint8_t type;

	(void)sub;
	while (r->left > 0)
		if (!wire_get_u8(r, &type) || !wire_get_u16(r, &len) ||
		    !wire_get_bytes(r, len, &value))
			return TEA_SUB_MALFORMED;
	return TEA_SUB_OK;
}

/* ---- the table ---- */

/* clang-format off */
#define ROW(t, n, single_, layout_, min_, max_, step_, bad, act, get, put) \
	[t] = {.type = t, .name = n, .single = single_, .layout = layout_, \
	       .min = min_, .max = max_, .step = step_, .bad_length = bad, \
	       .on_error = act, .decode = get, .encode = put}

#define ONE true
#define MANY false
#define LONGEST 65535

static const struct tea_sub_row subs[] = {
	/*  type, name,
	 *	copies, layout, min, max, step, wrong length, error action,
	 *	decode, encode */
	/* which of the tea_encap_ rows holds depends on the tunnel type */
	ROW(TEA_SUB_ENCAP, "encapsulation",
	    ONE, TEA_LAYOUT_RAW, 0, LONGEST, 1, TEA_SUB_MALFORMED, TEA_ACT_IGNORE,
	    NULL, NULL),
	ROW(TEA_SUB_PROTOCOL, "protocol-type",
	    MANY, TEA_LAYOUT_PROTOCOL, 2, 2, 1, TEA_SUB_MALFORMED, TEA_ACT_IGNORE,
	    get_protocol, put_protocol),
	ROW(TEA_SUB_AUTHENTICATOR, "ipsec-tunnel-authenticator",
	    MANY, TEA_LAYOUT_AUTH, 2, LONGEST, 1, TEA_SUB_MALFORMED, TEA_ACT_IGNORE,
	    get_auth, put_auth),
	/* 3.4.2: any fault makes it unrecognised, not malformed */
	ROW(TEA_SUB_COLOR, "color",
	    MANY, TEA_LAYOUT_COLOR, 8, 8, 1, TEA_SUB_UNRECOGNISED, TEA_ACT_IGNORE,
	    get_color, put_color),
	ROW(TEA_SUB_LB_BLOCK, "load-balancing-block",
	    ONE, TEA_LAYOUT_LB_BLOCK, 2, 2, 1, TEA_SUB_MALFORMED, TEA_ACT_IGNORE,
	    get_lb_block, put_lb_block),
	/* the one exception of section 13 (B9) */
	ROW(TEA_SUB_ENDPOINT, "tunnel-egress-endpoint",
	    ONE, TEA_LAYOUT_ENDPOINT, 6, LONGEST, 1, TEA_SUB_MALFORMED, TEA_ACT_REMOVE_TLV,
	    get_endpoint, put_endpoint),
	ROW(TEA_SUB_DS, "ds-field",
	    ONE, TEA_LAYOUT_DS, 1, 1, 1, TEA_SUB_MALFORMED, TEA_ACT_IGNORE,
	    get_ds, put_ds),
	ROW(TEA_SUB_UDP_PORT, "udp-destination-port",
	    ONE, TEA_LAYOUT_UDP_PORT, 2, 2, 1, TEA_SUB_MALFORMED, TEA_ACT_IGNORE,
	    get_udp_port, put_udp_port),
	ROW(TEA_SUB_EMBEDDED_LABEL, "embedded-label-handling",
	    ONE, TEA_LAYOUT_EMBEDDED_LABEL, 1, 1, 1, TEA_SUB_MALFORMED, TEA_ACT_IGNORE,
	    get_embedded_label, put_embedded_label),
	ROW(TEA_SUB_MPLS_STACK, "mpls-label-stack",
	    ONE, TEA_LAYOUT_MPLS_STACK, 4, LONGEST, 4, TEA_SUB_MALFORMED, TEA_ACT_IGNORE,
	    NULL, NULL),
	ROW(TEA_SUB_PREFIX_SID, "prefix-sid",
	    ONE, TEA_LAYOUT_RAW, 3, LONGEST, 1, TEA_SUB_MALFORMED, TEA_ACT_IGNORE,
	    get_prefix_sid, NULL),
};
/* clang-format on */

#define N_SUBS (sizeof(subs) / sizeof(subs[0]))

/* T11: for experiments, none of which we take part in: carried as unknown. */
static bool is_experimental(uint8_t sub)
{
	return sub == 126 || sub == 127 || sub == 253 || sub == 254;
}

const struct tea_sub_row *tea_sub_row(const struct tea_type_row *type,
				      uint8_t sub)
{
	if (sub == TEA_SUB_ENCAP)
		return type ? type->encap : NULL;
	if (sub < N_SUBS && subs[sub].name)
		return &subs[sub];
	return NULL;
}

enum tea_sub_state tea_sub_decode(const struct tea_sub_row *row,
				  struct tea_subtlv *sub)
{
	struct wire_reader r = wire_reader_of(sub->raw, sub->len);
	enum tea_sub_state state = TEA_SUB_OK;

	sub->typed = false;
	if (sub->len < row->min || sub->len > row->max ||
	    sub->len % row->step != 0)
		return row->bad_length;
	if (row->decode)
		state = row->decode(&r, sub);
	sub->typed = state == TEA_SUB_OK && row->encode;
	return state;
}

const char *tea_sub_name(uint8_t sub)
{
	if (is_experimental(sub))
		return "experimental";
	return sub < N_SUBS && subs[sub].name ? subs[sub].name : "unknown";
}

int tea_sub_by_name(const char *name)
{
	for (size_t i = 0; i < N_SUBS; i++)
		if (subs[i].name && strcmp(subs[i].name, name) == 0)
			return subs[i].type;
	return -1;
}
