// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * swmeshd: the softwire mesh of an AFBR (RFC 5565). Start-up, signals, and the
 * wiring of the model to its backends, which do not know each other.
 *
 * Stopping leaves devices and routes where they are: traffic goes on, and the
 * next run adopts them. Only "no softwire mesh" removes them.
 */
#include <zebra.h>

#include <lib/version.h>

#include "command.h"
#include "filter.h"
#include "getopt.h"
#include "if.h"
#include "libfrr.h"
#include "log.h"
#include "memory.h"
#include "plist.h"
#include "privs.h"
#include "sigevent.h"
#include "thread.h"
#include "vrf.h"

#include "swmeshd/config/adopt.h"
#include "swmeshd/swmesh_nb_read.h"
#include "swmeshd/talk/bgp.h"
#include "swmeshd/swmesh_cli.h"
#include "swmeshd/swmesh_show.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_errors.h"
#include "swmeshd/filter/filter.h"
#include "swmeshd/model/settle.h"
#include "swmeshd/guard/guard.h"
#include "swmeshd/guard/guard_bgp.h"
#include "swmeshd/guard/guard_policy.h"
#include "swmeshd/ike/ike.h"
#include "swmeshd/kernel/kernel.h"
#include "swmeshd/kernel/kroute.h"
#include "swmeshd/security/key_files.h"
#include "swmeshd/model/model.h"
#include "swmeshd/swmesh_nb.h"
#include "swmeshd/kernel/pmtu.h"
#include "swmeshd/security/seal.h"
#include "swmeshd/talk/way.h"
#include "swmeshd/talk/overlap.h"
#include "swmeshd/talk/zebra.h"
#include "swmeshd/xfrm/xfrm.h"
#include "swmeshd/swmeshd.h"

#define SWMESH_VTY_PORT 2690

static struct mesh the_mesh;
static struct thread *t_run;
static const char *vici_path = IKE_VICI_PATH;

/* ---- the model's operations ---- */

static void run(struct thread *t)
{
	if (!mesh_run_slice(swmesh))
		thread_add_event(master, run, NULL, 0, &t_run);
}

static void schedule(struct mesh *mesh)
{
	thread_add_event(master, run, NULL, 0, &t_run);
}

static void retry_now(struct thread *t)
{
	softwire_event(THREAD_ARG(t), SOFTWIRE_EV_RETRY, NULL);
}

static void retry(struct softwire *sw, unsigned int ms)
{
	THREAD_OFF(sw->t_retry);
	thread_add_timer_msec(master, retry_now, sw, ms, &sw->t_retry);
}

static void retry_cancel(struct softwire *sw)
{
	THREAD_OFF(sw->t_retry);
}

static void hold_over(struct thread *t)
{
	struct afbr *afbr = THREAD_ARG(t);

	afbr_mark_dirty(afbr);
	afbr_mark_demands(afbr);
}

static void hold(struct afbr *afbr, unsigned int ms)
{
	THREAD_OFF(afbr->t_held);
	thread_add_timer_msec(master, hold_over, afbr, ms, &afbr->t_held);
}

static void hold_cancel(struct afbr *afbr)
{
	THREAD_OFF(afbr->t_held);
}

static void softwire_changed(struct softwire *sw)
{
	swmesh_filter_changed(sw->afbr->mesh);
}

/* What drops packets first (S9): devices are made when this has returned. */
static void config_changed(struct mesh *mesh)
{
	swmesh_zebra_config_changed(mesh);
	swmesh_way_check();
	swmesh_guard_config_changed(mesh);
	swmesh_filter_changed(mesh);
	swmesh_ike_config_changed(mesh);
	swmesh_kernel_config_changed(mesh);
	swmesh_bgp_config_changed(mesh);
}

static const struct mesh_ops mesh_ops = {
	.schedule = schedule,
	.retry = retry,
	.retry_cancel = retry_cancel,
	.hold = hold,
	.hold_cancel = hold_cancel,
	.stale_cancel = swmesh_bgp_stale_cancel,
	.track = swmesh_zebra_track,
	.untrack = swmesh_zebra_untrack,
	.address = swmesh_zebra_address,
	.overlap = swmesh_overlap_find,
	.device_set = swmesh_kernel_device_set,
	.device_release = swmesh_kernel_device_release,
	.device_ours = swmesh_kernel_owns,
	.device_any = swmesh_kernel_any_device,
	.route_set = swmesh_kernel_route_set,
	.route_release = swmesh_kernel_route_release,
	.guard_set = swmesh_guard_set,
	.sa_set = swmesh_ike_sa_set,
	.sa_release = swmesh_ike_sa_release,
	.sa_sends = swmesh_ike_sa_sends,
	.filter_set = swmesh_filter_set,
	.softwire_changed = softwire_changed,
	.demand_changed = swmesh_bgp_demand_changed,
	.config_changed = config_changed,
};

static void xfrm_changed(const struct ipaddr *local,
			 const struct ipaddr *remote)
{
	swmesh_ike_kernel_changed(local, remote);
	guard_bgp_kernel_changed(remote);
}

static const struct xfrm_ops xfrm_ops = {
	.changed = xfrm_changed,
	.policies_changed = swmesh_xfrm_guard_look,
};

/* Beside the configuration, which holds what is sealed with it. */
static void init_seal(const char *pathspace)
{
	char path[PATH_MAX];

	/* FRR's own ends with a slash. */
	snprintf(path, sizeof(path), "%s%s%sswmesh.seal", frr_sysconfdir,
		 pathspace ? pathspace : "", pathspace ? "/" : "");
	swmesh_seal_init(path);
}

/* Of an earlier run, what nobody has asked for. */
static void sweep(void)
{
	swmesh_kernel_sweep();
	swmesh_filter_sweep();
	swmesh_guard_sweep();
}

/* ---- the process ---- */

static struct frr_daemon_info swmeshd_di;

static void sighup(void)
{
	zlog_info("SIGHUP received");
	vty_read_config(NULL, swmeshd_di.config_file, config_default);
	adopt_reload((struct adopt_report){});
}

static void sigint(void)
{
	zlog_notice("Terminating on signal; tunnels and routes stay");
	THREAD_OFF(t_run);
	swmesh_errors_stop();
	swmesh_bgp_stop();
	swmesh_grace_stop();
	swmesh_pmtu_stop();
	swmesh_ike_stop();
	swmesh_guard_stop();
	swmesh_xfrm_stop();
	swmesh_filter_stop();
	swmesh_zebra_stop();
	swmesh_kernel_stop();
	frr_fini();
	exit(0);
}

static void sigusr1(void)
{
	zlog_rotate();
}

static struct frr_signal_t swmesh_signals[] = {
	{.signal = SIGHUP, .handler = &sighup},
	{.signal = SIGUSR1, .handler = &sigusr1},
	{.signal = SIGINT, .handler = &sigint},
	{.signal = SIGTERM, .handler = &sigint},
};

static const struct frr_yang_module_info *const swmesh_yang_modules[] = {
	&frr_filter_info,
	&frr_interface_info,
	&frr_vrf_info,
	&frr_swmesh_info,
};

FRR_DAEMON_INFO(swmeshd, SWMESH, .vty_port = SWMESH_VTY_PORT,

		.proghelp = "Softwire mesh of an Address Family Border Router.",

		.signals = swmesh_signals,
		.n_signals = array_size(swmesh_signals),

		.privs = &swmesh_privs, .yang_modules = swmesh_yang_modules,
		.n_yang_modules = array_size(swmesh_yang_modules), );

#define OPT_GRACE 2000
#define OPT_VICI 2001

static const struct option longopts[] = {
	{"grace", required_argument, NULL, OPT_GRACE},
	{"vici", required_argument, NULL, OPT_VICI},
	{0},
};

static void parse_options(int argc, char **argv)
{
	char *end;
	int opt;

	frr_preinit(&swmeshd_di, argc, argv);
	frr_opt_add(
		"", longopts,
		"      --grace        Seconds that tunnels of an earlier run are kept\n"
		"                     for bgpd to ask for them again (default 60)\n"
		"      --vici         Socket of strongSwan's charon\n"
		"                     (default " IKE_VICI_PATH ")\n");
	while ((opt = frr_getopt(argc, argv, NULL)) != EOF) {
		switch (opt) {
		case 0:
			break;
		case OPT_GRACE:
			swmesh_grace = strtoul(optarg, &end, 10);
			if (!isdigit((unsigned char)optarg[0]) || *end ||
			    swmesh_grace > 86400) {
				fprintf(stderr,
					"swmeshd: --grace %s: not a number of seconds; use 0 to 86400\n",
					optarg);
				exit(1);
			}
			break;
		case OPT_VICI:
			vici_path = optarg;
			break;
		default:
			frr_help_exit(1);
		}
	}
}

int main(int argc, char **argv)
{
	parse_options(argc, argv);
	master = frr_init();

	if (!security_digest_works()) {
		fprintf(stderr,
			"swmeshd: libcrypto's SHA-256 does not work in this process; install the swmesh that was built for this system\n");
		exit(1);
	}
	swmesh = &the_mesh;
	mesh_init(swmesh, &mesh_ops);
	swmesh_errors_init();
	swmesh_debug_init();
	vrf_init(NULL, NULL, NULL, NULL);
	access_list_init(); /* the commands of both */
	prefix_list_init();
	adopt_init(nb_draft_running);
	swmesh_bgp_init();
	swmesh_grace_init(sweep);
	if (!swmesh_kernel_init()) {
		fprintf(stderr,
			"swmeshd: no netlink socket; start it as root, as the service scripts do\n");
		exit(1);
	}
	init_seal(swmeshd_di.pathspace);
	swmesh_ike_init(vici_path);
	if (!swmesh_xfrm_init(&xfrm_ops)) /* which tells IKE what there is */
		zlog_warn("no IPsec in this kernel yet");
	swmesh_filter_init();
	swmesh_zebra_init();
	swmesh_pmtu_init();
	swmesh_debug_cli_init();
	swmesh_cli_init();
	swmesh_cli_security_init();
	swmesh_cli_protect_init();
	swmesh_show_init();
	swmesh_show_security_init();

	frr_config_fork();
	frr_run(master);

	/* Not reached. */
	return 0;
}
