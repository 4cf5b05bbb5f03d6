// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Method raw: the public keys that a peer may have (S4, S5): those that it
 * announces in BGP; where it announces a hash alone (RFC 5566), the key is
 * looked for in the directory `peer-keys`. ike/ike_load.c asks for them
 * before it gives charon the connection.
 */
#include <zebra.h>

#include "memory.h"

#include "swmeshd/ike/ike_conn.h"
#include "swmeshd/ike/ike_peer.h"
#include "swmeshd/security/key_files.h"
#include "swmeshd/security/key_dir.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, IKE_KEY, "Public key out of the directory");

void ike_keys_changed(void)
{
	struct ike_peer *peer;

	frr_each (ike_peers, &ike_peers, peer)
		if (ike_peer_is_raw(peer) &&
		    (peer->blocked[0] || peer->keys_unknown))
			ike_work_add(peer);
}

void ike_keys_clear(struct ike_peer *peer)
{
	for (unsigned int i = 0; i < AFBR_KEYS_MAX; i++)
		XFREE(MTYPE_IKE_KEY, peer->found[i]);
}

static bool announced(const struct afbr_auth *auth,
		      const struct public_key *key)
{
	for (unsigned int i = 0; i < auth->n; i++)
		if (!memcmp(auth->keys[i]->hash, key->hash, KEY_HASH_LEN))
			return true;
	return false;
}

/* Keys that were found before and are not announced any more make room, before
 * one is handed out: the connection that is being put together points at them.
 * What is left is at most one for each hash that is announced. */
static void forget_withdrawn(struct ike_peer *peer,
			     const struct afbr_auth *auth)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < AFBR_KEYS_MAX; i++) {
		struct public_key *key = peer->found[i];

		peer->found[i] = NULL;
		if (key && announced(auth, key))
			peer->found[n++] = key;
		else
			XFREE(MTYPE_IKE_KEY, key);
	}
}

/* In the directory, or found there before. */
static const struct public_key *find_key(struct ike_peer *peer,
					 const uint8_t hash[KEY_HASH_LEN],
					 char *err, size_t len)
{
	const char *directory = peer->security->peer_keys;
	const struct public_key *key;
	unsigned int i;

	for (i = 0; i < AFBR_KEYS_MAX && peer->found[i]; i++)
		if (!memcmp(peer->found[i]->hash, hash, KEY_HASH_LEN))
			return peer->found[i];
	if (!directory) {
		strlcpy(err, "no 'peer-keys' directory is configured", len);
		return NULL;
	}
	if (i == AFBR_KEYS_MAX)
		return NULL;
	key = key_dir_find(directory, hash, err, len);
	if (!key)
		return NULL;
	/* It counts for as long as it is announced, whatever becomes of the
	 * directory. */
	peer->found[i] = XMALLOC(MTYPE_IKE_KEY, sizeof(*key));
	*peer->found[i] = *key;
	return peer->found[i];
}

static void tell_none(struct ike_peer *peer, const uint8_t hash[KEY_HASH_LEN],
		      const char *err)
{
	const char *directory = peer->security->peer_keys;
	char text[KEY_HASH_TEXT_LEN];

	snprintfrr(
		peer->blocked, sizeof(peer->blocked),
		"the AFBR announces the hash %s alone, and its key is not known (%s); put it into %s, and 'clear softwire security'",
		key_hash_text(hash, text), err,
		directory ? directory : "the 'peer-keys' directory");
}

enum ike_keys ike_keys_collect(struct ike_peer *peer, struct ike_conn *conn)
{
	const char *directory = peer->security->peer_keys;
	const struct afbr *afbr = afbr_find(swmesh, &peer->addr);
	const struct public_key *key;
	char err[300] = "";

	if (!afbr || !afbr->auth.n) {
		snprintfrr(
			peer->blocked, sizeof(peer->blocked),
			"the AFBR announces no key (IPsec Tunnel Authenticator, RFC 5566); configure 'ike raw-key' there");
		return IKE_KEYS_SETTLED;
	}
	forget_withdrawn(peer, &afbr->auth);
	for (unsigned int i = 0; i < afbr->auth.n; i++) {
		key = afbr->auth.keys[i];
		if (!key->len)
			key = find_key(peer, key->hash, err, sizeof(err));
		if (key)
			conn->keys[conn->n_keys++] = key;
		else if (directory && !key_dir_known(directory)) {
			ike_peer_note(peer, err);
			return IKE_KEYS_UNKNOWN;
		}
	}
	if (conn->n_keys)
		return IKE_KEYS_SETTLED;
	tell_none(peer, afbr->auth.keys[0]->hash, err);
	return IKE_KEYS_ABSENT;
}
