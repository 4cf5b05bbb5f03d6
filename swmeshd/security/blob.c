// SPDX-License-Identifier: GPL-2.0-or-later
/* Octets that are wiped; see security/blob.h. */
#include <zebra.h>

#include "memory.h"

#include "swmeshd/security/blob.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, BLOB, "Key or secret");

void security_blob_set(struct security_blob *blob, const void *data, size_t len)
{
	security_blob_free(blob);
	blob->data = XMALLOC(MTYPE_BLOB, len + 1);
	memcpy(blob->data, data, len);
	blob->data[len] = '\0';
	blob->len = len;
}

void security_blob_free(struct security_blob *blob)
{
	if (blob->data)
		explicit_bzero(blob->data, blob->len);
	XFREE(MTYPE_BLOB, blob->data);
	blob->len = 0;
}
