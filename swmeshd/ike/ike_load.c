// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Credentials and connections into charon, and out of it: only what changed,
 * which a digest of each tells. Peers to bring up to date wait in a list, so
 * that any number of them is served as charon answers.
 */
#include <zebra.h>

#include <openssl/evp.h>

#include "monotime.h"

#include "lib/log_limit.h"
#include "lib/vici.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/ike/ike_conn.h"
#include "swmeshd/ike/ike_peer.h"
#include "swmeshd/security/key_files.h"
#include "swmeshd/charon/charon.h"
#include "swmeshd/xfrm/xfrm.h"
#include "swmeshd/swmeshd.h"

/* Requests that a peer may take. */
#define ROOM 32
#define PUMP_MS 20
#define REFUSED_MS 10000
#define AGAIN_MS 1000
/* A key that was not in the directory may be put there. */
#define LOOK_AGAIN_MS 15000
#define CERTS_MAX 64
#define KEY_ID_LEN 64

static struct ike_work_list_head work = INIT_DLIST(work);
static struct thread *t_pump;

/* Something of ours that charon was given. */
struct given {
	uint8_t digest[IKE_DIGEST_LEN]; /* zero: nothing */
	bool confirmed;			/* by charon */
};

static struct {
	struct given psk, ppk, key;
	char key_id[KEY_ID_LEN]; /* charon's, of the private key */
	unsigned int n_certs;
	struct given certs[CERTS_MAX];
} given;

static const uint8_t nothing[IKE_DIGEST_LEN];

bool ike_request(struct vici_builder *b)
{
	return swmesh_vici_request(b, NULL, NULL) == SWMESH_VICI_OK;
}

static void work_now(struct thread *t)
{
	ike_work_add(THREAD_ARG(t));
}

static void work_later(struct ike_peer *peer, unsigned int ms)
{
	thread_add_timer_msec(master, work_now, peer, ms, &peer->t_work);
}

/* ---- credentials ---- */

static void blob_digest(const struct security_blob *blob, const char *also,
			uint8_t out[IKE_DIGEST_LEN])
{
	uint8_t full[EVP_MAX_MD_SIZE] = {};
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL)) {
		EVP_DigestUpdate(ctx, blob->data, blob->len);
		EVP_DigestUpdate(ctx, also, strlen(also));
		EVP_DigestFinal_ex(ctx, full, NULL);
	}
	EVP_MD_CTX_free(ctx);
	memcpy(out, full, IKE_DIGEST_LEN);
	explicit_bzero(full, sizeof(full));
}

/* True: it is another than charon has. */
static bool is_new(struct given *have, const struct security_blob *blob,
		   const char *also)
{
	uint8_t digest[IKE_DIGEST_LEN];

	if (!blob->len)
		return false;
	blob_digest(blob, also, digest);
	if (!memcmp(have->digest, digest, IKE_DIGEST_LEN))
		return false;
	memcpy(have->digest, digest, IKE_DIGEST_LEN);
	have->confirmed = false;
	return true;
}

static void credential_done(void *arg, const struct swmesh_vici_reply *reply)
{
	struct given *have = arg;

	if (reply->error == SWMESH_VICI_OK) {
		have->confirmed = true;
		return;
	}
	memset(have, 0, sizeof(*have));
	if (reply->error == SWMESH_VICI_REFUSED)
		zlog_warn_limited(log_limit_key(reply->text),
				  "ike: charon refused a secret or key: %s",
				  reply->text);
}

/* False: not taken, and to be given again. */
static bool send_credential(struct vici_builder *b, swmesh_vici_done done,
			    struct given *have)
{
	if (swmesh_vici_request(b, done, have) == SWMESH_VICI_OK)
		return true;
	memset(have, 0, sizeof(*have));
	return false;
}

static void unload_key(const char *id)
{
	struct vici_builder b;

	if (!id[0])
		return;
	vici_begin(&b, VICI_CMD_REQUEST, "unload-key");
	vici_key_value(&b, "id", id);
	ike_request(&b);
}

/* The key before is of no use any more: peers authenticate by this one. */
static void key_done(void *arg, const struct swmesh_vici_reply *reply)
{
	char id[KEY_ID_LEN];

	credential_done(arg, reply);
	if (reply->error != SWMESH_VICI_OK ||
	    !vici_find_text(reply->msg, "id", id, sizeof(id)))
		return;
	if (strcmp(id, given.key_id))
		unload_key(given.key_id);
	strlcpy(given.key_id, id, sizeof(given.key_id));
}

static void unload_shared(const char *id, struct given *have)
{
	struct vici_builder b;

	if (!memcmp(have->digest, nothing, IKE_DIGEST_LEN))
		return;
	memset(have, 0, sizeof(*have));
	vici_begin(&b, VICI_CMD_REQUEST, "unload-shared");
	vici_key_value(&b, "id", id);
	ike_request(&b);
}

static void take_key(void)
{
	unload_key(given.key_id);
	memset(&given.key, 0, sizeof(given.key));
	given.key_id[0] = '\0';
}

static bool give_cert(const struct security_blob *cert, bool crl)
{
	uint8_t digest[IKE_DIGEST_LEN];
	struct vici_builder b;
	struct given *have;

	blob_digest(cert, crl ? "crl" : "ca", digest);
	for (unsigned int i = 0; i < given.n_certs; i++)
		if (!memcmp(given.certs[i].digest, digest, IKE_DIGEST_LEN))
			return true;
	if (given.n_certs == CERTS_MAX)
		given.n_certs = 0;
	have = &given.certs[given.n_certs++];
	memcpy(have->digest, digest, IKE_DIGEST_LEN);
	ike_conn_load_cert(&b, cert, crl);
	return send_credential(&b, credential_done, have);
}

static bool give_secrets(const struct ike_peer *peer)
{
	const struct security *s = peer->security;
	char owner[PREFIX2STR_BUFFER];
	struct vici_builder b;
	bool ok = true;

	snprintfrr(owner, sizeof(owner), "%pIA", &peer->local);
	if (s->method != IKE_METHOD_PSK) {
		unload_shared(IKE_PSK_ID, &given.psk);
	} else if (is_new(&given.psk, &s->psk.blob,
			  s->identity ? s->identity : owner)) {
		ike_conn_load_psk(&b, IKE_PSK_ID, &peer->local, s);
		ok &= send_credential(&b, credential_done, &given.psk);
	}
	if (!s->ppk_id) {
		unload_shared(IKE_PPK_ID, &given.ppk);
	} else if (is_new(&given.ppk, &s->ppk.blob, s->ppk_id)) {
		ike_conn_load_ppk(&b, IKE_PPK_ID, s);
		ok &= send_credential(&b, credential_done, &given.ppk);
	}
	return ok;
}

/* What its security needs, and no more: all peers have the same credentials
 * (config/check.c). False: charon has too much to do just now. */
static bool give_credentials(const struct ike_peer *peer)
{
	const struct security *s = peer->security;
	struct vici_builder b;
	bool ok = give_secrets(peer);

	if (s->method == IKE_METHOD_PSK) {
		take_key();
		return ok;
	}
	if (is_new(&given.key, &s->key.blob, "key")) {
		ike_conn_load_key(&b, &s->key.blob);
		ok &= send_credential(&b, key_done, &given.key);
	}
	for (unsigned int i = 0; i < s->n_ca; i++)
		ok &= give_cert(&s->ca[i].blob, false);
	for (unsigned int i = 0; i < s->n_crl; i++)
		ok &= give_cert(&s->crl[i].blob, true);
	return ok;
}

/* The last peer has gone. */
static void take_credentials(void)
{
	unload_shared(IKE_PSK_ID, &given.psk);
	unload_shared(IKE_PPK_ID, &given.ppk);
	take_key();
}

void ike_load_forget(void)
{
	memset(&given, 0, sizeof(given));
}

static void load_again(void)
{
	struct ike_peer *peer;

	zlog_notice_limited(
		0,
		"ike: charon has lost secrets or keys of ours (swanctl --load-all does that); they are loaded again");
	/* With --clear authorities and revocation lists have gone as well. */
	given.n_certs = 0;
	frr_each (ike_peers, &ike_peers, peer)
		ike_work_add(peer);
}

/* What charon has not confirmed yet is not on its list either. */
static bool forget_lost(struct given *have, bool there)
{
	if (there || !have->confirmed)
		return false;
	memset(have, 0, sizeof(*have));
	return true;
}

void ike_load_compare_shared(bool psk, bool ppk)
{
	bool lost = forget_lost(&given.psk, psk);

	if (forget_lost(&given.ppk, ppk) || lost)
		load_again();
}

void ike_load_compare_keys(bool (*has)(const void *arg, const char *id),
			   const void *arg)
{
	if (!given.key_id[0] ||
	    !forget_lost(&given.key, has(arg, given.key_id)))
		return;
	given.key_id[0] = '\0';
	load_again();
}

/* ---- why a peer is given nothing ---- */

static void collect_keys(struct ike_peer *peer, struct ike_conn *conn)
{
	enum ike_keys keys = ike_keys_collect(peer, conn);

	peer->keys_unknown = keys == IKE_KEYS_UNKNOWN;
	if (keys == IKE_KEYS_ABSENT)
		work_later(peer, LOOK_AGAIN_MS);
}

static void find_blocked(struct ike_peer *peer, struct ike_conn *conn)
{
	const struct security *s = peer->security;
	const char *missing = security_missing(s);

	peer->blocked[0] = '\0';
	peer->keys_unknown = false;
	for (unsigned int i = 0; i < IKE_CHILDREN; i++)
		if (peer->child[i].wanted && peer->child[i].security->error[0])
			strlcpy(peer->blocked, peer->child[i].security->error,
				sizeof(peer->blocked));
	if (peer->blocked[0])
		return;
	if (missing)
		snprintf(peer->blocked, sizeof(peer->blocked),
			 "security %s: %s", s->name, missing);
	else if (s->method == IKE_METHOD_RAW)
		collect_keys(peer, conn);
}

/* ---- connections ---- */

static void set_allowed(struct ike_peer *peer, const struct ike_conn *conn)
{
	struct ike_hashes now = {.n = conn->n_keys};

	for (unsigned int i = 0; i < now.n; i++)
		memcpy(now.hash[i], conn->keys[i]->hash, KEY_HASH_LEN);
	if (!memcmp(&now, &peer->allowed, sizeof(now)))
		return;
	peer->allowed_before = peer->allowed;
	peer->allowed_since = ike_now_ms();
	peer->allowed = now;
	ike_log_changed(peer);
}

static void describe(struct ike_peer *peer, struct ike_conn *conn)
{
	conn->name = peer->name;
	conn->local = peer->local;
	conn->remote = peer->addr;
	conn->security = peer->security;
	for (unsigned int i = 0; i < IKE_CHILDREN; i++)
		if (peer->child[i].wanted)
			conn->child[i] = peer->child[i].security;
}

/* Another connection to charon, even where nothing else of it differs. */
static void salt_anew(struct ike_peer *peer, struct ike_conn *conn,
		      struct ike_conn_digest *d)
{
	conn->salt = ++peer->salt;
	ike_conn_digests(conn, d);
	memcpy(peer->ike_digest, d->ike, IKE_DIGEST_LEN);
}

/* A change of secrets alone has to look like one of the connection. */
static void digest(struct ike_peer *peer, struct ike_conn *conn,
		   struct ike_conn_digest *d)
{
	conn->salt = peer->salt;
	ike_conn_digests(conn, d);
	memcpy(peer->ike_digest, d->ike, IKE_DIGEST_LEN);
	if (memcmp(peer->secret_digest, nothing, IKE_DIGEST_LEN) &&
	    memcmp(peer->secret_digest, d->secret, IKE_DIGEST_LEN))
		salt_anew(peer, conn, d);
	memcpy(peer->secret_digest, d->secret, IKE_DIGEST_LEN);
	for (unsigned int i = 0; i < IKE_CHILDREN; i++)
		memcpy(peer->child[i].digest, d->child[i], IKE_DIGEST_LEN);
}

static void adopt_children(const struct ike_peer *peer, struct ike_sa *sa)
{
	for (unsigned int i = 0; i < sa->n_children; i++) {
		struct ike_child_sa *child = &sa->children[i];

		if (child->kind < IKE_CHILDREN &&
		    !memcmp(child->digest, nothing, IKE_DIGEST_LEN))
			memcpy(child->digest, peer->child[child->kind].digest,
			       IKE_DIGEST_LEN);
	}
}

/* SAs of an earlier run, by a connection that is just what we would load. */
static void adopt(struct ike_peer *peer)
{
	struct ike_sa *sa;

	frr_each (ike_sas, &peer->sas, sa) {
		DEBUGD(&swmesh_dbg_ike, "ike: peer %pIA: IKE_SA %u adopted",
		       &peer->addr, sa->id);
		if (!memcmp(sa->digest, nothing, IKE_DIGEST_LEN)) {
			memcpy(sa->digest, peer->ike_digest, IKE_DIGEST_LEN);
			sa->hashes = peer->allowed;
		}
		adopt_children(peer, sa);
	}
}

/* SAs of an earlier run, by another connection: charon takes none of them for
 * one by ours then, whatever differs, and makes new ones. */
static void replace_all(struct ike_peer *peer, struct ike_conn *conn,
			struct ike_conn_digest *d)
{
	DEBUGD(&swmesh_dbg_ike,
	       "ike: peer %pIA: its connection has changed since an earlier run",
	       &peer->addr);
	salt_anew(peer, conn, d);
}

static void conn_done(void *arg, const struct swmesh_vici_reply *reply)
{
	struct ike_peer *peer = arg;
	char text[MESH_REASON_LEN];

	peer->loading = false;
	if (reply->error == SWMESH_VICI_OK) {
		peer->loaded = peer->has_conn = true;
		peer->loaded_at = ike_now_ms();
		peer->refused = false;
		/* Perhaps it is just what the attempts failed by. */
		if (peer->state == IKE_BACKOFF) {
			peer->retries = 0;
			ike_event(peer, IKE_EV_NOW);
		}
		ike_check(peer);
		return;
	}
	memset(peer->conn_digest, 0, IKE_DIGEST_LEN);
	if (reply->error != SWMESH_VICI_REFUSED)
		return; /* charon is away: heard of in a moment */
	peer->refused = true;
	snprintf(text, sizeof(text), "charon refused the connection: %s",
		 reply->text);
	ike_peer_error(peer, text);
	work_later(peer, REFUSED_MS);
	ike_event(peer, IKE_EV_FAILED);
}

static void send_conn(struct ike_peer *peer, const struct ike_conn *conn,
		      const uint8_t all[IKE_DIGEST_LEN])
{
	struct vici_builder b;

	DEBUGD(&swmesh_dbg_ike, "ike: peer %pIA: loading its connection",
	       &peer->addr);
	memcpy(peer->conn_digest, all, IKE_DIGEST_LEN);
	peer->loaded = false;
	ike_conn_load(&b, conn);
	if (swmesh_vici_request(&b, conn_done, peer) == SWMESH_VICI_OK) {
		peer->loading = true;
		return;
	}
	memset(peer->conn_digest, 0, IKE_DIGEST_LEN);
	work_later(peer, REFUSED_MS);
}

static void block(struct ike_peer *peer)
{
	if (ike_synced() &&
	    (peer->has_conn || peer->loading || ike_sas_first(&peer->sas))) {
		ike_unload(peer->name);
		peer->has_conn = peer->loaded = false;
		memset(peer->conn_digest, 0, IKE_DIGEST_LEN);
	}
	/* Whoever put them there. */
	swmesh_xfrm_purge(&peer->local, &peer->addr, NULL, 0);
}

static void bring_up_to_date(struct ike_peer *peer)
{
	struct ike_conn conn = {};
	struct ike_conn_digest d;

	if (!ike_peer_wanted(peer) || !peer->security)
		return;
	describe(peer, &conn);
	find_blocked(peer, &conn);
	if (peer->blocked[0]) {
		block(peer);
		ike_peer_kernel(peer);
		ike_check(peer);
		return;
	}
	if (peer->keys_unknown)
		return; /* again when they are; what is there stays */
	if (ike_synced() && !peer->told && !ike_sync_peer(peer))
		return; /* again when that is known */
	set_allowed(peer, &conn);
	digest(peer, &conn, &d);
	if (ike_synced()) {
		bool same = !memcmp(peer->conn_digest, d.all, IKE_DIGEST_LEN);

		if (peer->adopting && !same && peer->has_conn)
			replace_all(peer, &conn, &d);
		else if (peer->adopting && same)
			adopt(peer);
		peer->adopting = false;
		if (!give_credentials(peer))
			work_later(peer, AGAIN_MS);
		else if (!same)
			send_conn(peer, &conn, d.all);
	}
	ike_peer_kernel(peer);
	ike_check(peer);
}

/* ---- the list ---- */

static void work_del(struct ike_peer *peer)
{
	if (peer->in_work)
		ike_work_list_del(&work, peer);
	peer->in_work = false;
}

static void pump(struct thread *t)
{
	struct ike_peer *peer;

	while ((peer = ike_work_list_first(&work))) {
		if (ike_synced() && swmesh_vici_room() < ROOM) {
			thread_add_timer_msec(master, pump, NULL, PUMP_MS,
					      &t_pump);
			return;
		}
		work_del(peer);
		bring_up_to_date(peer);
	}
}

void ike_work_add(struct ike_peer *peer)
{
	if (!peer->in_work) {
		peer->in_work = true;
		ike_work_list_add_tail(&work, peer);
	}
	if (!t_pump)
		thread_add_event(master, pump, NULL, 0, &t_pump);
}

void ike_load_gone(struct ike_peer *peer)
{
	THREAD_OFF(peer->t_work);
	work_del(peer);
	swmesh_vici_cancel(peer);
	ike_keys_clear(peer);
	if (ike_peers_count(&ike_peers) == 1 && ike_synced())
		take_credentials();
}

void ike_unload(const char *name)
{
	struct vici_builder b;

	if (!ike_synced())
		return;
	ike_conn_unload(&b, name);
	ike_request(&b);
	vici_begin(&b, VICI_CMD_REQUEST, "terminate");
	vici_key_value(&b, "ike", name);
	vici_key_number(&b, "timeout", -1);
	ike_request(&b);
}

void ike_load_stop(void)
{
	THREAD_OFF(t_pump);
	ike_load_forget();
}
