/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The key by which SW-NHOPs are made out of next hop and attribute: out of
 * /etc/machine-id, so that it is the same after any restart and nobody outside
 * can aim at one.
 */
#ifndef SWMESH_BGP_NHOP_KEY_H
#define SWMESH_BGP_NHOP_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/siphash.h"

/* Without an id it is random, of this run alone; that is logged. */
void swmesh_nhop_key_make(uint8_t key[SIPHASH_KEY_LEN]);

/* Is it one, as machine-id(5) has it: 32 hexadecimal digits and perhaps a
 * newline? At the first boot it may say "uninitialized". */
bool swmesh_machine_id_valid(const char *text, size_t len);

#endif /* SWMESH_BGP_NHOP_KEY_H */
