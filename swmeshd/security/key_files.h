/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and certificates in files (libcrypto): reading them for a `security`,
 * and their hashes (RFC 5566).
 */
#ifndef SWMESH_KEYS_H
#define SWMESH_KEYS_H

#include "swmeshd/security/security.h"

/* Larger files are refused unread. */
#define KEY_FILE_MAX (64 * 1024)

/*
 * Read all files that the security names and check that they fit together: the
 * key belongs to the certificate, dates, identity in the certificate, file
 * modes of secrets (not readable by others). On failure security->error tells
 * which file, what is wrong and what to do, and false is returned. Fills keys[]
 * and digest.
 */
bool security_load(struct security *security);

/* Wipes and frees what the files held, and their names. */
void security_unload(struct security *security);

/*
 * The digests over what is configured, and over what was loaded so far.
 * security_load() does it, too.
 */
void security_digest(struct security *security);
/* A known answer: libfrr has functions of the names of libcrypto's, and which
 * ones are called depends on how the program was linked. */
bool security_digest_works(void);

/*
 * RFC 5566's hash: SHA-1 of the whole SubjectPublicKeyInfo, as IKEv2 hashes the
 * public keys of certification authorities (RFC 7296 section 3.7).
 */
void key_hash(const uint8_t *spki, size_t len, uint8_t hash[KEY_HASH_LEN]);

/* The public key, or the one of a certificate, that is in a file; false: none.
 * May be called by any thread. */
bool key_file_public(const char *path, struct public_key *key);

/* A copy, with a 0 behind it; what was there before is wiped and freed. */
void security_blob_set(struct security_blob *blob, const void *data,
		       size_t len);
void security_blob_free(struct security_blob *blob);

/* After a copy of the struct: give it texts and contents of its own. */
void security_own(struct security *security);

/* "SHA-1 xx:xx:..."; buf is returned. */
#define KEY_HASH_TEXT_LEN (3 * KEY_HASH_LEN + 1)
const char *key_hash_text(const uint8_t hash[KEY_HASH_LEN], char *buf);

#endif /* SWMESH_KEYS_H */
