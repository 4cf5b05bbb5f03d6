// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The SAs that charon has of a peer, out of its lists and events, and what each
 * was made by: which configuration, and one of which keys (S5).
 */
#include <zebra.h>

#include "monotime.h"

#include "lib/vici.h"
#include "swmeshd/ike/ike_peer.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, IKE_SA, "IKE_SA");

/* IKE_SAs of one peer that are remembered. */
#define IKE_SAS_MAX 16
/* After the keys have changed, what is set up may have begun before. */
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

bool ike_peer_is_raw(const struct ike_peer *peer)
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
	if (ike_peer_is_raw(peer))
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
