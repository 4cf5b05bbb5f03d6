/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SAs of the kernel, and what protects a pair of addresses. */
#ifndef SWMESH_XFRM_TYPES_H
#define SWMESH_XFRM_TYPES_H

#include "ipaddr.h"

/* A kernel SA of a pair of addresses. */
struct xfrm_sa {
	struct ipaddr src, dst;
	uint8_t protocol; /* IPPROTO_ESP or IPPROTO_AH */
	uint32_t spi;	  /* host byte order */
	uint32_t reqid;
	uint64_t packets, bytes;
	uint64_t replays, replay_window_misses, integrity_failures;
	uint32_t add_time; /* seconds since the epoch */
	bool dying;	   /* soft lifetime is over */
};

/* What the kernel has for a pair and an upper-layer protocol. */
struct xfrm_child {
	/* The policy that decides asks for ESP or AH in transport mode. */
	bool out_policy, in_policy;
	unsigned int n_out, n_in; /* SAs that match its template */
	uint32_t spi_out, spi_in; /* of the newest, host byte order; 0 */
	uint32_t reqid;		  /* of the outbound template */
	uint8_t protocol;	  /* of it: IPPROTO_ESP or IPPROTO_AH; 0 */
};

struct xfrm_pair {
	struct ipaddr local, remote;
};
#endif /* SWMESH_XFRM_TYPES_H */
