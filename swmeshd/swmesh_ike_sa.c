// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The SAs that charon has of a peer, and which of them are good: made by what
 * is configured and announced now. The others are replaced first and taken down
 * then, so that no packet is lost; but at once if the key that authenticated
 * them is withdrawn for sure (S5).
 */
#include <zebra.h>

#include "monotime.h"

#include "lib/vici.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_ike_peer.h"
#include "swmeshd/swmesh_vici.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, IKE_SA, "IKE_SA");

/* IKE_SAs of one peer that are remembered. */
#define IKE_SAS_MAX 16
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
#define ALLOWED_OVERLAP_MS 2000

static const uint8_t unknown[IKE_DIGEST_LEN];

/* ---- key hashes ---- */

bool ike_hashes_has(const struct ike_hashes *hashes, const uint8_t *hash)
{
	for (unsigned int i = 0; i < hashes->n; i++)
		if (!memcmp(hashes->hash[i], hash, KEY_HASH_LEN))
			return true;
	return false;
}

static unsigned int hashes_common(const struct ike_hashes *a,
				  const struct ike_hashes *b)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < a->n; i++)
		n += ike_hashes_has(b, a->hash[i]);
	return n;
}

static bool is_raw(const struct ike_peer *peer)
{
	return peer->security && peer->security->method == IKE_METHOD_RAW;
}

/* It began after charon had been given the keys of now: what came before does
 * not count. */
static bool begun_since(const struct ike_peer *peer, const struct ike_sa *sa)
{
	if (sa->initiator) /* asked for in one row with the connection */
		return peer->attempt_at >= peer->allowed_since;
	return peer->incoming == sa->id &&
	       peer->loaded_at >= peer->allowed_since &&
	       peer->incoming_at >= peer->loaded_at;
}

/* What an IKE_SA that is established now was authenticated by: one of those. */
static void hashes_now(const struct ike_peer *peer, const struct ike_sa *sa,
		       struct ike_hashes *out)
{
	*out = peer->allowed;
	if (begun_since(peer, sa) ||
	    ike_now_ms() - peer->allowed_since > ALLOWED_OVERLAP_MS)
		return;
	for (unsigned int i = 0; i < peer->allowed_before.n; i++)
		if (out->n < AFBR_KEYS_MAX &&
		    !ike_hashes_has(out, peer->allowed_before.hash[i]))
			memcpy(out->hash[out->n++],
			       peer->allowed_before.hash[i], KEY_HASH_LEN);
}

/* ---- the table ---- */

struct ike_sa *ike_sa_find(struct ike_peer *peer, uint32_t id)
{
	struct ike_sa *sa;

	frr_each (ike_sas, &peer->sas, sa)
		if (sa->id == id)
			return sa;
	return NULL;
}

void ike_sa_del(struct ike_peer *peer, struct ike_sa *sa)
{
	ike_sas_del(&peer->sas, sa);
	XFREE(MTYPE_IKE_SA, sa);
}

void ike_sas_clear(struct ike_peer *peer)
{
	struct ike_sa *sa;

	while ((sa = ike_sas_first(&peer->sas)))
		ike_sa_del(peer, sa);
}

static struct ike_sa *sa_get(struct ike_peer *peer, uint32_t id)
{
	struct ike_sa *sa = ike_sa_find(peer, id);

	if (sa)
		return sa;
	if (ike_sas_count(&peer->sas) >= IKE_SAS_MAX)
		ike_sa_del(peer, ike_sas_first(&peer->sas));
	sa = XCALLOC(MTYPE_IKE_SA, sizeof(*sa));
	sa->id = id;
	ike_sas_add_tail(&peer->sas, sa);
	return sa;
}

/* ---- reading charon's sections ---- */

/* "AES_GCM_16-256/PRF_HMAC_SHA2_384/CURVE_25519" */
static void read_algorithms(const struct vici_section *s, char *buf, size_t len)
{
	static const char *const keys[][2] = {
		{"encr-alg", "encr-keysize"},
		{"integ-alg", "integ-keysize"},
		{"prf-alg", NULL},
		{"dh-group", NULL},
		{"esn", NULL},
	};
	char word[64], size[16];

	buf[0] = '\0';
	for (unsigned int i = 0; i < array_size(keys); i++) {
		if (!vici_find_text(s, keys[i][0], word, sizeof(word)))
			continue;
		if (!strcmp(keys[i][0], "esn"))
			strlcpy(word, "ESN", sizeof(word));
		if (buf[0])
			strlcat(buf, "/", len);
		strlcat(buf, word, len);
		if (keys[i][1] &&
		    vici_find_text(s, keys[i][1], size, sizeof(size))) {
			strlcat(buf, "-", len);
			strlcat(buf, size, len);
		}
	}
}

static time_t read_since(const struct vici_section *s, const char *key)
{
	uint64_t age = 0;

	vici_find_number(s, key, &age);
	return monotime(NULL) - (time_t)MIN(age, (uint64_t)INT32_MAX);
}

static void sa_established(struct ike_peer *peer, struct ike_sa *sa)
{
	peer->established++;
	if (is_raw(peer))
		hashes_now(peer, sa, &sa->hashes);
	if (!peer->adopting)
		memcpy(sa->digest, peer->ike_digest, IKE_DIGEST_LEN);
	else
		sa->hashes.n = 0;
}

/* Another charon counts from 1 again. */
static void sa_renew(struct ike_sa *sa, const struct vici_section *s)
{
	struct ike_sas_item item = sa->item;
	uint32_t id = sa->id;
	uint64_t spi;

	if (!sa->spi_initiator || !vici_find_hex(s, "initiator-spi", &spi) ||
	    spi == sa->spi_initiator)
		return;
	memset(sa, 0, sizeof(*sa));
	sa->item = item;
	sa->id = id;
}

struct ike_sa *ike_sa_read(struct ike_peer *peer, const struct vici_section *s)
{
	bool was_established;
	struct ike_sa *sa;
	uint64_t id;

	if (!vici_find_number(s, "uniqueid", &id) || id > UINT32_MAX)
		return NULL;
	sa = sa_get(peer, id);
	sa_renew(sa, s);
	was_established = sa->established;
	vici_find_text(s, "state", sa->state, sizeof(sa->state));
	sa->established = !strcmp(sa->state, "ESTABLISHED") ||
			  !strcmp(sa->state, "REKEYING");
	vici_find_hex(s, "initiator-spi", &sa->spi_initiator);
	vici_find_hex(s, "responder-spi", &sa->spi_responder);
	sa->initiator = vici_find_is(s, "initiator", "yes");
	sa->ppk = vici_find_is(s, "ppk", "yes");
	vici_find_text(s, "local-id", sa->local_id, sizeof(sa->local_id));
	vici_find_text(s, "remote-id", sa->remote_id, sizeof(sa->remote_id));
	read_algorithms(s, sa->algorithms, sizeof(sa->algorithms));
	if (sa->established && !was_established) {
		sa->since = read_since(s, "established");
		sa_established(peer, sa);
	}
	sa->seen = true;
	return sa;
}

static enum ike_kind read_kind(const struct vici_section *s)
{
	char name[IKE_WORD_LEN];

	vici_find_text(s, "name", name, sizeof(name));
	for (unsigned int i = 0; i < IKE_CHILDREN; i++)
		if (!strcmp(ike_kind_name(i), name))
			return i;
	return IKE_CHILDREN;
}

static struct ike_child_sa *child_get(struct ike_sa *sa, uint32_t id)
{
	for (unsigned int i = 0; i < sa->n_children; i++)
		if (sa->children[i].id == id)
			return &sa->children[i];
	if (sa->n_children == IKE_CHILD_SAS_MAX)
		return NULL;
	memset(&sa->children[sa->n_children], 0, sizeof(sa->children[0]));
	sa->children[sa->n_children].id = id;
	return &sa->children[sa->n_children++];
}

static void child_del(struct ike_sa *sa, uint32_t id)
{
	for (unsigned int i = 0; i < sa->n_children; i++)
		if (sa->children[i].id == id)
			sa->children[i] = sa->children[--sa->n_children];
}

void ike_child_read(struct ike_peer *peer, struct ike_sa *sa,
		    const struct vici_section *s, bool down)
{
	struct ike_child_sa *child;
	uint64_t id, number;

	if (!vici_find_number(s, "uniqueid", &id) || id > UINT32_MAX)
		return;
	if (down) {
		child_del(sa, id);
		return;
	}
	child = child_get(sa, id);
	if (!child)
		return;
	child->kind = read_kind(s);
	vici_find_text(s, "state", child->state, sizeof(child->state));
	if (!strcmp(child->state, "INSTALLED") && !child->installed) {
		child->since = read_since(s, "install-time");
		if (child->kind < IKE_CHILDREN && !peer->adopting &&
		    !memcmp(child->digest, unknown, IKE_DIGEST_LEN))
			memcpy(child->digest, peer->child[child->kind].digest,
			       IKE_DIGEST_LEN);
	}
	child->installed = !strcmp(child->state, "INSTALLED") ||
			   !strcmp(child->state, "REKEYING") ||
			   !strcmp(child->state, "UPDATING");
	vici_find_text(s, "protocol", child->protocol, sizeof(child->protocol));
	if (vici_find_hex(s, "spi-in", &number))
		child->spi_in = number;
	if (vici_find_hex(s, "spi-out", &number))
		child->spi_out = number;
	read_algorithms(s, child->algorithms, sizeof(child->algorithms));
	child->seen = true;
}

/* The new one is of the same make as the old one. */
void ike_child_rekeyed(struct ike_peer *peer, struct ike_sa *sa,
		       const struct vici_section *old,
		       const struct vici_section *new)
{
	struct ike_child_sa *from = NULL, *to;
	uint8_t digest[IKE_DIGEST_LEN] = {};
	uint64_t old_id, new_id;

	if (!vici_find_number(old, "uniqueid", &old_id) ||
	    !vici_find_number(new, "uniqueid", &new_id) || new_id > UINT32_MAX)
		return;
	for (unsigned int i = 0; i < sa->n_children; i++)
		if (sa->children[i].id == old_id)
			from = &sa->children[i];
	if (from)
		memcpy(digest, from->digest, IKE_DIGEST_LEN);
	ike_child_read(peer, sa, old, true);
	to = child_get(sa, new_id);
	if (!to)
		return;
	if (from)
		memcpy(to->digest, digest, IKE_DIGEST_LEN);
	ike_child_read(peer, sa, new, false);
}

/* ---- which of them are good ---- */

bool ike_sa_good(const struct ike_peer *peer, const struct ike_sa *sa)
{
	if (!sa->established || sa->condemned ||
	    memcmp(sa->digest, peer->ike_digest, IKE_DIGEST_LEN))
		return false;
	return !is_raw(peer) ||
	       (sa->hashes.n &&
		hashes_common(&sa->hashes, &peer->allowed) == sa->hashes.n);
}

bool ike_child_good(const struct ike_peer *peer,
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

		if (child->kind == kind && ike_child_good(peer, child) &&
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
		if (ike_sa_good(peer, sa) && has_all(peer, sa) &&
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
		if (!best || ike_sa_good(peer, sa) > ike_sa_good(peer, best) ||
		    (ike_sa_good(peer, sa) == ike_sa_good(peer, best) &&
		     newer(sa, best)))
			best = sa;
	}
	return best;
}

const struct ike_child_sa *ike_peer_child_sa(const struct ike_peer *peer,
					     enum ike_kind kind)
{
	const struct ike_child_sa *found = NULL, *child;
	const struct ike_sa *sa;

	frr_each (ike_sas_const, &peer->sas, sa) {
		for (unsigned int i = 0; i < sa->n_children; i++) {
			child = &sa->children[i];
			if (child->kind != kind || !child->installed ||
			    sa->condemned || child->condemned)
				continue;
			if (!found || child->since >= found->since)
				found = child;
		}
	}
	return found;
}

/* In the newest good one: what others have goes there, too, before they go. */
static bool child_there(const struct ike_peer *peer, enum ike_kind kind)
{
	const struct ike_sa *sa, *newest = NULL;

	frr_each (ike_sas_const, &peer->sas, sa) {
		if (!ike_sa_good(peer, sa))
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

	if (!is_raw(peer))
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
			zlog_notice(
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
		peer->odd_since = 0;
		return;
	}
	/* Only we know that an SA is not good any more. */
	frr_each (ike_sas, &peer->sas, sa)
		if (sa->established && !ike_sa_good(peer, sa))
			stale = true;
	if (stale)
		ms = EXTRA_MS;
	if (!peer->odd_since)
		peer->odd_since = now;
	if (now - peer->odd_since < ms) {
		ike_check_in(peer, ms + 50);
		return;
	}
	peer->odd_since = 0;
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
