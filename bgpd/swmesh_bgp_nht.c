// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * zebra's answers about SW-NHOPs (B3).
 *
 * A SW-NHOP is reachable by its own host route and by nothing else.  zebra
 * answers with the best route there is, which may be a default route (with
 * "ip nht resolve-via-default") or anybody's route to the whole prefix; such an
 * answer is turned into "unreachable" before bgpd reads it.
 */

#include <zebra.h>

#include "lib/stream.h"
#include "lib/zclient.h"

#include "bgpd/bgpd.h"

#include "bgpd/swmesh_bgp.h"

static bool get_prefix(struct stream *s, struct prefix *p)
{
	memset(p, 0, sizeof(*p));
	STREAM_GETW(s, p->family);
	STREAM_GETC(s, p->prefixlen);
	if (p->family == AF_INET)
		STREAM_GET(&p->u.prefix4, s, sizeof(p->u.prefix4));
	else if (p->family == AF_INET6)
		STREAM_GET(&p->u.prefix6, s, sizeof(p->u.prefix6));
	return true;
stream_failure:
	return false;
}

/* The layout that zapi_nexthop_update_decode() reads (lib/zclient.c:1934). */
static void check(struct stream *s)
{
	struct prefix asked, found;
	uint32_t message;

	STREAM_GETL(s, message);
	STREAM_FORWARD_GETP(s, 2); /* SAFI */
	if (!get_prefix(s, &asked) || !get_prefix(s, &found))
		return;
	if (asked.family != AF_INET6 || !swmesh_nhop_covers(&asked.u.prefix6) ||
	    prefix_same(&asked, &found))
		return;
	if (CHECK_FLAG(message, ZAPI_MESSAGE_SRTE))
		STREAM_FORWARD_GETP(s, 4);
	/* type, instance, distance, metric */
	STREAM_FORWARD_GETP(s, 1 + 2 + 1 + 4);
	if (STREAM_READABLE(s) < 1 || !*stream_pnt(s))
		return;
	if (SWMESH_DBG(NHOP))
		zlog_debug("SW-NHOP %pI6: route %pFX does not count",
			   &asked.u.prefix6, &found);
	*stream_pnt(s) = 0; /* number of next hops */
stream_failure:
	return;
}

void swmesh_nht_filter(struct stream *s)
{
	size_t at = stream_get_getp(s);

	check(s);
	stream_set_getp(s, at);
}
