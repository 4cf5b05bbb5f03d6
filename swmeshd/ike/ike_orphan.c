// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SAs and policies in the kernel that a charon left behind when it died, and
 * that its successor knows nothing of. While nothing else protects, they go on
 * carrying packets; then they go. A policy that stayed would drop, for ever,
 * what is sent in clear by a later configuration. Ours are known by the request
 * ID, which is made of the pair of addresses.
 */
#include <zebra.h>

#include "lib/log_limit.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/model/settle.h"
#include "swmeshd/ike/ike_peer.h"
#include "swmeshd/xfrm/xfrm.h"
#include "swmeshd/swmeshd.h"

/* SAs of a pair that are looked at; there are two for each child. */
#define PAIR_SAS_MAX 64
/* Pairs of nobody's that are cleared at a time. */
#define PAIRS_MAX 64

static bool charon_has(const struct ike_peer *peer, uint32_t spi)
{
	const struct ike_sa *sa;

	frr_each (ike_sas_const, &peer->sas, sa)
		for (unsigned int i = 0; i < sa->n_children; i++)
			if (sa->children[i].spi_in == spi ||
			    sa->children[i].spi_out == spi)
				return true;
	return false;
}

static bool spis_have(const struct ike_spis *spis, uint32_t spi)
{
	for (unsigned int i = 0; i < spis->n; i++)
		if (spis->spi[i] == spi)
			return true;
	return false;
}

/* Those that charon did not know of last time either: what is being set up is
 * in the kernel before charon tells of it. */
static void drop_sas(struct ike_peer *peer)
{
	struct xfrm_sa sas[PAIR_SAS_MAX];
	struct ike_spis before = peer->orphans;
	uint32_t keep[PAIR_SAS_MAX];
	unsigned int n, n_keep = 0;

	peer->orphans.n = 0;
	n = swmesh_xfrm_sas(&peer->local, &peer->addr, sas, PAIR_SAS_MAX);
	for (unsigned int i = 0; i < n; i++) {
		if (charon_has(peer, sas[i].spi)) {
			keep[n_keep++] = sas[i].spi;
			continue;
		}
		if (!spis_have(&before, sas[i].spi)) {
			keep[n_keep++] = sas[i].spi;
			if (peer->orphans.n < IKE_SPIS_MAX)
				peer->orphans.spi[peer->orphans.n++] =
					sas[i].spi;
		}
	}
	if (n_keep < n) {
		n = swmesh_xfrm_purge(&peer->local, &peer->addr, keep, n_keep);
		DEBUGD(&swmesh_dbg_ike,
		       "ike: peer %pIA: %u SAs that a charon left behind are removed",
		       &peer->addr, n);
	}
}

static bool charon_has_kind(const struct ike_peer *peer, enum ike_kind kind)
{
	const struct ike_sa *sa;

	frr_each (ike_sas_const, &peer->sas, sa)
		for (unsigned int i = 0; i < sa->n_children; i++)
			if (sa->children[i].kind == kind)
				return true;
	return false;
}

static void purge_policies(const struct ike_peer *peer, enum ike_kind kind)
{
	swmesh_xfrm_purge_policies(&peer->local, &peer->addr,
				   ike_reqid(&peer->local, &peer->addr, kind));
}

/* Of protocols that are not wanted any more: those that are keep theirs. */
static void drop_policies(const struct ike_peer *peer)
{
	if (!swmesh_grace_over())
		return;
	for (unsigned int k = 0; k < IKE_CHILDREN; k++)
		if (!peer->child[k].wanted && !charon_has_kind(peer, k))
			purge_policies(peer, k);
}

bool ike_orphans_drop(struct ike_peer *peer)
{
	if (peer->state != IKE_UP || !ike_peer_protected(peer)) {
		peer->orphans.n = 0;
		return false;
	}
	drop_sas(peer);
	drop_policies(peer);
	return peer->orphans.n != 0;
}

void ike_orphans_release(const struct ike_peer *peer)
{
	struct xfrm_sa sas[PAIR_SAS_MAX];
	uint32_t keep[PAIR_SAS_MAX];
	unsigned int n, n_keep = 0;

	n = swmesh_xfrm_sas(&peer->local, &peer->addr, sas, PAIR_SAS_MAX);
	for (unsigned int i = 0; ike_synced() && i < n; i++)
		if (charon_has(peer, sas[i].spi))
			keep[n_keep++] = sas[i].spi;
	swmesh_xfrm_purge(&peer->local, &peer->addr, keep, n_keep);
	for (unsigned int k = 0; k < IKE_CHILDREN; k++)
		if (!ike_synced() || !charon_has_kind(peer, k))
			purge_policies(peer, k);
}

/* ---- of no peer ---- */

static bool is_nobodys(const struct ipaddr *local, const struct ipaddr *remote,
		       uint32_t reqid)
{
	for (unsigned int k = 0; k < IKE_CHILDREN; k++)
		if (ike_reqid_is(reqid, k) &&
		    reqid == ike_reqid(local, remote, k))
			return !ike_peer_find(remote);
	return false;
}

void ike_orphans_sweep(bool (*in_charon)(const struct ipaddr *remote))
{
	struct xfrm_pair pairs[PAIRS_MAX];
	unsigned int n = swmesh_xfrm_pairs(is_nobodys, pairs, PAIRS_MAX);

	for (unsigned int i = 0; i < n; i++) {
		const struct xfrm_pair *pair = &pairs[i];

		if (in_charon(&pair->remote))
			continue;
		zlog_notice_limited(
			0,
			"ike: AFBR %pIA is none any more; what a charon left behind for it in the kernel is removed",
			&pair->remote);
		swmesh_xfrm_purge(&pair->local, &pair->remote, NULL, 0);
		for (unsigned int k = 0; k < IKE_CHILDREN; k++)
			swmesh_xfrm_purge_policies(
				&pair->local, &pair->remote,
				ike_reqid(&pair->local, &pair->remote, k));
	}
}
