// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is counted about each neighbor.  Kept by name, not by struct peer, which
 * comes and goes with connections; of a neighbor that is gone (a dynamic one,
 * perhaps, and these may be many) until there is no room.
 */

#include <zebra.h>

#include "bgpd/bgpd.h"

#include "bgpd/swmesh_bgp.h"

DEFINE_MTYPE_STATIC(SWMESH, SWMESH_PEER, "Neighbor statistics");

static int stats_cmp(const struct swmesh_peer *a, const struct swmesh_peer *b)
{
	int ret = strcmp(a->host, b->host);

	return ret ? ret : strcmp(a->instance, b->instance);
}

DECLARE_RBTREE_UNIQ(swmesh_peer_table, struct swmesh_peer, item, stats_cmp);

static struct swmesh_peer_table_head swmesh_peers =
	INIT_RBTREE_UNIQ(swmesh_peers);

/* The last one asked for: routes come in runs. */
static struct swmesh_peer *last;
/* When there are so many, those of neighbors that are gone go. */
#define STATS_MIN 16
static size_t sweep_at = STATS_MIN;

static bool is_gone(const struct swmesh_peer *p)
{
	struct listnode *node;
	struct bgp *bgp;

	for (ALL_LIST_ELEMENTS_RO(bm->bgp, node, bgp))
		if (!strcmp(bgp->name_pretty, p->instance) &&
		    swmesh_neighbor_exists(bgp, p->host))
			return false;
	return true;
}

static void peer_free(struct swmesh_peer *p)
{
	if (p == last)
		last = NULL;
	swmesh_peer_table_del(&swmesh_peers, p);
	XFREE(MTYPE_SWMESH_PEER, p->instance);
	XFREE(MTYPE_SWMESH_PEER, p->host);
	XFREE(MTYPE_SWMESH_PEER, p);
}

/* At twice as many as were left the last time, so it costs little for each. */
static void sweep(void)
{
	struct swmesh_peer *p;

	if (swmesh_peer_table_count(&swmesh_peers) < sweep_at)
		return;
	frr_each_safe (swmesh_peer_table, &swmesh_peers, p)
		if (!p->n_uses && is_gone(p))
			peer_free(p);
	sweep_at = MAX(2 * swmesh_peer_table_count(&swmesh_peers),
		       (size_t)STATS_MIN);
}

struct swmesh_peer *swmesh_peer_find(const struct peer *peer)
{
	const struct swmesh_peer ref = {
		.instance = peer->bgp->name_pretty,
		.host = peer->host,
	};

	return swmesh_peer_table_find(&swmesh_peers, &ref);
}

struct swmesh_peer *swmesh_peer_get(const struct peer *peer)
{
	struct swmesh_peer ref = {
		.instance = peer->bgp->name_pretty,
		.host = peer->host,
	};
	struct swmesh_peer *p;

	if (last && !stats_cmp(last, &ref))
		return last;
	p = swmesh_peer_table_find(&swmesh_peers, &ref);
	if (!p) {
		sweep();
		p = XCALLOC(MTYPE_SWMESH_PEER, sizeof(*p));
		p->instance = XSTRDUP(MTYPE_SWMESH_PEER, ref.instance);
		p->host = XSTRDUP(MTYPE_SWMESH_PEER, ref.host);
		swmesh_peer_table_add(&swmesh_peers, p);
	}
	last = p;
	return p;
}

void swmesh_peer_refused(struct swmesh_peer *stats, const char *reason,
			 const uint8_t *attr, size_t len)
{
	strlcpy(stats->reason, reason, sizeof(stats->reason));
	stats->refused_at = monotime(NULL);
	stats->sample_of = len;
	stats->sample_len = MIN(len, sizeof(stats->sample));
	memcpy(stats->sample, attr, stats->sample_len);
}

void swmesh_peer_walk(void (*func)(const struct swmesh_peer *p, void *arg),
		      void *arg)
{
	struct swmesh_peer *p;

	frr_each (swmesh_peer_table, &swmesh_peers, p)
		func(p, arg);
}

void swmesh_stats_fini(void)
{
	struct swmesh_peer *p;

	while ((p = swmesh_peer_table_pop(&swmesh_peers))) {
		XFREE(MTYPE_SWMESH_PEER, p->instance);
		XFREE(MTYPE_SWMESH_PEER, p->host);
		XFREE(MTYPE_SWMESH_PEER, p);
	}
}
