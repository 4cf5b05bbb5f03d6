/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core's MTU as its routers tell it.
 */
#ifndef SWMESH_PMTU_H
#define SWMESH_PMTU_H

#include <stddef.h>
#include <stdint.h>

struct mesh;
struct softwire;

/* Without the socket, large packets may vanish behind a narrow link of the
 * core; everything else works, so that a failure is only logged. */
void swmesh_pmtu_init(void);
void swmesh_pmtu_stop(void);

/*
 * The softwire that an ICMPv6 message is about, and the MTU it tells; NULL if
 * it is no "packet too big" (RFC 4443 section 3.2) or not about a packet that
 * we sent by a softwire. msg begins with the ICMPv6 type; its checksum
 * has been verified.
 */
struct softwire *swmesh_pmtu_parse(struct mesh *mesh, const uint8_t *msg,
				   size_t len, uint32_t *mtu);

/* The same for ICMP "fragmentation needed" (RFC 1191); msg begins with the IPv4
 * header, whose length and checksum have been verified; ICMP's is here. */
struct softwire *swmesh_pmtu_parse4(struct mesh *mesh, const uint8_t *msg,
				    size_t len, uint32_t *mtu);

#endif /* SWMESH_PMTU_H */
