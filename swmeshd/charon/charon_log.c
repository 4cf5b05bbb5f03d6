// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * charon's log, by a connection of its own; see swmesh_vici_log_want() in
 * charon/charon.h for why.
 */
#include <zebra.h>

#include "monotime.h"

#include "swmeshd/charon/charon_link.h"
#include "swmeshd/charon/charon_log.h"
#include "swmeshd/swmeshd.h"

/* Whoever waits for the log goes on without, after that. */
#define READY_S 3

static const char *const events[] = {"log", NULL};

static struct vici_link log_link = {
	.fd = -1,
	.quiet = true,
	.timeout_ms = SWMESH_VICI_TIMEOUT_MS,
};
static const struct swmesh_vici_ops *ops;
static const char *where;
static bool may, wanted;
static time_t wanted_since; /* and may; monotime */
static struct thread *t_again;

static void on_event(const char *name, const struct vici_section *msg)
{
	ops->log(msg);
}

static void on_up(bool up)
{
	if (up)
		ops->log_up();
}

static const struct vici_link_ops link_ops = {
	.events = events,
	.event = on_event,
	.up = on_up,
};

/* As it should be by now. One that is on its way out goes first. */
static void adapt(struct thread *t)
{
	bool on = may && wanted;

	if (log_link.ending) {
		thread_add_timer_msec(master, adapt, NULL, 100, &t_again);
		return;
	}
	if (on && log_link.state == SWMESH_VICI_STOPPED) {
		strlcpy(log_link.path, where, sizeof(log_link.path));
		vici_link_start(&log_link, &link_ops);
	} else if (!on)
		vici_link_end(&log_link);
}

static void change(bool *flag, bool value)
{
	if (*flag == value)
		return;
	*flag = value;
	wanted_since = monotime(NULL);
	if (ops && ops->log)
		thread_add_event(master, adapt, NULL, 0, &t_again);
}

void swmesh_vici_log_want(bool yes)
{
	change(&wanted, yes);
}

void vici_log_may(bool yes)
{
	change(&may, yes);
}

bool swmesh_vici_log_ready(void)
{
	if (log_link.state == SWMESH_VICI_UP && !log_link.ending)
		return true;
	return may && wanted && monotime(NULL) - wanted_since >= READY_S;
}

void vici_log_init(const struct swmesh_vici_ops *these, const char *path)
{
	ops = these;
	where = path;
}

void vici_log_stop(void)
{
	THREAD_OFF(t_again);
	may = wanted = false;
	vici_link_end_now(&log_link);
}
