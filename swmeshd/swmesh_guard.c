// SPDX-License-Identifier: GPL-2.0-or-later
/* Which drop policies the mesh needs; see swmesh_guard.h. */
#include <zebra.h>

#include "swmeshd/swmesh_guard.h"
#include "swmeshd/swmesh_xfrm.h"

/* An IP-in-IP device carries both, whatever the payload of the set. */
static bool guard_type(const struct ipaddr *source, uint16_t type, char *err,
		       size_t len)
{
	if (type == TEA_TYPE_GRE)
		return swmesh_xfrm_guard(source, IPPROTO_GRE, err, len);
	return swmesh_xfrm_guard(source, IPPROTO_IPIP, err, len) &&
	       swmesh_xfrm_guard(source, IPPROTO_IPV6, err, len);
}

bool swmesh_guard_set(struct softwire *sw, char *err, size_t len)
{
	return !sw->security ||
	       guard_type(&sw->afbr->mesh->local_source, sw->tunnel.type, err,
			  len);
}

void swmesh_guard_config_changed(struct mesh *mesh)
{
	char err[MESH_REASON_LEN];

	for (unsigned int i = 0; i < mesh->local.n; i++)
		if (mesh->local.t[i].security[0])
			guard_type(&mesh->local_source,
				   mesh->local.t[i].tunnel.type, err,
				   sizeof(err));
}

void swmesh_guard_stop(void)
{
}
