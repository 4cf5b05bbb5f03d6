/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model against backends that only write down what is asked of them, and
 * the scenery in which its unit tests play: one mesh with an encap-set EDGE of
 * gre/100 and ip-in-ip.
 */
#ifndef SWMESH_MODEL_SCENERY_H
#define SWMESH_MODEL_SCENERY_H

#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "swmeshd/model/model.h"

extern struct mesh mesh;

/* What was asked of the backends since setup(). */
extern unsigned int devices, releases, tracked, retries, holds, changes,
	configs, guards, sas, sa_releases, route_sets, route_releases,
	softwire_changes;
extern struct softwire *last_route;
/* What device_set(), guard_set(), sa_set() and filter_set() answer. */
extern bool device_ready, guard_ok, sa_ready, filter_ready, route_ready;
/* What the backend knows of an AFBR whose SAs are not there; NULL: nothing. */
extern const char *sa_error;

int setup(void **state);
int teardown(void **state);

struct ipaddr addr(const char *text);
/* Add a tunnel to an encap-set; key 0: none. */
void tunnel(const char *set, uint16_t preference, uint16_t type, uint32_t key);

/* A tunnel TLV; key 0: none, type 0: end of list. */
struct tlv {
	uint16_t type;
	uint32_t key;
	const char *endpoint; /* NULL: the next hop */
	uint16_t protocol;    /* 0: none */
	const char *auth;     /* a public key that is announced by its hash */
	bool auth_key;	      /* ... and in full */
	bool protected;	      /* by our own sub-TLV */
};

/* bgpd's module asks for a softwire; id is the last octet of the SW-NHOP. */
struct demand *ask(uint8_t id, const char *next_hop, const struct tlv *tlvs);
/* zebra tells the way to an endpoint. */
struct afbr *path(const char *endpoint, bool reachable, bool recursive,
		  uint32_t mtu);
/* ... which leaves by eth1; verdict: what is wrong with that, or nothing. */
struct afbr *way(const char *endpoint, enum transit_verdict verdict);
struct softwire *softwire(const char *endpoint, uint16_t type, uint32_t key);

#endif /* SWMESH_MODEL_SCENERY_H */
