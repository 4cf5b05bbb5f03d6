// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Conversation with zebra; see talk/zebra.h.
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
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/talk/overlap.h"
#include "swmeshd/talk/way.h"
#include "swmeshd/talk/zebra.h"
#include "swmeshd/swmeshd.h"

#define SWMESH_ZAPI_TYPE ZEBRA_ROUTE_SHARP

static const struct zebra_channel *channel;
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

enum own_address swmesh_zebra_address(const struct ipaddr *addr)
{
	bool here;

	if (!interfaces_known)
		return OWN_ADDRESS_UNKNOWN;
	here = IS_IPADDR_V4(addr) ? if_address_is_local(&addr->ipaddr_v4,
							AF_INET, VRF_DEFAULT)
				  : if_address_is_local(&addr->ipaddr_v6,
							AF_INET6, VRF_DEFAULT);
	return here ? OWN_ADDRESS_YES : OWN_ADDRESS_NO;
}

/* The configured source, or what zebra knows of it, has changed. */
static void source_changed(void)
{
	const struct ipaddr *source = &swmesh->config.source;

	if (interfaces_known && !IS_IPADDR_NONE(source))
		mesh_source(swmesh,
			    swmesh_zebra_address(source) == OWN_ADDRESS_YES);
}

void swmesh_zebra_config_changed(struct mesh *mesh)
{
	swmesh_overlap_config_changed();
	source_changed();
}

/* ---- interfaces and their addresses ---- */

static int interface_changed(struct interface *ifp)
{
	if (!swmesh->ops->device_ours(ifp->ifindex))
		swmesh_way_check_later();
	return 0;
}

static int interface_nothing(struct interface *ifp)
{
	return 0;
}

static int interface_address_add(ZAPI_CALLBACK_ARGS)
{
	const struct connected *c =
		zebra_interface_address_read(cmd, zclient->ibuf, vrf_id);

	if (c)
		swmesh_overlap_warn(c);
	source_changed();
	swmesh_way_check_later();
	return 0;
}

static int interface_address_delete(ZAPI_CALLBACK_ARGS)
{
	struct connected *c =
		zebra_interface_address_read(cmd, zclient->ibuf, vrf_id);

	if (c)
		connected_free(&c);
	source_changed();
	swmesh_way_check_later();
	return 0;
}

/* ---- the ways to the endpoints ---- */

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

static int nexthop_update(ZAPI_CALLBACK_ARGS)
{
	static struct zapi_route nhr; /* some 20 kB */
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
		source_changed();
		return 0;
	}
	if (!prefix_to_addr(&match, &addr))
		return 0;
	afbr = afbr_find(swmesh, &addr);
	if (afbr && afbr->tracker)
		swmesh_way_told(afbr, &nhr);
	return 0;
}

static void register_endpoint(const struct afbr *afbr, int command)
{
	struct prefix p;

	if (!swmesh_zebra_connected())
		return; /* all of them are registered on connecting */
	swmesh_way_prefix(&afbr->addr, &p);
	DEBUGD(&swmesh_dbg_zebra, "zebra: %s %pFX",
	       command == ZEBRA_NEXTHOP_REGISTER ? "track" : "untrack", &p);
	/* By a default route only if the operator lets next hops resolve so. */
	zclient_send_rnh(zclient, command, &p, SAFI_UNICAST, false, false,
			 VRF_DEFAULT);
}

void swmesh_zebra_track(struct afbr *afbr)
{
	swmesh_way_new(afbr);
	register_endpoint(afbr, ZEBRA_NEXTHOP_REGISTER);
}

void swmesh_zebra_untrack(struct afbr *afbr)
{
	register_endpoint(afbr, ZEBRA_NEXTHOP_UNREGISTER);
	swmesh_way_free(afbr);
}

/* ---- the opaque channel ---- */

void swmesh_zebra_channel(const struct zebra_channel *c)
{
	channel = c;
}

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
		channel->receive(stream_pnt(s), info.len);
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
	channel->connected();
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

	swmesh_way_init();
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
	swmesh_way_stop();
	zclient_stop(zclient);
	zclient_free(zclient);
	zclient = NULL;
}
