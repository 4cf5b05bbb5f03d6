// SPDX-License-Identifier: GPL-2.0-or-later
/* "show softwire ..." as text, from the JSON that swmesh_show.c makes. */
#include <zebra.h>

#include "command.h"
#include "json.h"
#include "termtable.h"

#include "swmeshd/model/model.h"
#include "swmeshd/swmesh_show.h"
#include "swmeshd/swmesh_show_read.h"

static void print_transit(struct vty *vty, json_object *o)
{
	const char *list = show_str(o, "transitPrefixList");
	size_t n = show_len(o, "transitInterfaces");

	if (n || list[0])
		vty_out(vty, "The core is behind");
	for (size_t i = 0; i < n; i++)
		vty_out(vty, "%s %s", i ? "," : "",
			json_object_get_string(
				show_at(o, "transitInterfaces", i)));
	if (!n && list[0])
		vty_out(vty, " interfaces without an address of the islands");
	if (list[0])
		vty_out(vty, "; endpoints by prefix-list %s", list);
	if (n || list[0])
		vty_out(vty, "\n");
}

static void print_mesh(struct vty *vty, json_object *o)
{
	const char *status = show_str(o, "status");

	if (!strcmp(status, "disabled")) {
		vty_out(vty, "No softwire mesh is configured.\n");
	} else if (!strcmp(status, "no-source")) {
		vty_out(vty,
			"No transit source: enter 'transit <ipv4|ipv6> source ADDR' under 'softwire mesh'.\n");
	} else {
		vty_out(vty,
			"Transit %s source %s, SW-NHOPs %s, peer policy %s\n",
			show_str(o, "transitFamily"),
			show_str(o, "transitSource"),
			show_str(o, "swNhopPrefix"), show_str(o, "peerPolicy"));
		if (!strcmp(status, "waiting-for-address"))
			vty_out(vty,
				"Waiting for address: %s is on no interface.\n",
				show_str(o, "transitSource"));
		print_transit(vty, o);
		if (show_str(o, "swNhopOverlap")[0])
			vty_out(vty,
				"SW-NHOPs overlap %s: choose another 'sw-nhop prefix'.\n",
				show_str(o, "swNhopOverlap"));
	}
	if (strcmp(show_str(o, "bgpConversation"), "synced"))
		vty_out(vty, "bgpd's module (bgpd -M swmesh): %s\n",
			show_str(o, "bgpConversation"));
	if (show_num(o, "leftoverDevices") || show_num(o, "leftoverRoutes"))
		vty_out(vty,
			"Kept from an earlier run: %" PRId64
			" devices, %" PRId64 " routes\n",
			show_num(o, "leftoverDevices"),
			show_num(o, "leftoverRoutes"));
	vty_out(vty, "\n");
}

static void row_softwire(struct ttable *tt, json_object *o)
{
	char up[32] = "-", last[MESH_REASON_LEN];

	if (!strcmp(show_str(o, "state"), "up")) {
		show_interval(show_num(o, "stateSeconds"), up, sizeof(up));
		snprintf(last, sizeof(last), "%" PRId64 " / %" PRId64,
			 show_num(o, "rxPackets"), show_num(o, "txPackets"));
	} else
		strlcpy(last, show_str(o, "reason"), sizeof(last));
	ttable_add_row(tt, "%s|%s|%s|%s|%s|%s|%s|%" PRId64 "|%s",
		       show_str(o, "endpoint"),
		       show_flag(o, "peerAnnounces") ? show_str(o, "sendTunnel")
						     : "-",
		       show_str(o, "receiveTunnel"),
		       show_or_dash(show_str(o, "device")),
		       show_or_dash(show_str(o, "security")),
		       show_str(o, "state"), up, show_num(o, "routes"), last);
}

void swmesh_print_softwires(struct vty *vty, json_object *o)
{
	struct ttable *tt;

	print_mesh(vty, o);
	tt = ttable_new(&ttable_styles[TTSTYLE_BLANK]);
	ttable_add_row(
		tt,
		"Remote AFBR|Send|Receive|Device|Security|State|Up for|Routes|Rx / Tx packets, or why not");
	for (size_t i = 0; i < show_len(o, "softwires"); i++)
		row_softwire(tt, show_at(o, "softwires", i));
	/* Next hops that no softwire serves. */
	for (size_t i = 0; i < show_len(o, "swNhops"); i++) {
		json_object *d = show_at(o, "swNhops", i);

		if (!show_flag(d, "up"))
			ttable_add_row(tt, "%s|-|-|-|-|down|-|%" PRId64 "|%s",
				       show_str(d, "nextHop"),
				       show_num(d, "routesIpv4") +
					       show_num(d, "routesIpv6"),
				       show_str(d, "reason"));
	}
	show_table(vty, tt);
}

static void print_softwire_detail(struct vty *vty, json_object *o)
{
	char buf[32];

	vty_out(vty, "Softwire to %s by %s, device %s\n",
		show_str(o, "endpoint"), show_str(o, "type"),
		show_or_dash(show_str(o, "device")));
	vty_out(vty, "  State %s for %s, came up %" PRId64 " times%s%s\n",
		show_str(o, "state"),
		show_interval(show_num(o, "stateSeconds"), buf, sizeof(buf)),
		show_num(o, "upCount"), show_str(o, "reason")[0] ? ": " : "",
		show_str(o, "reason"));
	vty_out(vty, "  Receive %s, send %s, MTU %" PRId64 "\n",
		show_str(o, "receiveTunnel"),
		show_flag(o, "peerAnnounces")
			? show_str(o, "sendTunnel")
			: "never: the remote AFBR does not announce it",
		show_num(o, "mtu"));
	if (show_str(o, "mtuNote")[0])
		vty_out(vty, "  MTU of its routes %" PRId64 ": %s\n",
			show_num(o, "routeMtu"), show_str(o, "mtuNote"));
	if (show_str(o, "securityName")[0])
		vty_out(vty, "  Protected by %s: %s, IKE %s\n",
			show_str(o, "securityName"), show_str(o, "security"),
			show_str(o, "saState"));
	vty_out(vty,
		"  Sends for %" PRId64 " SW-NHOPs with %" PRId64 " routes\n",
		show_num(o, "swNhops"), show_num(o, "routes"));
	vty_out(vty,
		"  Received %" PRId64 " packets, %" PRId64
		" octets; sent %" PRId64 " packets, %" PRId64
		" octets, %" PRId64 " errors\n",
		show_num(o, "rxPackets"), show_num(o, "rxBytes"),
		show_num(o, "txPackets"), show_num(o, "txBytes"),
		show_num(o, "txErrors"));
}

static void print_demand_detail(struct vty *vty, json_object *o)
{
	char buf[32];

	vty_out(vty, "SW-NHOP %s for next hop %s%s\n", show_str(o, "swNhop"),
		show_str(o, "nextHop"),
		show_flag(o, "stale") ? ", no longer named by bgpd" : "");
	vty_out(vty, "  %" PRId64 " IPv4 routes, %" PRId64 " IPv6 routes\n",
		show_num(o, "routesIpv4"), show_num(o, "routesIpv6"));
	if (show_flag(o, "up"))
		vty_out(vty, "  Sent by %s to %s, device %s, for %s\n",
			show_str(o, "tunnel"), show_str(o, "endpoint"),
			show_str(o, "device"),
			show_interval(show_num(o, "stateSeconds"), buf,
				      sizeof(buf)));
	else
		vty_out(vty, "  Down: %s\n", show_str(o, "reason"));
	for (size_t i = 0; i < show_len(o, "candidates"); i++) {
		json_object *c = show_at(o, "candidates", i);

		vty_out(vty, "  %s %s %s%s%s\n",
			show_flag(c, "chosen") ? "*" : " ",
			show_str(c, "tunnel"), show_str(c, "endpoint"),
			show_flag(c, "feasible") ? ", feasible"
						 : ", not feasible: ",
			show_flag(c, "feasible") ? "" : show_str(c, "reason"));
	}
}

void swmesh_print_detail(struct vty *vty, json_object *o)
{
	print_mesh(vty, o);
	for (size_t i = 0; i < show_len(o, "softwires"); i++)
		print_softwire_detail(vty, show_at(o, "softwires", i));
	for (size_t i = 0; i < show_len(o, "swNhops"); i++)
		print_demand_detail(vty, show_at(o, "swNhops", i));
	vty_out(vty,
		"\nbgpd: %" PRId64 " frames in, %" PRId64 " out, %" PRId64
		" full states received, %" PRId64 " gaps\n",
		show_num(show_member(o, "bgp"), "framesIn"),
		show_num(show_member(o, "bgp"), "framesOut"),
		show_num(show_member(o, "bgp"), "resyncs"),
		show_num(show_member(o, "bgp"), "gaps"));
	vty_out(vty,
		"Kernel: %" PRId64 " requests in %" PRId64 " batches, %" PRId64
		" refused, %" PRId64 " overruns\n",
		show_num(show_member(o, "netlink"), "requests"),
		show_num(show_member(o, "netlink"), "batches"),
		show_num(show_member(o, "netlink"), "errors"),
		show_num(show_member(o, "netlink"), "overruns"));
}

void swmesh_print_afbrs(struct vty *vty, json_object *o)
{
	struct ttable *tt;

	print_mesh(vty, o);
	tt = ttable_new(&ttable_styles[TTSTYLE_BLANK]);
	ttable_add_row(
		tt,
		"Remote AFBR|Reachable|Via|Path MTU|Softwires|SW-NHOPs|Why not");
	for (size_t i = 0; i < show_len(o, "afbrs"); i++) {
		json_object *a = show_at(o, "afbrs", i);

		ttable_add_row(tt, "%s|%s|%s|%" PRId64 "|%zu|%" PRId64 "|%s",
			       show_str(a, "endpoint"),
			       show_flag(a, "reachable") ? "yes" : "no",
			       show_or_dash(show_str(a, "via")),
			       show_num(a, "pathMtu"), show_len(a, "softwires"),
			       show_num(a, "swNhops"),
			       show_or_dash(show_str(a, "reason")));
	}
	show_table(vty, tt);
}

static void print_encap_set(struct vty *vty, json_object *o)
{
	vty_out(vty, "Encap-set %s%s%s\n", show_str(o, "name"),
		show_flag(o, "ready") ? "" : ", not announced: ",
		show_str(o, "reason"));
	for (size_t i = 0; i < show_len(o, "tunnels"); i++) {
		json_object *t = show_at(o, "tunnels", i);

		vty_out(vty, "  %5" PRId64 "  %s", show_num(t, "preference"),
			show_str(t, "type"));
		if (show_member(t, "key"))
			vty_out(vty, " key %" PRId64, show_num(t, "key"));
		vty_out(vty, "\n");
	}
	vty_out(vty, "  payload");
	for (size_t i = 0; i < show_len(o, "payload"); i++)
		vty_out(vty, " %s",
			json_object_get_string(show_at(o, "payload", i)));
	vty_out(vty, "\n  attribute %s\n",
		show_or_dash(show_str(o, "attribute")));
}

void swmesh_print_encap_sets(struct vty *vty, json_object *o)
{
	print_mesh(vty, o);
	for (size_t i = 0; i < show_len(o, "encapSets"); i++)
		print_encap_set(vty, show_at(o, "encapSets", i));
	vty_out(vty, "SOFTWIRE-OUT announces: ipv4 %s, ipv6 %s\n",
		show_or_dash(show_str(o, "announcedIpv4")),
		show_or_dash(show_str(o, "announcedIpv6")));
}
