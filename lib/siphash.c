/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SipHash-2-4: two rounds for each 8 octets of input, four at the end.
 */
#include "lib/siphash.h"

static uint64_t rotate(uint64_t x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

static void rounds(uint64_t v[4], unsigned int n)
{
	while (n--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);

		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

static void compress(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	rounds(v, 2);
	v[0] ^= word;
}

/* Octets are added one by one, which keeps this independent of the machine's
 * byte order and alignment; inputs here are a few hundred octets at most. */
static uint64_t le64(const uint8_t *octets)
{
	uint64_t word = 0;

	for (unsigned int i = 0; i < 8; i++)
		word |= (uint64_t)octets[i] << (8 * i);
	return word;
}

void siphash_init(struct siphash *h, const uint8_t key[SIPHASH_KEY_LEN])
{
	uint64_t k0 = le64(key), k1 = le64(key + 8);

	/* "somepseudorandomlygeneratedbytes", as the definition has it */
	h->v[0] = k0 ^ UINT64_C(0x736f6d6570736575);
	h->v[1] = k1 ^ UINT64_C(0x646f72616e646f6d);
	h->v[2] = k0 ^ UINT64_C(0x6c7967656e657261);
	h->v[3] = k1 ^ UINT64_C(0x7465646279746573);
	h->tail = 0;
	h->total = 0;
}

void siphash_add(struct siphash *h, const void *octets, size_t len)
{
	const uint8_t *at = octets;

	while (len--) {
		h->tail |= (uint64_t)*at++ << (8 * (h->total % 8));
		h->total++;
		if (h->total % 8 == 0) {
			compress(h->v, h->tail);
			h->tail = 0;
		}
	}
}

uint64_t siphash_end(struct siphash *h)
{
	compress(h->v, h->tail | h->total << 56);
	h->v[2] ^= 0xff;
	rounds(h->v, 4);
	return h->v[0] ^ h->v[1] ^ h->v[2] ^ h->v[3];
}

uint64_t siphash24(const uint8_t key[SIPHASH_KEY_LEN], const void *octets,
		   size_t len)
{
	struct siphash h;

	siphash_init(&h, key);
	siphash_add(&h, octets, len);
	return siphash_end(&h);
}
