// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module: loading, refusing to load, the post run, going away.
 *
 * bgpd -M swmesh runs swmesh_module_init() before any option is parsed; the
 * rest waits for frr_late_init, when bgpd's own tables are there and no
 * configuration has been read.
 */

#include <zebra.h>

#include "lib/command.h"
#include "lib/hook.h"
#include "lib/libfrr.h"
#include "lib/module.h"

#include "bgpd/bgpd.h"
#include "bgpd/bgp_fsm.h"
#include "bgpd/bgp_route.h"

#include "bgpd/swmesh_bgp.h"
#include "lib/log_limit.h"

DEFINE_MGROUP(SWMESH, "swmesh");

bool swmesh_stopping;
unsigned long swmesh_debug;

static struct thread *t_post;
static bool commands_run;

/* thread.c keeps these to itself; the list is the header's. */
DECLARE_LIST(thread_list, struct thread, threaditem);

/* command.c declares it for itself alone. */
DECLARE_KOOH(cmd_execute_done, (struct vty * vty, const char *cmd_exec),
	     (vty, cmd_exec));

static void post_run(struct thread *thread)
{
	swmesh_attach_forget();
	swmesh_out_check();
	if (commands_run)
		swmesh_rmap_ensure();
	commands_run = false;
}

/*
 * A fresh event would wait until the list of ready callbacks is empty
 * (thread.c:1788-1806), and an announcement timer may be on that list.  So it
 * goes to the head of the list, which thread_fetch() looks at first.
 */
void swmesh_post(void)
{
	struct thread_master *m = bm->master;

	if (t_post || swmesh_stopping)
		return;
	thread_add_event(m, post_run, NULL, 0, &t_post);
	frr_with_mutex (&m->mtx) {
		thread_list_del(&m->event, t_post);
		t_post->type = THREAD_READY;
		thread_list_add_head(&m->ready, t_post);
	}
}

static int peer_changed(struct peer *peer)
{
	swmesh_post();
	swmesh_nhop_touch();
	return 0;
}

/* From bgp_update() and bgp_withdraw(), for each route. */
static int route_processed(struct bgp *bgp, afi_t afi, safi_t safi,
			   struct bgp_dest *dest, struct peer *peer,
			   bool withdraw)
{
	if (!swmesh_stopping)
		swmesh_nhop_touch();
	return 0;
}

static int command_done(struct vty *vty, const char *command)
{
	/* At once: the next command may bring a neighbor of the same name. */
	swmesh_policy_forget(command);
	swmesh_attach_forget();
	commands_run = true;
	swmesh_post();
	return 0;
}

static struct thread *t_log;

static void log_period(struct thread *thread)
{
	log_limit_period(zlog);
	thread_add_timer(bm->master, log_period, NULL, LOG_LIMIT_PERIOD_S,
			 &t_log);
}

static int early_fini(void)
{
	THREAD_OFF(t_log);
	swmesh_stopping = true;
	THREAD_OFF(t_post);
	swmesh_zebra_fini();
	swmesh_sets_free();
	swmesh_nhop_fini();
	swmesh_rx_fini();
	swmesh_stats_fini();
	return 0;
}

static int late_init(struct thread_master *master)
{
	if (!swmesh_carry_init()) {
		fprintf(stderr,
			"bgpd_swmesh: this bgpd keeps attributes that it does not know in another way than that of FRR %s: not started; install the swmesh that was built for it\n",
			SWMESH_FRR_VERSION);
		exit(1);
	}
	swmesh_rx_init();
	swmesh_policy_init();
	swmesh_filter_init();
	swmesh_limit_init();
	swmesh_use_init();
	swmesh_out_init();
	swmesh_attach_init();
	swmesh_nhop_init();
	swmesh_rmap_init();
	swmesh_zebra_init();
	swmesh_vty_init();
	thread_add_timer(bm->master, log_period, NULL, LOG_LIMIT_PERIOD_S,
			 &t_log);
	hook_register(bgp_process, route_processed);
	hook_register(peer_status_changed, peer_changed);
	hook_register(cmd_execute_done, command_done);
	hook_register(frr_early_fini, early_fini);
	return 0;
}

/*
 * frrmod_load() compares nothing (lib/module.c), and the module knows bgpd's
 * structures by heart.  bgpd and libfrr are of one package; the version of the
 * running libfrr is what its own module entry says.  frrmod_load() goes on to
 * use a module that it has just closed, hence -z nodelete in subdir.am.
 */
static int swmesh_module_init(void)
{
	const struct frrmod_runtime *host = frrmod_list;
	const char *running = NULL;

	for (; host; host = host->next)
		if (!strcmp(host->info->name, "libfrr"))
			running = host->info->version;
	if (!running || strcmp(running, SWMESH_FRR_VERSION)) {
		fprintf(stderr,
			"bgpd_swmesh: built for FRR %s, but this is FRR %s: not loaded; install the swmesh that was built for it\n",
			SWMESH_FRR_VERSION, running ? running : "unknown");
		return -1;
	}
	hook_register(frr_late_init, late_init);
	return 0;
}

FRR_MODULE_SETUP(.name = "bgpd_swmesh", .version = SWMESH_VERSION,
		 .description = "softwire mesh (RFC 5565, RFC 9012)",
		 .init = swmesh_module_init);
