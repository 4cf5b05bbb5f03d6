/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long it takes to decode a typical attribute of three tunnels: what the
 * bgpd module does for each UPDATE.  Prints one line.
 */
#include <stdio.h>
#include <stdlib.h>
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

int main(void)
{
	uint8_t value[256];
	size_t len = typical(value, sizeof(value)), usable = 0;
	double best = 1e9, start, spent;
	struct tea tea;

	for (int round = 0; round < ROUNDS; round++) {
		start = seconds();
		for (int i = 0; i < DECODES; i++) {
			tea_decode(value, len, NULL, &tea);
			usable += tea.tunnels[0].usable;
			tea_free(&tea);
		}
		spent = seconds() - start;
		if (spent < best)
			best = spent;
	}
	if (usable != (size_t)ROUNDS * DECODES)
		return 1;
	printf("codec: %.0f ns per decode of 3 tunnels in %zu octets (best of %d times %d)\n",
	       best / DECODES * 1e9, len, ROUNDS, DECODES);
	return 0;
}
