// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an AFBR's attributes announce of its tunnels, brought together over all
 * demands that name it: GRE keys, payloads, and the public keys that protect
 * them (RFC 5566).
 */
#include <zebra.h>

#include "log.h"
#include "memory.h"
#include "printfrr.h"

#include "lib/log_limit.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_errors.h"
#include "swmeshd/security/key_files.h"
#include "swmeshd/model/model.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, AFBR_KEY, "AFBR's public key");

/* ---- public keys ---- */

static struct public_key *auth_find(const struct afbr_auth *auth,
				    const uint8_t *hash)
{
	for (unsigned int i = 0; i < auth->n; i++)
		if (!memcmp(auth->keys[i]->hash, hash, KEY_HASH_LEN))
			return auth->keys[i];
	return NULL;
}

static void auth_add_hashes(struct afbr_auth *auth, const struct tea_tunnel *tt)
{
	const struct tea_subtlv *sub = NULL;
	struct public_key *key;

	while ((sub = tea_tunnel_next(tt, TEA_SUB_AUTHENTICATOR, sub))) {
		if (sub->u.auth.type != TEA_AUTH_SHA1 ||
		    sub->u.auth.len != KEY_HASH_LEN ||
		    auth_find(auth, sub->u.auth.value))
			continue;
		if (auth->n == AFBR_KEYS_MAX)
			return;
		key = XCALLOC(MTYPE_AFBR_KEY, sizeof(*key));
		memcpy(key->hash, sub->u.auth.value, KEY_HASH_LEN);
		auth->keys[auth->n++] = key;
	}
}

/* A key counts only where its hash is announced beside it (S5). */
static void auth_add_keys(struct afbr_auth *auth, const struct tea_tunnel *tt)
{
	const struct tea_subtlv *sub = NULL;
	uint8_t hash[KEY_HASH_LEN];
	struct public_key *key;
	const uint8_t *spki;
	size_t len;

	while ((sub = tea_tunnel_public_key(tt, sub, &spki, &len))) {
		if (len > KEY_SPKI_MAX)
			continue;
		key_hash(spki, len, hash);
		key = auth_find(auth, hash);
		if (!key || key->len)
			continue;
		memcpy(key->spki, spki, len);
		key->len = len;
	}
}

void afbr_auth_clear(struct afbr_auth *auth)
{
	for (unsigned int i = 0; i < auth->n; i++)
		XFREE(MTYPE_AFBR_KEY, auth->keys[i]);
	auth->n = 0;
}

static bool auth_same(const struct afbr_auth *a, const struct afbr_auth *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned int i = 0; i < a->n; i++) {
		const struct public_key *key = auth_find(b, a->keys[i]->hash);

		if (!key || key->len != a->keys[i]->len)
			return false;
	}
	return true;
}

/* ---- GRE keys and payloads ---- */

/* GRE keys that the AFBR announces for this endpoint, and for what payload. */
struct peer_key {
	bool has;
	uint32_t key;
	uint8_t payload;
	bool clear; /* some TLV takes it without IPsec */
	bool taken;
};

#define PEER_KEYS_MAX 32

struct peer_tunnels {
	bool marks; /* some TLV says that it is protected, whatever the method
		     */
	bool ipip, ipip_clear;
	uint8_t ipip_payload;
	unsigned int n;
	struct peer_key keys[PEER_KEYS_MAX];
	struct afbr_auth auth;
};

static uint8_t tunnel_payload(const struct tea_tunnel *tt)
{
	uint8_t payload = 0;

	if (tea_tunnel_allows(tt, TEA_ETHERTYPE_IPV4))
		payload |= PAYLOAD_IPV4;
	if (tea_tunnel_allows(tt, TEA_ETHERTYPE_IPV6))
		payload |= PAYLOAD_IPV6;
	return payload;
}

static void peer_key_add(struct peer_tunnels *peer, const struct tea_tunnel *tt)
{
	struct peer_key k = {};
	unsigned int i;

	k.has = tea_tunnel_gre_key(tt, &k.key);
	k.payload = tunnel_payload(tt);
	k.clear = !tunnel_wants_ipsec(tt);
	for (i = 0; i < peer->n; i++) {
		if (peer->keys[i].has == k.has && peer->keys[i].key == k.key) {
			peer->keys[i].payload |= k.payload;
			peer->keys[i].clear |= k.clear;
			return;
		}
	}
	if (peer->n < PEER_KEYS_MAX)
		peer->keys[peer->n++] = k;
}

static void peer_add(struct peer_tunnels *peer, const struct tea_tunnel *tt)
{
	const struct encap *encap;

	peer->marks |= tea_tunnel_is_protected(tt);
	encap = encap_find(tt->type);
	if (encap && encap->keyed) {
		peer_key_add(peer, tt);
	} else if (encap) {
		peer->ipip = true;
		peer->ipip_clear |= !tunnel_wants_ipsec(tt);
		peer->ipip_payload |= tunnel_payload(tt);
	}
	auth_add_hashes(&peer->auth, tt);
}

static void peer_collect(struct afbr *afbr, struct peer_tunnels *peer)
{
	struct afbr_ref *ref;
	struct ipaddr ep;

	memset(peer, 0, sizeof(*peer));
	/* Hashes first: a key may be in another TLV than its hash. */
	for (int keys = 0; keys < 2; keys++) {
		frr_each (afbr_refs, &afbr->refs, ref) {
			const struct demand *demand = ref->demand;

			for (size_t i = 0; i < demand->tea.n_tunnels; i++) {
				const struct tea_tunnel *tt =
					&demand->tea.tunnels[i];

				if (!tt->usable ||
				    !tunnel_endpoint(tt, &demand->next_hop,
						     &ep) ||
				    ipaddr_cmp(&ep, &afbr->addr))
					continue;
				if (keys)
					auth_add_keys(&peer->auth, tt);
				else
					peer_add(peer, tt);
			}
		}
	}
}

static struct peer_key *peer_key_current(struct peer_tunnels *peer,
					 const struct softwire *sw)
{
	for (unsigned int i = 0; i < peer->n; i++)
		if (sw->peer_has && peer->keys[i].has == sw->has_okey &&
		    (!sw->has_okey || peer->keys[i].key == sw->okey) &&
		    !peer->keys[i].taken)
			return &peer->keys[i];
	return NULL;
}

static struct peer_key *peer_key_choose(struct peer_tunnels *peer,
					uint8_t payload)
{
	struct peer_key *second = NULL;

	for (unsigned int i = 0; i < peer->n; i++) {
		struct peer_key *k = &peer->keys[i];

		if (!(k->payload & payload))
			continue;
		if (!k->taken)
			return k;
		if (!second)
			second = k;
	}
	return second ? second : peer->n ? &peer->keys[0] : NULL;
}

static void afbr_has_asked(struct afbr *afbr)
{
	afbr->has_asked = true;
	afbr->was_protected = false;
}

/*
 * S6: the AFBR drops what is not protected, and we have lost, or never had, the
 * `security` that would protect it.  An AFBR that can announce this does; of
 * one that never has, what was before counts.
 */
static enum clear_refusal refusal_of(struct softwire *sw, bool has, bool clear)
{
	const struct local_tunnel *local =
		mesh_local_tunnel(sw->afbr->mesh, &sw->tunnel);

	if (has && !clear)
		afbr_has_asked(sw->afbr);
	if (sw->security || !local)
		return CLEAR_OK;
	if (has && !clear)
		return CLEAR_ASKED;
	return sw->afbr->was_protected && !local->clear ? CLEAR_HISTORY
							: CLEAR_OK;
}

static void softwire_refused_clear(struct softwire *sw, enum clear_refusal why)
{
	if (why && !sw->clear_refused)
		flog_warn_limited(
			EC_SWMESH_CLEAR_REFUSED, sw,
			"softwire to %pIA: nothing is sent to it: %s ('show softwire' has all such softwires)",
			&sw->afbr->addr, clear_refusal_reason(why));
	sw->clear_refused = why;
}

/* True if what the softwire sends with has changed. */
static bool softwire_set_peer(struct softwire *sw, bool has, bool clear,
			      const struct peer_key *k, uint8_t payload)
{
	bool has_okey = k && k->has;
	enum clear_refusal refused = refusal_of(sw, has, clear);
	uint32_t okey = has_okey ? k->key : 0;

	if (sw->peer_has == has && sw->has_okey == has_okey &&
	    sw->okey == okey && sw->payload == payload &&
	    sw->clear_refused == refused && sw->peer_clear == (has && clear))
		return false;
	softwire_refused_clear(sw, refused);
	sw->peer_has = has;
	sw->peer_clear = has && clear;
	sw->has_okey = has_okey;
	sw->okey = okey;
	sw->payload = payload;
	afbr_mark_demands(sw->afbr);
	sw->afbr->mesh->ops->softwire_changed(sw);
	return true;
}

/*
 * Which of the AFBR's GRE keys this softwire sends with: a kernel device has
 * one. What is in use stays as long as the AFBR announces it; the rest is
 * handed out in our order of preference, one each while there are enough.
 */
static bool assign_gre(struct softwire *sw, struct peer_tunnels *peer,
		       uint8_t payload)
{
	struct peer_key *k = NULL;

	for (unsigned int i = 0; i < peer->n && !k; i++)
		if (sw->peer_has && peer->keys[i].has == sw->has_okey &&
		    peer->keys[i].key == sw->okey)
			k = &peer->keys[i];
	if (!k)
		k = peer_key_choose(peer, payload);
	if (k)
		k->taken = true;
	return softwire_set_peer(sw, k != NULL, k && k->clear, k,
				 k ? k->payload & payload : 0);
}

static void take_current_keys(struct afbr *afbr, struct peer_tunnels *peer)
{
	struct softwire *sw;
	struct peer_key *k;

	frr_each (afbr_softwires, &afbr->softwires, sw) {
		if (!encap_find(sw->tunnel.type)->keyed)
			continue;
		k = peer_key_current(peer, sw);
		if (k)
			k->taken = true;
	}
}

void afbr_read_announced(struct afbr *afbr)
{
	struct peer_tunnels peer;
	struct softwire *sw;
	bool auth_changed, changed;

	peer_collect(afbr, &peer);
	/* Once is enough: beside it a demand that has not yet gone may still
	 * have what was announced before. */
	if (peer.marks)
		afbr_has_asked(afbr);
	auth_changed = !auth_same(&afbr->auth, &peer.auth);
	if (auth_changed) {
		struct afbr_auth old = afbr->auth;

		afbr->auth = peer.auth;
		peer.auth = old;
		afbr_mark_demands(afbr);
	}
	afbr_auth_clear(&peer.auth);
	take_current_keys(afbr, &peer);
	frr_each (afbr_softwires, &afbr->softwires, sw) {
		uint8_t payload = mesh_local_payload(afbr->mesh, &sw->tunnel);

		if (encap_find(sw->tunnel.type)->keyed)
			changed = assign_gre(sw, &peer, payload);
		else
			changed = softwire_set_peer(
				sw, peer.ipip, peer.ipip_clear, NULL,
				peer.ipip_payload & payload);
		if (changed || (auth_changed && sw->security))
			softwire_event(sw, SOFTWIRE_EV_CHANGED, NULL);
	}
}
