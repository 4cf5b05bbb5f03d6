/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgpd_swmesh.so: what the files of the module share.
 *
 * One subject a file: _module (load, the post run), _rx (received UPDATEs),
 * _carry (attribute 23 into bgpd's tables), _transit (it in there), _policy
 * (what is said about neighbors), _filter (who may send and be sent it), _limit
 * and _use (how many softwires a neighbor may have, and has), _look (walks over
 * many paths), _out (announcements), _attach (our attribute on them), _nhop
 * (SW-NHOPs and who uses them), _nht (answers about them), _rmap (SOFTWIRE-IN
 * and -OUT), _sets (encap-sets), _zebra (talk with swmeshd), _stats and _vty
 * (show). All of it runs in bgpd's main thread. doc/module.md tells why it is
 * safe.
 */
#ifndef SWMESH_BGP_H
#define SWMESH_BGP_H

#include <zebra.h>

#include "lib/memory.h"
#include "lib/monotime.h"
#include "lib/prefix.h"
#include "lib/typesafe.h"

#include "bgpd/bgpd.h"
#include "bgpd/bgp_attr.h"

#include "bgpd/swmesh_quota.h"
#include "lib/swmesh_msg.h"
#include "lib/tea.h"

DECLARE_MGROUP(SWMESH);

/* ---- _module ---- */

/* The Unix process is on its way out: touch nothing any more. */
extern bool swmesh_stopping;

extern unsigned long swmesh_debug;
#define SWMESH_DEBUG_UPDATE 0x01 /* attributes received, refused, filtered */
#define SWMESH_DEBUG_NHOP 0x02	 /* SW-NHOPs */
#define SWMESH_DEBUG_MSG 0x04	 /* talk with swmeshd */
#define SWMESH_DBG(what) (swmesh_debug & SWMESH_DEBUG_##what)

/* A monotonic clock, milliseconds. */
static inline int64_t swmesh_now_ms(void)
{
	struct timeval tv;

	monotime(&tv);
	return (int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000;
}

/*
 * Run the module's leftover work as soon as the callback that runs now has
 * returned, before any other event, timer or socket of the main thread: what
 * bgpd has put into its tables meanwhile is mended before anything can look.
 */
void swmesh_post(void);

/* ---- _carry ---- */

/* From now on bgpd's tables get attribute 23 for its stand-in.  False: bgpd
 * does not keep unknown attributes where it should. */
bool swmesh_carry_init(void);

/* ---- _transit ---- */

/* A Tunnel Encapsulation attribute inside attr->transit. */
struct swmesh_found {
	const uint8_t *value; /* inside the transit */
	size_t len;
	size_t total; /* its octets there, header included */
};

/* The (first) one there is; false when there is none. */
bool swmesh_transit_find(const struct transit *transit,
			 struct swmesh_found *found);

/*
 * A transit without the Tunnel Encapsulation attributes that `from` has, and
 * with the given attribute (header included; len 0: none) at its end.  Not
 * interned, refcnt 0; NULL when nothing is left.
 */
struct transit *swmesh_transit_replace(const struct transit *from,
				       const uint8_t *attr, size_t len);
/* Free one that bgp_attr_intern() has not taken over. */
void swmesh_transit_free(struct transit *transit);

/* ---- _policy ---- */

enum swmesh_rule { SWMESH_RULE_DEFAULT, SWMESH_RULE_ALLOW, SWMESH_RULE_DENY };

PREDECL_RBTREE_UNIQ(swmesh_policies);

/* What an operator has said about a neighbor or a peer group. */
struct swmesh_policy {
	struct swmesh_policies_item item;
	char *instance; /* bgp->name_pretty */
	char *neighbor; /* peer->host, which is a peer group's name too */
	enum swmesh_rule rule[2];  /* _filter: in, out */
	struct swmesh_limit limit; /* _limit; max 0: nothing said */
};

/* NULL: nothing has been said. */
struct swmesh_policy *swmesh_policy_find(const struct bgp *bgp,
					 const char *neighbor);
/* Made when missing. */
struct swmesh_policy *swmesh_policy_get(const struct bgp *bgp,
					const char *neighbor);
/* Something has been said about somebody: a quick look before a search. */
bool swmesh_policies_exist(void);
/* It has a neighbor or a peer group by that name. */
bool swmesh_neighbor_exists(struct bgp *bgp, const char *neighbor);
/* Those of an instance, by the neighbors' names. */
void swmesh_policy_walk(const struct bgp *bgp,
			void (*func)(const struct swmesh_policy *p, void *arg),
			void *arg);
/* A command has run: neighbors it has removed have no policy any more. */
void swmesh_policy_forget(const char *command);
void swmesh_policy_init(void);

/* ---- _filter ---- */

/* RFC 9012 section 11 (B6): whether the attribute and the community may come
 * from, or go to, this neighbor. */
bool swmesh_filter_allows_in(const struct peer *peer);
bool swmesh_filter_allows_out(const struct peer *peer);
/* Families whose Encapsulation communities are a TEA's short form and filtered
 * like it; elsewhere (EVPN, RFC 8365) they mean something of their own. */
bool swmesh_af_is_ip(afi_t afi, safi_t safi);
void swmesh_filter_init(void);

/* ---- _out ---- */

/* Encapsulation communities (RFC 9012 section 4.1). The second returns a new
 * one without them, not interned; NULL when nothing is left. */
bool swmesh_has_encap(const struct ecommunity *ecom);
struct ecommunity *swmesh_without_encap(struct ecommunity *from);
/* Look after new update groups and subgroups. */
void swmesh_out_check(void);
void swmesh_out_init(void);

/* ---- _stats ---- */

enum swmesh_count {
	SWMESH_COUNT_RECEIVED, /* UPDATEs with attribute 23 */
	SWMESH_COUNT_ACCEPTED,
	SWMESH_COUNT_WITHDRAWN,	 /* refused: treat-as-withdraw (B7, B10) */
	SWMESH_COUNT_TRIMMED,	 /* accepted without some TLVs (B9) */
	SWMESH_COUNT_DUPLICATES, /* further attributes 23 discarded */
	SWMESH_COUNT_FILTERED,	 /* taken out, eBGP (B6) */
	SWMESH_COUNT_COMMUNITY_FILTERED,
	SWMESH_COUNT_DENIED, /* routes that SOFTWIRE-IN refused */
	SWMESH_COUNT_MAX,
};

/* Octets of a refused attribute that are kept for show. */
#define SWMESH_SAMPLE 64

PREDECL_RBTREE_UNIQ(swmesh_peer_table);

struct swmesh_peer {
	struct swmesh_peer_table_item item;
	char *instance; /* VRF or view name */
	char *host;
	uint64_t count[SWMESH_COUNT_MAX];
	struct swmesh_quota quota; /* _use */
	unsigned int n_uses;	   /* _use: that point here */
	bool collided; /* a SW-NHOP of its routes was another pair's */
	/* The last one refused. */
	char reason[TEA_TEXT_LEN];
	time_t refused_at; /* monotonic, seconds */
	size_t sample_len, sample_of;
	uint8_t sample[SWMESH_SAMPLE];
};

/* What is counted about a neighbor; made when missing. */
struct swmesh_peer *swmesh_peer_get(const struct peer *peer);
/* NULL: nothing yet. */
struct swmesh_peer *swmesh_peer_find(const struct peer *peer);
void swmesh_peer_refused(struct swmesh_peer *stats, const char *reason,
			 const uint8_t *attr, size_t len);
/* In order of their names. */
void swmesh_peer_walk(void (*func)(const struct swmesh_peer *p, void *arg),
		      void *arg);
void swmesh_stats_fini(void);

/* ---- _rx ---- */

void swmesh_rx_init(void);
void swmesh_rx_fini(void);

/* ---- _nhop ---- */

PREDECL_HASH(swmesh_nhop_by_key);
PREDECL_HASH(swmesh_nhop_by_addr);

/*
 * Routes of one family that came with this (next hop, attribute), whatever keys
 * the attribute announces (S5). The family belongs to it because tunnels do:
 * what carries IPv4 need not carry IPv6 (RFC 9012 section 3.4.1), and neither
 * is to suffer from the other.
 */
struct swmesh_nhop {
	struct swmesh_nhop_by_key_item by_key;
	struct swmesh_nhop_by_addr_item by_addr;
	struct in6_addr addr;	  /* the SW-NHOP */
	struct in6_addr next_hop; /* IPv4 as ::ffff:a.b.c.d */
	/* The routes' next hop was in NEXT_HOP, not MP_REACH_NLRI. */
	bool classic;
	afi_t afi;     /* of the routes */
	uint64_t hash; /* of next hop, identity and family */
	/* The attribute's value without the values of keys (tea_identity()). */
	uint8_t *identity;
	size_t identity_len;
	uint8_t *tea; /* the value that was received last */
	size_t tea_len;
	uint32_t routes_ipv4, routes_ipv6;
	uint32_t sent_ipv4, sent_ipv6;
	bool sent;	 /* swmeshd knows of it */
	bool tea_sent;	 /* ... and of this attribute */
	bool fresh;	 /* not counted yet */
	bool retired;	 /* of a prefix that was configured before */
	int64_t idle_ms; /* since when no route uses it; 0: in use */
	int64_t gone_ms; /* when swmeshd was told so; 0: not yet */
	/* _use: softwires it counts for, the neighbors whose routes use it. */
	uint32_t weight;
	struct swmesh_use *uses;
	uint32_t looked_at; /* round in which the uses were looked at */
	bool contested;	    /* another pair would have its address */
	/* What swmeshd told. */
	bool state_known, state_marked, up;
	char *tunnel;
	char *reason;
};

/*
 * The SW-NHOP of a neighbor's route, by its next hop and the attribute's value
 * (design decision 3), one for all values that differ in keys alone; swmeshd
 * will be told this one.  NULL: the neighbor may not have one more, the
 * attribute is too long, or another pair has that address already; nothing is
 * stored then.
 */
struct swmesh_nhop *swmesh_nhop_get(const struct peer *peer,
				    const struct in6_addr *next_hop,
				    bool classic, afi_t afi, const uint8_t *tea,
				    size_t len);
/* Where an instance's next-hop tracking has the paths that use it, or NULL. */
struct bgp_nexthop_cache *swmesh_nhop_bnc(const struct swmesh_nhop *n,
					  struct bgp *bgp);
/* The one after `prev`, the first for NULL; NULL at the end. */
struct swmesh_nhop *swmesh_nhop_next(struct swmesh_nhop *prev);
/* Whether it is the SW-NHOP of this attribute, the values of keys apart. */
bool swmesh_nhop_serves(struct swmesh_nhop *n, const uint8_t *tea, size_t len);
/* By its address; NULL when it is none of ours. */
struct swmesh_nhop *swmesh_nhop_find(const struct in6_addr *addr);
/* Whether the address lies inside the SW-NHOP prefix. */
bool swmesh_nhop_covers(const struct in6_addr *addr);
/* All of them, with fresh counts. */
void swmesh_nhop_walk(void (*func)(const struct swmesh_nhop *n, void *arg),
		      void *arg);
/* The tables have changed: count again before long. */
void swmesh_nhop_touch(void);
/* The prefix has changed. */
void swmesh_nhop_reset(void);
/*
 * An address is ours no more (IPv4 as ::ffff:a.b.c.d).  While it was, bgpd took
 * routes with that next hop for its own and unusable (bgp_nexthop_self()); it
 * looks at them again only when their next hop changes, and a SW-NHOP does not.
 */
void swmesh_nhop_address_gone(const struct in6_addr *addr);
/* Tell swmeshd all. */
void swmesh_nhop_send_all(void);
void swmesh_nhop_state(const Swmesh__SoftwireState *state);
void swmesh_nhop_states_mark(void);
void swmesh_nhop_states_sweep(void);
void swmesh_nhop_init(void);
void swmesh_nhop_fini(void);

/* ---- _use ---- */

/* A neighbor may have a SW-NHOP of this weight; if not, it is counted and
 * logged.  n: the one that is stored already, or NULL. */
bool swmesh_use_allowed(const struct peer *peer, uint32_t weight,
			const struct swmesh_nhop *n);
/* A route of this neighbor uses it; counted once. */
bool swmesh_use_has(const struct swmesh_nhop *n, const struct peer *peer);
void swmesh_use_add(struct swmesh_nhop *n, const struct peer *peer);
/* It draws from the pool, or does not any more; then nobody uses it. */
void swmesh_use_charge(struct swmesh_nhop *n);
void swmesh_use_release(struct swmesh_nhop *n);
/* Two pairs want the address of n; the neighbor's route is refused.  Later n is
 * gone. */
void swmesh_use_collision(struct swmesh_nhop *n, const struct peer *peer);
void swmesh_use_address_freed(void);

/* Routes have come or gone. */
void swmesh_use_changed(void);
/* Once a second at most, while routes come and go: begin; look whose routes
 * still use each; end: ask one neighbor for what was refused, if there is room.
 * True when it is to be done again though nothing comes or goes. */
void swmesh_use_check_begin(void);
void swmesh_use_check(struct swmesh_nhop *n);
bool swmesh_use_check_end(void);
/* Some neighbor has routes that were refused. */
bool swmesh_use_waiting(void);

/* What a neighbor is allowed has changed: less takes effect at once. */
void swmesh_use_limit_changed(struct peer *peer);
/* 0: as many as there can be. */
void swmesh_use_set_total(uint32_t max);
struct swmesh_pool swmesh_use_pool(void);
void swmesh_use_init(void);

/* ---- _limit ---- */

/* What is configured for a neighbor, itself or by its group. */
struct swmesh_limit swmesh_limit_of(const struct peer *peer);
void swmesh_limit_init(void);

/* ---- _nht ---- */

/* ZEBRA_NEXTHOP_UPDATE, before bgpd reads it. */
void swmesh_nht_filter(struct stream *s);

/* ---- _session ---- */

/* An address is on one of our interfaces now. */
void swmesh_session_address_added(void);

/* ---- _rmap ---- */

PREDECL_RBTREE_UNIQ(swmesh_sets);

/* An encap-set as compiled by swmeshd. */
struct swmesh_set {
	struct swmesh_sets_item item;
	char *name;
	uint8_t *tea;
	size_t tea_len;
	bool ipv4, ipv6;
	bool marked;
	/* One for each set and change of a set; never 0. */
	uint32_t serial;
	/* Holds a reference to the transit that routes get. */
	struct attr *holder;
	/* Communities to send in place of TLVs that hold nothing else (B2). */
	struct ecommunity *communities;
};

/* The one after `prev` by name, the first for NULL; NULL at the end. */
const struct swmesh_set *swmesh_set_next(const struct swmesh_set *prev);

/* Make what is missing of our route-maps. */
void swmesh_rmap_ensure(void);
/* Have bgpd run the route-maps again: policy in, announcements out. */
void swmesh_rmap_changed_in(void);
void swmesh_rmap_changed_out(void);
/* The same, for SOFTWIRE-OUT-<set> alone. */
void swmesh_rmap_changed_set(const char *name);
void swmesh_rmap_init(void);

/* ---- _sets ---- */

/* The set by that name that carries the family; NULL when there is none. */
const struct swmesh_set *swmesh_set_find(const char *name, afi_t afi);
/* The first by name that carries the family. */
const struct swmesh_set *swmesh_set_first(afi_t afi);
void swmesh_set_update(const Swmesh__EncapSet *msg);
void swmesh_set_gone(const char *name);
void swmesh_sets_mark(void);
void swmesh_sets_sweep(void);
void swmesh_sets_free(void);

/* As it is now; NULL when it has changed since. */
const struct swmesh_set *swmesh_set_by_serial(uint32_t serial);

/* ---- _attach ---- */

/* SOFTWIRE-OUT would have this route, with the prefix, announced with the set.
 */
void swmesh_attach_wish(struct bgp_path_info *path, const struct prefix *prefix,
			const struct swmesh_set *set);
bool swmesh_attach_wished(const struct attr *attr);
/* What is settled next is not of the last wish, but this announcement. */
void swmesh_attach_about(struct update_subgroup *subgrp, struct bgp_dest *dest,
			 const struct attr *attr);
/*
 * Attach the set when the next hop that goes out is ours and it is allowed;
 * else the route's own attribute stays. attr is not interned, what it points to
 * is; it has no wish afterwards. Right after swmesh_attach_wish() or _about()
 * only.
 */
void swmesh_attach_settle(struct attr *attr, bool allowed);
/* The callback or command that announced is over. */
void swmesh_attach_forget(void);
void swmesh_attach_init(void);

/* ---- _zebra ---- */

struct swmesh_config {
	bool known; /* swmeshd has told it in this life of bgpd */
	bool enabled;
	bool required; /* peer policy required */
	struct prefix_ipv6 prefix;
	char *announce; /* encap-set for SOFTWIRE-OUT; NULL: by name */
};

extern struct swmesh_config swmesh_config;
extern struct swmesh_msg swmesh_talk;

void swmesh_zebra_init(void);
void swmesh_zebra_fini(void);

/* ---- _vty ---- */

void swmesh_vty_init(void);

#endif /* SWMESH_BGP_H */
