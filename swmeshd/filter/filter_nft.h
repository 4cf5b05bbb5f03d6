/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libnftables, and who else writes into our table. */
#ifndef SWMESH_FILTER_NFT_H
#define SWMESH_FILTER_NFT_H

#include <stdbool.h>
#include <stddef.h>

/* Carry out commands, all of them or none. */
bool filter_nft_run(const char *commands, char *err, size_t len);
/* While there are descriptors: keeps some. */
void filter_nft_init(void);
void filter_nft_stop(void);

/* Somebody else changed the table; who: text. Called from the event loop. */
extern void (*filter_nft_touched)(const char *who);

#endif /* SWMESH_FILTER_NFT_H */
