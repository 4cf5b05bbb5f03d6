// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A `security` and a peer made into vici messages; see ike/ike_conn.h.
 *
 * swmeshd initiates by itself and charon never does: start_action, dpd_action
 * and close_action are none, keyingtries is 1. unique=no lets the new IKE_SA of
 * a pair live beside the old one until we take that down, so that replacing it
 * loses no packet; a peer that has lost its own still replaces ours, by
 * INITIAL_CONTACT (RFC 7296 section 2.4).
 */
#include <zebra.h>

#include <openssl/evp.h>

#include "jhash.h"

#include "lib/hex.h"
#include "lib/vici.h"
#include "swmeshd/ike/ike_conn.h"
#include "swmeshd/charon/charon.h"
#include "swmeshd/charon/charon_text.h"

/* Names the digest's child; no protocol has this number (RFC 5237). */
#define DIGEST_PROTOCOL 255
/* A hard lifetime comes at least that long after rekeying is due, or a busy
 * peer would lose the SA that is about to be replaced. Seconds. */
#define OVER_TIME_MIN 30
/*
 * An SA without extended sequence numbers has 2^32 of them and must be replaced
 * before they are used up (RFC 4303 section 3.3.3): the kernel drops what would
 * have the next one, and a fast link uses them up long before rekeying is due
 * by time. Half are left for the rekeying itself; at the hard limit charon ends
 * the SA, so that a new one is made.
 */
#define REKEY_PACKETS UINT32_C(2000000000)
#define LIFE_PACKETS UINT32_C(4290000000)

/* ---- names ---- */

const char *ike_conn_name(const struct ipaddr *addr, char *buf, size_t len)
{
	snprintfrr(buf, len, IKE_NAME_PREFIX "%pIA", addr);
	return buf;
}

bool ike_conn_name_parse(const char *name, struct ipaddr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (strncmp(name, IKE_NAME_PREFIX, strlen(IKE_NAME_PREFIX)))
		return false;
	return !str2ipaddr(name + strlen(IKE_NAME_PREFIX), addr);
}

#define REQID_OURS 0x40000000u

uint32_t ike_reqid(const struct ipaddr *local, const struct ipaddr *remote,
		   enum ike_kind kind)
{
	uint32_t hash = jhash(&local->ip, IS_IPADDR_V4(local) ? 4 : 16, 0);

	hash = jhash(&remote->ip, IS_IPADDR_V4(remote) ? 4 : 16, hash);
	/* High ones: charon takes its own from 1 on. */
	return REQID_OURS | (hash << 3 & 0x3ffffff8u) | (uint32_t)kind;
}

bool ike_reqid_is(uint32_t reqid, enum ike_kind kind)
{
	return (reqid & (REQID_OURS | 7)) == (REQID_OURS | (uint32_t)kind);
}

const char *ike_digest_name(const uint8_t digest[IKE_DIGEST_LEN], uint8_t salt,
			    char *buf, size_t len)
{
	char hex[2 * IKE_DIGEST_LEN + 1];

	hex_encode(digest, IKE_DIGEST_LEN, hex);
	snprintf(buf, len, IKE_DIGEST_PREFIX "%s%02x", hex, salt);
	return buf;
}

bool ike_digest_parse(const char *name, uint8_t digest[IKE_DIGEST_LEN],
		      uint8_t *salt)
{
	size_t prefix = strlen(IKE_DIGEST_PREFIX);
	uint8_t octets[IKE_DIGEST_LEN + 1];

	if (strncmp(name, IKE_DIGEST_PREFIX, prefix) ||
	    hex_decode(name + prefix, strlen(name + prefix), octets,
		       sizeof(octets)) != sizeof(octets))
		return false;
	memcpy(digest, octets, IKE_DIGEST_LEN);
	*salt = octets[IKE_DIGEST_LEN];
	return true;
}

/* ---- parts of a connection ---- */

static uint32_t over_time(uint32_t rekey)
{
	return MAX(rekey / 10, (uint32_t)OVER_TIME_MIN);
}

/* This and the next of seconds and of packets alike. */
static uint32_t rand_of(uint32_t rekey)
{
	return MAX(rekey / 10, 1u);
}

/* The end that does not initiate is a little later, so that the two seldom
 * rekey at the same time. */
static uint32_t rekey_at(const struct ike_conn *conn, uint32_t rekey)
{
	if (ipaddr_cmp(&conn->local, &conn->remote) < 0)
		return rekey;
	return rekey + MAX(rekey / 5, 3u);
}

static void put_selector(struct vici_builder *b, const char *key,
			 const struct ipaddr *addr, uint8_t protocol,
			 uint16_t port)
{
	unsigned int bits = IS_IPADDR_V4(addr) ? 32 : 128;

	if (port)
		swmesh_vici_listf(b, key, "%pIA/%u[%u/%u]", addr, bits,
				  protocol, port);
	else
		swmesh_vici_listf(b, key, "%pIA/%u[%u]", addr, bits, protocol);
}

/* S7: outer source, destination and encapsulation protocol, and no more. */
static void put_child(struct vici_builder *b, const struct ike_conn *conn,
		      enum ike_kind kind)
{
	const struct security *s = conn->child[kind];
	uint8_t protocol = ike_kind_protocol(kind);
	const char *word;
	uint32_t rekey;

	vici_section_start(b, ike_kind_name(kind));
	vici_key_value(b, "mode", "transport");
	put_selector(b, "local_ts", &conn->local, protocol,
		     kind == IKE_CHILD_BGP_IN ? BGP_PORT : 0);
	put_selector(b, "remote_ts", &conn->remote, protocol,
		     kind == IKE_CHILD_BGP_OUT ? BGP_PORT : 0);
	vici_list_start(b, s->protocol == IPSEC_AH ? "ah_proposals"
						   : "esp_proposals");
	for (unsigned int i = 0; (word = security_ipsec_proposal(s, i)); i++)
		vici_list_item(b, word);
	vici_list_end(b);
	rekey = rekey_at(conn, s->rekey_sa);
	vici_key_number(b, "rekey_time", rekey);
	vici_key_number(b, "life_time", (int64_t)rekey + over_time(rekey));
	vici_key_number(b, "rand_time", rand_of(s->rekey_sa));
	rekey = rekey_at(conn, REKEY_PACKETS);
	vici_key_number(b, "rekey_packets", rekey);
	vici_key_number(b, "rand_packets", rand_of(REKEY_PACKETS));
	vici_key_number(b, "life_packets", LIFE_PACKETS);
	vici_key_number(b, "replay_window", s->replay_window);
	vici_key_number(b, "reqid",
			ike_reqid(&conn->local, &conn->remote, kind));
	vici_key_value(b, "start_action", "none");
	vici_key_value(b, "close_action", "none");
	vici_section_end(b);
}

static void put_children(struct vici_builder *b, const struct ike_conn *conn)
{
	for (unsigned int i = 0; i < IKE_CHILDREN; i++)
		if (conn->child[i])
			put_child(b, conn, i);
}

static void put_id(struct vici_builder *b, const char *configured,
		   const struct ipaddr *addr)
{
	if (configured)
		vici_key_value(b, "id", configured);
	else
		swmesh_vici_keyf(b, "id", "%pIA", addr);
}

static void put_files(struct vici_builder *b, const char *key,
		      const struct security_file *files, unsigned int n)
{
	vici_list_start(b, key);
	for (unsigned int i = 0; i < n; i++)
		vici_list_item_octets(b, files[i].blob.data, files[i].blob.len);
	vici_list_end(b);
}

static void put_auth(struct vici_builder *b, const struct security *s)
{
	vici_key_value(b, "auth",
		       s->method == IKE_METHOD_PSK ? "psk" : "pubkey");
}

static void put_local(struct vici_builder *b, const struct ike_conn *conn)
{
	const struct security *s = conn->security;

	vici_section_start(b, "local-1");
	put_auth(b, s);
	put_id(b, s->identity, &conn->local);
	if (s->method != IKE_METHOD_PSK && s->cert.blob.len) {
		put_files(b, "certs", &s->cert, 1);
	} else if (s->method == IKE_METHOD_RAW && s->n_keys) {
		vici_list_start(b, "pubkeys");
		vici_list_item_octets(b, s->keys[0].spki, s->keys[0].len);
		vici_list_end(b);
	}
	vici_section_end(b);
}

static void put_remote(struct vici_builder *b, const struct ike_conn *conn,
		       bool keys)
{
	const struct security *s = conn->security;

	vici_section_start(b, "remote-1");
	put_auth(b, s);
	put_id(b, s->peer_identity, &conn->remote);
	if (s->method == IKE_METHOD_PKI) {
		put_files(b, "cacerts", s->ca, s->n_ca);
		/* A certificate that is known to be revoked is refused. */
		vici_key_value(b, "revocation", "relaxed");
	}
	/* S5: these keys and no other, whatever certificate they come in. */
	if (s->method == IKE_METHOD_RAW && keys) {
		vici_list_start(b, "pubkeys");
		for (unsigned int i = 0; i < conn->n_keys; i++)
			vici_list_item_octets(b, conn->keys[i]->spki,
					      conn->keys[i]->len);
		vici_list_end(b);
	}
	vici_section_end(b);
}

static void put_ike(struct vici_builder *b, const struct ike_conn *conn)
{
	const struct security *s = conn->security;
	const char *word;

	vici_key_number(b, "version", 2);
	swmesh_vici_listf(b, "local_addrs", "%pIA", &conn->local);
	swmesh_vici_listf(b, "remote_addrs", "%pIA", &conn->remote);
	vici_list_start(b, "proposals");
	for (unsigned int i = 0; (word = security_ike_proposal(s, i)); i++)
		vici_list_item(b, word);
	vici_list_end(b);
	vici_key_value(b, "unique", "no");
	vici_key_number(b, "keyingtries", 1);
	vici_key_value(b, "mobike", "no");
	vici_key_value(b, "fragmentation", "yes");
	vici_key_number(b, "dpd_delay", s->dpd);
	vici_key_number(b, "reauth_time", 0);
	vici_key_number(b, "rekey_time", rekey_at(conn, s->rekey_ike));
	/* Two IKE_SAs are the same to charon if this is, too: the salt makes
	 * it build another one when only a secret has changed. */
	vici_key_number(b, "over_time", over_time(s->rekey_ike) + conn->salt);
	vici_key_number(b, "rand_time", rand_of(s->rekey_ike));
	if (s->ppk_id) {
		vici_key_value(b, "ppk_id", s->ppk_id);
		vici_key_bool(b, "ppk_required", s->ppk_required);
	}
}

/* Not in the connection, but what an IKE_SA depends on. */
static void put_crls(struct vici_builder *b, const struct security *s)
{
	put_files(b, "crl", s->crl, s->n_crl);
}

static void put_secret(struct vici_builder *b, const char *name,
		       const struct security_blob *blob)
{
	if (blob->len)
		vici_key_octets(b, name, blob->data, blob->len);
}

static void put_secrets(struct vici_builder *b, const struct security *s)
{
	put_secret(b, "psk", &s->psk.blob);
	put_secret(b, "ppk", &s->ppk.blob);
}

/* ---- digests ---- */

static void digest_begin(struct vici_builder *b)
{
	vici_begin(b, VICI_CMD_REQUEST, "digest");
}

static void digest_end(struct vici_builder *b, uint8_t *out)
{
	uint8_t full[EVP_MAX_MD_SIZE];

	/* Fails for lack of memory only; zeros are the same as nothing. */
	memset(full, 0, sizeof(full));
	if (b->error == VICI_OK)
		EVP_Digest(b->buf + VICI_HEADER_LEN, b->len - VICI_HEADER_LEN,
			   full, NULL, EVP_sha256(), NULL);
	memcpy(out, full, IKE_DIGEST_LEN);
	vici_free(b);
}

void ike_conn_digests(const struct ike_conn *conn,
		      struct ike_conn_digest *digest)
{
	struct vici_builder b;

	memset(digest, 0, sizeof(*digest));
	/* This one others can read: of secrets, what tells them nothing. */
	digest_begin(&b);
	put_ike(&b, conn);
	put_crls(&b, conn->security);
	vici_key_octets(&b, "tag", conn->security->secret_tag,
			sizeof(conn->security->secret_tag));
	put_local(&b, conn);
	put_remote(&b, conn, true);
	put_children(&b, conn);
	digest_end(&b, digest->all);

	digest_begin(&b);
	put_ike(&b, conn);
	put_crls(&b, conn->security);
	put_secrets(&b, conn->security);
	put_local(&b, conn);
	put_remote(&b, conn, false);
	digest_end(&b, digest->ike);

	digest_begin(&b);
	put_crls(&b, conn->security);
	put_secrets(&b, conn->security);
	digest_end(&b, digest->secret);

	for (unsigned int i = 0; i < IKE_CHILDREN; i++) {
		if (!conn->child[i])
			continue;
		digest_begin(&b);
		put_child(&b, conn, i);
		digest_end(&b, digest->child[i]);
	}
}

/* ---- messages ---- */

void ike_conn_load(struct vici_builder *b, const struct ike_conn *conn)
{
	char name[IKE_DIGEST_NAME_LEN];
	struct ike_conn_digest digest;

	ike_conn_digests(conn, &digest);
	vici_begin(b, VICI_CMD_REQUEST, "load-conn");
	vici_section_start(b, conn->name);
	put_ike(b, conn);
	put_local(b, conn);
	put_remote(b, conn, true);
	vici_section_start(b, "children");
	put_children(b, conn);
	vici_section_start(
		b, ike_digest_name(digest.all, conn->salt, name, sizeof(name)));
	vici_key_value(b, "mode", "transport");
	put_selector(b, "local_ts", &conn->local, DIGEST_PROTOCOL, 0);
	put_selector(b, "remote_ts", &conn->remote, DIGEST_PROTOCOL, 0);
	vici_section_end(b);
	vici_section_end(b);
	vici_section_end(b);
}

void ike_conn_unload(struct vici_builder *b, const char *name)
{
	vici_begin(b, VICI_CMD_REQUEST, "unload-conn");
	vici_key_value(b, "name", name);
}

static void load_shared(struct vici_builder *b, const char *id,
			const char *type, const struct security_blob *secret)
{
	vici_begin(b, VICI_CMD_REQUEST, "load-shared");
	vici_key_value(b, "id", id);
	vici_key_value(b, "type", type);
	vici_key_octets(b, "data", secret->data, secret->len);
}

void ike_conn_load_psk(struct vici_builder *b, const char *id,
		       const struct ipaddr *local,
		       const struct security *security)
{
	load_shared(b, id, "IKE", &security->psk.blob);
	/* Of ours: the same for every peer (S3), and for none of the operator's
	 * own connections. */
	vici_list_start(b, "owners");
	if (security->identity)
		vici_list_item(b, security->identity);
	else
		swmesh_vici_itemf(b, "%pIA", local);
	vici_list_end(b);
}

void ike_conn_load_ppk(struct vici_builder *b, const char *id,
		       const struct security *security)
{
	load_shared(b, id, "ppk", &security->ppk.blob);
	vici_list_one(b, "owners", security->ppk_id);
}

void ike_conn_load_key(struct vici_builder *b, const struct security_blob *key)
{
	vici_begin(b, VICI_CMD_REQUEST, "load-key");
	vici_key_value(b, "type", "any");
	vici_key_octets(b, "data", key->data, key->len);
}

void ike_conn_load_cert(struct vici_builder *b,
			const struct security_blob *cert, bool crl)
{
	vici_begin(b, VICI_CMD_REQUEST, "load-cert");
	vici_key_value(b, "type", crl ? "X509_CRL" : "X509");
	vici_key_value(b, "flag", crl ? "NONE" : "CA");
	vici_key_octets(b, "data", cert->data, cert->len);
}
