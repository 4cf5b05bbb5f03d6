// SPDX-License-Identifier: GPL-2.0-or-later
/* The IKE backend; see swmesh_ike.h. */
#include <zebra.h>

#include "swmeshd/swmesh_ike.h"

void swmesh_ike_init(const char *vici_path)
{
}

void swmesh_ike_stop(void)
{
}

bool swmesh_ike_sa_set(struct softwire *sw)
{
	return !sw->security;
}

void swmesh_ike_sa_release(struct softwire *sw)
{
}

void swmesh_ike_config_changed(struct mesh *mesh)
{
}
