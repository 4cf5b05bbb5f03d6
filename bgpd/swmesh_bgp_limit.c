// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How many softwires a neighbor may have: what is configured, and show bgp
 * softwire limits.  _use counts, swmesh_quota.h has the rule.
 */

#include <zebra.h>

#include "lib/command.h"
#include "lib/hook.h"
#include "lib/json.h"
#include "lib/vty.h"

#include "bgpd/bgpd.h"
#include "bgpd/bgp_fsm.h"
#include "bgpd/bgp_vty.h"

#include "bgpd/swmesh_bgp.h"

#ifndef VTYSH_EXTRACT_PL
#include "bgpd/swmesh_bgp_limit_clippy.c"
#endif

/* Of "bgp maximum-softwires"; 0: nothing said. */
static uint32_t total;

/* ---- what holds ---- */

static struct swmesh_limit limit_said(const struct bgp *bgp,
				      const char *neighbor)
{
	const struct swmesh_policy *p = swmesh_policy_find(bgp, neighbor);

	return p ? p->limit : (struct swmesh_limit){};
}

struct swmesh_limit swmesh_limit_of(const struct peer *peer)
{
	struct swmesh_limit limit = {};

	if (!swmesh_policies_exist())
		return limit;
	limit = limit_said(peer->bgp, peer->host);
	if (!limit.max && peer->group)
		limit = limit_said(peer->bgp, peer->group->name);
	return limit;
}

/* ---- configuration ---- */

static void apply(struct peer *peer)
{
	struct listnode *node;
	struct peer *member;

	if (!CHECK_FLAG(peer->sflags, PEER_STATUS_GROUP)) {
		swmesh_use_limit_changed(peer);
		return;
	}
	for (ALL_LIST_ELEMENTS_RO(peer->group->peer, node, member))
		swmesh_use_limit_changed(member);
}

DEFPY(neighbor_maximum_softwires, neighbor_maximum_softwires_cmd,
      "neighbor <A.B.C.D|X:X::X:X|WORD>$neighbor maximum-softwires (1-8192)$max [warning-only]$warning",
      NEIGHBOR_STR NEIGHBOR_ADDR_STR2
      "Softwires that routes of this neighbor may use\n"
      "Routes that need more are refused\n"
      "Only log when there are more\n")
{
	struct peer *peer = peer_and_group_lookup_vty(vty, neighbor);
	struct swmesh_policy *p;

	if (!peer)
		return CMD_WARNING_CONFIG_FAILED;
	p = swmesh_policy_get(peer->bgp, peer->host);
	p->limit.max = max;
	p->limit.warning_only = warning != NULL;
	apply(peer);
	return CMD_SUCCESS;
}

DEFPY(no_neighbor_maximum_softwires, no_neighbor_maximum_softwires_cmd,
      "no neighbor <A.B.C.D|X:X::X:X|WORD>$neighbor maximum-softwires [(1-8192) [warning-only]]",
      NO_STR NEIGHBOR_STR NEIGHBOR_ADDR_STR2
      "Softwires that routes of this neighbor may use\n"
      "Routes that need more are refused\n"
      "Only log when there are more\n")
{
	struct peer *peer = peer_and_group_lookup_vty(vty, neighbor);
	struct swmesh_policy *p;

	if (!peer)
		return CMD_WARNING_CONFIG_FAILED;
	p = swmesh_policy_find(peer->bgp, peer->host);
	if (!p || !p->limit.max)
		return CMD_SUCCESS;
	p->limit = (struct swmesh_limit){};
	apply(peer);
	return CMD_SUCCESS;
}

static void set_total(uint32_t max)
{
	total = max;
	swmesh_use_set_total(max);
}

DEFPY(bgp_maximum_softwires, bgp_maximum_softwires_cmd,
      "[no] bgp maximum-softwires ![(1-8192)$max]",
      NO_STR BGP_STR
      "Softwires that routes of all neighbors may use\n"
      "No neighbor gets more than three quarters of them\n")
{
	VTY_DECLVAR_CONTEXT(bgp, bgp);

	if (bgp->inst_type != BGP_INSTANCE_TYPE_DEFAULT) {
		vty_out(vty,
			"%% Softwires are of the default instance: 'bgp maximum-softwires' belongs into its 'router bgp'\n");
		return CMD_WARNING_CONFIG_FAILED;
	}
	set_total(no ? 0 : max);
	return CMD_SUCCESS;
}

static void write_policy(const struct swmesh_policy *p, void *arg)
{
	struct vty *vty = arg;

	if (p->limit.max)
		vty_out(vty, " neighbor %s maximum-softwires %u%s\n",
			p->neighbor, p->limit.max,
			p->limit.warning_only ? " warning-only" : "");
}

/* Inside "router bgp". */
static int config_write(struct bgp *bgp, struct vty *vty)
{
	if (total && bgp->inst_type == BGP_INSTANCE_TYPE_DEFAULT)
		vty_out(vty, " bgp maximum-softwires %u\n", total);
	swmesh_policy_walk(bgp, write_policy, vty);
	return 0;
}

static int instance_deleted(struct bgp *bgp)
{
	if (bgp->inst_type == BGP_INSTANCE_TYPE_DEFAULT)
		set_total(0);
	return 0;
}

/* ---- show ---- */

struct row {
	const struct peer *peer;
	struct swmesh_limit limit;
	struct swmesh_quota quota;
	uint32_t share;
};

static const char *note(const struct row *row)
{
	if (row->quota.waits_limit)
		return "refused: maximum-softwires is reached";
	if (row->quota.waits_pool || row->quota.waits_share)
		return "refused: no more of all neighbors' softwires are for it";
	if (row->limit.warning_only && row->quota.held > row->limit.max)
		return "over its maximum-softwires, warning-only";
	return "";
}

static void json_row(const struct row *row, json_object *rows)
{
	json_object *json = json_object_new_object();

	json_object_string_add(json, "neighbor", row->peer->host);
	json_object_string_add(json, "instance", row->peer->bgp->name_pretty);
	json_object_int_add(json, "softwires", row->quota.held);
	json_object_int_add(json, "share", row->share);
	if (row->limit.max) {
		json_object_int_add(json, "maximum", row->limit.max);
		json_object_boolean_add(json, "warningOnly",
					row->limit.warning_only);
	}
	json_object_int_add(json, "routesRefused", row->quota.refused);
	json_object_boolean_add(json, "waiting",
				swmesh_quota_waits(&row->quota));
	json_object_string_add(json, "reason", note(row));
	json_object_array_add(rows, json);
}

static void text_row(const struct row *row, struct vty *vty)
{
	char max[32] = "-";

	if (row->limit.max)
		snprintf(max, sizeof(max), "%u%s", row->limit.max,
			 row->limit.warning_only ? " (warn)" : "");
	vty_out(vty, "%-39s %9u %13s %9u %14" PRIu64 "  %s\n", row->peer->host,
		row->quota.held, max, row->share, row->quota.refused,
		note(row));
}

static void show_peer(const struct peer *peer, const struct swmesh_pool *pool,
		      struct vty *vty, json_object *rows)
{
	const struct swmesh_peer *stats = swmesh_peer_find(peer);
	struct row row = {.peer = peer, .limit = swmesh_limit_of(peer)};

	if (stats)
		row.quota = stats->quota;
	row.share = swmesh_quota_share(&row.quota, pool);
	if (rows)
		json_row(&row, rows);
	else
		text_row(&row, vty);
}

static void show_peers(const struct swmesh_pool *pool, struct vty *vty,
		       json_object *rows)
{
	struct listnode *bgp_node, *node;
	struct peer *peer;
	struct bgp *bgp;

	for (ALL_LIST_ELEMENTS_RO(bm->bgp, bgp_node, bgp))
		for (ALL_LIST_ELEMENTS_RO(bgp->peer, node, peer))
			if (CHECK_FLAG(peer->flags, PEER_FLAG_CONFIG_NODE))
				show_peer(peer, pool, vty, rows);
}

DEFPY(show_bgp_softwire_limits, show_bgp_softwire_limits_cmd,
      "show bgp softwire limits [json$as_json]",
      SHOW_STR BGP_STR
      "Tunnel Encapsulation attributes and the softwires they ask for\n"
      "How many softwires neighbors have and may have\n" JSON_STR)
{
	struct swmesh_pool pool = swmesh_use_pool();
	json_object *json, *rows;

	if (as_json) {
		json = json_object_new_object();
		rows = json_object_new_array();
		show_peers(&pool, vty, rows);
		json_object_int_add(json, "softwires", pool.used);
		json_object_int_add(json, "maximum", pool.max);
		json_object_object_add(json, "neighbors", rows);
		return vty_json(vty, json);
	}
	vty_out(vty, "Softwires of all neighbors: %u of %u\n\n", pool.used,
		pool.max);
	vty_out(vty, "%-39s %9s %13s %9s %14s\n", "Neighbor", "Softwires",
		"Maximum", "Share", "Routes refused");
	show_peers(&pool, vty, NULL);
	return CMD_SUCCESS;
}

void swmesh_limit_init(void)
{
	hook_register(bgp_inst_config_write, config_write);
	hook_register(bgp_inst_delete, instance_deleted);
	install_element(BGP_NODE, &neighbor_maximum_softwires_cmd);
	install_element(BGP_NODE, &no_neighbor_maximum_softwires_cmd);
	install_element(BGP_NODE, &bgp_maximum_softwires_cmd);
	install_element(VIEW_NODE, &show_bgp_softwire_limits_cmd);
}
