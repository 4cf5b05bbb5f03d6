// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SOFTWIRE-IN and SOFTWIRE-OUT: route-maps that the module makes and keeps.
 *
 * FRR writes a route-map to the configuration from its YANG model, where these
 * are not, so they take no lines there; an operator uses them by "neighbor X
 * route-map" or "call" and may put entries of his own before ours, which is the
 * last of its map.  A map that is removed is made anew after the command.
 *
 * In:  a route with the attribute gets its SW-NHOP, or is refused (B3).
 * Out: a route whose next hop we will be gets the attribute of an encap-set
 *      (_attach).
 */

#include <zebra.h>

#include "lib/routemap.h"

#include "bgpd/bgpd.h"
#include "bgpd/bgp_attr.h"
#include "bgpd/bgp_ecommunity.h"
#include "bgpd/bgp_route.h"

#include "bgpd/swmesh_bgp.h"

#define MAP_IN "SOFTWIRE-IN"
#define MAP_OUT "SOFTWIRE-OUT"
/* The last that an entry can have. */
#define MAP_PREF 65535

#define RULE_PEER "softwire-peer"
#define RULE_NEXT_HOP "softwire-next-hop"
#define RULE_ENCAP "softwire-encap-set"

/* ---- SOFTWIRE-IN ---- */

/* Communities that are turned into TLVs, per route (B2). */
#define COMMUNITY_TLVS 16
/* A TLV with nothing but an endpoint of family 0. */
#define BARE_TLV_LEN 16

struct incoming {
	const uint8_t *tea;
	size_t len;
	uint8_t bare[COMMUNITY_TLVS * BARE_TLV_LEN];
	struct in6_addr next_hop;
	bool classic;
	afi_t afi;
};

/* B2: the Encapsulation extended community says as much as a bare TLV. */
static bool tea_from_communities(const struct ecommunity *ecom,
				 struct incoming *in)
{
	struct tea_builder b;
	unsigned int n = 0;
	uint16_t type;
	ssize_t len;

	if (!ecom || ecom->unit_size != ECOMMUNITY_SIZE)
		return false;
	tea_build_start(&b, in->bare, sizeof(in->bare));
	for (uint32_t i = 0; i < ecom->size && n < COMMUNITY_TLVS; i++) {
		if (!tea_ec_decode(ecom->val + i * ECOMMUNITY_SIZE, &type))
			continue;
		tea_build_bare(&b, type);
		n++;
	}
	len = tea_build_finish(&b);
	if (!n || len < 0)
		return false;
	in->tea = in->bare;
	in->len = len;
	return true;
}

static bool tea_of(const struct attr *attr, struct incoming *in)
{
	struct swmesh_found found;

	if (swmesh_transit_find(attr->transit, &found)) {
		in->tea = found.value;
		in->len = found.len;
		return true;
	}
	return tea_from_communities(attr->ecommunity, in);
}

static void next_hop_of(const struct attr *attr, struct incoming *in)
{
	in->classic =
		CHECK_FLAG(attr->flag, ATTR_FLAG_BIT(BGP_ATTR_NEXT_HOP)) &&
		attr->mp_nexthop_len < BGP_ATTR_NHLEN_IPV6_GLOBAL;
	if (in->classic)
		ipv4_to_ipv4_mapped_ipv6(&in->next_hop, attr->nexthop);
	else
		in->next_hop = attr->mp_nexthop_global;
}

/*
 * The SW-NHOP of a route with a TEA; NULL when it can have none.  A next hop
 * that is a SW-NHOP already was set by an earlier call of the map, and then
 * belongs to this very attribute and is counted for the neighbor; or somebody
 * made it up.
 */
static struct swmesh_nhop *nhop_for(const struct bgp_path_info *path,
				    struct incoming *in)
{
	const struct attr *attr = path->attr;
	struct swmesh_nhop *n;

	if (!swmesh_config.known || !swmesh_config.enabled)
		return NULL;
	next_hop_of(attr, in);
	if (!swmesh_nhop_covers(&in->next_hop))
		return swmesh_nhop_get(path->peer, &in->next_hop, in->classic,
				       in->afi, in->tea, in->len);
	n = swmesh_nhop_find(&in->next_hop);
	if (!n || n->afi != in->afi || !swmesh_use_has(n, path->peer) ||
	    !swmesh_nhop_serves(n, in->tea, in->len))
		return NULL;
	return n;
}

static bool may_come(const struct bgp_path_info *path, afi_t afi)
{
	struct incoming in = {.afi = afi};

	if (tea_of(path->attr, &in))
		return nhop_for(path, &in) != NULL;
	next_hop_of(path->attr, &in);
	return swmesh_config.known &&
	       !(swmesh_config.enabled && swmesh_config.required) &&
	       !swmesh_nhop_covers(&in.next_hop);
}

static enum route_map_cmd_result_t
match_peer(void *rule, const struct prefix *prefix, void *object)
{
	const struct bgp_path_info *path = object;

	if (may_come(path, family2afi(prefix->family)))
		return RMAP_MATCH;
	if (CHECK_FLAG(path->peer->rmap_type, PEER_RMAP_TYPE_IN))
		swmesh_peer_get(path->peer)->count[SWMESH_COUNT_DENIED]++;
	return RMAP_NOMATCH;
}

/*
 * Next-hop tracking and zebra take an IPv6 route's link-local next hop, when
 * there is one, and announcements drop it (bgp_route.c:2206-2230): so it can
 * hold the SW-NHOP while the route keeps its own next hop.  With an IPv4 next
 * hop bgpd does not look there (bgp_nht.c:241), and the SW-NHOP takes the
 * global one; then _filter puts the route's own back when it goes out.
 */
static void set_nhop(struct attr *attr, const struct swmesh_nhop *n)
{
	/* "set sr-te color": next-hop tracking would keep the route apart, and
	 * resolve it by an SR policy only, which no softwire has. */
	attr->srte_color = 0;
	if (IN6_IS_ADDR_V4MAPPED(&n->next_hop)) {
		attr->mp_nexthop_global = n->addr;
		attr->mp_nexthop_len = BGP_ATTR_NHLEN_IPV6_GLOBAL;
		UNSET_FLAG(attr->flag, ATTR_FLAG_BIT(BGP_ATTR_NEXT_HOP));
		return;
	}
	attr->mp_nexthop_local = n->addr;
	attr->mp_nexthop_len = BGP_ATTR_NHLEN_IPV6_GLOBAL_AND_LL;
	attr->mp_nexthop_prefer_global = false;
	attr->nh_lla_ifindex = 0;
}

static enum route_map_cmd_result_t
set_next_hop(void *rule, const struct prefix *prefix, void *object)
{
	struct bgp_path_info *path = object;
	struct swmesh_nhop *n;
	struct incoming in = {.afi = family2afi(prefix->family)};

	if (!tea_of(path->attr, &in))
		return RMAP_OKAY;
	n = nhop_for(path, &in);
	if (!n)
		return RMAP_OKAY;
	set_nhop(path->attr, n);
	return RMAP_OKAY;
}

/* ---- SOFTWIRE-OUT ---- */

static const struct swmesh_set *set_for(const char *name, afi_t afi)
{
	if (!*name && swmesh_config.announce)
		name = swmesh_config.announce;
	return *name ? swmesh_set_find(name, afi) : swmesh_set_first(afi);
}

static enum route_map_cmd_result_t
set_encap(void *rule, const struct prefix *prefix, void *object)
{
	struct bgp_path_info *path = object;
	afi_t afi = family2afi(prefix->family);
	const struct swmesh_set *set;

	if ((afi != AFI_IP && afi != AFI_IP6) ||
	    !CHECK_FLAG(path->peer->rmap_type, PEER_RMAP_TYPE_OUT))
		return RMAP_OKAY;
	set = set_for(rule, afi);
	if (set)
		swmesh_attach_wish(path, prefix, set);
	return RMAP_OKAY;
}

/* ---- the maps ---- */

static void *compile_text(const char *arg)
{
	return XSTRDUP(MTYPE_ROUTE_MAP_COMPILED, arg ? arg : "");
}

static void free_text(void *rule)
{
	XFREE(MTYPE_ROUTE_MAP_COMPILED, rule);
}

static const struct route_map_rule_cmd cmd_peer = {
	RULE_PEER,
	match_peer,
	compile_text,
	free_text,
};
static const struct route_map_rule_cmd cmd_next_hop = {
	RULE_NEXT_HOP,
	set_next_hop,
	compile_text,
	free_text,
};
static const struct route_map_rule_cmd cmd_encap = {
	RULE_ENCAP,
	set_encap,
	compile_text,
	free_text,
};

/* Our entry of a map: the last one that has our rule; NULL: there is none. */
static struct route_map_index *map_entry(const char *name, const char *rule)
{
	struct route_map *map = route_map_lookup_by_name(name);
	struct route_map_index *index = map ? map->tail : NULL;

	for (; index; index = index->prev)
		if (index->type == RMAP_PERMIT && index->set_list.head &&
		    !strcmp(index->set_list.head->cmd->str, rule))
			return index;
	return NULL;
}

/*
 * The last number that no entry has. An operator's entry must not be replaced:
 * the northbound keeps a pointer to it, and uses that when the next line of the
 * entry is typed. So ours goes in front of his.
 */
static int free_pref(const struct route_map *map)
{
	const struct route_map_index *index = map->tail;
	int pref = MAP_PREF;

	for (; index && index->pref == pref && pref > 1; index = index->prev)
		pref--;
	return pref;
}

/* True when our entry was not there. */
static bool ensure(const char *name, const char *match, const char *set,
		   const char *arg)
{
	struct route_map_index *index;
	struct route_map *map;
	int pref;

	if (map_entry(name, set))
		return false;
	map = route_map_get(name);
	pref = free_pref(map);
	if (pref != MAP_PREF)
		zlog_warn(
			"route-map %s: entry %d is not ours, so that ours becomes %d, in front of it; give it a smaller number",
			name, MAP_PREF, pref);
	index = route_map_index_get(map, RMAP_PERMIT, pref);
	if (match)
		route_map_add_match(index, match, "", RMAP_EVENT_MATCH_ADDED);
	route_map_add_set(index, set, arg);
	return true;
}

static char *map_name(const char *set, char *buf, size_t size)
{
	snprintf(buf, size, "%s-%s", MAP_OUT, set);
	return buf;
}

/*
 * A map that is made again where a removed one was frees that at once
 * (route_map_add(), lib/routemap.c:647), and neighbors go on using it until
 * bgpd's timer for changed maps has run, seconds later.  So it runs now.
 */
static void let_go_of_removed(void)
{
	if (!bm->t_rmap_update)
		return;
	THREAD_OFF(bm->t_rmap_update);
	bgp_route_map_update_timer(NULL);
}

void swmesh_rmap_ensure(void)
{
	const struct swmesh_set *set;
	char name[256];
	bool made;

	made = ensure(MAP_IN, RULE_PEER, RULE_NEXT_HOP, "");
	made |= ensure(MAP_OUT, NULL, RULE_ENCAP, "");
	for (set = swmesh_set_next(NULL); set; set = swmesh_set_next(set))
		made |= ensure(map_name(set->name, name, sizeof(name)), NULL,
			       RULE_ENCAP, set->name);
	if (made)
		let_go_of_removed();
}

/*
 * Setting a rule anew is what tells bgpd, and the maps that call this one, that
 * the map has changed.  bgpd waits some seconds for an operator to finish
 * typing; here nothing more comes.
 */
static void changed(const char *name, const char *rule, const char *arg)
{
	struct route_map_index *index = map_entry(name, rule);

	if (!index || swmesh_stopping)
		return;
	route_map_delete_set(index, rule, arg);
	route_map_add_set(index, rule, arg);
	if (bm->t_rmap_update) {
		THREAD_OFF(bm->t_rmap_update);
		thread_add_timer_msec(bm->master, bgp_route_map_update_timer,
				      NULL, 0, &bm->t_rmap_update);
	}
}

void swmesh_rmap_changed_in(void)
{
	changed(MAP_IN, RULE_NEXT_HOP, "");
}

void swmesh_rmap_changed_out(void)
{
	changed(MAP_OUT, RULE_ENCAP, "");
}

void swmesh_rmap_changed_set(const char *set)
{
	char name[256];

	changed(map_name(set, name, sizeof(name)), RULE_ENCAP, set);
}

void swmesh_rmap_init(void)
{
	route_map_install_match(&cmd_peer);
	route_map_install_set(&cmd_next_hop);
	route_map_install_set(&cmd_encap);
	swmesh_rmap_ensure();
}
