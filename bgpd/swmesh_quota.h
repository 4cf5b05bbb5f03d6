/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many softwires a neighbor may have: the arithmetic. No FRR.
 *
 * What is counted is what an attribute costs: as many softwires as it names
 * endpoints, which is one for any real AFBR. All neighbors draw from one pool.
 * A neighbor may have three times what would then be left in it (the dynamic
 * threshold of Choudhury and Hahne's shared buffers): so one alone gets three
 * quarters, which a route reflector needs, and however many take all they can
 * get, something is left for the next. What a neighbor shares counts for it in
 * full: else one would bring softwires in and hand them to another, and then
 * have its own share again.
 */
#ifndef SWMESH_QUOTA_H
#define SWMESH_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/tea.h"

/* All neighbors together: half of what swmeshd takes (MESH_AFBRS_MAX), since it
 * keeps the softwires of a bgpd that has restarted for some time. */
#define SWMESH_POOL_MAX 8192

/* Softwires one attribute may count for: swmeshd looks at no more endpoints. */
#define SWMESH_WEIGHT_MAX 8

/* A neighbor with refused routes is asked for them again at these intervals,
 * the first of them doubled each time; milliseconds. */
#define SWMESH_ASK_MIN_MS 10000
#define SWMESH_ASK_MAX_MS 320000

struct swmesh_pool {
	uint32_t max, used;
};

/* One neighbor's. All zeroes to begin with. */
struct swmesh_quota {
	uint32_t held;
	/* No route uses these any more, but they are still stored: or whoever
	 * announces and withdraws would take the pool bit by bit. */
	uint32_t lingering;
	uint64_t refused; /* routes, since bgpd has started */
	/* Of the routes refused since the neighbor was asked last: the smallest
	 * number of softwires that one needs, by why it was refused; 0: none.
	 */
	uint32_t waits_limit, waits_pool, waits_share;
	bool told;	   /* the log has it that the bound is reached */
	uint32_t pause_ms; /* 0: never asked */
	int64_t asked_ms;
};

/* What the operator allows a neighbor; max 0: as much as the pool does. As many
 * again may linger. */
struct swmesh_limit {
	uint32_t max;
	bool warning_only;
};

enum swmesh_verdict {
	SWMESH_FITS,
	SWMESH_FITS_WARNING,  /* over the limit, which is a warning only */
	SWMESH_REFUSED_LIMIT, /* the neighbor's own */
	SWMESH_REFUSED_POOL,  /* its share of the pool */
	SWMESH_REFUSED_SHARE, /* the same, of what another neighbor has */
};

/* Whose the softwires are already that a neighbor asks for. */
enum swmesh_stored {
	SWMESH_STORED_NOT,
	SWMESH_STORED_OTHER, /* another's: they take nothing from the pool */
	SWMESH_STORED_OWN,   /* they linger, and so count for it already */
};

/* Softwires that a decoded attribute counts for, at least 1. */
uint32_t swmesh_weight(const struct tea *tea);

/* Whether a neighbor may have so many softwires more. */
enum swmesh_verdict swmesh_quota_ask(const struct swmesh_quota *quota,
				     const struct swmesh_limit *limit,
				     const struct swmesh_pool *pool,
				     uint32_t weight,
				     enum swmesh_stored stored);

/* What a neighbor may have of the pool, as things are. */
uint32_t swmesh_quota_share(const struct swmesh_quota *quota,
			    const struct swmesh_pool *pool);

/* A route that needs so many was refused. */
void swmesh_quota_refused(struct swmesh_quota *quota,
			  enum swmesh_verdict verdict, uint32_t weight);

/* Routes were refused, and the neighbor was not asked for them since. */
bool swmesh_quota_waits(const struct swmesh_quota *quota);
/* All its routes will come anew. */
void swmesh_quota_wait_no_more(struct swmesh_quota *quota);

/* There is room for at least one of them, and it is time to ask. */
bool swmesh_quota_may_ask(const struct swmesh_quota *quota,
			  const struct swmesh_limit *limit,
			  const struct swmesh_pool *pool, int64_t now_ms);

/* The neighbor is asked for its routes. */
void swmesh_quota_asked(struct swmesh_quota *quota, int64_t now_ms);

/* It has given back enough for the log to tell of the next time. */
bool swmesh_quota_is_low(const struct swmesh_quota *quota,
			 const struct swmesh_limit *limit,
			 const struct swmesh_pool *pool);

#endif /* SWMESH_QUOTA_H */
