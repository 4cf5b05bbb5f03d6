/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sealing: a secret that was typed is kept in the configuration encrypted with
 * a key that is in a file of this router alone. So no running configuration, no
 * frr.conf, no NETCONF client and no copy of either has the secret itself.
 *
 * AES-256-GCM, whose nonce is derived from the secret: the same secret always
 * gives the same text, so that entering it again changes nothing. (What that
 * tells is that two texts of one router hold the same secret.)
 *
 * Tags: whether a secret is still the one it was, for whoever has the key. To
 * anybody else a tag is a random number, however easy the secret is to guess.
 */
#ifndef SWMESH_SEAL_H
#define SWMESH_SEAL_H

#include <stdbool.h>
#include <stddef.h>

#include "swmeshd/security/blob.h"

#define SEAL_SECRET_MAX 512
/* "v1:", base64 of nonce, ciphertext and tag, and the final 0. */
#define SEAL_TEXT_MAX 744
#define SEAL_TAG_LEN 32

/* Where the key is; before anything is sealed. The text is copied. */
void swmesh_seal_init(const char *key_file);
void swmesh_seal_fini(void);
const char *swmesh_seal_file(void);

/* Makes the key if there is none yet. False with a text: cause and remedy. */
bool swmesh_seal(const char *secret, char text[SEAL_TEXT_MAX], char *err,
		 size_t len);
/* The blob is to be freed with security_blob_free(). */
bool swmesh_unseal(const char *text, struct security_blob *secret, char *err,
		   size_t len);

/* Of several secrets in this order; an empty one counts, too. Makes the key if
 * there is none yet. False with a text, as above. */
bool swmesh_seal_tag(const struct security_blob *const *secrets, unsigned int n,
		     uint8_t tag[SEAL_TAG_LEN], char *err, size_t len);

#endif /* SWMESH_SEAL_H */
