// SPDX-License-Identifier: GPL-2.0-or-later
/* Error references of swmeshd, and the bound on repeated log lines. */
#include <zebra.h>

#include "log.h"
#include "thread.h"

#include "lib/log_limit.h"

#include "swmeshd/swmesh_errors.h"
#include "swmeshd/swmeshd.h"

/* clang-format off */
static struct log_ref swmesh_errors[] = {
	{
		.code = EC_SWMESH_NETLINK_SOCKET,
		.title = "No netlink socket",
		.description = "swmeshd cannot talk to the kernel, so it can make no tunnels",
		.suggestion = "Start swmeshd with CAP_NET_ADMIN, as the service scripts do",
	},
	{
		.code = EC_SWMESH_NETLINK_DUMP,
		.title = "Reading the kernel's devices or routes failed",
		.description = "swmeshd does not know what an earlier run left behind or what was changed",
		.suggestion = "It is tried again; if it goes on failing, restart swmeshd: traffic is not touched",
	},
	{
		.code = EC_SWMESH_DEVICE,
		.title = "The kernel refused a tunnel device",
		.description = "A softwire cannot come up; the text says why",
		.suggestion = "See 'show softwire detail'. A missing kernel module (ip6_gre, ip6_tunnel, ip_gre, sit) or a device of another owner with the same endpoints and key are the usual causes",
	},
	{
		.code = EC_SWMESH_ROUTE,
		.title = "The kernel refused a SW-NHOP route",
		.description = "Routes that use this SW-NHOP are not resolvable",
		.suggestion = "See that nothing else uses the SW-NHOP prefix ('sw-nhop prefix' under 'softwire mesh')",
	},
	{
		.code = EC_SWMESH_BGP_VERSION,
		.title = "bgpd's module speaks another version",
		.description = "swmeshd and bgpd_swmesh.so come from different releases",
		.suggestion = "Install both from one release and restart bgpd and swmeshd",
	},
	{
		.code = EC_SWMESH_FILTER,
		.title = "The kernel refused the packet filter",
		.description = "Packets that claim to come from an AFBR are not checked by nftables; what is protected by IPsec stays so",
		.suggestion = "The text says why; a kernel without nf_tables or nft_fib is the usual cause. 'filter off' under 'softwire mesh' does without",
	},
	{
		.code = EC_SWMESH_CHARON_HANGS,
		.title = "charon hangs",
		.description = "strongSwan's charon takes connections and does not answer; security associations that exist go on until they expire, none is replaced",
		.suggestion = "Keep what 'gdb -p' says of its threads for its makers and restart it: systemctl restart strongswan. The timer swmesh-charon-watchdog does so by itself",
	},
	{
		.code = END_FERR,
	}
};

static struct log_ref swmesh_warnings[] = {
	{
		.code = EC_SWMESH_NETLINK_OVERRUN,
		.title = "Netlink notifications were lost",
		.description = "The kernel reported more changes than the socket could hold; everything is read anew",
		.suggestion = "None needed; if frequent, raise net.core.rmem_max",
	},
	{
		.code = EC_SWMESH_BGP_ITEM,
		.title = "bgpd's module sent an item that makes no sense",
		.description = "The item was ignored",
		.suggestion = "Report it with 'debug softwire bgp' output",
	},
	{
		.code = EC_SWMESH_VICI,
		.title = "No connection to charon, or not as it should be",
		.description = "swmeshd cannot load or watch security associations; those that exist go on, no new one is made",
		.suggestion = "See that strongSwan's charon runs with its plugin vici and that swmeshd's user may open its socket; it is tried again every few seconds",
	},
	{
		.code = EC_SWMESH_SECURITY,
		.title = "A security cannot be used",
		.description = "Softwires that it protects do not come up; the text says which file or line, and why",
		.suggestion = "Do what the text says, then enter 'clear softwire security keys'",
	},
	{
		.code = EC_SWMESH_CLEAR_REFUSED,
		.title = "An AFBR takes only what is protected, and our tunnel is not",
		.description = "Its tunnels ask for IPsec, or were protected before; nothing is sent to it, since it would drop packets in clear",
		.suggestion = "Name a 'security' under the encap-set, as the other AFBRs of the mesh do, or 'security none' when all of them do without; if there was one, find out who took it out",
	},
	{
		.code = EC_SWMESH_GUARD_GONE,
		.title = "Somebody removed an IPsec drop policy",
		.description = "Packets of protected softwires are dropped by it while they have no SA; swmeshd puts it back at once",
		.suggestion = "Find out who does that: 'ip xfrm policy flush', or an IKE daemon that flushes when it starts",
	},
	{
		.code = EC_SWMESH_FILTER_GONE,
		.title = "Somebody changed the nftables table 'inet swmesh'",
		.description = "It is swmeshd's; swmeshd puts it back at once",
		.suggestion = "'nft flush ruleset', which many start scripts begin with, does that: flush tables by name instead",
	},
	{
		.code = END_FERR,
	}
};
/* clang-format on */

static struct thread *t_log;

static void log_period(struct thread *t)
{
	log_limit_period(zlog);
	thread_add_timer(master, log_period, NULL, LOG_LIMIT_PERIOD_S, &t_log);
}

void swmesh_errors_stop(void)
{
	THREAD_OFF(t_log);
}

void swmesh_errors_init(void)
{
	thread_add_timer(master, log_period, NULL, LOG_LIMIT_PERIOD_S, &t_log);
	log_ref_add(swmesh_errors);
	log_ref_add(swmesh_warnings);
}
