/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long it takes to decode a typical attribute of three tunnels: what the
 * bgpd module does for each UPDATE whose attribute it has not seen lately.  The
 * yardstick is the least that any decoder does: copy the octets and step over
 * the TLVs and sub-TLVs, nothing checked but their lengths, nothing kept.
 * Prints one line: nanoseconds of a decode, of the walk, octets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/tea.h"

#define ROUNDS 7
#define DECODES 200000

static size_t typical(uint8_t *buf, size_t cap)
{
	static const uint8_t cookie[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct in6_addr source = {.s6_addr = {0xfd, [15] = 1}};
	struct tea_builder b;
	ssize_t len;

	tea_build_start(&b, buf, cap);
	tea_build_tunnel(&b, TEA_TYPE_GRE);
	tea_build_endpoint_ipv6(&b, &source);
	tea_build_gre_key(&b, 100);
	tea_build_protocol(&b, TEA_ETHERTYPE_IPV4);
	tea_build_color(&b, 7);
	tea_build_tunnel(&b, TEA_TYPE_IPIP);
	tea_build_endpoint_ipv6(&b, &source);
	tea_build_protocol(&b, TEA_ETHERTYPE_IPV4);
	tea_build_tunnel(&b, TEA_TYPE_L2TPV3);
	tea_build_endpoint_ipv6(&b, &source);
	tea_build_l2tpv3(&b, 7, cookie, sizeof(cookie));
	tea_build_protocol(&b, TEA_ETHERTYPE_TEB);
	len = tea_build_finish(&b);
	if (len < 0)
		abort();
	return (size_t)len;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t be16(const uint8_t *p)
{
	return (size_t)p[0] << 8 | p[1];
}

/* Sub-TLVs counted, 0 when a length does not fit. */
static size_t walk_subs(const uint8_t *p, size_t len)
{
	size_t n = 0, header, value;

	for (; len >= 2; n++) {
		header = *p < 128 ? 2 : 3;
		value = *p < 128 ? p[1] : be16(p + 1);
		if (header + value > len)
			return 0;
		p += header + value;
		len -= header + value;
	}
	return n;
}

static size_t copy_and_walk(const uint8_t *value, size_t len)
{
	uint8_t *copy = malloc(len), *p = copy;
	size_t n = 0, left = len;

	memcpy(copy, value, len);
	while (left >= 4 && 4 + be16(p + 2) <= left) {
		size_t total = 4 + be16(p + 2);

		n += walk_subs(p + 4, total - 4);
		p += total;
		left -= total;
	}
	free(copy);
	return n;
}

static size_t decode(const uint8_t *value, size_t len)
{
	struct tea tea;
	size_t n = 0;

	tea_decode(value, len, NULL, &tea);
	for (size_t i = 0; i < tea.n_tunnels; i++)
		n += tea.tunnels[i].n_subs;
	tea_free(&tea);
	return n;
}

/* Nanoseconds of one call; *subs: what it counted. */
static double timed(size_t (*func)(const uint8_t *value, size_t len),
		    const uint8_t *value, size_t len, size_t *subs)
{
	double start = seconds();

	*subs = 0;
	for (int i = 0; i < DECODES; i++)
		*subs += func(value, len);
	return (seconds() - start) / DECODES * 1e9;
}

/* Turn and turn about; the best round of each, since all else is noise. */
int main(void)
{
	uint8_t value[256];
	size_t len = typical(value, sizeof(value)), found, expected;
	double best_decode = 1e9, best_walk = 1e9, spent;

	for (int round = 0; round < ROUNDS; round++) {
		spent = timed(decode, value, len, &found);
		if (spent < best_decode)
			best_decode = spent;
		spent = timed(copy_and_walk, value, len, &expected);
		if (spent < best_walk)
			best_walk = spent;
		if (!found || found != expected)
			return 1;
	}
	printf("codec: %.1f ns a decode, %.1f ns a walk, 3 tunnels in %zu octets\n",
	       best_decode, best_walk, len);
	return 0;
}
