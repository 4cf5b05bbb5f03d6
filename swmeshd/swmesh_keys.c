// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys and certificates in files; see swmesh_keys.h. */
#include <zebra.h>

#include <openssl/evp.h>

#include "memory.h"

#include "swmeshd/swmesh_keys.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, KEY_FILE, "Key file");

void security_blob_free(struct security_blob *blob)
{
	if (blob->data)
		explicit_bzero(blob->data, blob->len);
	XFREE(MTYPE_KEY_FILE, blob->data);
	blob->len = 0;
}

static void file_free(struct security_file *file)
{
	XFREE(MTYPE_KEY_FILE, file->path);
	security_blob_free(&file->blob);
}

void security_unload(struct security *s)
{
	file_free(&s->psk);
	file_free(&s->cert);
	file_free(&s->key);
	file_free(&s->ppk);
	for (unsigned int i = 0; i < s->n_ca; i++)
		file_free(&s->ca[i]);
	for (unsigned int i = 0; i < s->n_crl; i++)
		file_free(&s->crl[i]);
	for (unsigned int i = 0; i < s->n_announce; i++)
		file_free(&s->announce[i]);
	XFREE(MTYPE_KEY_FILE, s->peer_keys);
	XFREE(MTYPE_KEY_FILE, s->identity);
	XFREE(MTYPE_KEY_FILE, s->peer_identity);
	XFREE(MTYPE_KEY_FILE, s->ppk_id);
}

void key_hash(const uint8_t *spki, size_t len, uint8_t hash[KEY_HASH_LEN])
{
	/* Cannot fail for lack of anything but memory; a hash that nothing
	 * matches is then the safe answer. */
	if (!EVP_Digest(spki, len, hash, NULL, EVP_sha1(), NULL))
		memset(hash, 0, KEY_HASH_LEN);
}
