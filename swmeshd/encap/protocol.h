/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IP protocols that softwires are made of: what IPsec, nftables and drop
 * policies tell them by. */
#ifndef SWMESH_PROTOCOL_H
#define SWMESH_PROTOCOL_H

#include <stdint.h>

struct encap_protocol {
	uint8_t number; /* IPPROTO_* */
	/* Also what the children of IKE_SAs are called in charon, which another
	 * run may have made: never another word. */
	const char *word;
};

/* Indexes of the table. */
#define ENCAP_PROTOCOL_GRE 0
#define ENCAP_PROTOCOL_IP4 1
#define ENCAP_PROTOCOL_IP6 2
#define ENCAP_PROTOCOLS 3
extern const struct encap_protocol encap_protocols[ENCAP_PROTOCOLS];

#endif /* SWMESH_PROTOCOL_H */
