// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which neighbors may send us, and be sent, attribute 23 and the Encapsulation
 * extended community (RFC 9012 section 11, B6): by default all but eBGP ones.
 * What an operator says about a neighbor or a peer group is kept by its name.
 *
 * In is done where UPDATEs come in (_rx), out where they are announced (_out).
 */

#include <zebra.h>

#include "lib/command.h"
#include "lib/hook.h"
#include "lib/libfrr.h"
#include "lib/vty.h"

#include "bgpd/bgpd.h"
#include "bgpd/bgp_attr.h"
#include "bgpd/bgp_packet.h"
#include "bgpd/bgp_vty.h"

#include "bgpd/swmesh_bgp.h"

#ifndef VTYSH_EXTRACT_PL
#include "bgpd/swmesh_bgp_filter_clippy.c"
#endif

DEFINE_MTYPE_STATIC(SWMESH, SWMESH_POLICY, "Neighbor policy");

/* ---- what the operator has said ---- */

enum direction { IN, OUT };
enum rule { RULE_DEFAULT, RULE_ALLOW, RULE_DENY };

PREDECL_RBTREE_UNIQ(policies);

struct policy {
	struct policies_item item;
	char *instance; /* bgp->name_pretty */
	char *neighbor; /* peer->host, which is a peer group's name too */
	enum rule rule[2];
};

static int policy_cmp(const struct policy *a, const struct policy *b)
{
	int ret = strcmp(a->neighbor, b->neighbor);

	return ret ? ret : strcmp(a->instance, b->instance);
}

DECLARE_RBTREE_UNIQ(policies, struct policy, item, policy_cmp);
static struct policies_head policies = INIT_RBTREE_UNIQ(policies);

static struct policy *policy_find(const struct bgp *bgp, const char *neighbor)
{
	struct policy ref = {
		.instance = bgp->name_pretty,
		.neighbor = (char *)neighbor,
	};

	return policies_find(&policies, &ref);
}

static enum rule policy_rule(const struct bgp *bgp, const char *neighbor,
			     enum direction dir)
{
	const struct policy *p = policy_find(bgp, neighbor);

	return p ? p->rule[dir] : RULE_DEFAULT;
}

static void policy_set(const struct bgp *bgp, const char *neighbor,
		       enum direction dir, enum rule rule)
{
	struct policy *p = policy_find(bgp, neighbor);

	if (!p && rule == RULE_DEFAULT)
		return;
	if (!p) {
		p = XCALLOC(MTYPE_SWMESH_POLICY, sizeof(*p));
		p->instance = XSTRDUP(MTYPE_SWMESH_POLICY, bgp->name_pretty);
		p->neighbor = XSTRDUP(MTYPE_SWMESH_POLICY, neighbor);
		policies_add(&policies, p);
	}
	p->rule[dir] = rule;
}

static void policy_free(struct policy *p)
{
	policies_del(&policies, p);
	XFREE(MTYPE_SWMESH_POLICY, p->instance);
	XFREE(MTYPE_SWMESH_POLICY, p->neighbor);
	XFREE(MTYPE_SWMESH_POLICY, p);
}

/* What holds when nothing is said about the neighbor itself. */
static bool allowed_by_default(const struct peer *peer, enum direction dir)
{
	enum rule rule = RULE_DEFAULT;

	if (peer->group && strcmp(peer->group->name, peer->host))
		rule = policy_rule(peer->bgp, peer->group->name, dir);
	if (rule == RULE_DEFAULT)
		return peer->sort != BGP_PEER_EBGP &&
		       peer->sort != BGP_PEER_UNSPECIFIED;
	return rule == RULE_ALLOW;
}

static bool allowed(const struct peer *peer, enum direction dir)
{
	enum rule rule = RULE_DEFAULT;

	if (policies_count(&policies))
		rule = policy_rule(peer->bgp, peer->host, dir);
	if (rule == RULE_DEFAULT)
		return allowed_by_default(peer, dir);
	return rule == RULE_ALLOW;
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
	enum rule rule = RULE_DEFAULT;

	if (allow != allowed_by_default(peer, dir))
		rule = allow ? RULE_ALLOW : RULE_DENY;
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

static bool neighbor_exists(struct bgp *bgp, const char *neighbor)
{
	union sockunion su;

	if (str2sockunion(neighbor, &su) == 0)
		return peer_lookup(bgp, &su) != NULL;
	return peer_lookup_by_conf_if(bgp, neighbor) ||
	       peer_group_lookup(bgp, neighbor);
}

static void write_policy(struct vty *vty, const struct policy *p)
{
	static const char *const suffix[] = {[IN] = " in", [OUT] = " out"};

	if (p->rule[IN] == p->rule[OUT]) {
		if (p->rule[IN] != RULE_DEFAULT)
			vty_out(vty, " %sneighbor %s tunnel-encapsulation\n",
				p->rule[IN] == RULE_DENY ? "no " : "",
				p->neighbor);
		return;
	}
	for (int dir = IN; dir <= OUT; dir++)
		if (p->rule[dir] != RULE_DEFAULT)
			vty_out(vty, " %sneighbor %s tunnel-encapsulation%s\n",
				p->rule[dir] == RULE_DENY ? "no " : "",
				p->neighbor, suffix[dir]);
}

/* Inside "router bgp". */
static int config_write(struct bgp *bgp, struct vty *vty)
{
	struct policy *p;

	frr_each (policies, &policies, p)
		if (!strcmp(p->instance, bgp->name_pretty))
			write_policy(vty, p);
	return 0;
}

static void forget_gone(struct bgp *bgp)
{
	struct policy *p;

	frr_each_safe (policies, &policies, p)
		if (!strcmp(p->instance, bgp->name_pretty) &&
		    !neighbor_exists(bgp, p->neighbor))
			policy_free(p);
}

void swmesh_filter_forget(void)
{
	static unsigned int seen;
	unsigned int total = 0;
	struct listnode *node;
	struct bgp *bgp;

	for (ALL_LIST_ELEMENTS_RO(bm->bgp, node, bgp))
		total += listcount(bgp->peer) + listcount(bgp->group);
	if (total < seen && policies_count(&policies))
		for (ALL_LIST_ELEMENTS_RO(bm->bgp, node, bgp))
			forget_gone(bgp);
	seen = total;
}

static int instance_deleted(struct bgp *bgp)
{
	struct policy *p;

	frr_each_safe (policies, &policies, p)
		if (!strcmp(p->instance, bgp->name_pretty))
			policy_free(p);
	return 0;
}

/* Update groups outlive the module's other parts, and ask for rules. */
static int last_fini(void)
{
	struct policy *p;

	frr_each_safe (policies, &policies, p)
		policy_free(p);
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
	hook_register(frr_fini, last_fini);
	hook_register(bgp_inst_config_write, config_write);
	hook_register(bgp_inst_delete, instance_deleted);
	install_element(BGP_NODE, &neighbor_tunnel_encapsulation_cmd);
}
