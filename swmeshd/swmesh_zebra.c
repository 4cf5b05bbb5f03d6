// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Conversation with zebra; see swmesh_zebra.h.
 *
 * zebra tells its clients apart by their route type: ours is one that no
 * packaged daemon uses, and we never announce a route with it (the SW-NHOP
 * routes are the kernel's, so that they outlive us). What zebra last said stays
 * in force while the connection is away: traffic goes on.
 */
#include <zebra.h>

#include "if.h"
#include "monotime.h"
#include "vrf.h"
#include "zclient.h"

#include "lib/log_limit.h"
#include "lib/swmesh_msg.h"
#include "swmeshd/swmesh_bgp.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_kernel.h"
#include "swmeshd/swmesh_zebra.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, TRACKER, "Tracked endpoint");

#define SWMESH_ZAPI_TYPE ZEBRA_ROUTE_SHARP

/* Ways of one endpoint that are looked at; zebra's own limit is 64. */
#define PATHS_MAX 16

/* What next-hop tracking said last, kept to follow the interfaces' MTU. */
struct tracker {
	unsigned int n;
	ifindex_t ifindex[PATHS_MAX];
};

static struct zclient *zclient;

/*
 * zebra does not say when it has told all its interfaces. It answers in order,
 * though, so the answer for this address, asked for after them, marks the end.
 */
static const struct prefix marker = {
	.family = AF_INET6,
	.prefixlen = IPV6_MAX_BITLEN,
	.u.prefix6 = IN6ADDR_LOOPBACK_INIT,
};
static bool interfaces_known;

bool swmesh_zebra_connected(void)
{
	return zclient && zclient->sock >= 0;
}

bool swmesh_zebra_interfaces_known(void)
{
	return interfaces_known;
}

bool swmesh_zebra_address_is_ours(const struct ipaddr *addr)
{
	if (IS_IPADDR_V4(addr))
		return if_address_is_local(&addr->ipaddr_v4, AF_INET,
					   VRF_DEFAULT);
	return if_address_is_local(&addr->ipaddr_v6, AF_INET6, VRF_DEFAULT);
}

void swmesh_zebra_source_changed(void)
{
	if (interfaces_known && !IS_IPADDR_NONE(&swmesh->config.source))
		mesh_source(swmesh, swmesh_zebra_address_is_ours(
					    &swmesh->config.source));
}

/* ---- the ways to the endpoints ---- */

static uint32_t interface_mtu(ifindex_t ifindex, int family)
{
	struct interface *ifp = if_lookup_by_index(ifindex, VRF_DEFAULT);

	if (!ifp)
		return 0;
	return family == AF_INET6 && ifp->mtu6 ? ifp->mtu6 : ifp->mtu;
}

/* The smallest MTU of all ways: packets may take any. */
static uint32_t path_mtu(const struct afbr *afbr)
{
	const struct tracker *tracker = afbr->tracker;
	uint32_t mtu = 0, one;

	for (unsigned int i = 0; i < tracker->n; i++) {
		one = interface_mtu(tracker->ifindex[i],
				    ipaddr_family(&afbr->addr));
		if (one && (!mtu || one < mtu))
			mtu = one;
	}
	return mtu;
}

static int interface_changed(struct interface *ifp)
{
	struct afbr *afbr;

	if (swmesh_kernel_owns(ifp->ifindex))
		return 0;
	frr_each (afbr_table, &swmesh->afbrs, afbr) {
		struct endpoint_path path = afbr->path;

		if (!path.reachable)
			continue;
		path.mtu = path_mtu(afbr);
		afbr_path(afbr, &path);
	}
	return 0;
}

static int interface_nothing(struct interface *ifp)
{
	return 0;
}

static int interface_address_add(ZAPI_CALLBACK_ARGS)
{
	zebra_interface_address_read(cmd, zclient->ibuf, vrf_id);
	swmesh_zebra_source_changed();
	return 0;
}

static int interface_address_delete(ZAPI_CALLBACK_ARGS)
{
	struct connected *c =
		zebra_interface_address_read(cmd, zclient->ibuf, vrf_id);

	if (c)
		connected_free(&c);
	swmesh_zebra_source_changed();
	return 0;
}

static bool through_softwire(const struct zapi_nexthop *nh)
{
	struct prefix gate = {.family = AF_INET6, .prefixlen = IPV6_MAX_BITLEN};

	if (nh->ifindex && swmesh_kernel_owns(nh->ifindex))
		return true;
	if (nh->type != NEXTHOP_TYPE_IPV6 &&
	    nh->type != NEXTHOP_TYPE_IPV6_IFINDEX)
		return false;
	gate.u.prefix6 = nh->gate.ipv6;
	return prefix_match((const struct prefix *)&swmesh->config.nhop_prefix,
			    &gate);
}

static void describe_way(const struct zapi_nexthop *nh, char *buf, size_t len)
{
	const char *ifname =
		nh->ifindex ? ifindex2ifname(nh->ifindex, VRF_DEFAULT) : "";

	switch (nh->type) {
	case NEXTHOP_TYPE_IPV4:
	case NEXTHOP_TYPE_IPV4_IFINDEX:
		snprintfrr(buf, len, "%pI4 %s", &nh->gate.ipv4, ifname);
		break;
	case NEXTHOP_TYPE_IPV6:
	case NEXTHOP_TYPE_IPV6_IFINDEX:
		snprintfrr(buf, len, "%pI6 %s", &nh->gate.ipv6, ifname);
		break;
	case NEXTHOP_TYPE_IFINDEX:
		strlcpy(buf, ifname, len);
		break;
	case NEXTHOP_TYPE_BLACKHOLE:
		strlcpy(buf, "blackhole", len);
		break;
	}
}

static void read_ways(struct afbr *afbr, const struct zapi_route *nhr,
		      struct endpoint_path *path)
{
	struct tracker *tracker = afbr->tracker;

	tracker->n = 0;
	for (unsigned int i = 0; i < nhr->nexthop_num; i++) {
		const struct zapi_nexthop *nh = &nhr->nexthops[i];

		if (through_softwire(nh)) {
			path->recursive = true;
			describe_way(nh, path->via, sizeof(path->via));
		}
		if (nh->type == NEXTHOP_TYPE_BLACKHOLE)
			continue;
		if (!path->via[0])
			describe_way(nh, path->via, sizeof(path->via));
		path->reachable = true;
		if (nh->ifindex && tracker->n < PATHS_MAX)
			tracker->ifindex[tracker->n++] = nh->ifindex;
	}
	path->mtu = path_mtu(afbr);
}

static bool prefix_to_addr(const struct prefix *p, struct ipaddr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (p->family == AF_INET) {
		SET_IPADDR_V4(addr);
		addr->ipaddr_v4 = p->u.prefix4;
		return p->prefixlen == IPV4_MAX_BITLEN;
	}
	if (p->family != AF_INET6)
		return false;
	SET_IPADDR_V6(addr);
	addr->ipaddr_v6 = p->u.prefix6;
	return p->prefixlen == IPV6_MAX_BITLEN;
}

static void addr_to_prefix(const struct ipaddr *addr, struct prefix *p)
{
	memset(p, 0, sizeof(*p));
	p->family = ipaddr_family(addr);
	p->prefixlen = p->family == AF_INET ? IPV4_MAX_BITLEN : IPV6_MAX_BITLEN;
	if (p->family == AF_INET)
		p->u.prefix4 = addr->ipaddr_v4;
	else
		p->u.prefix6 = addr->ipaddr_v6;
}

static int nexthop_update(ZAPI_CALLBACK_ARGS)
{
	static struct zapi_route nhr; /* some 20 kB */
	struct endpoint_path path;
	struct prefix match = {};
	struct ipaddr addr;
	struct afbr *afbr;

	if (!zapi_nexthop_update_decode(zclient->ibuf, &match, &nhr)) {
		zlog_warn_limited(
			0,
			"zebra: next-hop update that cannot be read; ignored");
		return 0;
	}
	if (prefix_same(&match, &marker)) {
		interfaces_known = true;
		swmesh_zebra_source_changed();
		return 0;
	}
	if (!prefix_to_addr(&match, &addr))
		return 0;
	afbr = afbr_find(swmesh, &addr);
	if (!afbr || !afbr->tracker)
		return 0;
	memset(&path, 0, sizeof(path)); /* compared as octets */
	path.known = true;
	read_ways(afbr, &nhr, &path);
	DEBUGD(&swmesh_dbg_zebra, "zebra: %pFX by %pFX, %u next hops, MTU %u%s",
	       &match, &nhr.prefix, nhr.nexthop_num, path.mtu,
	       path.recursive ? ", recursive" : "");
	afbr_path(afbr, &path);
	return 0;
}

static void register_endpoint(const struct afbr *afbr, int command)
{
	struct prefix p;

	if (!swmesh_zebra_connected())
		return; /* all of them are registered on connecting */
	addr_to_prefix(&afbr->addr, &p);
	DEBUGD(&swmesh_dbg_zebra, "zebra: %s %pFX",
	       command == ZEBRA_NEXTHOP_REGISTER ? "track" : "untrack", &p);
	/* By a default route only if the operator lets next hops resolve so. */
	zclient_send_rnh(zclient, command, &p, SAFI_UNICAST, false, false,
			 VRF_DEFAULT);
}

void swmesh_zebra_track(struct afbr *afbr)
{
	afbr->tracker = XCALLOC(MTYPE_TRACKER, sizeof(struct tracker));
	register_endpoint(afbr, ZEBRA_NEXTHOP_REGISTER);
}

void swmesh_zebra_untrack(struct afbr *afbr)
{
	register_endpoint(afbr, ZEBRA_NEXTHOP_UNREGISTER);
	XFREE(MTYPE_TRACKER, afbr->tracker);
}

/* ---- the opaque channel ---- */

bool swmesh_zebra_send_opaque(const uint8_t *data, size_t len)
{
	if (!swmesh_zebra_connected())
		return false;
	return zclient_send_opaque(zclient, SWMESH_OPAQUE_TO_BGPD, data, len) !=
	       ZCLIENT_SEND_FAILURE;
}

static int opaque_message(ZAPI_CALLBACK_ARGS)
{
	struct stream *s = zclient->ibuf;
	struct zapi_opaque_msg info;

	if (zclient_opaque_decode(s, &info) ||
	    info.type != SWMESH_OPAQUE_TO_SWMESHD)
		return 0;
	if (info.len <= STREAM_READABLE(s))
		swmesh_bgp_receive(stream_pnt(s), info.len);
	return 0;
}

/* ---- the connection ---- */

static void zebra_connected(struct zclient *client)
{
	struct afbr *afbr;

	zclient_send_reg_requests(client, VRF_DEFAULT);
	zclient_send_rnh(client, ZEBRA_NEXTHOP_REGISTER, &marker, SAFI_UNICAST,
			 false, false, VRF_DEFAULT);
	zclient_register_opaque(client, SWMESH_OPAQUE_TO_SWMESHD);
	frr_each (afbr_table, &swmesh->afbrs, afbr)
		register_endpoint(afbr, ZEBRA_NEXTHOP_REGISTER);
	swmesh_bgp_connected();
}

static zclient_handler *const handlers[] = {
	[ZEBRA_INTERFACE_ADDRESS_ADD] = interface_address_add,
	[ZEBRA_INTERFACE_ADDRESS_DELETE] = interface_address_delete,
	[ZEBRA_NEXTHOP_UPDATE] = nexthop_update,
	[ZEBRA_OPAQUE_MESSAGE] = opaque_message,
};

void swmesh_zebra_init(void)
{
	struct zclient_options opt = {};

	if_zapi_callbacks(interface_changed, interface_changed,
			  interface_changed, interface_nothing);
	zclient = zclient_new(master, &opt, handlers, array_size(handlers));
	zclient_init(zclient, SWMESH_ZAPI_TYPE, 0, &swmesh_privs);
	zclient->zebra_connected = zebra_connected;
}

void swmesh_zebra_stop(void)
{
	if (!zclient)
		return;
	zclient_stop(zclient);
	zclient_free(zclient);
	zclient = NULL;
}
