// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A walk over the paths of a next hop in parts.
 *
 * bgpd puts new paths at the head of the list (path_nh_map()), so what follows
 * the place where a part has ended is what has not been visited. The path there
 * is locked, and its prefix with it, as bgpd does for announcements that wait:
 * it stays in the list, marked as removed, if it is withdrawn meanwhile. The
 * table is locked for what goes with the last path of an instance.
 */

#include <zebra.h>

#include "bgpd/bgpd.h"
#include "bgpd/bgp_nexthop.h"
#include "bgpd/bgp_route.h"
#include "bgpd/bgp_table.h"

#include "bgpd/swmesh_bgp_look.h"

static void hold(struct swmesh_place *place, struct bgp_path_info *path)
{
	bgp_table_lock(bgp_dest_table(path->net));
	place->path = bgp_path_info_lock(path);
	place->dest = bgp_dest_lock_node(path->net);
}

/* This may be the end of the path, and of bgpd's entry for the next hop. */
void swmesh_look_end(struct swmesh_place *place)
{
	struct bgp_path_info *path = place->path;
	struct bgp_dest *dest = place->dest;
	struct bgp_table *table;

	if (!path)
		return;
	table = bgp_dest_table(dest);
	place->path = NULL;
	place->dest = NULL;
	bgp_path_info_unlock(path);
	bgp_dest_unlock_node(dest);
	bgp_table_unlock(table);
}

void swmesh_look_begin(struct swmesh_place *place,
		       const struct bgp_nexthop_cache *bnc)
{
	swmesh_look_end(place);
	place->left = bnc ? bnc->path_count : 0;
}

static enum swmesh_look walk(struct swmesh_place *place,
			     struct bgp_path_info *path, unsigned int *steps,
			     bool (*visit)(struct bgp_path_info *path))
{
	while (path) {
		/* It was put at the head again: the walk began anew there. */
		if (!place->left)
			return SWMESH_LOOK_LOST;
		if (!*steps) {
			hold(place, path);
			return SWMESH_LOOK_MORE;
		}
		place->left--;
		--*steps;
		if (!visit(path))
			break;
		path = LIST_NEXT(path, nh_thread);
	}
	return SWMESH_LOOK_DONE;
}

enum swmesh_look swmesh_look(struct swmesh_place *place,
			     const struct bgp_nexthop_cache *bnc,
			     unsigned int *steps,
			     bool (*visit)(struct bgp_path_info *path))
{
	struct swmesh_place from = *place;
	enum swmesh_look result;

	if (from.path && (!bnc || from.path->nexthop != bnc)) {
		swmesh_look_end(place);
		return SWMESH_LOOK_LOST;
	}
	if (!bnc)
		return SWMESH_LOOK_DONE;
	place->path = NULL;
	result = walk(place, from.path ? from.path : LIST_FIRST(&bnc->paths),
		      steps, visit);
	swmesh_look_end(&from);
	return result;
}
