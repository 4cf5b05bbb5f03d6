/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Encap-sets: what this AFBR announces (SW-Encap), and their compilation into
 * the octets of a Tunnel Encapsulation attribute (RFC 9012).
 */
#ifndef SWMESH_ENCAP_H
#define SWMESH_ENCAP_H

#include "ipaddr.h"
#include "typesafe.h"

#include "lib/tea.h"
#include "swmeshd/encap/encap.h"
#include "swmeshd/security/security.h"

#define ENCAP_NAME_LEN 63

/* Distinct tunnels of all sets together: each costs a device per AFBR. */
#define LOCAL_TUNNELS_MAX 16
#define ENCAP_SETS_MAX 256

/* Octets of a compiled set; the module takes no more. */
#define ENCAP_TEA_MAX 8192

/* A tunnel as we announce it, which is also what tells two of them apart. */
struct sw_tunnel {
	uint16_t type; /* enum tea_type */
	bool has_key;  /* GRE: the key we expect */
	uint32_t key;
};

PREDECL_RBTREE_UNIQ(encap_tunnels);
struct encap_tunnel {
	struct encap_tunnels_item item;
	uint16_t preference; /* lowest first */
	struct sw_tunnel tunnel;
	/* Its own `security`; empty: the set's; "none": not protected. */
	char security[SECURITY_NAME_LEN + 1];
};

PREDECL_RBTREE_UNIQ(encap_sets);
struct encap_set {
	struct encap_sets_item item;
	char name[ENCAP_NAME_LEN + 1];
	struct encap_tunnels_head tunnels;
	uint8_t payload;
	/* Empty: nothing said, and nothing protects it. */
	char security[SECURITY_NAME_LEN + 1];
	bool clear; /* `security none`: that is meant */
	/* Its tunnels without security are not used: peer policy protected. */
	bool protected_only;
	/* Announce IP in IP that is protected as RFC 5566's types 4 and 5,
	 * too, for peers that know nothing newer. */
	bool rfc5566;
};

int encap_tunnel_cmp(const struct encap_tunnel *a,
		     const struct encap_tunnel *b);
int encap_set_cmp(const struct encap_set *a, const struct encap_set *b);
DECLARE_RBTREE_UNIQ(encap_tunnels, struct encap_tunnel, item, encap_tunnel_cmp);
DECLARE_RBTREE_UNIQ(encap_sets, struct encap_set, item, encap_set_cmp);

/* A local tunnel and the payloads of the sets it is in. */
struct local_tunnel {
	struct sw_tunnel tunnel;
	uint8_t payload;
	char security[SECURITY_NAME_LEN + 1]; /* empty: not protected */
	bool clear; /* ... which the operator has said */
};

/* Distinct tunnels in the order in which we like to send. */
struct local_tunnels {
	unsigned int n;
	struct local_tunnel t[LOCAL_TUNNELS_MAX];
};

struct encap_set *encap_set_find(struct encap_sets_head *sets,
				 const char *name);
struct encap_set *encap_set_get(struct encap_sets_head *sets, const char *name);
void encap_set_del(struct encap_sets_head *sets, struct encap_set *set);
void encap_sets_del_all(struct encap_sets_head *sets);
struct encap_tunnel *encap_tunnel_get(struct encap_set *set,
				      uint16_t preference);
void encap_tunnel_del(struct encap_set *set, uint16_t preference);

/* NULL when the set can be announced, else what is missing (static text). */
const char *encap_set_missing(const struct encap_set *set);

/*
 * Octets of the attribute that announces this set: a TLV per tunnel with the
 * endpoint (RFC 9012 section 3.1), the GRE key (3.2.3) and a Protocol Type per
 * payload family (3.4.1), the authenticators of a protected one (RFC 5566).
 * Returns 0 when the set is not complete or endpoint is no address, -1 when cap
 * is too small.
 */
ssize_t encap_set_compile(const struct encap_set *set,
			  struct securities_head *securities,
			  const struct ipaddr *endpoint, uint8_t *buf,
			  size_t cap);

/* The name of what protects this tunnel of this set; "" if nothing does. */
const char *encap_tunnel_security(const struct encap_set *set,
				  const struct encap_tunnel *et);

/* `security none`: its operator says that nothing is to protect it. */
bool encap_tunnel_clear(const struct encap_set *set,
			const struct encap_tunnel *et);

/* The set that SOFTWIRE-OUT attaches to routes of this family (one bit of
 * PAYLOAD_*): `announce` if not empty, else the first complete one by name. */
const struct encap_set *encap_set_announced(struct encap_sets_head *sets,
					    const char *announce,
					    uint8_t payload);

/*
 * Fill *order with the distinct tunnels of all complete sets, those of the
 * announced set first, then by name of set and preference. payload: the family
 * (one bit) that the order is for; 0: all, for receiving.
 */
void encap_order(struct encap_sets_head *sets, const char *announce,
		 uint8_t payload, struct local_tunnels *order);

bool sw_tunnel_same(const struct sw_tunnel *a, const struct sw_tunnel *b);

/* "gre/100", "ip-in-ip"; and back (false if it is neither). */
#define SW_TUNNEL_TEXT_LEN 24
const char *sw_tunnel_text(uint16_t type, bool has_key, uint32_t key, char *buf,
			   size_t len);
bool sw_tunnel_parse(const char *text, struct sw_tunnel *tunnel);

#endif /* SWMESH_ENCAP_H */
