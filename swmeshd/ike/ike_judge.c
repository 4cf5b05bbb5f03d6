// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which of a peer's SAs are good: made by what is configured and announced now.
 * The others are replaced first and taken down then, so that no packet is lost;
 * but at once if the key that authenticated them is withdrawn for sure (S5).
 */
#include <zebra.h>

#include "lib/log_limit.h"
#include "lib/vici.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/model/settle.h"
#include "swmeshd/ike/ike_peer.h"
#include "swmeshd/swmeshd.h"

/* All in milliseconds. An SA beside the good ones is taken down after that, by
 * the end with the lower address, or by the other: at different times, or each
 * could take down what the other one keeps. */
#define EXTRA_MS 3000
#define EXTRA_OTHER_MS 20000
/* The kernel lacks what charon thinks it has. */
#define ODD_MS 1000
/* The old SA of a peer that has perhaps withdrawn its key. */
#define BAD_MS 30000
/* Waiting for the peer to confirm the end of an IKE_SA. */
#define CONDEMNED_MS 3000

/* ---- which of them are good ---- */

static unsigned int hashes_common(const struct ike_hashes *a,
				  const struct ike_hashes *b)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < a->n; i++)
		n += ike_hashes_has(b, a->hash[i]);
	return n;
}

static bool sa_good(const struct ike_peer *peer, const struct ike_sa *sa)
{
	if (!sa->established || sa->condemned ||
	    memcmp(sa->digest, peer->ike_digest, IKE_DIGEST_LEN))
		return false;
	return !ike_peer_is_raw(peer) ||
	       (sa->hashes.n &&
		hashes_common(&sa->hashes, &peer->allowed) == sa->hashes.n);
}

static bool child_good(const struct ike_peer *peer,
		       const struct ike_child_sa *child)
{
	return child->kind < IKE_CHILDREN && child->installed &&
	       !child->condemned && peer->child[child->kind].wanted &&
	       !memcmp(child->digest, peer->child[child->kind].digest,
		       IKE_DIGEST_LEN);
}

static bool newer(const struct ike_sa *a, const struct ike_sa *b)
{
	return a->since != b->since ? a->since > b->since : a->id > b->id;
}

static const struct ike_child_sa *best_child(const struct ike_peer *peer,
					     const struct ike_sa *sa,
					     enum ike_kind kind)
{
	const struct ike_child_sa *best = NULL;

	for (unsigned int i = 0; i < sa->n_children; i++) {
		const struct ike_child_sa *child = &sa->children[i];

		if (child->kind == kind && child_good(peer, child) &&
		    (!best || child->since > best->since ||
		     (child->since == best->since && child->id > best->id)))
			best = child;
	}
	return best;
}

static bool has_all(const struct ike_peer *peer, const struct ike_sa *sa)
{
	for (unsigned int k = 0; k < IKE_CHILDREN; k++)
		if (peer->child[k].wanted && !best_child(peer, sa, k))
			return false;
	return true;
}

/* The newest good one with all that is wanted. */
static struct ike_sa *sa_to_keep(struct ike_peer *peer)
{
	struct ike_sa *sa, *keep = NULL;

	frr_each (ike_sas, &peer->sas, sa)
		if (sa_good(peer, sa) && has_all(peer, sa) &&
		    (!keep || newer(sa, keep)))
			keep = sa;
	return keep;
}

const struct ike_sa *ike_peer_sa(const struct ike_peer *peer)
{
	const struct ike_sa *sa, *best = NULL;

	frr_each (ike_sas_const, &peer->sas, sa) {
		if (!sa->established || sa->condemned)
			continue;
		if (!best || sa_good(peer, sa) > sa_good(peer, best) ||
		    (sa_good(peer, sa) == sa_good(peer, best) &&
		     newer(sa, best)))
			best = sa;
	}
	return best;
}

/* In the newest good one: what others have goes there, too, before they go. */
static bool child_there(const struct ike_peer *peer, enum ike_kind kind)
{
	const struct ike_sa *sa, *newest = NULL;

	frr_each (ike_sas_const, &peer->sas, sa) {
		if (!sa_good(peer, sa))
			continue;
		if (has_all(peer, sa))
			return true;
		if (!newest || newer(sa, newest))
			newest = sa;
	}
	return newest && best_child(peer, newest, kind);
}

enum ike_kind ike_missing(const struct ike_peer *peer)
{
	enum ike_kind kind = IKE_CHILDREN;

	for (unsigned int k = 0; k < IKE_CHILDREN; k++) {
		if (!peer->child[k].wanted || child_there(peer, k))
			continue;
		if (kind == IKE_CHILDREN ||
		    peer->child[k].failures < peer->child[kind].failures)
			kind = k;
	}
	return kind;
}

/* ---- taking down ---- */

void ike_sa_terminate(struct ike_peer *peer, struct ike_sa *sa, bool force)
{
	struct vici_builder b;

	DEBUGD(&swmesh_dbg_ike, "ike: peer %pIA: taking down IKE_SA %u%s",
	       &peer->addr, sa->id, force ? " by force" : "");
	sa->condemned = ike_now_ms();
	sa->forced = force;
	vici_begin(&b, VICI_CMD_REQUEST, "terminate");
	vici_key_number(&b, "ike-id", sa->id);
	if (force)
		vici_key_bool(&b, "force", true);
	vici_key_number(&b, "timeout", -1);
	ike_request(&b);
	ike_check_in(peer, CONDEMNED_MS + 100);
}

static void child_terminate(struct ike_peer *peer, struct ike_child_sa *child)
{
	struct vici_builder b;

	DEBUGD(&swmesh_dbg_ike, "ike: peer %pIA: taking down CHILD_SA %u (%s)",
	       &peer->addr, child->id, child->state);
	child->condemned = true;
	vici_begin(&b, VICI_CMD_REQUEST, "terminate");
	vici_key_number(&b, "child-id", child->id);
	vici_key_number(&b, "timeout", -1);
	ike_request(&b);
	ike_audit_in(CONDEMNED_MS);
}

/* True: some IKE_SA is on its way out. */
static bool see_condemned(struct ike_peer *peer, int64_t now)
{
	bool any = false;
	struct ike_sa *sa;

	frr_each_safe (ike_sas, &peer->sas, sa) {
		if (!sa->condemned)
			continue;
		any = true;
		if (now - sa->condemned < CONDEMNED_MS)
			continue;
		if (!sa->forced) {
			ike_sa_terminate(peer, sa, true);
			continue;
		}
		ike_sa_del(peer, sa);
		ike_audit_in(1000);
	}
	return any;
}

/* S5: no SA by a key that is not announced any more. */
static void drop_withdrawn(struct ike_peer *peer, int64_t now)
{
	struct ike_sa *sa;

	if (!ike_peer_is_raw(peer))
		return;
	frr_each (ike_sas, &peer->sas, sa) {
		unsigned int common =
			hashes_common(&sa->hashes, &peer->allowed);

		if (!sa->established || sa->condemned)
			continue;
		if (sa->hashes.n && common == sa->hashes.n) {
			sa->bad_since = 0;
			continue;
		}
		if (!sa->bad_since)
			sa->bad_since = now;
		if ((sa->hashes.n && !common) || now - sa->bad_since > BAD_MS) {
			zlog_notice_limited(
				peer,
				"ike: AFBR %pIA: it has withdrawn the key of its IKE_SA; that is taken down",
				&peer->addr);
			ike_sa_terminate(peer, sa, false);
		} else
			ike_check_in(peer, BAD_MS + 100);
	}
}

/* What charon thinks is up while the kernel has nothing. */
static void drop_odd(struct ike_peer *peer, int64_t now)
{
	struct ike_sa *sa;

	for (unsigned int k = 0; k < IKE_CHILDREN; k++) {
		struct ike_child *child = &peer->child[k];
		unsigned int ms = ODD_MS << MIN(child->failures, 6u);

		if (!child->wanted || child->up || !child_there(peer, k)) {
			child->odd_since = 0;
			continue;
		}
		if (!child->odd_since)
			child->odd_since = now;
		if (now - child->odd_since < ms) {
			ike_check_in(peer, ms + 50);
			continue;
		}
		child->odd_since = 0;
		child->failures++;
		frr_each (ike_sas, &peer->sas, sa)
			for (unsigned int i = 0; i < sa->n_children; i++)
				if (sa->children[i].kind == k &&
				    sa->children[i].installed)
					child_terminate(peer, &sa->children[i]);
	}
}

static void drop_unwanted(struct ike_peer *peer)
{
	struct ike_sa *sa;

	if (!swmesh_grace_over()) /* looked at again by the audits */
		return;
	frr_each (ike_sas, &peer->sas, sa) {
		for (unsigned int i = 0; i < sa->n_children; i++) {
			struct ike_child_sa *child = &sa->children[i];

			if (child->kind < IKE_CHILDREN && child->installed &&
			    !child->condemned && !sa->condemned &&
			    !peer->child[child->kind].wanted)
				child_terminate(peer, child);
		}
	}
}

static unsigned int extra(struct ike_peer *peer, struct ike_sa *keep, bool drop)
{
	unsigned int n = 0;
	struct ike_sa *sa;

	frr_each (ike_sas, &peer->sas, sa) {
		if (sa == keep || sa->condemned || !sa->established)
			continue;
		n++;
		if (drop)
			ike_sa_terminate(peer, sa, false);
	}
	for (unsigned int i = 0; i < keep->n_children; i++) {
		struct ike_child_sa *child = &keep->children[i];

		if (child->kind == IKE_CHILDREN || child->condemned ||
		    !peer->child[child->kind].wanted ||
		    strcmp(child->state, "INSTALLED") ||
		    child == best_child(peer, keep, child->kind))
			continue;
		n++;
		if (drop)
			child_terminate(peer, child);
	}
	return n;
}

/* One IKE_SA, and one child of each kind in it, is enough. */
static void drop_extra(struct ike_peer *peer, int64_t now)
{
	unsigned int ms = peer->initiator ? EXTRA_MS : EXTRA_OTHER_MS;
	struct ike_sa *keep = sa_to_keep(peer), *sa;
	bool stale = false;

	if (!keep || !extra(peer, keep, false)) {
		peer->extra_since = 0;
		return;
	}
	/* Only we know that an SA is not good any more. */
	frr_each (ike_sas, &peer->sas, sa)
		if (sa->established && !sa_good(peer, sa))
			stale = true;
	if (stale)
		ms = EXTRA_MS;
	if (!peer->extra_since)
		peer->extra_since = now;
	if (now - peer->extra_since < ms) {
		ike_check_in(peer, ms + 50);
		return;
	}
	peer->extra_since = 0;
	extra(peer, keep, true);
}

bool ike_sas_tidy(struct ike_peer *peer)
{
	int64_t now = ike_now_ms();

	drop_withdrawn(peer, now);
	drop_odd(peer, now);
	drop_unwanted(peer);
	drop_extra(peer, now);
	return see_condemned(peer, now) && ike_missing(peer) != IKE_CHILDREN;
}
