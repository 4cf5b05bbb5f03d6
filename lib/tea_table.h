/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables behind the Tunnel Encapsulation codec: one row a tunnel type, one
 * row a sub-TLV.  Private to lib/tea*.c; everybody else includes lib/tea.h.
 */
#ifndef SWMESH_TEA_TABLE_H
#define SWMESH_TEA_TABLE_H

#include "lib/tea.h"

/* How a sub-TLV's value is laid out: which member of tea_subtlv.u it fills. */
enum tea_layout {
	TEA_LAYOUT_RAW = 0, /* carried, not looked into */
	TEA_LAYOUT_GRE,
	TEA_LAYOUT_L2TPV3,
	TEA_LAYOUT_VXLAN,
	TEA_LAYOUT_PROTOCOL,
	TEA_LAYOUT_AUTH,
	TEA_LAYOUT_COLOR,
	TEA_LAYOUT_LB_BLOCK,
	TEA_LAYOUT_ENDPOINT,
	TEA_LAYOUT_DS,
	TEA_LAYOUT_UDP_PORT,
	TEA_LAYOUT_EMBEDDED_LABEL,
	TEA_LAYOUT_MPLS_STACK,
};

/* What an error in a sub-TLV does (RFC 9012 section 13). */
enum tea_action {
	TEA_ACT_IGNORE,	    /* the sub-TLV is as if unrecognised */
	TEA_ACT_REMOVE_TLV, /* its TLV is ignored and not passed on */
};

struct tea_sub_row {
	uint8_t type;
	const char *name;
	bool single; /* only the first copy in a TLV counts */
	enum tea_layout layout;
	/* The length must be min to max octets, and a multiple of step. */
	uint16_t min, max, step;
	/* State of one whose length is wrong. */
	enum tea_sub_state bad_length;
	enum tea_action on_error;
	/* Read sub->u from exactly sub->len octets.  Anything but TEA_SUB_OK
	 * means that u does not hold the value.  NULL: nothing to read. */
	enum tea_sub_state (*decode)(struct wire_reader *r,
				     struct tea_subtlv *sub);
	/* The inverse.  NULL: raw is copied. */
	void (*encode)(struct wire_writer *w, const struct tea_subtlv *sub);
};

/* Payloads that a tunnel type carries. */
enum tea_payload {
	TEA_PAYLOAD_ANY,
	TEA_PAYLOAD_IP,	  /* IP-in-IP: IPv4 and IPv6 */
	TEA_PAYLOAD_MPLS, /* MPLS-in-something */
};

struct tea_type_row {
	uint16_t type;
	const char *name;
	enum tea_payload payload;
	/* Sub-TLVs that have a meaning for it: an OR of 1 << TEA_SUB_x. */
	uint32_t means;
	/* The layout of its Encapsulation sub-TLV; NULL if none is defined. */
	const struct tea_sub_row *encap;
};

/* NULL for a type we do not know. */
const struct tea_type_row *tea_type_row(uint16_t type);

/* The row of a sub-TLV within a tunnel of type `type` (NULL: unknown type);
 * NULL when we know no such sub-TLV, or no layout for it here. */
const struct tea_sub_row *tea_sub_row(const struct tea_type_row *type,
				      uint8_t sub);

/* Fill sub->u and sub->typed from sub->raw by the row's rules alone. */
enum tea_sub_state tea_sub_decode(const struct tea_sub_row *row,
				  struct tea_subtlv *sub);

/* Whether a tunnel of this type can carry this ethertype at all. */
bool tea_type_carries(const struct tea_type_row *type, uint16_t ethertype);

/* The layouts of the Encapsulation sub-TLV (RFC 9012 section 3.2). */
extern const struct tea_sub_row tea_encap_l2tpv3, tea_encap_gre,
	tea_encap_vxlan;

/* Sub-TLV types below this have a one-octet length, the others two. */
#define TEA_SUB_LONG 128

#endif /* SWMESH_TEA_TABLE_H */
