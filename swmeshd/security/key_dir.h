/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory `peer-keys`: public keys of those peers that announce a hash
 * alone (RFC 5566), by their hashes.
 *
 * A thread of its own reads it, all of it, at most every so often: there may be
 * thousands of files, on a file system that does not answer, and anybody who
 * announces AFBRs can have us look for any number of hashes.
 */
#ifndef SWMESH_KEYS_DIR_H
#define SWMESH_KEYS_DIR_H

#include "swmeshd/security/public_key.h"

/* changed: the directory has been read; what was absent may be there now. */
void key_dir_init(void (*changed)(void));
void key_dir_stop(void);

/*
 * The key with this hash, out of the files *.pem, *.pub, *.crt, *.der (at most
 * 4096). NULL: there is none, or not yet, and err says so; the directory is
 * read again if it was not just now. Valid until the event loop runs.
 */
const struct public_key *key_dir_find(const char *directory,
				      const uint8_t hash[KEY_HASH_LEN],
				      char *err, size_t len);

/* Whether it has been read at all: until then what is not found may be there.
 */
bool key_dir_known(const char *directory);

#endif /* SWMESH_KEYS_DIR_H */
