// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which neighbors' routes use which SW-NHOPs, and whether a neighbor may have
 * one more: asked before anything of it is stored.
 *
 * A use comes with the first route and is looked for among the paths that
 * next-hop tracking has, now and then, so that nothing is kept for a route.  A
 * route without a use is refused its SW-NHOP by SOFTWIRE-IN, and does not come
 * in; bgpd keeps nothing of it but what "soft-reconfiguration inbound" asks
 * for.  So when there is room again the neighbor's routes are looked at anew:
 * from there, or by asking for a refresh; one neighbor a second, the one with
 * the fewest softwires first.
 */

#include <zebra.h>

#include "bgpd/bgpd.h"
#include "bgpd/bgp_nexthop.h"
#include "bgpd/bgp_packet.h"
#include "bgpd/bgp_route.h"
#include "bgpd/bgp_table.h"

#include "bgpd/swmesh_bgp.h"
#include "bgpd/swmesh_bgp_look.h"
#include "lib/hook.h"
#include "lib/log_limit.h"

DEFINE_MTYPE_STATIC(SWMESH, SWMESH_USE, "Neighbor's use of a SW-NHOP");

/* Steps of looking at a time, each a path or a use compared with it: some
 * milliseconds. */
#define LOOK_STEPS 100000
/* Routes over a limit that one round takes out, which is more work. */
#define REVOKE_PATHS 5000

struct swmesh_use {
	struct swmesh_use *next;
	struct swmesh_peer *peer;
	bool seen;
	bool lingers; /* nobody uses the SW-NHOP; this was one of the last */
	bool revoked; /* over the limit: the neighbor's routes have to go */
};

/* Routes have come or gone since a round of looking began. */
static bool changed;
static bool in_round;
static struct swmesh_pool pool = {.max = SWMESH_POOL_MAX};
/* Somebody's routes were refused. */
static bool waiting;
/* A SW-NHOP that another pair's routes were refused for is gone. */
static bool address_freed;

/* The look that is under way at the paths of a SW-NHOP. One of many paths goes
 * on the next time; routes that have come meanwhile are seen as they come. */
static struct {
	struct swmesh_nhop *n; /* NULL: none */
	struct bgp *bgp;       /* where it goes on; NULL: at the first */
	struct swmesh_place place;
	unsigned int unseen; /* uses */
	bool lost;	     /* not all paths were visited */
	bool skipped;	     /* some that have to go are left */
} walk;

static void walk_end(void)
{
	swmesh_look_end(&walk.place);
	walk.n = NULL;
	walk.bgp = NULL;
}

/* ---- the pool ---- */

struct swmesh_pool swmesh_use_pool(void)
{
	return pool;
}

void swmesh_use_charge(struct swmesh_nhop *n)
{
	pool.used += n->weight;
}

static void use_free(struct swmesh_nhop *n, struct swmesh_use *use)
{
	if (use->lingers)
		use->peer->quota.lingering -= n->weight;
	else if (!use->revoked)
		use->peer->quota.held -= n->weight;
	use->peer->n_uses--;
	XFREE(MTYPE_SWMESH_USE, use);
}

void swmesh_use_release(struct swmesh_nhop *n)
{
	struct swmesh_use *use;

	if (walk.n == n)
		walk_end();
	while ((use = n->uses)) {
		n->uses = use->next;
		use_free(n, use);
	}
	pool.used -= n->weight;
}

void swmesh_use_address_freed(void)
{
	address_freed = true;
}

/* ---- who may have one ---- */

static void tell(const struct peer *peer, struct swmesh_quota *quota,
		 const struct swmesh_limit *limit, enum swmesh_verdict verdict)
{
	if (verdict == SWMESH_FITS || quota->told)
		return;
	quota->told = true;
	switch (verdict) {
	case SWMESH_FITS_WARNING:
		zlog_warn_limited(
			peer,
			"%s: more softwires than its maximum-softwires of %u (warning-only)",
			peer->host, limit->max);
		break;
	case SWMESH_REFUSED_LIMIT:
		zlog_warn_limited(
			peer,
			"%s: maximum-softwires of %u is reached; routes that need another softwire are refused until it withdraws some",
			peer->host, limit->max);
		break;
	default:
		zlog_warn_limited(
			peer,
			"%s: has %u of all neighbors' %u softwires, and no more are for it; routes that need another one are refused; see 'show bgp softwire limits'",
			peer->host, quota->held, pool.max);
		break;
	}
}

static struct swmesh_use *use_find(const struct swmesh_nhop *n,
				   const struct swmesh_peer *stats)
{
	struct swmesh_use *use = n->uses;

	while (use && use->peer != stats)
		use = use->next;
	return use;
}

static enum swmesh_stored stored_by(const struct swmesh_nhop *n,
				    const struct swmesh_peer *stats)
{
	const struct swmesh_use *use;

	if (!n)
		return SWMESH_STORED_NOT;
	use = use_find(n, stats);
	return use && use->lingers ? SWMESH_STORED_OWN : SWMESH_STORED_OTHER;
}

bool swmesh_use_allowed(const struct peer *peer, uint32_t weight,
			const struct swmesh_nhop *n)
{
	struct swmesh_peer *stats = swmesh_peer_get(peer);
	struct swmesh_limit limit = swmesh_limit_of(peer);
	enum swmesh_verdict verdict = swmesh_quota_ask(
		&stats->quota, &limit, &pool, weight, stored_by(n, stats));

	tell(peer, &stats->quota, &limit, verdict);
	if (verdict == SWMESH_FITS || verdict == SWMESH_FITS_WARNING)
		return true;
	swmesh_quota_refused(&stats->quota, verdict, weight);
	waiting = true;
	swmesh_nhop_touch();
	return false;
}

void swmesh_use_collision(struct swmesh_nhop *n, const struct peer *peer)
{
	n->contested = true;
	swmesh_peer_get(peer)->collided = true;
}

static void see(const struct swmesh_nhop *n, struct swmesh_use *use)
{
	if (walk.n == n && !use->seen)
		walk.unseen--;
	use->seen = true;
}

bool swmesh_use_has(const struct swmesh_nhop *n, const struct peer *peer)
{
	struct swmesh_use *use = use_find(n, swmesh_peer_get(peer));

	if (!use || use->lingers || use->revoked)
		return false;
	see(n, use);
	return true;
}

void swmesh_use_add(struct swmesh_nhop *n, const struct peer *peer)
{
	struct swmesh_peer *stats = swmesh_peer_get(peer);
	struct swmesh_use *use = use_find(n, stats);

	if (use) {
		if (use->lingers)
			stats->quota.lingering -= n->weight;
		use->lingers = use->revoked = false;
		see(n, use);
	} else {
		use = XCALLOC(MTYPE_SWMESH_USE, sizeof(*use));
		use->peer = stats;
		use->seen = true;
		stats->n_uses++;
		use->next = n->uses;
		n->uses = use;
	}
	stats->quota.held += n->weight;
}

/* ---- who still uses it ---- */

void swmesh_use_changed(void)
{
	changed = true;
}

static uint32_t round_now = 1;
static unsigned int steps_left, revoke_left;

static bool is_of(const struct swmesh_use *use, const struct peer *peer)
{
	return !strcmp(use->peer->host, peer->host) &&
	       !strcmp(use->peer->instance, peer->bgp->name_pretty);
}

/*
 * As if the neighbor had withdrawn the route.  Where bgpd stores what it
 * receives this would be forgotten; it looks at such routes anew itself.
 */
static void take_out(struct bgp_path_info *pi)
{
	const struct bgp_table *table = bgp_dest_table(pi->net);
	struct peer *peer = pi->peer;

	if (pi->sub_type != BGP_ROUTE_NORMAL ||
	    !swmesh_af_is_ip(table->afi, table->safi) ||
	    CHECK_FLAG(peer->af_flags[table->afi][table->safi],
		       PEER_FLAG_SOFT_RECONFIG))
		return;
	revoke_left--;
	bgp_withdraw(peer, bgp_dest_get_prefix(pi->net), pi->addpath_rx_id,
		     NULL, table->afi, table->safi, pi->type, pi->sub_type,
		     NULL, NULL, 0, NULL);
}

static struct swmesh_use *unseen_of(const struct peer *peer)
{
	struct swmesh_use *use = walk.n->uses;

	while (use && (use->seen || !is_of(use, peer))) {
		steps_left -= steps_left > 0;
		use = use->next;
	}
	return use;
}

/* Until all are seen, mostly at the first paths. */
static bool visit(struct bgp_path_info *pi)
{
	struct swmesh_use *use;

	if (CHECK_FLAG(pi->flags, BGP_PATH_REMOVED))
		return true;
	use = unseen_of(pi->peer);
	if (use && !use->revoked)
		see(walk.n, use);
	else if (use && revoke_left)
		take_out(pi);
	else if (use)
		walk.skipped = true;
	return walk.unseen > 0;
}

static void walk_begin(struct swmesh_nhop *n)
{
	walk.n = n;
	walk.bgp = NULL;
	walk.lost = walk.skipped = false;
	walk.unseen = 0;
	for (struct swmesh_use *use = n->uses; use; use = use->next) {
		use->seen = false;
		walk.unseen++;
		steps_left -= steps_left > 0;
	}
}

/* False: there are more paths. */
static bool walk_on(void)
{
	const struct bgp_nexthop_cache *bnc;
	const struct bgp *from = walk.bgp;
	enum swmesh_look result;
	struct listnode *node;
	struct bgp *bgp;

	for (ALL_LIST_ELEMENTS_RO(bm->bgp, node, bgp)) {
		if (from && bgp != from)
			continue;
		bnc = swmesh_nhop_bnc(walk.n, bgp);
		if (!from)
			swmesh_look_begin(&walk.place, bnc);
		from = NULL;
		result = swmesh_look(&walk.place, bnc, &steps_left, visit);
		walk.bgp = bgp;
		if (result == SWMESH_LOOK_MORE)
			return false;
		if (result == SWMESH_LOOK_LOST)
			walk.lost = true;
		if (!walk.unseen)
			break;
	}
	if (from) /* that instance is no more */
		walk.lost = true;
	return true;
}

/* No route uses it: it stays their last users' until it goes. */
static void let_linger(struct swmesh_nhop *n)
{
	for (struct swmesh_use *use = n->uses; use; use = use->next) {
		if (use->lingers || use->revoked)
			continue;
		use->lingers = true;
		use->peer->quota.held -= n->weight;
		use->peer->quota.lingering += n->weight;
	}
}

static void drop_unseen(struct swmesh_nhop *n)
{
	struct swmesh_use **slot = &n->uses;
	struct swmesh_use *use;

	while ((use = *slot)) {
		if (use->seen || (use->revoked && walk.skipped)) {
			slot = &use->next;
			continue;
		}
		*slot = use->next;
		use_free(n, use);
	}
}

static bool any_seen(const struct swmesh_nhop *n)
{
	const struct swmesh_use *use = n->uses;

	while (use && !use->seen)
		use = use->next;
	return use;
}

/* Who was not seen does not use it any more; if not all paths were visited,
 * that is found out in the next round. */
static void conclude(void)
{
	struct swmesh_nhop *n = walk.n;

	walk_end();
	if (walk.lost)
		changed = true;
	else if (!any_seen(n))
		let_linger(n);
	else
		drop_unseen(n);
	if (walk.skipped)
		n->looked_at = round_now - 1; /* it has more */
}

void swmesh_use_check_begin(void)
{
	steps_left = LOOK_STEPS;
	revoke_left = REVOKE_PATHS;
	if (!in_round)
		changed = false;
	in_round = true;
	if (walk.n && walk_on())
		conclude();
}

void swmesh_use_check(struct swmesh_nhop *n)
{
	if (!n->uses || !steps_left || n->looked_at == round_now)
		return;
	n->looked_at = round_now;
	walk_begin(n);
	if (walk_on())
		conclude();
	else if (SWMESH_DBG(NHOP))
		zlog_debug(
			"SW-NHOP %pI6 has many routes: looking for who uses it goes on later",
			&n->addr);
}

static int instance_deleted(struct bgp *bgp)
{
	if (walk.n)
		changed = true;
	walk_end();
	return 0;
}

void swmesh_use_init(void)
{
	hook_register(bgp_inst_delete, instance_deleted);
}

/* ---- what was refused ---- */

static void look_again_af(struct peer *peer, afi_t afi, safi_t safi)
{
	if (!peer->afc_nego[afi][safi])
		return;
	/* Labeled routes are stored where bgpd does not look for them. */
	if (CHECK_FLAG(peer->af_flags[afi][safi], PEER_FLAG_SOFT_RECONFIG) &&
	    safi != SAFI_LABELED_UNICAST)
		bgp_soft_reconfig_in(peer, afi, safi); /* sliced by bgpd */
	else if (CHECK_FLAG(peer->cap, PEER_CAP_REFRESH_OLD_RCV) ||
		 CHECK_FLAG(peer->cap, PEER_CAP_REFRESH_NEW_RCV))
		bgp_route_refresh_send(peer, afi, safi, 0, 0, 0,
				       BGP_ROUTE_REFRESH_NORMAL);
}

/* As bgpd does when a route-map has changed (bgp_routemap.c:3885-3905). */
static void look_again(struct peer *peer, struct swmesh_quota *quota)
{
	afi_t afi;
	safi_t safi;

	if (SWMESH_DBG(NHOP))
		zlog_debug(
			"%s: has %u softwires; looking again at routes that were refused",
			peer->host, quota->held);
	swmesh_quota_asked(quota, swmesh_now_ms());
	FOREACH_AFI_SAFI (afi, safi)
		if (swmesh_af_is_ip(afi, safi))
			look_again_af(peer, afi, safi);
}

static void settle(struct peer *peer, struct swmesh_peer *stats)
{
	struct swmesh_limit limit = swmesh_limit_of(peer);

	if (address_freed && stats->collided) {
		stats->collided = false;
		swmesh_quota_refused(&stats->quota, SWMESH_REFUSED_POOL, 1);
		stats->quota.refused--; /* it was counted when it was */
	}
	if (!peer_established(peer)) /* all its routes will come anew */
		swmesh_quota_wait_no_more(&stats->quota);
	if (stats->quota.told &&
	    swmesh_quota_is_low(&stats->quota, &limit, &pool))
		stats->quota.told = false;
}

/* The one to ask: of those that may be asked the one that has the fewest. */
static void better(struct peer *peer, struct swmesh_peer *stats,
		   struct peer **best, struct swmesh_quota **best_quota)
{
	struct swmesh_limit limit = swmesh_limit_of(peer);

	if (!swmesh_quota_may_ask(&stats->quota, &limit, &pool,
				  swmesh_now_ms()))
		return;
	if (*best && (*best_quota)->held <= stats->quota.held)
		return;
	*best = peer;
	*best_quota = &stats->quota;
}

static void recover(void)
{
	struct swmesh_quota *best_quota = NULL;
	struct listnode *bgp_node, *node;
	struct swmesh_peer *stats;
	struct peer *peer, *best = NULL;
	struct bgp *bgp;

	waiting = false;
	for (ALL_LIST_ELEMENTS_RO(bm->bgp, bgp_node, bgp)) {
		for (ALL_LIST_ELEMENTS_RO(bgp->peer, node, peer)) {
			stats = swmesh_peer_find(peer);
			if (!stats ||
			    !CHECK_FLAG(peer->flags, PEER_FLAG_CONFIG_NODE))
				continue; /* or a connection that just came */
			settle(peer, stats);
			if (!swmesh_quota_waits(&stats->quota))
				continue;
			waiting = true;
			better(peer, stats, &best, &best_quota);
		}
	}
	address_freed = false;
	if (best)
		look_again(best, best_quota);
}

bool swmesh_use_check_end(void)
{
	bool all = steps_left && revoke_left;

	if (all) {
		round_now++;
		in_round = false;
	}
	recover();
	return waiting || !all || changed;
}

bool swmesh_use_waiting(void)
{
	return waiting;
}

/* ---- configuration ---- */

/* Uses that are over the limit count no more; their routes go when they are
 * looked at again, or in the next rounds. */
static void trim(struct swmesh_peer *stats, uint32_t max)
{
	struct swmesh_nhop *n = NULL;
	struct swmesh_use *use;

	while (stats->quota.held > max && (n = swmesh_nhop_next(n))) {
		use = use_find(n, stats);
		if (!use || use->lingers || use->revoked)
			continue;
		use->revoked = true;
		stats->quota.held -= n->weight;
	}
}

void swmesh_use_limit_changed(struct peer *peer)
{
	struct swmesh_limit limit = swmesh_limit_of(peer);
	struct swmesh_peer *stats = swmesh_peer_find(peer);

	if (!stats)
		return;
	stats->quota.told = false;
	stats->quota.pause_ms = 0; /* the operator waits for it */
	if (limit.max && !limit.warning_only && stats->quota.held > limit.max) {
		trim(stats, limit.max);
		if (peer_established(peer))
			look_again(peer, &stats->quota);
	}
	swmesh_nhop_touch();
}

void swmesh_use_set_total(uint32_t max)
{
	pool.max = max ? max : SWMESH_POOL_MAX;
	swmesh_nhop_touch();
}
