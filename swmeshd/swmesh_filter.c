// SPDX-License-Identifier: GPL-2.0-or-later
/* The filter backend; see swmesh_filter.h. */
#include <zebra.h>

#include "swmeshd/swmesh_filter.h"

void swmesh_filter_init(void)
{
}

void swmesh_filter_stop(void)
{
}

void swmesh_filter_changed(struct mesh *mesh)
{
}
