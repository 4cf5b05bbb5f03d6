/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading and rewriting a BGP UPDATE in place, before bgpd parses it.
 *
 * The message's length is fixed: bgpd has read it already and takes the body
 * to be so long (bgp_packet.c:2885, bgp_update_receive()).  So whatever a
 * rewrite takes out is made up for by one attribute that every speaker must
 * ignore: optional, non-transitive, of an unassigned type (RFC 4271 section 9).
 *
 * Octets in, octets out: no FRR, no state, bounded work.
 */
#ifndef SWMESH_UPDATE_H
#define SWMESH_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest body of a message: RFC 8654, less the 19 octets of its header. */
#define UPDATE_BODY_MAX (65535 - 19)

enum update_attr_type {
	UPDATE_ATTR_ORIGIN = 1,
	UPDATE_ATTR_AS_PATH = 2,
	UPDATE_ATTR_NEXT_HOP = 3,
	UPDATE_ATTR_MP_REACH = 14,
	UPDATE_ATTR_MP_UNREACH = 15,
	UPDATE_ATTR_EXT_COMMUNITIES = 16,
	UPDATE_ATTR_TEA = 23,
};

/*
 * An attribute type that nobody has assigned stands for 23 while the attribute
 * goes through bgpd, with a mark in the low half of the flags octet: RFC 4271
 * section 4.3 has these bits sent as zero and ignored when received, bgpd does
 * both, and keeps the octet as it came (bgp_attr.c:3098-3114).  Any of
 * UPDATE_CODES types may be chosen, so that one is free in every message.
 */
#define UPDATE_CODE_FIRST 200
#define UPDATE_CODES 8
#define UPDATE_MARK_MASK 0x0f
#define UPDATE_MARK 0x09      /* stands for 23, Partial bit was clear */
#define UPDATE_MARK_PART 0x0a /* stands for 23, Partial bit was set */

static inline bool update_is_marked(uint8_t flags, uint8_t type)
{
	uint8_t mark = flags & UPDATE_MARK_MASK;

	return type >= UPDATE_CODE_FIRST &&
	       type < UPDATE_CODE_FIRST + UPDATE_CODES &&
	       (mark == UPDATE_MARK || mark == UPDATE_MARK_PART);
}

/* One attribute: offsets count from the start of the body. */
struct update_span {
	uint32_t at;	/* of the flags octet */
	uint32_t total; /* header and value; 0: there is none */
	uint32_t header;
};

/* What a walk over an UPDATE finds. */
struct update_scan {
	uint8_t *body; /* the caller's; after marker, length and type */
	size_t len;
	size_t withdrawn_at, withdrawn_len;
	size_t attrs_at, attrs_len;
	size_t nlri_at, nlri_len;

	/* The first of each. */
	struct update_span tea, ext_comm, mp_reach, mp_unreach;
	unsigned int n_tea;
	/* An attribute's length passes the end of the list, or fewer octets
	 * are left than a header takes (RFC 7606 section 4). */
	bool broken;
	bool tea_broken;    /* and that attribute is a TEA */
	uint32_t broken_at; /* where; the attributes before it are whole */
	uint64_t seen[4];   /* types, one bit each */
};

/*
 * Walk the attributes.  False when the lengths of the three parts do not fit
 * the message, which is not ours to judge.  Clears a mark that came from
 * outside (see UPDATE_MARK), so that none can be forged.
 */
bool update_scan(struct update_scan *scan, uint8_t *body, size_t len);

/* Whether any of its routes is of SAFI unicast, multicast or labeled, as all
 * outside of MP_REACH_NLRI are (RFC 4760). */
bool update_has_ip_routes(const struct update_scan *scan);

/*
 * Whether it has routes outside of MP_REACH_NLRI but not ORIGIN, AS_PATH and
 * NEXT_HOP.  RFC 7606 section 3(d) has them withdrawn.  bgpd does that, except
 * when it has parsed no attribute that it knows, from a neighbor with graceful
 * restart (bgp_attr.c:3126), or MP_UNREACH_NLRI (bgp_attr.c:3134): then it
 * takes them, and crashes later over the AS path that is not there.
 */
bool update_lacks_mandatory(const struct update_scan *scan);

/* Whether all its routes are of a SAFI whose NLRI is a tunnel's endpoint: 7
 * (RFC 5512) or 73 (RFC 9830). */
bool update_is_of_endpoints(const struct update_scan *scan);

/* Whether the attribute has an Encapsulation extended community (03 0c). */
bool update_has_encap_community(const struct update_scan *scan);

/*
 * Give the one attribute 23 its stand-in type and the mark, and move it to the
 * front.  False when no type is free; otherwise the scan holds no longer.
 *
 * What is not there without attribute 23 must be in front of all else, here and
 * in update_rewrite(): when an eBGP neighbor's attribute is malformed, bgpd
 * stops and takes what follows in the list for routes (bgp_packet.c:1952), so
 * an attribute more ends the session.
 */
bool update_mark_tea(struct update_scan *scan);

/* How to write the attributes anew. */
struct update_edit {
	/* Keep the (first) attribute 23, with this value. */
	bool keep_tea;
	const uint8_t *tea;
	size_t tea_len;
	/* Take the Encapsulation extended communities out. */
	bool drop_encap_communities;
	/* RFC 7606 treat-as-withdraw: the routes become withdrawn ones, and
	 * only MP_REACH_NLRI and MP_UNREACH_NLRI stay; bgpd then misses the
	 * mandatory attributes and withdraws what MP_REACH_NLRI holds
	 * (bgp_attr.c:3117, on iBGP too). */
	bool withdraw;
};

/*
 * Rewrite the attributes; the rest is filled up, in front.  scratch has room
 * for UPDATE_BODY_MAX octets.  False, and nothing changed, when it cannot be
 * done: one or two octets would be left over, which is no attribute, or the
 * value of attribute 23 is longer than the one received.  The scan is stale
 * after it.
 */
bool update_rewrite(struct update_scan *scan, const struct update_edit *edit,
		    uint8_t *scratch);

/*
 * Where a withdrawal cannot be done so: write it to out_body, of
 * UPDATE_BODY_MAX octets, as the body of a message of its own, which is shorter
 * than this one.  Returns its length; 0: there are no routes in it.
 *
 * The message itself becomes zeroes: no withdrawn routes and no attributes, and
 * what follows is not looked at where there are none (bgp_packet.c:1954).  For
 * this, and not to be an End-of-RIB, it needs at least one octet in its list
 * or after it.  The scan is stale after it.
 */
size_t update_take_withdrawal(struct update_scan *scan, uint8_t *out_body);

#endif /* SWMESH_UPDATE_H */
