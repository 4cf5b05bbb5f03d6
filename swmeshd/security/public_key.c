// SPDX-License-Identifier: GPL-2.0-or-later
/* Public keys and their hashes; see security/public_key.h. */
#include <zebra.h>

#include <openssl/evp.h>

#include "swmeshd/security/public_key.h"

void key_hash(const uint8_t *spki, size_t len, uint8_t hash[KEY_HASH_LEN])
{
	/* Cannot fail for lack of anything but memory; a hash that nothing
	 * matches is then the safe answer. */
	if (!EVP_Digest(spki, len, hash, NULL, EVP_sha1(), NULL))
		memset(hash, 0, KEY_HASH_LEN);
}

const char *key_hash_text(const uint8_t hash[KEY_HASH_LEN], char *buf)
{
	for (unsigned int i = 0; i < KEY_HASH_LEN; i++)
		snprintf(buf + 3 * i, 4, "%02x%s", hash[i],
			 i + 1 < KEY_HASH_LEN ? ":" : "");
	return buf;
}
