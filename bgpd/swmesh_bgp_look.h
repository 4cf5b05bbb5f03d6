/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A walk over the paths of a next hop, as many as there may be, in parts. */
#ifndef SWMESH_BGP_LOOK_H
#define SWMESH_BGP_LOOK_H

#include <stdbool.h>

struct bgp_dest;
struct bgp_nexthop_cache;
struct bgp_path_info;

/* Where a walk has stopped. All zeroes to begin with. */
struct swmesh_place {
	struct bgp_path_info *path; /* the next one, locked; NULL: the first */
	struct bgp_dest *dest;	    /* its prefix, locked */
	/* Paths there were at the beginning, less those visited: no more are
	 * visited, whatever a neighbor does to the list meanwhile. */
	unsigned int left;
};

enum swmesh_look {
	SWMESH_LOOK_DONE, /* at the end, or visit() has enough */
	SWMESH_LOOK_MORE, /* to be gone on with */
	SWMESH_LOOK_LOST, /* the place is gone: not all have been visited */
};

/* Begin with the paths of bnc (NULL: there are none). */
void swmesh_look_begin(struct swmesh_place *place,
		       const struct bgp_nexthop_cache *bnc);

/*
 * Go on, with the same bnc as before, as long as there are steps: one is taken
 * for each path, and visit() may take more. Paths that have come since the
 * beginning are not visited. visit() returns false when it has enough, and
 * takes no path out of the list. When it is done or lost nothing is locked.
 */
enum swmesh_look swmesh_look(struct swmesh_place *place,
			     const struct bgp_nexthop_cache *bnc,
			     unsigned int *steps,
			     bool (*visit)(struct bgp_path_info *path));

/* Give it up. */
void swmesh_look_end(struct swmesh_place *place);

#endif /* SWMESH_BGP_LOOK_H */
