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

static bool pool_allows(const struct swmesh_quota *quota,
			const struct swmesh_pool *pool, uint32_t weight)
{
	if (weight > left(pool))
		return false;
	/* The first is anybody's, or a small pool would have none to give. */
	return !stored(quota) ||
	       stored(quota) + weight <= SHARE * (left(pool) - weight);
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
				     uint32_t weight, bool is_stored)
{
	bool fits = limit_allows(quota, limit, weight);

	if (!fits && !limit->warning_only)
		return SWMESH_REFUSED_LIMIT;
	if (!is_stored && !pool_allows(quota, pool, weight))
		return SWMESH_REFUSED_POOL;
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
	keep_smaller(verdict == SWMESH_REFUSED_LIMIT ? &quota->waits_limit
						     : &quota->waits_pool,
		     weight);
}

bool swmesh_quota_waits(const struct swmesh_quota *quota)
{
	return quota->waits_limit || quota->waits_pool;
}

bool swmesh_quota_may_ask(const struct swmesh_quota *quota,
			  const struct swmesh_limit *limit,
			  const struct swmesh_pool *pool, int64_t now_ms)
{
	if (quota->pause_ms && now_ms - quota->asked_ms < quota->pause_ms)
		return false;
	/* What its own limit stopped may be stored by somebody else. */
	if (quota->waits_limit &&
	    swmesh_quota_ask(quota, limit, pool, quota->waits_limit, true) <=
		    SWMESH_FITS_WARNING)
		return true;
	return quota->waits_pool &&
	       swmesh_quota_ask(quota, limit, pool, quota->waits_pool, false) <=
		       SWMESH_FITS_WARNING;
}

void swmesh_quota_asked(struct swmesh_quota *quota, int64_t now_ms)
{
	bool again = quota->pause_ms &&
		     now_ms - quota->asked_ms < 4 * (int64_t)quota->pause_ms;

	quota->waits_limit = quota->waits_pool = 0;
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
	       pool_allows(quota, pool, weight);
}
