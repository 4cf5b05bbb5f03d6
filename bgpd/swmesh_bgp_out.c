// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an announcement may contain: the eBGP filter (B6) for all families, no
 * SW-NHOP, and our encap-set where the next hop is ours (_attach).
 *
 * bgpd has no hook for it, but every announcement is interned by its subgroup's
 * hash (bgp_updgrp_adv.c:540, bgp_advertise_attr_intern()), and the hash's key
 * function is a field of the public struct hash.  Ours is given the reference
 * to intern, may exchange its attr, and computes the key that bgpd's would.
 *
 * For that a subgroup's rule must hold for its whole life and for all its
 * neighbors.  So the rule is part of the update group's hash key too, in the
 * same way; and some neighbors have a group of their own (is_alone()).
 */

#include <zebra.h>

#include "lib/hash.h"
#include "lib/hook.h"
#include "lib/jhash.h"
#include "lib/libfrr.h"

#include "bgpd/bgpd.h"
#include "bgpd/bgp_advertise.h"
#include "bgpd/bgp_attr.h"
#include "bgpd/bgp_ecommunity.h"
#include "bgpd/bgp_route.h"
#include "bgpd/bgp_updgrp.h"

#include "bgpd/swmesh_bgp.h"

DEFINE_MTYPE_STATIC(SWMESH, SWMESH_GROUP, "Update group rule");

/* ---- update groups ---- */

/* The rule of an update group that exists, by its id: fixed when first seen,
 * since it is part of the group's hash key. */
PREDECL_HASH(groups);

struct rule_group {
	struct groups_item item;
	uint64_t id;
	bool strip;
	bool live;
};

static int group_cmp(const struct rule_group *a, const struct rule_group *b)
{
	return numcmp(a->id, b->id);
}

static uint32_t group_hash(const struct rule_group *g)
{
	return jhash_2words(g->id, g->id >> 32, 0);
}

DECLARE_HASH(groups, struct rule_group, item, group_cmp, group_hash);
static struct groups_head groups = INIT_HASH(groups);

static unsigned int (*bgpd_group_key)(const void *);
static bool (*bgpd_group_cmp)(const void *, const void *);
/* A neighbor looks for its group, or a subgroup has split, since the last scan:
 * a subgroup may be new, or in another group. */
static bool groups_touched;
static uint64_t seen_subgrp;

static bool group_strips(const struct update_group *updgrp)
{
	struct rule_group ref = {.id = updgrp->id};
	struct rule_group *g;

	/* No id: a peer's wishes, to look a group up with. */
	if (!updgrp->id)
		return !swmesh_filter_allows_out(updgrp->conf);
	g = groups_find(&groups, &ref);
	if (!g) {
		g = XCALLOC(MTYPE_SWMESH_GROUP, sizeof(*g));
		g->id = updgrp->id;
		g->strip = !swmesh_filter_allows_out(updgrp->conf);
		groups_add(&groups, g);
	}
	g->live = true;
	return g->strip;
}

/*
 * An eBGP neighbor on the subnet of a third party's next hop gets that one, any
 * other gets our address (bpacket_reformat_for_peer()): of the same
 * announcement, which cannot be right with one attribute for both.
 */
static bool is_alone(const struct update_group *updgrp)
{
	const struct peer *conf = updgrp->conf;

	return group_strips(updgrp) ||
	       (conf->sort == BGP_PEER_EBGP &&
		ROUTE_MAP_OUT_NAME(&conf->filter[updgrp->afi][updgrp->safi]));
}

static unsigned int group_key(const void *p)
{
	const struct update_group *updgrp = p;
	const char *host = updgrp->conf->host;
	unsigned int key = bgpd_group_key(p);

	groups_touched = true;
	swmesh_post();
	if (is_alone(updgrp))
		key = jhash(host, strlen(host), key);
	return key;
}

static bool group_same(const void *p1, const void *p2)
{
	const struct update_group *g1 = p1;
	const struct update_group *g2 = p2;

	if (!bgpd_group_cmp(p1, p2) || group_strips(g1) != group_strips(g2))
		return false;
	return !is_alone(g1) || !strcmp(g1->conf->host, g2->conf->host);
}

/* ---- announcements ---- */

struct ecommunity *swmesh_without_encap(struct ecommunity *from)
{
	struct ecommunity *to = ecommunity_dup(from);

	if (ecommunity_strip(to, ECOMMUNITY_ENCODE_OPAQUE,
			     ECOMMUNITY_OPAQUE_SUBTYPE_ENCAP) &&
	    to->size)
		return to;
	ecommunity_free(&to);
	return NULL;
}

bool swmesh_has_encap(const struct ecommunity *ecom)
{
	if (!ecom || ecom->unit_size != ECOMMUNITY_SIZE)
		return false;
	for (uint32_t i = 0; i < ecom->size; i++) {
		const uint8_t *p = ecom->val + i * ECOMMUNITY_SIZE;

		if (p[0] == ECOMMUNITY_ENCODE_OPAQUE &&
		    p[1] == ECOMMUNITY_OPAQUE_SUBTYPE_ENCAP)
			return true;
	}
	return false;
}

/*
 * A SW-NHOP is for our own next-hop tracking; where bgpd would send it on, the
 * routes' own next hop goes out again (design decision 6 of doc/module.md).
 */
static const struct swmesh_nhop *hidden_next_hop(const struct attr *attr)
{
	if (!attr->mp_nexthop_len ||
	    !swmesh_nhop_covers(&attr->mp_nexthop_global))
		return NULL;
	return swmesh_nhop_find(&attr->mp_nexthop_global);
}

/* bgpd has made an attribute 23 of its own (VNC), which it keeps apart. */
static bool has_own_tea(const struct attr *attr)
{
	return attr->encap_subtlvs != NULL;
}

/* What may not leave. */
enum strip {
	STRIP_NOTHING,
	STRIP_TEA,
	STRIP_ALL, /* Encapsulation communities, too */
};

/* What may leave of attr; takes over the reference and returns one. */
static struct attr *outgoing(struct attr *attr, enum strip strip)
{
	const struct swmesh_nhop *nhop = hidden_next_hop(attr);
	struct swmesh_found found;
	bool tea = strip && swmesh_transit_find(attr->transit, &found);
	bool own = strip && has_own_tea(attr);
	bool community =
		strip == STRIP_ALL && swmesh_has_encap(attr->ecommunity);
	bool wished = swmesh_attach_wished(attr);
	struct attr copy;
	struct attr *out;

	if (!nhop && !community && !tea && !own && !wished)
		return attr;
	copy = *attr;
	if (tea)
		copy.transit = swmesh_transit_replace(attr->transit, NULL, 0);
	if (own)
		copy.encap_subtlvs = NULL;
	if (community) {
		UNSET_FLAG(copy.flag, ATTR_FLAG_BIT(BGP_ATTR_EXT_COMMUNITIES));
		bgp_attr_set_ecommunity(&copy,
					swmesh_without_encap(attr->ecommunity));
	}
	if (nhop) {
		copy.mp_nexthop_global = nhop->next_hop;
		if (nhop->classic)
			SET_FLAG(copy.flag, ATTR_FLAG_BIT(BGP_ATTR_NEXT_HOP));
	}
	/* The last: it asks for the next hop. */
	if (wished)
		swmesh_attach_settle(&copy, strip == STRIP_NOTHING);
	out = bgp_attr_intern(&copy);
	bgp_attr_unintern(&attr);
	return out;
}

/* An interned advertisement has nothing left to take out, so that for it the
 * key stays what it was. */
static unsigned int advertise_key(const void *p, enum strip strip)
{
	struct bgp_advertise_attr *baa = (struct bgp_advertise_attr *)p;

	if (!swmesh_stopping && baa->attr)
		baa->attr = outgoing(baa->attr, strip);
	return attrhash_key_make(baa->attr);
}

static unsigned int key_pass(const void *p)
{
	return advertise_key(p, STRIP_NOTHING);
}

static unsigned int key_strip_tea(const void *p)
{
	return advertise_key(p, STRIP_TEA);
}

static unsigned int key_strip_all(const void *p)
{
	return advertise_key(p, STRIP_ALL);
}

typedef unsigned int (*hash_key)(const void *);

static hash_key wanted_key(const struct update_group *updgrp, bool strip)
{
	if (!strip)
		return key_pass;
	return swmesh_af_is_ip(updgrp->afi, updgrp->safi) ? key_strip_all
							  : key_strip_tea;
}

/* ---- finding groups and subgroups ---- */

static void announce_again(struct update_subgroup *subgrp)
{
	struct peer_af *paf;

	SUBGRP_FOREACH_PEER (subgrp, paf)
		bgp_announce_route(PAF_PEER(paf), paf->afi, paf->safi, true);
}

/*
 * A subgroup that has split off another may have announcements queued already,
 * which no function of ours has seen (peer_af_announce_route()). None has been
 * sent: the post run comes first. So they are interned again, in a hash with
 * our function.
 */
static void rehash(struct update_subgroup *subgrp, hash_key want)
{
	struct hash *old = subgrp->hash;
	struct bgp_advertise *adv;

	subgrp->hash = hash_create(want, old->hash_cmp, old->name);
	frr_each (bgp_adv_fifo, &subgrp->sync->update, adv) {
		struct attr *attr = bgp_attr_intern(adv->baa->attr);

		bgp_advertise_delete(adv->baa, adv);
		adv->next = adv->prev = NULL;
		bgp_advertise_attr_unintern(old, adv->baa);
		swmesh_attach_about(subgrp, adv->dest, attr);
		adv->baa = bgp_advertise_attr_intern(subgrp->hash, attr);
		bgp_advertise_add(adv->baa, adv);
		bgp_attr_unintern(&attr);
	}
	swmesh_attach_forget();
	hash_free(old);
}

static void hook_subgroup(struct update_subgroup *subgrp, bool strip)
{
	hash_key want = wanted_key(subgrp->update_group, strip);
	bool fresh = subgrp->hash->hash_key == bgp_advertise_attr_hash_key;

	if (subgrp->hash->hash_key == want)
		return;
	if (hashcount(subgrp->hash))
		rehash(subgrp, want);
	else
		subgrp->hash->hash_key = want;
	if (!fresh)
		announce_again(subgrp);
}

static void hook_group(struct hash_bucket *bucket, void *arg)
{
	struct update_group *updgrp = bucket->data;
	struct update_subgroup *subgrp;
	bool strip = group_strips(updgrp);

	UPDGRP_FOREACH_SUBGRP (updgrp, subgrp)
		hook_subgroup(subgrp, strip);
}

static void hook_instance(struct bgp *bgp)
{
	int afid;

	AF_FOREACH (afid) {
		struct hash *hash = bgp->update_groups[afid];

		if (!hash)
			continue;
		if (hash->hash_key != group_key) {
			bgpd_group_key = hash->hash_key;
			bgpd_group_cmp = hash->hash_cmp;
			hash->hash_key = group_key;
			hash->hash_cmp = group_same;
		}
		hash_iterate(hash, hook_group, NULL);
	}
}

static void scan_groups(void)
{
	struct listnode *node;
	struct rule_group *g;
	struct bgp *bgp;

	frr_each (groups, &groups, g)
		g->live = false;
	for (ALL_LIST_ELEMENTS_RO(bm->bgp, node, bgp))
		hook_instance(bgp);
	frr_each_safe (groups, &groups, g)
		if (!g->live) {
			groups_del(&groups, g);
			XFREE(MTYPE_SWMESH_GROUP, g);
		}
	groups_touched = false;
	seen_subgrp = bm->subgrp_idspace;
}

/* True when all instances have our functions. */
static bool instances_hooked(void)
{
	struct listnode *node;
	struct bgp *bgp;

	for (ALL_LIST_ELEMENTS_RO(bm->bgp, node, bgp)) {
		struct hash *hash = bgp->update_groups[BGP_AF_IPV4_UNICAST];

		if (hash && hash->hash_key != group_key)
			return false;
	}
	return true;
}

void swmesh_out_check(void)
{
	if (groups_touched || seen_subgrp != bm->subgrp_idspace ||
	    !instances_hooked())
		scan_groups();
}

/* Groups are deleted by their keys after the module's other parts are gone. */
static int last_fini(void)
{
	struct rule_group *g;

	while ((g = groups_pop(&groups)))
		XFREE(MTYPE_SWMESH_GROUP, g);
	groups_fini(&groups);
	return 0;
}

void swmesh_out_init(void)
{
	hook_register(frr_fini, last_fini);
}
