/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SipHash-2-4 with a 64-bit result (Aumasson and Bernstein, 2012): a keyed
 * hash whose values an outsider, who does not know the key, cannot steer into
 * collisions.  The SW-NHOP of a softwire is made with it.
 */
#ifndef SWMESH_SIPHASH_H
#define SWMESH_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_LEN 16

struct siphash {
	uint64_t v[4];
	uint64_t tail;	/* octets not yet compressed, little-endian */
	uint64_t total; /* octets taken so far */
};

void siphash_init(struct siphash *h, const uint8_t key[SIPHASH_KEY_LEN]);
void siphash_add(struct siphash *h, const void *octets, size_t len);
/* The hash of all that was added.  h may not be used again without init. */
uint64_t siphash_end(struct siphash *h);

/* The three of them in one call. */
uint64_t siphash24(const uint8_t key[SIPHASH_KEY_LEN], const void *octets,
		   size_t len);

#endif /* SWMESH_SIPHASH_H */
