/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Public keys as AFBRs announce them, and their hashes (RFC 5566). */
#ifndef SWMESH_PUBLIC_KEY_H
#define SWMESH_PUBLIC_KEY_H

#include <stddef.h>
#include <stdint.h>

/* RFC 5566: SHA-1 over the public key. */
#define KEY_HASH_LEN 20

/* A SubjectPublicKeyInfo of RSA with 4096 bits has 550 octets. */
#define KEY_SPKI_MAX 1100

/* A public key: DER of the SubjectPublicKeyInfo (RFC 5280 section 4.1), and its
 * hash as announced. len 0: only the hash is known. */
struct public_key {
	uint8_t hash[KEY_HASH_LEN];
	uint16_t len;
	uint8_t spki[KEY_SPKI_MAX];
};

/*
 * RFC 5566's hash: SHA-1 of the whole SubjectPublicKeyInfo, as IKEv2 hashes the
 * public keys of certification authorities (RFC 7296 section 3.7).
 */
void key_hash(const uint8_t *spki, size_t len, uint8_t hash[KEY_HASH_LEN]);

/* "SHA-1 xx:xx:..."; buf is returned. */
#define KEY_HASH_TEXT_LEN (3 * KEY_HASH_LEN + 1)
const char *key_hash_text(const uint8_t hash[KEY_HASH_LEN], char *buf);

#endif /* SWMESH_PUBLIC_KEY_H */
