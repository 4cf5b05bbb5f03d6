// SPDX-License-Identifier: GPL-2.0-or-later
/* How many softwires a neighbor may have; see swmesh_quota.h. */

#include <string.h>

#include "bgpd/swmesh_quota.h"

/* Times of what is left in the pool that one neighbor may have. */
#define SHARE 3

/* ---- what an attribute counts for ---- */

/* TLVs without an address stand for the route's next hop, all for one. */
static bool same_endpoint(const struct tea_tunnel *a,
			  const struct tea_tunnel *b)
{
	bool none_a = !TEA_HAS(a, TEA_SUB_ENDPOINT) ||
		      a->endpoint.family == TEA_AF_NONE;
	bool none_b = !TEA_HAS(b, TEA_SUB_ENDPOINT) ||
		      b->endpoint.family == TEA_AF_NONE;

	if (none_a || none_b)
		return none_a && none_b;
	if (a->endpoint.family != b->endpoint.family)
		return false;
	if (a->endpoint.family == TEA_AF_IPV4)
		return !memcmp(&a->endpoint.v4, &b->endpoint.v4,
			       sizeof(a->endpoint.v4));
	return !memcmp(&a->endpoint.v6, &b->endpoint.v6,
		       sizeof(a->endpoint.v6));
}

/* At least as many as swmeshd will make AFBRs of: it looks at those of types
 * and families that it can use. */
uint32_t swmesh_weight(const struct tea *tea)
{
	const struct tea_tunnel *found[SWMESH_WEIGHT_MAX];
	uint32_t n = 0, j;

	for (size_t i = 0; i < tea->n_tunnels && n < SWMESH_WEIGHT_MAX; i++) {
		for (j = 0; j < n; j++)
			if (same_endpoint(found[j], &tea->tunnels[i]))
				break;
		if (j == n)
			found[n++] = &tea->tunnels[i];
	}
	return n ? n : 1;
}

/* ---- who may have it ---- */

static uint32_t left(const struct swmesh_pool *pool)
{
	return pool->max > pool->used ? pool->max - pool->used : 0;
}

static uint32_t stored(const struct swmesh_quota *quota)
{
	return quota->held + quota->lingering;
}

/* taken: of the weight, what comes out of the pool. */
static bool pool_allows(const struct swmesh_quota *quota,
			const struct swmesh_pool *pool, uint32_t weight,
			uint32_t taken)
{
	if (taken > left(pool))
		return false;
	/* The first is anybody's, or a small pool would have none to give. */
	return !stored(quota) ||
	       stored(quota) + weight <= SHARE * (left(pool) - taken);
}

static bool limit_allows(const struct swmesh_quota *quota,
			 const struct swmesh_limit *limit, uint32_t weight)
{
	return !limit->max || (quota->held + weight <= limit->max &&
			       stored(quota) + weight <= 2 * limit->max);
}

enum swmesh_verdict swmesh_quota_ask(const struct swmesh_quota *quota,
				     const struct swmesh_limit *limit,
				     const struct swmesh_pool *pool,
				     uint32_t weight, enum swmesh_stored by)
{
	bool fits = limit_allows(quota, limit, weight);

	if (!fits && !limit->warning_only)
		return SWMESH_REFUSED_LIMIT;
	if (by == SWMESH_STORED_NOT &&
	    !pool_allows(quota, pool, weight, weight))
		return SWMESH_REFUSED_POOL;
	if (by == SWMESH_STORED_OTHER && !pool_allows(quota, pool, weight, 0))
		return SWMESH_REFUSED_SHARE;
	return fits ? SWMESH_FITS : SWMESH_FITS_WARNING;
}

/* Of what is there: held + x <= SHARE * (left - x), for the largest x. */
uint32_t swmesh_quota_share(const struct swmesh_quota *quota,
			    const struct swmesh_pool *pool)
{
	uint32_t room = SHARE * left(pool);

	if (room <= stored(quota))
		return quota->held;
	return quota->held + (room - stored(quota)) / (SHARE + 1);
}

/* ---- what was refused ---- */

static void keep_smaller(uint32_t *slot, uint32_t weight)
{
	if (!*slot || weight < *slot)
		*slot = weight;
}

void swmesh_quota_refused(struct swmesh_quota *quota,
			  enum swmesh_verdict verdict, uint32_t weight)
{
	quota->refused++;
	if (verdict == SWMESH_REFUSED_LIMIT)
		keep_smaller(&quota->waits_limit, weight);
	else if (verdict == SWMESH_REFUSED_POOL)
		keep_smaller(&quota->waits_pool, weight);
	else
		keep_smaller(&quota->waits_share, weight);
}

bool swmesh_quota_waits(const struct swmesh_quota *quota)
{
	return quota->waits_limit || quota->waits_pool || quota->waits_share;
}

void swmesh_quota_wait_no_more(struct swmesh_quota *quota)
{
	quota->waits_limit = quota->waits_pool = quota->waits_share = 0;
}

static bool has_room(const struct swmesh_quota *quota,
		     const struct swmesh_limit *limit,
		     const struct swmesh_pool *pool, uint32_t weight,
		     enum swmesh_stored by)
{
	return weight && swmesh_quota_ask(quota, limit, pool, weight, by) <=
				 SWMESH_FITS_WARNING;
}

bool swmesh_quota_may_ask(const struct swmesh_quota *quota,
			  const struct swmesh_limit *limit,
			  const struct swmesh_pool *pool, int64_t now_ms)
{
	if (quota->pause_ms && now_ms - quota->asked_ms < quota->pause_ms)
		return false;
	/* What its own limit stopped may be stored by somebody else. */
	return has_room(quota, limit, pool, quota->waits_limit,
			SWMESH_STORED_OTHER) ||
	       has_room(quota, limit, pool, quota->waits_share,
			SWMESH_STORED_OTHER) ||
	       has_room(quota, limit, pool, quota->waits_pool,
			SWMESH_STORED_NOT);
}

void swmesh_quota_asked(struct swmesh_quota *quota, int64_t now_ms)
{
	bool again = quota->pause_ms &&
		     now_ms - quota->asked_ms < 4 * (int64_t)quota->pause_ms;

	swmesh_quota_wait_no_more(quota);
	quota->asked_ms = now_ms;
	if (!again)
		quota->pause_ms = SWMESH_ASK_MIN_MS;
	else if (quota->pause_ms < SWMESH_ASK_MAX_MS)
		quota->pause_ms *= 2;
}

bool swmesh_quota_is_low(const struct swmesh_quota *quota,
			 const struct swmesh_limit *limit,
			 const struct swmesh_pool *pool)
{
	uint32_t weight = quota->held / 8 + 1;

	return limit_allows(quota, limit, weight) &&
	       pool_allows(quota, pool, weight, weight);
}
