/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What charon is given: a `security` and a peer made into vici messages. No
 * state, no socket; ike/ike_load.c sends them.
 *
 * Connections, secrets and keys of ours in charon have names that begin with
 * IKE_NAME_PREFIX. A digest of a connection is part of it, as the name of a
 * child that nothing ever uses, so that whoever reads charon's connections
 * knows what is in them.
 */
#ifndef SWMESH_IKE_CONN_H
#define SWMESH_IKE_CONN_H

#include "swmeshd/ike/ike_show.h"
#include "swmeshd/security/key_files.h"

struct vici_builder;

#define IKE_NAME_PREFIX "swmesh-"
#define IKE_DIGEST_PREFIX "as-"
/* Room for the prefix and the digest in hexadecimal. */
#define IKE_DIGEST_NAME_LEN                                                    \
	(sizeof(IKE_DIGEST_PREFIX) + (size_t)(2 * (IKE_DIGEST_LEN + 1)))

/* A connection: pointers are the caller's. */
struct ike_conn {
	const char *name;
	struct ipaddr local, remote;
	uint8_t salt; /* another one: another IKE_SA, all else the same */
	const struct security *security;
	/* Of each kind that is wanted; NULL: it is not. */
	const struct security *child[IKE_CHILDREN];
	/* Method raw: keys the peer may have. */
	unsigned int n_keys;
	const struct public_key *keys[AFBR_KEYS_MAX];
};

/* Digests of a connection. */
struct ike_conn_digest {
	uint8_t all[IKE_DIGEST_LEN];
	/* What an IKE_SA depends on, but for the peer's keys. */
	uint8_t ike[IKE_DIGEST_LEN];
	/* Of that, what is not in the connection itself. */
	uint8_t secret[IKE_DIGEST_LEN];
	uint8_t child[IKE_CHILDREN][IKE_DIGEST_LEN];
};

void ike_conn_digests(const struct ike_conn *conn,
		      struct ike_conn_digest *digest);

/* "as-0123456789abcdef00"; and what is in such a name, false: it is none. */
const char *ike_digest_name(const uint8_t digest[IKE_DIGEST_LEN], uint8_t salt,
			    char *buf, size_t len);
bool ike_digest_parse(const char *name, uint8_t digest[IKE_DIGEST_LEN],
		      uint8_t *salt);

/* "swmesh-2001:db8::2"; and the address in such a name, false: it is none. */
const char *ike_conn_name(const struct ipaddr *addr, char *buf, size_t len);
bool ike_conn_name_parse(const char *name, struct ipaddr *addr);

/* Of a fixed request ID: the same for old and new SAs of a pair and a protocol,
 * even if charon has forgotten the old ones, and other than for any else. */
uint32_t ike_reqid(const struct ipaddr *local, const struct ipaddr *remote,
		   enum ike_kind kind);
/* May it be of a child of that kind, of whatever pair? */
bool ike_reqid_is(uint32_t reqid, enum ike_kind kind);

/* The messages; a builder with an error is left as swmesh_vici_request() wants
 * it. */
void ike_conn_load(struct vici_builder *b, const struct ike_conn *conn);
void ike_conn_unload(struct vici_builder *b, const char *name);
/* ids: of the secret in charon. */
void ike_conn_load_psk(struct vici_builder *b, const char *id,
		       const struct ipaddr *local,
		       const struct security *security);
void ike_conn_load_ppk(struct vici_builder *b, const char *id,
		       const struct security *security);
void ike_conn_load_key(struct vici_builder *b, const struct security_blob *key);
/* crl: it is a list of revoked certificates, else a CA's certificate. */
void ike_conn_load_cert(struct vici_builder *b,
			const struct security_blob *cert, bool crl);

#endif /* SWMESH_IKE_CONN_H */
