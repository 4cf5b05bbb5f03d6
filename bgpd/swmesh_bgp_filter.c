// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which neighbors may send us, and be sent, attribute 23 and the Encapsulation
 * extended community (RFC 9012 section 11, B6): by default all but eBGP ones.
 *
 * In is done where UPDATEs come in (_rx), out where they are announced (_out).
 */

#include <zebra.h>

#include "lib/command.h"
#include "lib/hook.h"
#include "lib/vty.h"

#include "bgpd/bgpd.h"
#include "bgpd/bgp_attr.h"
#include "bgpd/bgp_packet.h"
#include "bgpd/bgp_vty.h"

#include "bgpd/swmesh_bgp.h"

#ifndef VTYSH_EXTRACT_PL
#include "bgpd/swmesh_bgp_filter_clippy.c"
#endif

/* ---- what the operator has said ---- */

enum direction { IN, OUT };

static enum swmesh_rule policy_rule(const struct bgp *bgp, const char *neighbor,
				    enum direction dir)
{
	const struct swmesh_policy *p = swmesh_policy_find(bgp, neighbor);

	return p ? p->rule[dir] : SWMESH_RULE_DEFAULT;
}

static void policy_set(const struct bgp *bgp, const char *neighbor,
		       enum direction dir, enum swmesh_rule rule)
{
	struct swmesh_policy *p = swmesh_policy_find(bgp, neighbor);

	if (!p && rule == SWMESH_RULE_DEFAULT)
		return;
	if (!p)
		p = swmesh_policy_get(bgp, neighbor);
	p->rule[dir] = rule;
}

/* What holds when nothing is said about the neighbor itself. */
static bool allowed_by_default(const struct peer *peer, enum direction dir)
{
	enum swmesh_rule rule = SWMESH_RULE_DEFAULT;

	if (peer->group && strcmp(peer->group->name, peer->host))
		rule = policy_rule(peer->bgp, peer->group->name, dir);
	if (rule == SWMESH_RULE_DEFAULT)
		return peer->sort != BGP_PEER_EBGP &&
		       peer->sort != BGP_PEER_UNSPECIFIED;
	return rule == SWMESH_RULE_ALLOW;
}

static bool allowed(const struct peer *peer, enum direction dir)
{
	enum swmesh_rule rule = SWMESH_RULE_DEFAULT;

	if (swmesh_policies_exist())
		rule = policy_rule(peer->bgp, peer->host, dir);
	if (rule == SWMESH_RULE_DEFAULT)
		return allowed_by_default(peer, dir);
	return rule == SWMESH_RULE_ALLOW;
}

bool swmesh_filter_allows_in(const struct peer *peer)
{
	return allowed(peer, IN);
}

bool swmesh_filter_allows_out(const struct peer *peer)
{
	return allowed(peer, OUT);
}

/* ---- configuration ---- */

/*
 * Ask for what was filtered (it is not in Adj-RIB-In either), or announce
 * again.
 */
static void apply_af(struct peer *peer, afi_t afi, safi_t safi, bool in,
		     bool out)
{
	if (!peer->afc_nego[afi][safi])
		return;
	if (in && (CHECK_FLAG(peer->cap, PEER_CAP_REFRESH_OLD_RCV) ||
		   CHECK_FLAG(peer->cap, PEER_CAP_REFRESH_NEW_RCV)))
		bgp_route_refresh_send(peer, afi, safi, 0, 0, 0,
				       BGP_ROUTE_REFRESH_NORMAL);
	if (out)
		peer_change_action(peer, afi, safi, peer_change_reset_out);
}

static void apply_peer(struct peer *peer, bool in, bool out)
{
	afi_t afi;
	safi_t safi;

	if (!peer_established(peer))
		return;
	FOREACH_AFI_SAFI (afi, safi)
		apply_af(peer, afi, safi, in, out);
}

static void apply(struct peer *peer, bool in, bool out)
{
	struct listnode *node;
	struct peer *member;

	if (!CHECK_FLAG(peer->sflags, PEER_STATUS_GROUP)) {
		apply_peer(peer, in, out);
		return;
	}
	for (ALL_LIST_ELEMENTS_RO(peer->group->peer, node, member))
		apply_peer(member, in, out);
}

static bool set_rule(struct peer *peer, enum direction dir, bool allow)
{
	bool before = allowed(peer, dir);
	enum swmesh_rule rule = SWMESH_RULE_DEFAULT;

	if (allow != allowed_by_default(peer, dir))
		rule = allow ? SWMESH_RULE_ALLOW : SWMESH_RULE_DENY;
	policy_set(peer->bgp, peer->host, dir, rule);
	return before != allow;
}

DEFPY(neighbor_tunnel_encapsulation, neighbor_tunnel_encapsulation_cmd,
      "[no] neighbor <A.B.C.D|X:X::X:X|WORD>$neighbor tunnel-encapsulation [<in|out>$direction]",
      NO_STR NEIGHBOR_STR NEIGHBOR_ADDR_STR2
      "Let the Tunnel Encapsulation attribute pass (eBGP filters it)\n"
      "Only from this neighbor\n"
      "Only to this neighbor\n")
{
	struct peer *peer = peer_and_group_lookup_vty(vty, neighbor);
	bool in = !direction || direction[0] == 'i';
	bool out = !direction || direction[0] == 'o';

	if (!peer)
		return CMD_WARNING_CONFIG_FAILED;
	in = in && set_rule(peer, IN, !no);
	out = out && set_rule(peer, OUT, !no);
	apply(peer, in, out);
	return CMD_SUCCESS;
}

static void write_policy(const struct swmesh_policy *p, void *arg)
{
	struct vty *vty = arg;
	static const char *const suffix[] = {[IN] = " in", [OUT] = " out"};

	if (p->rule[IN] == p->rule[OUT]) {
		if (p->rule[IN] != SWMESH_RULE_DEFAULT)
			vty_out(vty, " %sneighbor %s tunnel-encapsulation\n",
				p->rule[IN] == SWMESH_RULE_DENY ? "no " : "",
				p->neighbor);
		return;
	}
	for (int dir = IN; dir <= OUT; dir++)
		if (p->rule[dir] != SWMESH_RULE_DEFAULT)
			vty_out(vty, " %sneighbor %s tunnel-encapsulation%s\n",
				p->rule[dir] == SWMESH_RULE_DENY ? "no " : "",
				p->neighbor, suffix[dir]);
}

/* Inside "router bgp". */
static int config_write(struct bgp *bgp, struct vty *vty)
{
	swmesh_policy_walk(bgp, write_policy, vty);
	return 0;
}

bool swmesh_af_is_ip(afi_t afi, safi_t safi)
{
	return (afi == AFI_IP || afi == AFI_IP6) &&
	       (safi == SAFI_UNICAST || safi == SAFI_MULTICAST ||
		safi == SAFI_LABELED_UNICAST);
}

void swmesh_filter_init(void)
{
	hook_register(bgp_inst_config_write, config_write);
	install_element(BGP_NODE, &neighbor_tunnel_encapsulation_cmd);
}
