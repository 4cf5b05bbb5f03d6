/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The BGP Tunnel Encapsulation attribute (TEA), path attribute 23.
 *
 * RFC 9012, with what RFC 5512, 5566 and 5640 put into it before.  Octets in,
 * a typed value out, and back: no I/O, no globals, no FRR.  Used by the bgpd
 * module, by swmeshd, by swmesh-tea, the unit tests and the fuzzers.
 *
 * All integers are in host byte order unless said otherwise; addresses are in
 * network byte order.
 *
 * The attribute is a sequence of tunnel TLVs, each a sequence of sub-TLVs.
 * Decoding gives (RFC 9012 section 13):
 *  - a verdict: accept, or treat the route as withdrawn (RFC 7606);
 *  - the tunnels, with for each whether we could use it and if not, why;
 *  - the octets to pass on: what was received, less the TLVs whose Tunnel
 *    Egress Endpoint is malformed or missing.
 */
#ifndef SWMESH_TEA_H
#define SWMESH_TEA_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/wire.h"

#define TEA_ATTR_TYPE 23
#define TEA_MAX_LEN 65535 /* octets of an attribute's value */

/* Path attribute flags (RFC 4271 section 4.3). */
#define TEA_ATTR_OPTIONAL 0x80
#define TEA_ATTR_TRANSITIVE 0x40
#define TEA_ATTR_PARTIAL 0x20
#define TEA_ATTR_EXTLEN 0x10

/* Tunnel types (IANA "BGP Tunnel Encapsulation Attribute Tunnel Types"). */
enum tea_type {
	TEA_TYPE_L2TPV3 = 1,
	TEA_TYPE_GRE = 2,
	TEA_TYPE_TRANSMIT_ENDPOINT = 3, /* 3-6: RFC 5566, deprecated */
	TEA_TYPE_IPSEC_TUNNEL = 4,
	TEA_TYPE_IPIP_IPSEC = 5,
	TEA_TYPE_MPLS_IP_IPSEC = 6,
	TEA_TYPE_IPIP = 7,
	TEA_TYPE_VXLAN = 8,
	TEA_TYPE_NVGRE = 9,
	TEA_TYPE_MPLS = 10,
	TEA_TYPE_MPLS_IN_GRE = 11,
	TEA_TYPE_VXLAN_GPE = 12,
	TEA_TYPE_MPLS_IN_UDP = 13,
	TEA_TYPE_IPV6_TUNNEL = 14,
	TEA_TYPE_SR_POLICY = 15,
	TEA_TYPE_BARE = 16,
	TEA_TYPE_GENEVE = 19,
};

/* Sub-TLV types. */
enum tea_sub {
	TEA_SUB_ENCAP = 1,	    /* RFC 9012 section 3.2 */
	TEA_SUB_PROTOCOL = 2,	    /* 3.4.1 */
	TEA_SUB_AUTHENTICATOR = 3,  /* RFC 5566 */
	TEA_SUB_COLOR = 4,	    /* 3.4.2 */
	TEA_SUB_LB_BLOCK = 5,	    /* RFC 5640 */
	TEA_SUB_ENDPOINT = 6,	    /* 3.1 */
	TEA_SUB_DS = 7,		    /* 3.3.1 */
	TEA_SUB_UDP_PORT = 8,	    /* 3.3.2 */
	TEA_SUB_EMBEDDED_LABEL = 9, /* 3.5 */
	TEA_SUB_MPLS_STACK = 10,    /* 3.6 */
	TEA_SUB_PREFIX_SID = 11,    /* 3.7 */
	/*
	 * Experimental (RFC 9012 section 12.6), ours: a public key whose hash
	 * an authenticator beside it announces. "SWPK", then the DER of a
	 * SubjectPublicKeyInfo. Without the four letters it is somebody else's.
	 */
	TEA_SUB_PUBLIC_KEY = 253,
	/*
	 * Also ours: the letters "SWIP" alone say that the tunnel is protected
	 * by IPsec and packets in clear are dropped, where no authenticator
	 * says so (a group key or certificates). Who does not know it ignores
	 * it.
	 */
	TEA_SUB_PROTECTED = TEA_SUB_PUBLIC_KEY,
};

#define TEA_PUBLIC_KEY_MAGIC "SWPK"
#define TEA_PUBLIC_KEY_MAGIC_LEN 4
#define TEA_PROTECTED_MAGIC "SWIP"
#define TEA_PROTECTED_MAGIC_LEN 4
/* Longest DER that is built: RSA with 4096 bits has 550 octets. */
#define TEA_PUBLIC_KEY_MAX 1100

/* Address families of an endpoint (IANA "Address Family Numbers"). */
#define TEA_AF_NONE 0 /* the endpoint is the route's next hop */
#define TEA_AF_IPV4 1
#define TEA_AF_IPV6 2

#define TEA_ETHERTYPE_IPV4 0x0800
#define TEA_ETHERTYPE_IPV6 0x86dd
#define TEA_ETHERTYPE_TEB 0x6558 /* an Ethernet frame */

#define TEA_AUTH_SHA1 1 /* RFC 5566: SHA-1 of the public key, 20 octets */

/* ---- decoded form ---- */

struct tea_endpoint {
	uint32_t reserved; /* passed on unchanged, means nothing */
	uint16_t family;   /* TEA_AF_*; any other: kept, TLV not usable */
	uint8_t addr_len;  /* 0, 4 or 16 */
	union {
		uint8_t addr[16];
		struct in_addr v4;
		struct in6_addr v6;
	};
};

struct tea_l2tpv3 {
	uint32_t session;   /* never 0 */
	uint8_t cookie_len; /* 0 to 8 */
	uint8_t cookie[8];
};

/* VXLAN and NVGRE share one layout (RFC 9012 sections 3.2.1 and 3.2.2). */
struct tea_vxlan {
	uint8_t flags; /* 0x80 V: vni holds, 0x40 M: mac holds */
	uint32_t vni;  /* 24 bits */
	uint8_t mac[6];
	uint16_t reserved;
};

struct tea_color {
	uint16_t flags;
	uint32_t color;
};

struct tea_auth {
	uint16_t type;	      /* TEA_AUTH_* */
	uint16_t len;	      /* octets of value */
	const uint8_t *value; /* inside the sub-TLV's raw octets */
};

/* Why a sub-TLV is ignored.  All but OK mean "as if it were not there"; the
 * octets are passed on all the same. */
enum tea_sub_state {
	TEA_SUB_OK = 0,
	TEA_SUB_UNRECOGNISED, /* unknown type, Color or AF we do not know */
	TEA_SUB_MALFORMED,    /* length or value against its rule; martian */
	TEA_SUB_DUPLICATE,    /* later copy of a single-instance sub-TLV */
	TEA_SUB_MEANINGLESS,  /* has no meaning for this tunnel type */
};

/* One sub-TLV as received.  `u` is filled whenever the octets fit the type's
 * layout (`typed`), even for a duplicate or a meaningless one, so that it can
 * be shown; only state TEA_SUB_OK may influence a tunnel. */
struct tea_subtlv {
	uint8_t type;	    /* enum tea_sub, or one unknown to us */
	uint8_t state;	    /* enum tea_sub_state */
	bool typed;	    /* u holds the value, and re-encodes to raw */
	uint16_t len;	    /* octets at raw */
	const uint8_t *raw; /* the value; may be NULL when len is 0 */
	union {
		uint32_t gre_key; /* ENCAP of GRE and MPLS-in-GRE */
		struct tea_l2tpv3 l2tpv3;
		struct tea_vxlan vxlan; /* ENCAP of VXLAN and NVGRE */
		uint16_t protocol;	/* ethertype */
		struct tea_auth auth;
		struct tea_color color;
		uint16_t lb_block; /* bits */
		struct tea_endpoint endpoint;
		uint8_t ds;
		uint16_t udp_port;
		uint8_t label_handling; /* 1 or 2 */
	} u;
};

/* Why a tunnel cannot be used. */
enum tea_why {
	TEA_WHY_USABLE = 0,
	TEA_WHY_UNKNOWN_TYPE,	     /* kept when passed on */
	TEA_WHY_UNSUPPORTED_TYPE,    /* known, but not in opts->usable */
	TEA_WHY_NO_ENDPOINT,	     /* removed */
	TEA_WHY_TWO_ENDPOINTS,	     /* removed */
	TEA_WHY_ENDPOINT_LENGTH,     /* removed */
	TEA_WHY_ENDPOINT_MARTIAN,    /* removed */
	TEA_WHY_ENDPOINT_FAMILY,     /* unknown family; kept */
	TEA_WHY_ENDPOINT_NOT_A_HOST, /* multicast, loopback...; kept */
	TEA_WHY_NO_SESSION,	     /* L2TPv3 without a Session ID; kept */
	TEA_WHY_WITHDRAWN,	     /* fine, but the route is withdrawn */
};

/* Which of the single-valued fields below were received: bit (1 << TEA_SUB_x)
 * for x of ENCAP, LB_BLOCK, ENDPOINT, DS, UDP_PORT, EMBEDDED_LABEL. */
#define TEA_HAS(tunnel, sub) (((tunnel)->present & (1u << (sub))) != 0)

struct tea_tunnel {
	uint16_t type;	  /* enum tea_type, or one unknown to us */
	const char *name; /* "gre"; "unknown" for a type we do not know */
	bool usable;	  /* type supported and the TLV says all we need */
	bool removed;	  /* not part of propagate (B9) */
	uint8_t why;	  /* enum tea_why; text by tea_tunnel_reason() */
	uint32_t present;
	struct tea_endpoint endpoint; /* holds with TEA_HAS ENDPOINT */
	uint32_t gre_key;	      /* with tea_tunnel_gre_key() */
	struct tea_l2tpv3 l2tpv3;     /* session 0: none received */
	uint16_t lb_block;
	uint16_t udp_port;
	uint8_t ds;
	uint8_t label_handling;
	/* All sub-TLVs in the order received: colours, protocol types,
	 * authenticators and everything unknown are found here. */
	size_t n_subs;
	const struct tea_subtlv *subs;
	size_t wire_len;     /* the whole TLV, header included */
	const uint8_t *wire; /* inside tea->wire */
};

enum tea_verdict {
	TEA_ACCEPT = 0,
	TEA_WITHDRAW = 1, /* RFC 7606 treat-as-withdraw */
};

/* Why the verdict is TEA_WITHDRAW. */
enum tea_error {
	TEA_ERR_NONE = 0,
	TEA_ERR_EMPTY,		/* no TLV at all */
	TEA_ERR_TLV_HEADER,	/* ends inside a TLV's type and length */
	TEA_ERR_TLV_OVERRUN,	/* a TLV ends after the attribute */
	TEA_ERR_SUBTLV_HEADER,	/* ends inside a sub-TLV's header */
	TEA_ERR_SUBTLV_OVERRUN, /* a sub-TLV ends after its TLV */
	TEA_ERR_NO_VALID_TLV,	/* every TLV had to be removed */
	TEA_ERR_NOT_TRANSITIVE, /* attribute's transitive bit clear */
	TEA_ERR_NOT_OPTIONAL,	/* attribute's optional bit clear */
	TEA_ERR_ATTR_TRUNCATED, /* attribute's length passes the end */
	TEA_ERR_TOO_LONG,	/* over TEA_MAX_LEN octets */
	TEA_ERR_NO_MEMORY,
};

/*
 * A decoded attribute.  It owns one block of memory, `mem`, in which all the
 * pointers here and in the tunnels and sub-TLVs point; tea_free() releases it.
 * The input of tea_decode() is copied and need not be kept.
 */
struct tea {
	enum tea_verdict verdict;
	enum tea_error error;
	size_t error_at; /* offset in the value where it was found */
	size_t n_tunnels;
	const struct tea_tunnel *tunnels; /* in the order received */
	size_t wire_len;
	const uint8_t *wire; /* the value as received */
	size_t propagate_len;
	const uint8_t *propagate; /* the value to pass on; 0 if withdrawn */
	void *mem;
};

#define TEA_TYPE_BIT(type) ((uint64_t)1 << (type))

struct tea_opts {
	/* Tunnel types we can use, an OR of TEA_TYPE_BIT(). */
	uint64_t usable;
	/* Accept endpoints of the special-purpose registries whose
	 * destination or forwardable column says false (RFC 9012 section 3.1
	 * allows it by configuration). Private and ULA addresses are not among
	 * them. */
	bool allow_martian;
	/* Count the documentation blocks (RFC 5737, 3849, 9637) as martians, as
	 * the letter of section 3.1 asks. Off by default: nobody routes them,
	 * and labs are built of them. */
	bool refuse_documentation;
	/* The attribute came without its transitive bit: B7. */
	bool not_transitive;
	/* The route is not of an AFI/SAFI of RFC 9012 section 6, so a TLV may
	 * do without an endpoint (SAFI 7: it is the NLRI; SAFI 73). */
	bool endpoint_optional;
};

/* GRE and IP-in-IP usable, everything else as RFC 9012 asks by default. */
extern const struct tea_opts tea_opts_default;

/*
 * Decode the value of an attribute (what follows its flags, type and length).
 * opts NULL means &tea_opts_default.  *out is overwritten, whatever it held,
 * and must be released by tea_free() in every case.  On TEA_WITHDRAW
 * out->error says why, and out->tunnels holds what could be read up to there,
 * for display, nothing of it usable.
 * Memory and time are bounded by a small multiple of len.
 */
enum tea_verdict tea_decode(const uint8_t *value, size_t len,
			    const struct tea_opts *opts, struct tea *out);
void tea_free(struct tea *tea);

/* The header of a path attribute. */
struct tea_attr {
	uint8_t flags;
	uint8_t type;
	uint16_t len;
	const uint8_t *value; /* inside the caller's buffer */
	size_t total;	      /* octets of header and value together */
};

/* Read flags, type and length, and check that the value is there.  False if it
 * is not, or the header is incomplete.  The type is not checked. */
bool tea_attr_read(const uint8_t *attr, size_t len, struct tea_attr *out);

/* Decode a whole attribute: header, flags and value.  The type octet is not
 * looked at; octets after the attribute are ignored. */
enum tea_verdict tea_decode_attr(const uint8_t *attr, size_t len,
				 const struct tea_opts *opts, struct tea *out);

/* Write a header (optional transitive, or'ed with flags; extended length when
 * the value needs it) and the value.  Returns octets written, -1 if cap is too
 * small or value_len exceeds TEA_MAX_LEN. */
ssize_t tea_attr_write(uint8_t flags, const uint8_t *value, size_t value_len,
		       uint8_t *buf, size_t cap);

/* Encode all tunnels, removed ones included, from the typed values where there
 * are (and else from raw).  Gives tea->wire again for whatever tea_decode()
 * accepted.  Returns octets written, -1 if cap is too small. */
ssize_t tea_encode(const struct tea *tea, uint8_t *buf, size_t cap);

/* Compare by the octets that would be passed on; tea_cmp orders like memcmp,
 * shorter first. */
bool tea_equal(const struct tea *a, const struct tea *b);
int tea_cmp(const struct tea *a, const struct tea *b);

/*
 * The attribute's value less what a change of keys changes: of the
 * authenticators of a TLV that has any, only that there are some is left, and
 * of our public keys nothing (S5). The rest, order included, is as it was, so
 * what is protected and what is not never look the same. It is itself an
 * attribute's value, and gives itself when taken again; one that is not
 * accepted is copied. Octets written, at most len; -1 if cap is less than len.
 */
ssize_t tea_identity(const uint8_t *value, size_t len, uint8_t *buf,
		     size_t cap);

/* ---- looking into a tunnel ---- */

/* The next sub-TLV of this type that counts (state TEA_SUB_OK) after prev, or
 * the first one if prev is NULL; NULL at the end. */
const struct tea_subtlv *tea_tunnel_next(const struct tea_tunnel *tunnel,
					 uint8_t sub,
					 const struct tea_subtlv *prev);

/* True, and *key set, if this is a GRE tunnel that announces a key. */
bool tea_tunnel_gre_key(const struct tea_tunnel *tunnel, uint32_t *key);

/* Whether a payload of this ethertype may be sent: yes when the TLV has no
 * Protocol Type, or has one that matches (RFC 9012 section 3.4.1). */
bool tea_tunnel_allows(const struct tea_tunnel *tunnel, uint16_t ethertype);

bool tea_tunnel_has_color(const struct tea_tunnel *tunnel, uint32_t color);

/* Whether this is our TEA_SUB_PUBLIC_KEY; the DER is *spki, *len octets, inside
 * the sub-TLV's raw octets. */
bool tea_sub_public_key(const struct tea_subtlv *sub, const uint8_t **spki,
			size_t *len);

/* The next of our TEA_SUB_PUBLIC_KEY after prev, as tea_tunnel_next() does; the
 * DER is *spki, *len octets, inside the sub-TLV's raw octets. */
const struct tea_subtlv *tea_tunnel_public_key(const struct tea_tunnel *tunnel,
					       const struct tea_subtlv *prev,
					       const uint8_t **spki,
					       size_t *len);

/* The TLV has our TEA_SUB_PROTECTED. */
bool tea_tunnel_is_protected(const struct tea_tunnel *tunnel);

/* ---- building ---- */

/*
 * Write an attribute's value front to back:
 *
 *	struct tea_builder b;
 *
 *	tea_build_start(&b, buf, sizeof(buf));
 *	tea_build_tunnel(&b, TEA_TYPE_GRE);
 *	tea_build_endpoint_ipv6(&b, &source);
 *	tea_build_gre_key(&b, 100);
 *	tea_build_protocol(&b, TEA_ETHERTYPE_IPV4);
 *	len = tea_build_finish(&b);
 *
 * Sub-TLVs go into the tunnel started last.  Failures (no room, no tunnel
 * started, a value the RFC forbids) stick; tea_build_finish() tells.
 */
struct tea_builder {
	struct wire_writer w;
	uint16_t type;	/* of the open tunnel TLV */
	size_t body_at; /* offset of its value; 0: none open */
};

void tea_build_start(struct tea_builder *b, uint8_t *buf, size_t cap);
void tea_build_tunnel(struct tea_builder *b, uint16_t type);
void tea_build_endpoint(struct tea_builder *b,
			const struct tea_endpoint *endpoint);
void tea_build_endpoint_none(struct tea_builder *b);
void tea_build_endpoint_ipv4(struct tea_builder *b, const struct in_addr *addr);
void tea_build_endpoint_ipv6(struct tea_builder *b,
			     const struct in6_addr *addr);
void tea_build_gre_key(struct tea_builder *b, uint32_t key);
void tea_build_l2tpv3(struct tea_builder *b, uint32_t session,
		      const uint8_t *cookie, size_t cookie_len);
void tea_build_protocol(struct tea_builder *b, uint16_t ethertype);
void tea_build_color(struct tea_builder *b, uint32_t color);
void tea_build_authenticator(struct tea_builder *b, uint16_t type,
			     const uint8_t *value, size_t len);
void tea_build_public_key(struct tea_builder *b, const uint8_t *spki,
			  size_t len);
void tea_build_protected(struct tea_builder *b);
void tea_build_lb_block(struct tea_builder *b, uint16_t bits);
void tea_build_ds(struct tea_builder *b, uint8_t ds);
void tea_build_udp_port(struct tea_builder *b, uint16_t port);
/* Any sub-TLV, value as given. */
void tea_build_raw(struct tea_builder *b, uint8_t type, const uint8_t *value,
		   size_t len);
/* A decoded sub-TLV: from u if typed, else from raw and len.  A typed one that
 * its own decoder would refuse counts as a failure. */
void tea_build_sub(struct tea_builder *b, const struct tea_subtlv *sub);
/* Octets written, -1 after any failure. */
ssize_t tea_build_finish(struct tea_builder *b);

/* ---- the Encapsulation extended community (RFC 9012 section 4.1, B2) ---- */

#define TEA_EC_LEN 8

/* True, and *type set, if these 8 octets are 03 0c with a tunnel type. */
bool tea_ec_decode(const uint8_t ec[TEA_EC_LEN], uint16_t *type);
void tea_ec_encode(uint16_t type, uint8_t ec[TEA_EC_LEN]);
/* What the community stands for: a TLV whose endpoint is the next hop. */
void tea_build_bare(struct tea_builder *b, uint16_t type);
/* Whether this TLV says no more than the community would, so that it must be
 * sent as the community. */
bool tea_tunnel_is_bare(const struct tea_tunnel *tunnel);

/* ---- names and text ---- */

/* "gre"; "unknown" for a type we do not know.  Static. */
const char *tea_type_name(uint16_t type);
/* By name, or by decimal number; -1 if neither. */
int tea_type_by_name(const char *name);
bool tea_type_known(uint16_t type);
const char *tea_sub_name(uint8_t sub);
int tea_sub_by_name(const char *name);
const char *tea_sub_state_text(enum tea_sub_state state);

/* These fill buf (always terminated, cut if too small) and return it. */
#define TEA_TEXT_LEN 256
/* "accepted", or what is wrong and where. */
char *tea_reason(const struct tea *tea, char *buf, size_t len);
/* "usable", or why not. */
char *tea_tunnel_reason(const struct tea_tunnel *tunnel, char *buf, size_t len);
/* "gre(2) endpoint 2001:db8::1 key 100 protocol 0x0800" */
char *tea_tunnel_format(const struct tea_tunnel *tunnel, char *buf, size_t len);
/* "2001:db8::1", "next-hop" for family 0, "family 9" for an unknown one. */
char *tea_endpoint_format(const struct tea_endpoint *endpoint, char *buf,
			  size_t len);

/* Whether RFC 9012 section 3.1 calls the address a martian: in a block of the
 * special-purpose registries (RFC 6890) whose destination or forwardable
 * column is false, the documentation blocks apart. Network byte order. */
bool tea_martian_ipv4(const struct in_addr *addr);
bool tea_martian_ipv6(const struct in6_addr *addr);
/* Whether the address is in a block for documentation. */
bool tea_documentation_ipv4(const struct in_addr *addr);
bool tea_documentation_ipv6(const struct in6_addr *addr);

#endif /* SWMESH_TEA_H */
