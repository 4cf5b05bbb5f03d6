/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Octets that are a secret, or come from a file; wiped when freed. */
#ifndef SWMESH_BLOB_H
#define SWMESH_BLOB_H

#include <stddef.h>
#include <stdint.h>

/* Larger files are refused unread. */
#define KEY_FILE_MAX (64 * 1024)

struct security_blob {
	uint8_t *data; /* NULL: none */
	size_t len;
};

/* A copy, with a 0 behind it; what was there before is wiped and freed. */
void security_blob_set(struct security_blob *blob, const void *data,
		       size_t len);
void security_blob_free(struct security_blob *blob);

#endif /* SWMESH_BLOB_H */
