// SPDX-License-Identifier: GPL-2.0-or-later
/* How long what an earlier run left behind is kept; see model/settle.h. */
#include <zebra.h>

#include "monotime.h"
#include "thread.h"

#include "swmeshd/model/settle.h"
#include "swmeshd/model/model.h"
#include "swmeshd/swmeshd.h"

static time_t started, asked; /* monotime; asked 0: not yet */
static void (*when_over)(void);
static struct thread *t_over;

/* Not yet, when bgpd is away: then its full state starts the timer anew. */
static void look(struct thread *t)
{
	if (swmesh_grace_over())
		when_over();
}

void swmesh_grace_init(void (*over)(void))
{
	started = monotime(NULL);
	asked = 0;
	when_over = over;
	thread_add_timer(master, look, NULL, swmesh_grace, &t_over);
}

void swmesh_grace_stop(void)
{
	THREAD_OFF(t_over);
}

void swmesh_grace_synced(void)
{
	if (asked)
		return;
	asked = monotime(NULL);
	THREAD_OFF(t_over);
	thread_add_timer(master, look, NULL, swmesh_grace, &t_over);
}

bool swmesh_grace_over(void)
{
	if (!asked && swmesh->config.enabled)
		return false;
	return monotime(NULL) - (asked ? asked : started) >=
	       (time_t)swmesh_grace;
}
