/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which addresses cannot be a Tunnel Egress Endpoint by RFC 9012 section 3.1:
 * those in a block of IANA's special-purpose address registries (RFC 6890)
 * whose "destination" or "forwardable" column is false.
 *
 * The documentation blocks are among them but stand apart: the Internet never
 * routes them, yet every lab and every example is built of them.
 */
#include "lib/tea.h"

struct block {
	uint8_t prefix[16];
	uint8_t bits;
};

/* Blocks inside those below whose columns are both true. */
static const struct block good_ipv4[] = {
	{{192, 0, 0, 0}, 29},  /* IPv4 Service Continuity, RFC 7335 */
	{{192, 0, 0, 9}, 32},  /* PCP anycast, RFC 7723 */
	{{192, 0, 0, 10}, 32}, /* TURN anycast, RFC 8155 */
};

static const struct block bad_ipv4[] = {
	{{0}, 8},	   /* "this network" */
	{{127}, 8},	   /* loopback */
	{{169, 254}, 16},  /* link-local: not forwardable */
	{{192, 0, 0}, 24}, /* IETF protocol assignments */
	{{240}, 4},	   /* reserved, and limited broadcast */
};

static const struct block documentation_ipv4[] = {
	{{192, 0, 2}, 24}, /* RFC 5737 */
	{{198, 51, 100}, 24},
	{{203, 0, 113}, 24},
};

static const struct block good_ipv6[] = {
	{{0x20, 0x01, 0, 0}, 32}, /* Teredo */
	{{0x20, 0x01, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128}, /* PCP */
	{{0x20, 0x01, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2},
	 128}, /* TURN */
	{{0x20, 0x01, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3},
	 128},				      /* DNS-SD */
	{{0x20, 0x01, 0, 2, 0, 0}, 48},	      /* benchmarking */
	{{0x20, 0x01, 0, 3}, 32},	      /* AMT */
	{{0x20, 0x01, 0, 4, 0x01, 0x12}, 48}, /* AS112 */
	{{0x20, 0x01, 0, 0x20}, 28},	      /* ORCHIDv2 */
	{{0x20, 0x01, 0, 0x30}, 28},	      /* DRIP */
};

static const struct block bad_ipv6[] = {
	{{0}, 128}, /* unspecified */
	{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128}, /* loopback */
	{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, /* IPv4-mapped */
	{{0x20, 0x01, 0}, 23}, /* IETF protocol assignments */
	{{0xfe, 0x80}, 10},    /* link-local: not forwardable */
};

static const struct block documentation_ipv6[] = {
	{{0x20, 0x01, 0x0d, 0xb8}, 32}, /* RFC 3849 */
	{{0x3f, 0xff}, 20},		/* RFC 9637 */
};

static bool in_block(const uint8_t *addr, const struct block *block)
{
	unsigned int whole = block->bits / 8, rest = block->bits % 8;
	uint8_t mask = (uint8_t)(0xff << (8 - rest));

	if (memcmp(addr, block->prefix, whole) != 0)
		return false;
	return rest == 0 || ((addr[whole] ^ block->prefix[whole]) & mask) == 0;
}

static bool in_any(const uint8_t *addr, const struct block *blocks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (in_block(addr, &blocks[i]))
			return true;
	return false;
}

#define IN_ANY(addr, blocks)                                                   \
	in_any(addr, blocks, sizeof(blocks) / sizeof((blocks)[0]))

bool tea_martian_ipv4(const struct in_addr *addr)
{
	const uint8_t *octets = (const uint8_t *)addr;

	return IN_ANY(octets, bad_ipv4) && !IN_ANY(octets, good_ipv4);
}

bool tea_martian_ipv6(const struct in6_addr *addr)
{
	return IN_ANY(addr->s6_addr, bad_ipv6) &&
	       !IN_ANY(addr->s6_addr, good_ipv6);
}

bool tea_documentation_ipv4(const struct in_addr *addr)
{
	return IN_ANY((const uint8_t *)addr, documentation_ipv4);
}

bool tea_documentation_ipv6(const struct in6_addr *addr)
{
	return IN_ANY(addr->s6_addr, documentation_ipv6);
}
