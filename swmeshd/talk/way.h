/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways to the endpoints, as zebra's next-hop tracking tells them, with what
 * they depend on besides: MTU and addresses of interfaces, prefix-lists, the
 * configuration. What comes of it goes to the model (afbr_path()).
 */
#ifndef SWMESH_WAY_H
#define SWMESH_WAY_H

#include "swmeshd/model/model.h"

struct zapi_route;

/* Follow prefix-lists. */
void swmesh_way_init(void);
void swmesh_way_stop(void);

/* The AFBR's tracker; the caller asks zebra. */
void swmesh_way_new(struct afbr *afbr);
void swmesh_way_free(struct afbr *afbr);

/* zebra's answer for an AFBR with a tracker. */
void swmesh_way_told(struct afbr *afbr, const struct zapi_route *nhr);

/* Something that ways depend on has changed: look at all of them again, in a
 * moment and once, however often this is called until then. */
void swmesh_way_check_later(void);
/* Likewise, now: what the model does next goes by it. */
void swmesh_way_check(void);

/* The host prefix by which zebra and prefix-lists know an endpoint. */
void swmesh_way_prefix(const struct ipaddr *addr, struct prefix *p);

#endif /* SWMESH_WAY_H */
