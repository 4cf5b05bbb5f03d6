// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An encap-set on an announcement, when its next hop is ours and only then.
 *
 * The endpoint of our tunnels is we: on a route that keeps another's next hop
 * they would draw his traffic, and on one whose next hop becomes ours the
 * attribute that came with it is wrong.  Which next hop goes out is settled
 * long after the route-map: in subgroup_announce_check(), which empties a next
 * hop that bgpd will fill in, and in bpacket_reformat_for_peer(), which writes
 * it for each neighbor.  So SOFTWIRE-OUT leaves a wish in the attr, in fields
 * that are never sent, and _out has it settled when the announcement is
 * interned, after the former and by asking the latter.
 *
 * bgpd compares an attr's hash key with that of the last announcement before it
 * interns ("bgp suppress-duplicates", bgp_updgrp_adv.c:499), so the wish must
 * be in that key, and change with the encap-set: rmap_table_id has the set's
 * serial.
 */

#include <zebra.h>

#include "lib/hook.h"

#include "bgpd/bgpd.h"
#include "bgpd/bgp_attr.h"
#include "bgpd/bgp_ecommunity.h"
#include "bgpd/bgp_nexthop.h"
#include "bgpd/bgp_route.h"
#include "bgpd/bgp_table.h"
#include "bgpd/bgp_updgrp.h"

#include "bgpd/swmesh_bgp.h"

/* In rmap_change_flags, of which bgpd uses the low nine bits. */
#define WISHED (1U << 31)

/*
 * The last wish. It is settled in the call of bgpd's that the route-map ran in,
 * or never: then the route was refused after the map.
 */
static struct {
	/* Of the update group: bgpd's copy of its neighbors' settings, which is
	 * what route-maps see. NULL: there is no wish. */
	struct peer *conf;
	struct update_group *group; /* NULL: not looked for yet */
	struct bgp_dest *dest;
	struct prefix prefix;
	uint32_t serial;
} wish;

bool swmesh_attach_wished(const struct attr *attr)
{
	return CHECK_FLAG(attr->rmap_change_flags, WISHED);
}

static void put_wish(struct attr *attr, uint32_t serial)
{
	SET_FLAG(attr->rmap_change_flags, WISHED);
	attr->rmap_table_id = serial;
}

void swmesh_attach_wish(struct bgp_path_info *path, const struct prefix *prefix,
			const struct swmesh_set *set)
{
	const struct bgp_table *table;

	/* "show ... advertised-routes" runs the map without one. */
	if (!path->net)
		return;
	/* A VPN route's packets are MPLS, which our tunnels do not carry. */
	table = bgp_dest_table(path->net);
	if (!swmesh_af_is_ip(table->afi, table->safi))
		return;
	if (wish.conf != path->peer)
		wish.group = NULL;
	wish.conf = path->peer;
	wish.dest = path->net;
	wish.prefix = *prefix;
	wish.serial = set->serial;
	put_wish(path->attr, set->serial);
	/* The subgroup may be one that has split off just now (_out). */
	swmesh_post();
}

void swmesh_attach_about(struct update_subgroup *subgrp, struct bgp_dest *dest,
			 const struct attr *attr)
{
	wish.conf = SUBGRP_PEER(subgrp);
	wish.group = subgrp->update_group;
	wish.dest = dest;
	wish.serial = attr->rmap_table_id;
}

void swmesh_attach_forget(void)
{
	wish.conf = NULL;
	wish.group = NULL;
}

/*
 * A reflector without "bgp route-reflector allow-outbound-policy" gives the
 * route-map a copy of the attr (bgp_route.c:2281), and the wish is lost with
 * it. But next-hop-self force makes the next hop ours all the same, and so the
 * wish has to hold. On iBGP this hook, of RPKI, is asked last of all, with the
 * true attr. 0: RPKI_NOT_BEING_USED.
 */
static int restore_wish(struct peer *peer, struct attr *attr,
			const struct prefix *prefix)
{
	if (wish.conf != peer || !prefix_same(&wish.prefix, prefix))
		return 0;
	put_wish(attr, wish.serial);
	return 0;
}

/* ---- whose next hop goes out ---- */

/* Room for the head of an MP_REACH_NLRI and two next hops with an RD each. */
#define REACH_ROOM 128

/* Addresses that bgpd knows for ours, whatever configured them. */
static bool is_own_v4(struct peer *peer, struct in_addr addr)
{
	struct attr probe = {.nexthop = addr};

	if (IPV4_ADDR_SAME(&addr, &peer->nexthop.v4))
		return true;
	SET_FLAG(probe.flag, ATTR_FLAG_BIT(BGP_ATTR_NEXT_HOP));
	return bgp_nexthop_self(peer->bgp, AFI_IP, ZEBRA_ROUTE_BGP,
				BGP_ROUTE_NORMAL, &probe, wish.dest);
}

static bool is_own_v6(struct peer *peer, const struct in6_addr *addr)
{
	struct attr probe = {.mp_nexthop_global = *addr};
	struct in_addr v4;

	if (IPV6_ADDR_SAME(addr, &peer->nexthop.v6_global))
		return true;
	if (IN6_IS_ADDR_V4MAPPED(addr)) {
		ipv4_mapped_ipv6_to_ipv4(addr, &v4);
		return is_own_v4(peer, v4);
	}
	probe.mp_nexthop_len = BGP_ATTR_NHLEN_IPV6_GLOBAL;
	return bgp_nexthop_self(peer->bgp, AFI_IP6, ZEBRA_ROUTE_BGP,
				BGP_ROUTE_NORMAL, &probe, wish.dest);
}

/* As it is in a message: 4, 16 or 32 octets, the last of which do not count. */
static bool is_own_address(struct peer *peer, const uint8_t *octets, size_t len)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (len == sizeof(v4)) {
		memcpy(&v4, octets, sizeof(v4));
		return is_own_v4(peer, v4);
	}
	memcpy(&v6, octets, sizeof(v6));
	return is_own_v6(peer, &v6);
}

/* Have bgpd write the next hop for this neighbor, and look at it. */
static bool writes_own(struct peer_af *paf, struct attr *attr)
{
	struct peer *peer = PAF_PEER(paf);
	struct bpacket packet = {.buffer = stream_new(REACH_ROOM)};
	struct stream *s;
	size_t at;
	bool own = false;

	bpacket_attr_vec_arr_reset(&packet.arr);
	bgp_packet_mpattr_start(packet.buffer, peer, paf->afi, paf->safi,
				&packet.arr, attr);
	at = packet.arr.entries[BGP_ATTR_VEC_NH].offset;
	s = bpacket_reformat_for_peer(&packet, paf);
	if (s) {
		own = is_own_address(peer, STREAM_DATA(s) + at + 1,
				     stream_getc_from(s, at));
		stream_free(s);
	}
	stream_free(packet.buffer);
	return own;
}

/* bgpd has emptied it, to fill in our address for every neighbor. */
static bool is_emptied(const struct attr *attr, afi_t afi, safi_t safi)
{
	if (afi == AFI_IP6 || peer_cap_enhe(wish.conf, afi, safi))
		return IN6_IS_ADDR_UNSPECIFIED(&attr->mp_nexthop_global);
	return attr->nexthop.s_addr == INADDR_ANY;
}

static int is_group_of_wish(struct hash_bucket *bucket, void *arg)
{
	struct update_group *group = bucket->data;

	if (group->conf != wish.conf)
		return HASHWALK_CONTINUE;
	wish.group = group;
	return HASHWALK_ABORT;
}

/* Looked for once in a callback of bgpd's, for all routes that follow. */
static const struct update_group *group_of_wish(afi_t afi, safi_t safi)
{
	if (!wish.group)
		hash_walk(wish.conf->bgp->update_groups[afindex(afi, safi)],
			  is_group_of_wish, NULL);
	return wish.group;
}

/*
 * For any neighbor of the group: the announcement is one for all. Labelled
 * routes are in the table of unicast ones.
 */
static bool next_hop_is_ours(struct attr *attr)
{
	const struct bgp_table *table = bgp_dest_table(wish.dest);
	const struct update_group *group;
	struct update_subgroup *subgrp;
	struct peer_af *paf;
	afi_t afi = table->afi;
	safi_t safi = table->safi;

	if (!wish.conf->afc_nego[afi][safi] && safi == SAFI_UNICAST)
		safi = SAFI_LABELED_UNICAST;
	if (is_emptied(attr, afi, safi))
		return true;
	group = group_of_wish(afi, safi);
	if (!group)
		return false;
	UPDGRP_FOREACH_SUBGRP (group, subgrp)
		SUBGRP_FOREACH_PEER (subgrp, paf)
			if (!writes_own(paf, attr))
				return false;
	return true;
}

/* ---- attaching ---- */

/* The set's own transit, which is interned, unless the route has attributes
 * there that are not ours. */
static struct transit *transit_with(const struct swmesh_set *set,
				    const struct transit *from)
{
	struct transit *ours = set->holder ? set->holder->transit : NULL;
	struct swmesh_found found = {};

	if (!from || (swmesh_transit_find(from, &found) &&
		      found.total == (size_t)from->length))
		return ours;
	if (!ours)
		return swmesh_transit_replace(from, NULL, 0);
	return swmesh_transit_replace(from, ours->val, ours->length);
}

/* A community means a tunnel to the next hop (RFC 9012 section 4.1): those that
 * came with the route are for another's. */
static void replace_communities(struct attr *attr, const struct swmesh_set *set)
{
	struct ecommunity *old = attr->ecommunity;
	struct ecommunity *new = NULL;

	if (!swmesh_has_encap(old) && !set->communities)
		return;
	if (old)
		new = swmesh_without_encap(old);
	if (set->communities) {
		struct ecommunity *all =
			new ? ecommunity_merge(new, set->communities)
			    : ecommunity_dup(set->communities);

		new = ecommunity_uniq_sort(all);
		ecommunity_free(&all);
	}
	bgp_attr_set_ecommunity(attr, new);
}

void swmesh_attach_settle(struct attr *attr, bool allowed)
{
	const struct swmesh_set *set = swmesh_set_by_serial(wish.serial);

	if (allowed && set && wish.conf && attr->rmap_table_id == wish.serial &&
	    next_hop_is_ours(attr)) {
		attr->transit = transit_with(set, attr->transit);
		replace_communities(attr, set);
	}
	UNSET_FLAG(attr->rmap_change_flags, WISHED);
	attr->rmap_table_id = 0;
}

void swmesh_attach_init(void)
{
	hook_register(bgp_rpki_prefix_status, restore_wish);
}
