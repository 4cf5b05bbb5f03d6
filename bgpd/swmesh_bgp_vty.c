// SPDX-License-Identifier: GPL-2.0-or-later
/* show bgp softwire, debug bgp softwire. */

#include <zebra.h>

#include "lib/command.h"
#include "lib/json.h"
#include "lib/vty.h"

#include "bgpd/bgpd.h"
#include "bgpd/bgp_nexthop.h"
#include "bgpd/bgp_route.h"

#include "bgpd/swmesh_bgp.h"
#include "lib/tea_json.h"

#ifndef VTYSH_EXTRACT_PL
#include "bgpd/swmesh_bgp_vty_clippy.c"
#endif

/* ---- who uses a SW-NHOP ---- */

#define SOURCES_MAX 64

/* Neighbors whose routes use it, each once. */
static size_t sources(const struct swmesh_nhop *n,
		      const struct peer *found[SOURCES_MAX])
{
	struct prefix p = {.family = AF_INET6, .prefixlen = 128};
	const struct bgp_nexthop_cache *bnc;
	const struct bgp_path_info *pi;
	struct listnode *node;
	struct bgp *bgp;
	size_t count = 0;
	size_t i;

	p.u.prefix6 = n->addr;
	for (ALL_LIST_ELEMENTS_RO(bm->bgp, node, bgp)) {
		bnc = bnc_find(&bgp->nexthop_cache_table[AFI_IP6], &p, 0, 0);
		if (!bnc)
			continue;
		LIST_FOREACH (pi, &bnc->paths, nh_thread) {
			for (i = 0; i < count && found[i] != pi->peer; i++)
				;
			if (i == count && count < SOURCES_MAX)
				found[count++] = pi->peer;
		}
	}
	return count;
}

static const char *address(const struct in6_addr *addr, char *buf, size_t size)
{
	struct in_addr v4;

	if (!IN6_IS_ADDR_V4MAPPED(addr))
		return inet_ntop(AF_INET6, addr, buf, size);
	ipv4_mapped_ipv6_to_ipv4(addr, &v4);
	return inet_ntop(AF_INET, &v4, buf, size);
}

static const char *softwire_word(const struct swmesh_nhop *n)
{
	if (!n->state_known)
		return "unknown";
	return n->up ? "up" : "down";
}

/* ---- counters ---- */

static const struct {
	const char *key;
	const char *text;
} counters[SWMESH_COUNT_MAX] = {
	[SWMESH_COUNT_RECEIVED] = {"received", "UPDATEs with the attribute"},
	[SWMESH_COUNT_ACCEPTED] = {"accepted", "accepted"},
	[SWMESH_COUNT_WITHDRAWN] = {"withdrawn",
				    "refused, treated as withdraw"},
	[SWMESH_COUNT_TRIMMED] = {"trimmed",
				  "accepted without some of the tunnels"},
	[SWMESH_COUNT_DUPLICATES] = {"duplicates",
				     "further attributes discarded"},
	[SWMESH_COUNT_FILTERED] = {"filtered", "attribute filtered"},
	[SWMESH_COUNT_COMMUNITY_FILTERED] =
		{"communityFiltered", "Encapsulation community filtered"},
	[SWMESH_COUNT_DENIED] = {"denied", "routes denied by SOFTWIRE-IN"},
};

static char *sample_hex(const struct swmesh_peer *p, char *buf)
{
	for (size_t i = 0; i < p->sample_len; i++)
		snprintf(buf + 2 * i, 3, "%02x", p->sample[i]);
	buf[2 * p->sample_len] = 0;
	return buf;
}

/* ---- JSON ---- */

static json_object *json_talk(void)
{
	const struct swmesh_msg *talk = &swmesh_talk;
	json_object *json = json_object_new_object();

	json_object_boolean_add(json, "connected", talk->peer_up);
	json_object_string_add(json, "software",
			       talk->peer_software ? talk->peer_software : "");
	json_object_string_add(json, "state",
			       swmesh_msg_state_name(talk->state));
	json_object_int_add(json, "framesIn", talk->stats.frames_in);
	json_object_int_add(json, "framesOut", talk->stats.frames_out);
	json_object_int_add(json, "itemsIn", talk->stats.items_in);
	json_object_int_add(json, "itemsOut", talk->stats.items_out);
	json_object_int_add(json, "gaps", talk->stats.gaps);
	json_object_int_add(json, "badFrames", talk->stats.bad_frames);
	json_object_int_add(json, "resyncs", talk->stats.resyncs);
	json_object_int_add(json, "fullStates", talk->stats.full_states);
	return json;
}

static json_object *json_mesh(void)
{
	json_object *json = json_object_new_object();

	json_object_boolean_add(json, "known", swmesh_config.known);
	json_object_boolean_add(json, "enabled", swmesh_config.enabled);
	if (!swmesh_config.enabled)
		return json;
	json_object_string_addf(json, "swNhopPrefix", "%pFX",
				&swmesh_config.prefix);
	json_object_string_add(json, "peerPolicy",
			       swmesh_config.required ? "required" : "any");
	json_object_string_add(json, "announce",
			       swmesh_config.announce ? swmesh_config.announce
						      : "");
	return json;
}

static json_object *json_tea(const uint8_t *value, size_t len)
{
	json_object *json;
	struct tea tea;

	tea_decode(value, len, NULL, &tea);
	json = tea_to_json(&tea);
	tea_free(&tea);
	return json;
}

static json_object *json_set(const struct swmesh_set *set)
{
	json_object *json = json_object_new_object();

	json_object_string_add(json, "name", set->name);
	json_object_boolean_add(json, "ipv4", set->ipv4);
	json_object_boolean_add(json, "ipv6", set->ipv6);
	json_object_boolean_add(json, "announced",
				set->holder || set->communities);
	if (set->tea_len)
		json_object_object_add(json, "tea",
				       json_tea(set->tea, set->tea_len));
	return json;
}

static void json_nhop(const struct swmesh_nhop *n, void *arg)
{
	const struct peer *from[SOURCES_MAX];
	json_object *json = json_object_new_object();
	json_object *peers = json_object_new_array();
	json_object *state = json_object_new_object();
	size_t count = sources(n, from);
	char buf[INET6_ADDRSTRLEN];

	json_object_string_add(json, "nextHop",
			       address(&n->next_hop, buf, sizeof(buf)));
	json_object_string_addf(json, "swNhop", "%pI6", &n->addr);
	json_object_int_add(json, "routesIpv4", n->routes_ipv4);
	json_object_int_add(json, "routesIpv6", n->routes_ipv6);
	for (size_t i = 0; i < count; i++)
		json_object_array_add(peers,
				      json_object_new_string(from[i]->host));
	json_object_object_add(json, "neighbors", peers);
	json_object_string_add(state, "state", softwire_word(n));
	json_object_string_add(state, "tunnel", n->tunnel ? n->tunnel : "");
	json_object_string_add(state, "reason", n->reason ? n->reason : "");
	json_object_object_add(json, "softwire", state);
	json_object_object_add(json, "tea", json_tea(n->tea, n->tea_len));
	json_object_array_add(arg, json);
}

static void json_peer(const struct swmesh_peer *p, void *arg)
{
	json_object *json = json_object_new_object();
	char hex[2 * SWMESH_SAMPLE + 1];

	json_object_string_add(json, "neighbor", p->host);
	json_object_string_add(json, "instance", p->instance);
	for (int i = 0; i < SWMESH_COUNT_MAX; i++)
		json_object_int_add(json, counters[i].key, p->count[i]);
	if (p->reason[0]) {
		json_object *last = json_object_new_object();

		json_object_string_add(last, "reason", p->reason);
		json_object_int_add(last, "secondsAgo",
				    monotime(NULL) - p->refused_at);
		json_object_int_add(last, "octets", p->sample_of);
		json_object_string_add(last, "attribute", sample_hex(p, hex));
		json_object_object_add(json, "lastRefused", last);
	}
	json_object_array_add(arg, json);
}

static int show_json(struct vty *vty)
{
	json_object *json = json_object_new_object();
	json_object *sets = json_object_new_array();
	json_object *nhops = json_object_new_array();
	json_object *peers = json_object_new_array();
	const struct swmesh_set *set;

	for (set = swmesh_set_next(NULL); set; set = swmesh_set_next(set))
		json_object_array_add(sets, json_set(set));
	swmesh_nhop_walk(json_nhop, nhops);
	swmesh_peer_walk(json_peer, peers);
	json_object_object_add(json, "swmeshd", json_talk());
	json_object_object_add(json, "mesh", json_mesh());
	json_object_object_add(json, "encapSets", sets);
	json_object_object_add(json, "nextHops", nhops);
	json_object_object_add(json, "neighbors", peers);
	return vty_json(vty, json);
}

/* ---- text ---- */

static void show_tea(struct vty *vty, const uint8_t *value, size_t len)
{
	char text[TEA_TEXT_LEN], reason[TEA_TEXT_LEN];
	struct tea tea;

	tea_decode(value, len, NULL, &tea);
	for (size_t i = 0; i < tea.n_tunnels; i++)
		vty_out(vty, "    %s: %s\n",
			tea_tunnel_format(&tea.tunnels[i], text, sizeof(text)),
			tea_tunnel_reason(&tea.tunnels[i], reason,
					  sizeof(reason)));
	tea_free(&tea);
}

static void show_head(struct vty *vty)
{
	const struct swmesh_msg *talk = &swmesh_talk;

	vty_out(vty, "swmeshd: %s%s%s, %s\n",
		talk->peer_up ? "connected" : "silent",
		talk->peer_software ? ", " : "",
		talk->peer_software ? talk->peer_software : "",
		swmesh_msg_state_name(talk->state));
	if (!swmesh_config.known)
		vty_out(vty,
			"Configuration not known: SOFTWIRE-IN refuses all routes until swmeshd has answered\n");
	else if (!swmesh_config.enabled)
		vty_out(vty,
			"No softwire mesh configured: routes with the attribute are refused\n");
	else
		vty_out(vty, "SW-NHOP prefix %pFX, peer policy %s\n",
			&swmesh_config.prefix,
			swmesh_config.required ? "required" : "any");
}

static void show_nhop(const struct swmesh_nhop *n, void *arg)
{
	const struct peer *from[SOURCES_MAX];
	size_t count = sources(n, from);
	char buf[INET6_ADDRSTRLEN];
	struct vty *vty = arg;

	vty_out(vty, "\nNext hop %s, SW-NHOP %pI6\n",
		address(&n->next_hop, buf, sizeof(buf)), &n->addr);
	vty_out(vty, "    softwire %s", softwire_word(n));
	if (n->tunnel)
		vty_out(vty, ", %s", n->tunnel);
	if (n->reason)
		vty_out(vty, ": %s", n->reason);
	vty_out(vty, "\n    routes %u IPv4, %u IPv6, from", n->routes_ipv4,
		n->routes_ipv6);
	for (size_t i = 0; i < count; i++)
		vty_out(vty, " %s", from[i]->host);
	vty_out(vty, "\n");
	show_tea(vty, n->tea, n->tea_len);
}

static void show_peer(const struct swmesh_peer *p, void *arg)
{
	struct vty *vty = arg;
	char hex[2 * SWMESH_SAMPLE + 1];

	vty_out(vty, "\nNeighbor %s (%s)\n", p->host, p->instance);
	for (int i = 0; i < SWMESH_COUNT_MAX; i++)
		if (p->count[i])
			vty_out(vty, "    %-40s %10" PRIu64 "\n",
				counters[i].text, p->count[i]);
	if (!p->reason[0])
		return;
	vty_out(vty, "    last refused %" PRId64 " s ago: %s\n",
		(int64_t)(monotime(NULL) - p->refused_at), p->reason);
	vty_out(vty, "      %s%s\n", sample_hex(p, hex),
		p->sample_of > p->sample_len ? "..." : "");
}

static void show_text(struct vty *vty)
{
	const struct swmesh_set *set;

	show_head(vty);
	for (set = swmesh_set_next(NULL); set; set = swmesh_set_next(set)) {
		vty_out(vty, "\nEncap-set %s for%s%s%s\n", set->name,
			set->ipv4 ? " ipv4" : "", set->ipv6 ? " ipv6" : "",
			set->holder || set->communities ? ""
							: ", not announced");
		show_tea(vty, set->tea, set->tea_len);
	}
	swmesh_nhop_walk(show_nhop, vty);
	swmesh_peer_walk(show_peer, vty);
}

DEFPY(show_bgp_softwire, show_bgp_softwire_cmd, "show bgp softwire [json$json]",
      SHOW_STR BGP_STR
      "Tunnel Encapsulation attributes and the softwires they ask for\n" JSON_STR)
{
	if (json)
		return show_json(vty);
	show_text(vty);
	return CMD_SUCCESS;
}

DEFPY(debug_bgp_softwire, debug_bgp_softwire_cmd,
      "[no] debug bgp softwire [<update|nexthop|message>$what]",
      NO_STR DEBUG_STR BGP_STR
      "Tunnel Encapsulation attributes and softwires\n"
      "Attributes received, refused and filtered\n"
      "Next hops of softwires\n"
      "Talk with swmeshd\n")
{
	unsigned long bits =
		SWMESH_DEBUG_UPDATE | SWMESH_DEBUG_NHOP | SWMESH_DEBUG_MSG;

	if (what)
		bits = what[0] == 'u'	? SWMESH_DEBUG_UPDATE
		       : what[0] == 'n' ? SWMESH_DEBUG_NHOP
					: SWMESH_DEBUG_MSG;
	if (no)
		swmesh_debug &= ~bits;
	else
		swmesh_debug |= bits;
	return CMD_SUCCESS;
}

void swmesh_vty_init(void)
{
	install_element(VIEW_NODE, &show_bgp_softwire_cmd);
	install_element(ENABLE_NODE, &debug_bgp_softwire_cmd);
}
