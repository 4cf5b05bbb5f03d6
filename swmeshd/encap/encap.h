/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Encapsulations: one row for each (encap/encap_*.c), with all that differs
 * between them but for their devices (kernel/tun.c). Nothing here does I/O or
 * knows a mesh.
 */
#ifndef SWMESH_ENCAP_ROWS_H
#define SWMESH_ENCAP_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Families of the islands, as a mask. */
#define PAYLOAD_IPV4 0x1
#define PAYLOAD_IPV6 0x2
#define PAYLOAD_ALL (PAYLOAD_IPV4 | PAYLOAD_IPV6)

/* Protocols of one encapsulation at most. */
#define ENCAP_PROTOCOLS_MAX 2

struct encap {
	uint16_t type; /* RFC 9012's registry; also the value in YANG */
	/* Types of RFC 5566 that are the same on the wire; 0 at the end. */
	uint16_t stands_for[3];
	/* Packets may have a key (RFC 2890), another one each way. */
	bool keyed;
	/* IP protocols that carry this payload; how many. */
	unsigned int (*protocols)(uint8_t payload,
				  uint8_t out[ENCAP_PROTOCOLS_MAX]);
	/* Octets between the outer IP header and the inner packet. */
	unsigned int (*header)(bool has_key);
	/* The key in a packet, from behind its IP header on, as far as there is
	 * something of it. False: too little. NULL: not keyed. */
	bool (*read_key)(const uint8_t *packet, size_t len, bool *has,
			 uint32_t *key);
};

extern const struct encap encap_gre, encap_ipip;

/* All of them; NULL at the end. */
extern const struct encap *const encaps[];

/* Their types, and those that they stand for: an OR of TEA_TYPE_BIT(). */
uint64_t encap_types(void);
/* The one of this type, or that it stands for; NULL: none of ours. */
const struct encap *encap_find(uint16_t type);
/* The one that sends packets of this IP protocol; NULL: none of ours. */
const struct encap *encap_of_protocol(uint8_t protocol);

#endif /* SWMESH_ENCAP_ROWS_H */
