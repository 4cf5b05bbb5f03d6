// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Our own address on a BGP session, the next hop of what we announce.
 *
 * When it is taken off its interface bgpd forgets it and announces all routes
 * again with ::ffff:ROUTER-ID for a next hop; when it comes back, bgpd does
 * nothing (bgp_zebra.c, bgp_interface_address_delete() and _add()).  The
 * session outlives a moment without its address, so that the wrong next hop
 * would stay for good, and no peer could use our softwires.  The same when the
 * moment is between the connection, by which bgpd learns the address, and
 * Established.
 */

#include <zebra.h>

#include "lib/zclient.h"

#include "bgpd/bgpd.h"
#include "bgpd/bgp_fsm.h"
#include "bgpd/bgp_route.h"
#include "bgpd/bgp_zebra.h"

#include "bgpd/swmesh_bgp.h"

/* There is a connection and bgpd has forgotten its global IPv6 address: when it
 * has announced a route since then, it has put the mapped one in its place
 * (bgp_updgrp_packet.c, bpacket_reformat_for_peer()). */
static bool is_without(const struct peer *peer)
{
	return (peer->status == OpenSent || peer->status == OpenConfirm ||
		peer->status == Established) &&
	       peer->su_local && peer->su_local->sa.sa_family == AF_INET6 &&
	       !IN6_IS_ADDR_LINKLOCAL(&peer->su_local->sin6.sin6_addr) &&
	       (IN6_IS_ADDR_UNSPECIFIED(&peer->nexthop.v6_global) ||
		IS_MAPPED_IPV6(&peer->nexthop.v6_global));
}

static bool is_ours(const struct peer *peer)
{
	return if_address_is_local(&peer->su_local->sin6.sin6_addr, AF_INET6,
				   peer->bgp->vrf_id);
}

static void give_back(struct peer *peer)
{
	afi_t afi;
	safi_t safi;

	if (!bgp_zebra_nexthop_set(peer->su_local, peer->su_remote,
				   &peer->nexthop, peer))
		return;
	if (!peer_established(peer))
		return; /* nothing has been announced yet */
	zlog_info(
		"%s: our address of the session is back: announcing all routes again",
		peer->host);
	FOREACH_AFI_SAFI (afi, safi)
		bgp_announce_route(peer, afi, safi, true);
}

void swmesh_session_address_added(void)
{
	struct listnode *node, *member;
	struct bgp *bgp;
	struct peer *peer;

	for (ALL_LIST_ELEMENTS_RO(bm->bgp, node, bgp))
		for (ALL_LIST_ELEMENTS_RO(bgp->peer, member, peer))
			if (is_without(peer) && is_ours(peer))
				give_back(peer);
}
