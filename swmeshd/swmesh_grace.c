// SPDX-License-Identifier: GPL-2.0-or-later
/* How long what an earlier run left behind is kept; see swmesh_grace.h. */
#include <zebra.h>

#include "monotime.h"

#include "swmeshd/swmesh_grace.h"
#include "swmeshd/swmesh_model.h"
#include "swmeshd/swmeshd.h"

static time_t started, asked; /* monotime; asked 0: not yet */

void swmesh_grace_init(void)
{
	started = monotime(NULL);
	asked = 0;
}

void swmesh_grace_synced(void)
{
	if (!asked)
		asked = monotime(NULL);
}

bool swmesh_grace_over(void)
{
	if (!asked && swmesh->config.enabled)
		return false;
	return monotime(NULL) - (asked ? asked : started) >=
	       (time_t)swmesh_grace;
}
