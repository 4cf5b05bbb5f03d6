// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * "show softwire ...". Each view is made once, as JSON (doc/show.md tells its
 * keys); the text is printed from that, so that the two cannot differ.
 */
#include <zebra.h>

#include "command.h"
#include "json.h"
#include "monotime.h"

#include "swmeshd/talk/bgp.h"
#include "swmeshd/kernel/kernel.h"
#include "swmeshd/model/model.h"
#include "swmeshd/kernel/netlink.h"
#include "swmeshd/kernel/nldump.h"
#include "swmeshd/talk/overlap.h"
#include "swmeshd/model/select.h"
#include "swmeshd/swmesh_show.h"
#include "swmeshd/swmesh_show_read.h"
#include "swmeshd/swmeshd.h"
#ifndef VTYSH_EXTRACT_PL
#include "swmeshd/swmesh_show_clippy.c"
#endif

#define SHOW_SOFTWIRE_STR SHOW_STR "Softwires\n"

/* ---- making it ---- */

static int softwire_order(const void *a, const void *b)
{
	const struct softwire *const *x = a, *const *y = b;
	int diff = ipaddr_cmp(&(*x)->afbr->addr, &(*y)->afbr->addr);

	if (!diff)
		diff = numcmp((*x)->tunnel.type, (*y)->tunnel.type);
	return diff ? diff : numcmp((*x)->tunnel.key, (*y)->tunnel.key);
}

struct softwire **swmesh_show_softwires(size_t *n)
{
	struct softwire **all, *sw;
	struct afbr *afbr;

	*n = 0;
	frr_each (afbr_table, &swmesh->afbrs, afbr)
		*n += afbr_softwires_count(&afbr->softwires);
	all = XCALLOC(MTYPE_TMP, MAX(*n, (size_t)1) * sizeof(*all));
	*n = 0;
	frr_each (afbr_table, &swmesh->afbrs, afbr)
		frr_each (afbr_softwires, &afbr->softwires, sw)
			all[(*n)++] = sw;
	qsort(all, *n, sizeof(*all), softwire_order);
	return all;
}

uint32_t swmesh_show_routes(const struct softwire *sw)
{
	const struct demand *demand;
	uint32_t routes = 0;

	frr_each (softwire_users_const, &sw->users, demand)
		routes += demand->routes_ipv4 + demand->routes_ipv6;
	return routes;
}

static void add_transit(json_object *o)
{
	const struct transit_config *transit = &swmesh->config.transit;
	json_object *list = json_object_new_array();

	for (unsigned int i = 0; i < transit->n_interfaces; i++)
		json_array_string_add(list, transit->interface[i]);
	json_object_object_add(o, "transitInterfaces", list);
	json_object_string_add(o, "transitPrefixList", transit->prefix_list);
}

static json_object *json_mesh(void)
{
	json_object *o = json_object_new_object();
	char overlap[OVERLAP_TEXT_LEN];
	unsigned int devices, routes;

	swmesh_kernel_leftovers(&devices, &routes);
	json_object_string_add(o, "status",
			       mesh_status_name(mesh_status(swmesh)));
	if (!IS_IPADDR_NONE(&swmesh->config.source)) {
		json_object_string_add(
			o, "transitFamily",
			IS_IPADDR_V4(&swmesh->config.source) ? "ipv4" : "ipv6");
		json_object_string_addf(o, "transitSource", "%pIA",
					&swmesh->config.source);
	}
	add_transit(o);
	json_object_string_addf(o, "swNhopPrefix", "%pFX",
				&swmesh->config.nhop_prefix);
	json_object_string_add(o, "swNhopOverlap",
			       swmesh_overlap_now(overlap, sizeof(overlap)));
	json_object_string_add(o, "peerPolicy",
			       swmesh->config.policy_protected	? "protected"
			       : swmesh->config.policy_required ? "required"
								: "any");
	json_object_string_add(
		o, "bgpConversation",
		swmesh_bgp_conversation()->peer_up
			? swmesh_msg_state_name(
				  swmesh_bgp_conversation()->state)
			: "down");
	json_object_int_add(o, "leftoverDevices", devices);
	json_object_int_add(o, "leftoverRoutes", routes);
	return o;
}

static json_object *json_softwire(const struct softwire *sw)
{
	const struct kdev_stats *stats = swmesh_kernel_stats(sw);
	char text[MESH_REASON_LEN];
	json_object *o = json_object_new_object();

	json_object_string_addf(o, "endpoint", "%pIA", &sw->afbr->addr);
	json_object_string_add(o, "type", tea_type_name(sw->tunnel.type));
	json_object_string_add(o, "receiveTunnel",
			       softwire_tunnel_text(sw, text, sizeof(text)));
	if (sw->tunnel.has_key)
		json_object_int_add(o, "receiveKey", sw->tunnel.key);
	json_object_boolean_add(o, "peerAnnounces", sw->peer_has);
	if (sw->peer_has)
		json_object_string_add(o, "sendTunnel",
				       sw_tunnel_text(sw->tunnel.type,
						      sw->has_okey, sw->okey,
						      text, sizeof(text)));
	if (sw->has_okey)
		json_object_int_add(o, "sendKey", sw->okey);
	json_object_string_add(o, "device", sw->dev.name);
	json_object_int_add(o, "mtu", sw->dev.mtu);
	json_object_int_add(o, "routeMtu", softwire_route_mtu(sw));
	json_object_string_add(o, "mtuNote",
			       softwire_mtu_note(sw, text, sizeof(text)));
	swmesh_show_add_security(o, sw);
	json_object_string_add(o, "state", softwire_state_name(sw->state));
	json_object_int_add(o, "stateSeconds", monotime(NULL) - sw->since);
	json_object_string_add(o, "reason",
			       softwire_reason(sw, text, sizeof(text)));
	json_object_boolean_add(o, "sending",
				softwire_users_count(&sw->users) != 0);
	json_object_int_add(o, "swNhops", softwire_users_count(&sw->users));
	json_object_int_add(o, "routes", swmesh_show_routes(sw));
	json_object_int_add(o, "upCount", sw->changes);
	json_object_int_add(o, "rxPackets", stats->rx_packets);
	json_object_int_add(o, "rxBytes", stats->rx_bytes);
	json_object_int_add(o, "txPackets", stats->tx_packets);
	json_object_int_add(o, "txBytes", stats->tx_bytes);
	json_object_int_add(o, "txErrors", stats->tx_errors);
	return o;
}

static json_object *json_candidate(const struct candidate *c, bool chosen)
{
	json_object *o = json_object_new_object();
	char text[SW_TUNNEL_TEXT_LEN];

	json_object_int_add(o, "type", c->type);
	json_object_string_add(o, "tunnel",
			       sw_tunnel_text(c->type, c->has_key, c->key, text,
					      sizeof(text)));
	if (!IS_IPADDR_NONE(&c->endpoint))
		json_object_string_addf(o, "endpoint", "%pIA", &c->endpoint);
	if (c->sw)
		json_object_string_add(o, "device", c->sw->dev.name);
	json_object_boolean_add(o, "feasible", c->feasible);
	json_object_boolean_add(o, "chosen", chosen);
	json_object_string_add(o, "reason", c->reason);
	return o;
}

static json_object *json_demand(const struct demand *demand, bool detail)
{
	json_object *o = json_object_new_object(), *list;
	static struct selection sel;
	char text[SW_TUNNEL_TEXT_LEN];

	json_object_string_addf(o, "swNhop", "%pI6", &demand->sw_nhop);
	json_object_string_addf(o, "nextHop", "%pIA", &demand->next_hop);
	json_object_int_add(o, "routesIpv4", demand->routes_ipv4);
	json_object_int_add(o, "routesIpv6", demand->routes_ipv6);
	json_object_boolean_add(o, "up", demand_up(demand));
	json_object_int_add(o, "stateSeconds", monotime(NULL) - demand->since);
	if (demand->via) {
		json_object_string_add(
			o, "tunnel",
			sw_tunnel_text(demand->via_type, demand->via_has_key,
				       demand->via_key, text, sizeof(text)));
		json_object_string_addf(o, "endpoint", "%pIA",
					&demand->via->afbr->addr);
		json_object_string_add(o, "device", demand->via->dev.name);
	}
	json_object_string_add(o, "reason", demand->reason);
	if (demand->t_stale)
		json_object_boolean_add(o, "stale", true);
	if (!detail)
		return o;
	select_tunnel(demand, &sel);
	list = json_object_new_array();
	for (unsigned int i = 0; i < sel.n; i++)
		json_object_array_add(
			list, json_candidate(&sel.c[i], i == sel.chosen));
	json_object_object_add(o, "candidates", list);
	return o;
}

static int demand_order(const void *a, const void *b)
{
	const struct demand *const *x = a, *const *y = b;
	int diff = ipaddr_cmp(&(*x)->next_hop, &(*y)->next_hop);

	return diff ? diff : demand_cmp(*x, *y);
}

static json_object *json_demands(bool detail)
{
	json_object *list = json_object_new_array();
	size_t n = demand_table_count(&swmesh->demands), i = 0;
	struct demand **all, *demand;

	all = XCALLOC(MTYPE_TMP, MAX(n, (size_t)1) * sizeof(*all));
	frr_each (demand_table, &swmesh->demands, demand)
		all[i++] = demand;
	qsort(all, n, sizeof(*all), demand_order);
	for (i = 0; i < n; i++)
		json_object_array_add(list, json_demand(all[i], detail));
	XFREE(MTYPE_TMP, all);
	return list;
}

static json_object *json_softwires(bool detail)
{
	json_object *o = json_mesh(), *list = json_object_new_array();
	struct softwire **all;
	size_t n;

	swmesh_kernel_read_stats();
	all = swmesh_show_softwires(&n);
	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, json_softwire(all[i]));
	XFREE(MTYPE_TMP, all);
	json_object_object_add(o, "softwires", list);
	json_object_object_add(o, "swNhops", json_demands(detail));
	return o;
}

static json_object *json_conversation(void)
{
	const struct swmesh_msg *msg = swmesh_bgp_conversation();
	json_object *o = json_object_new_object();

	json_object_boolean_add(o, "up", msg->peer_up);
	json_object_string_add(o, "state", swmesh_msg_state_name(msg->state));
	json_object_string_add(o, "software",
			       msg->peer_software ? msg->peer_software : "");
	json_object_int_add(o, "framesIn", msg->stats.frames_in);
	json_object_int_add(o, "framesOut", msg->stats.frames_out);
	json_object_int_add(o, "itemsIn", msg->stats.items_in);
	json_object_int_add(o, "itemsOut", msg->stats.items_out);
	json_object_int_add(o, "bytesIn", msg->stats.bytes_in);
	json_object_int_add(o, "bytesOut", msg->stats.bytes_out);
	json_object_int_add(o, "badFrames", msg->stats.bad_frames);
	json_object_int_add(o, "gaps", msg->stats.gaps);
	json_object_int_add(o, "resyncs", msg->stats.resyncs);
	json_object_int_add(o, "fullStates", msg->stats.full_states);
	return o;
}

static json_object *json_netlink(void)
{
	const struct nl_stats *stats = nl_stats();
	json_object *o = json_object_new_object();

	json_object_int_add(o, "requests", stats->requests);
	json_object_int_add(o, "batches", stats->batches);
	json_object_int_add(o, "errors", stats->errors);
	json_object_int_add(o, "overruns", stats->overruns);
	json_object_int_add(o, "dumps", nl_dumps());
	return o;
}

/* SHA-1 of the public keys that the AFBR announces (RFC 5566). */
static json_object *json_announced_keys(const struct afbr *afbr)
{
	json_object *list = json_object_new_array();
	char text[SHOW_HASH_LEN];

	for (unsigned int i = 0; i < afbr->auth.n; i++)
		json_array_string_add(
			list, swmesh_show_hash(afbr->auth.keys[i]->hash, text));
	return list;
}

static json_object *json_afbr(const struct afbr *afbr)
{
	json_object *o = json_object_new_object(),
		    *list = json_object_new_array();
	char text[MESH_REASON_LEN];
	const struct softwire *sw;

	json_object_string_addf(o, "endpoint", "%pIA", &afbr->addr);
	json_object_boolean_add(o, "reachable", afbr_usable(afbr));
	json_object_string_add(o, "reason",
			       afbr_reason(afbr, text, sizeof(text)));
	json_object_string_add(o, "via", afbr->path.via);
	json_object_int_add(o, "pathMtu", afbr->path.mtu);
	json_object_int_add(o, "swNhops", afbr_refs_count(&afbr->refs));
	json_object_int_add(o, "recursions", afbr->recursions);
	json_object_object_add(o, "announcedKeys", json_announced_keys(afbr));
	frr_each (afbr_softwires_const, &afbr->softwires, sw)
		json_object_array_add(list, json_softwire(sw));
	json_object_object_add(o, "softwires", list);
	return o;
}

static int afbr_order(const void *a, const void *b)
{
	const struct afbr *const *x = a, *const *y = b;

	return ipaddr_cmp(&(*x)->addr, &(*y)->addr);
}

struct afbr **swmesh_show_afbrs(size_t *n)
{
	struct afbr **all, *afbr;
	size_t i = 0;

	*n = afbr_table_count(&swmesh->afbrs);
	all = XCALLOC(MTYPE_TMP, MAX(*n, (size_t)1) * sizeof(*all));
	frr_each (afbr_table, &swmesh->afbrs, afbr)
		all[i++] = afbr;
	qsort(all, *n, sizeof(*all), afbr_order);
	return all;
}

static json_object *json_afbrs(void)
{
	json_object *o = json_mesh(), *list = json_object_new_array();
	struct afbr **all;
	size_t n;

	swmesh_kernel_read_stats();
	all = swmesh_show_afbrs(&n);
	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, json_afbr(all[i]));
	XFREE(MTYPE_TMP, all);
	json_object_object_add(o, "afbrs", list);
	return o;
}

static json_object *json_encap_set(const struct encap_set *set)
{
	json_object *o = json_object_new_object(),
		    *tunnels = json_object_new_array();
	json_object *payload = json_object_new_array(), *t;
	const char *missing = encap_set_missing(set);
	const struct encap_tunnel *et;
	uint8_t tea[ENCAP_TEA_MAX];
	char hex[2 * ENCAP_TEA_MAX + 1] = "";
	ssize_t len = 0;

	json_object_string_add(o, "name", set->name);
	frr_each (encap_tunnels_const, &set->tunnels, et) {
		t = json_object_new_object();
		json_object_int_add(t, "preference", et->preference);
		json_object_string_add(t, "type",
				       tea_type_name(et->tunnel.type));
		if (et->tunnel.has_key)
			json_object_int_add(t, "key", et->tunnel.key);
		json_object_array_add(tunnels, t);
	}
	json_object_object_add(o, "tunnels", tunnels);
	if (set->payload & PAYLOAD_IPV4)
		json_array_string_add(payload, "ipv4");
	if (set->payload & PAYLOAD_IPV6)
		json_array_string_add(payload, "ipv6");
	json_object_object_add(o, "payload", payload);
	if (!missing && mesh_status(swmesh) != MESH_READY)
		missing = mesh_status_name(mesh_status(swmesh));
	if (!missing)
		len = encap_set_compile(set, &swmesh->securities,
					&swmesh->config.source, tea,
					sizeof(tea));
	for (ssize_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", tea[i]);
	json_object_boolean_add(o, "ready", len > 0);
	json_object_string_add(o, "reason", missing ? missing : "");
	json_object_string_add(o, "attribute", hex);
	return o;
}

static void add_announced(json_object *o, const char *key, uint8_t payload)
{
	const struct encap_set *set = encap_set_announced(
		&swmesh->sets, swmesh->config.announce, payload);

	json_object_string_add(o, key, set ? set->name : "");
}

static json_object *json_encap_sets(void)
{
	json_object *o = json_mesh(), *list = json_object_new_array();
	const struct encap_set *set;

	frr_each (encap_sets_const, &swmesh->sets, set)
		json_object_array_add(list, json_encap_set(set));
	json_object_object_add(o, "encapSets", list);
	add_announced(o, "announcedIpv4", PAYLOAD_IPV4);
	add_announced(o, "announcedIpv6", PAYLOAD_IPV6);
	return o;
}

/* ---- commands ---- */

DEFPY(show_softwire, show_softwire_cmd, "show softwire [json$json]",
      SHOW_SOFTWIRE_STR JSON_STR)
{
	return swmesh_show_output(vty, json_softwires(false), json != NULL,
				  swmesh_print_softwires);
}

DEFPY(show_softwire_detail, show_softwire_detail_cmd,
      "show softwire detail [json$json]",
      SHOW_SOFTWIRE_STR
      "Every tunnel that was looked at, and why it is not feasible\n" JSON_STR)
{
	json_object *o = json_softwires(true);

	json_object_object_add(o, "bgp", json_conversation());
	json_object_object_add(o, "netlink", json_netlink());
	return swmesh_show_output(vty, o, json != NULL, swmesh_print_detail);
}

DEFPY(show_softwire_afbr, show_softwire_afbr_cmd,
      "show softwire afbr [json$json]",
      SHOW_SOFTWIRE_STR "Remote AFBRs\n" JSON_STR)
{
	return swmesh_show_output(vty, json_afbrs(), json != NULL,
				  swmesh_print_afbrs);
}

DEFPY(show_softwire_encap_set, show_softwire_encap_set_cmd,
      "show softwire encap-set [json$json]",
      SHOW_SOFTWIRE_STR "What this router announces\n" JSON_STR)
{
	return swmesh_show_output(vty, json_encap_sets(), json != NULL,
				  swmesh_print_encap_sets);
}

void swmesh_show_init(void)
{
	install_element(VIEW_NODE, &show_softwire_cmd);
	install_element(VIEW_NODE, &show_softwire_detail_cmd);
	install_element(VIEW_NODE, &show_softwire_afbr_cmd);
	install_element(VIEW_NODE, &show_softwire_encap_set_cmd);
}
