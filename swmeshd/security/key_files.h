/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and certificates in files (libcrypto): reading them for a `security`.
 */
#ifndef SWMESH_KEYS_H
#define SWMESH_KEYS_H

#include "swmeshd/security/security.h"

/*
 * Read all files that the security names and check that they fit together: the
 * key belongs to the certificate, dates, identity in the certificate, file
 * modes of secrets (not readable by others). On failure security->error tells
 * which file, what is wrong and what to do, and false is returned. Fills keys[]
 * and digest.
 */
bool security_load(struct security *security);

/* The public key, or the one of a certificate, that is in a file; false: none.
 * May be called by any thread. */
bool key_file_public(const char *path, struct public_key *key);

#endif /* SWMESH_KEYS_H */
