/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a SW-NHOP's address is made out of next hop and attribute: by a keyed
 * hash, the key out of /etc/machine-id, so that it is the same after any
 * restart and nobody outside can aim at one.
 */
#ifndef SWMESH_BGP_NHOP_KEY_H
#define SWMESH_BGP_NHOP_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/prefix.h"

/* Make the key, before all else. Without an id it is random, of this run alone;
 * that is logged. */
void swmesh_nhop_key_make(void);

/* Of a pair and the routes' family. identity: what tea_identity() leaves of the
 * attribute's value. */
uint64_t swmesh_nhop_hash(const struct in6_addr *next_hop, bool classic,
			  bool ipv6, const uint8_t *identity, size_t len);

/*
 * The prefix's bits, then as many of the hash's low ones as there is room for:
 * 64 at most, as in a /64; longer prefixes take fewer.
 */
void swmesh_nhop_address(uint64_t hash, const struct prefix_ipv6 *prefix,
			 struct in6_addr *addr);

/* Is it one, as machine-id(5) has it: 32 hexadecimal digits and perhaps a
 * newline? At the first boot it may say "uninitialized". */
bool swmesh_machine_id_valid(const char *text, size_t len);

#endif /* SWMESH_BGP_NHOP_KEY_H */
