/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The choice of the tunnel to send by (RFC 9012 section 6, B3): the first in
 * our order that the other end announces too, for this payload, with a
 * reachable endpoint and a working device.
 */
#ifndef SWMESH_SELECT_H
#define SWMESH_SELECT_H

#include "swmeshd/model/model.h"

#define SELECT_CANDIDATES_MAX 32

/* One tunnel that was looked at, feasible or not. */
struct candidate {
	uint16_t type; /* enum tea_type, or any number received */
	bool has_key;  /* GRE: the peer's key */
	uint32_t key;
	struct ipaddr endpoint; /* none: not got so far */
	struct softwire *sw;	/* NULL: not got so far */
	bool feasible;
	bool pending;		      /* not known yet */
	char reason[MESH_REASON_LEN]; /* why not feasible */
};

struct selection {
	unsigned int chosen; /* index of the best; n if there is none */
	bool pending;	     /* a better or the only one may yet come up */
	unsigned int n;
	struct candidate c[SELECT_CANDIDATES_MAX];
};

/* Look at all tunnels of the demand. Changes nothing. */
void select_tunnel(const struct demand *demand, struct selection *out);

/* One line for all that is not feasible. */
const char *selection_reason(const struct demand *demand,
			     const struct selection *sel, char *buf,
			     size_t len);

#endif /* SWMESH_SELECT_H */
