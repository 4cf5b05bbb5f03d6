// SPDX-License-Identifier: GPL-2.0-or-later
/* "show softwire ..." as text, from the JSON that swmesh_show.c makes. */
#include <zebra.h>

#include "command.h"
#include "json.h"
#include "termtable.h"

#include "swmeshd/swmesh_model.h"
#include "swmeshd/swmesh_show.h"

/* ---- reading it back ---- */

static const char *str(json_object *obj, const char *key)
{
	json_object *value;

	return json_object_object_get_ex(obj, key, &value)
		       ? json_object_get_string(value)
		       : "";
}

static int64_t num(json_object *obj, const char *key)
{
	json_object *value;

	return json_object_object_get_ex(obj, key, &value)
		       ? json_object_get_int64(value)
		       : 0;
}

static bool flag(json_object *obj, const char *key)
{
	json_object *value;

	return json_object_object_get_ex(obj, key, &value) &&
	       json_object_get_boolean(value);
}

static json_object *array(json_object *obj, const char *key)
{
	json_object *value;

	return json_object_object_get_ex(obj, key, &value) ? value : NULL;
}

static size_t array_len(json_object *obj, const char *key)
{
	json_object *a = array(obj, key);

	return a ? json_object_array_length(a) : 0;
}

static json_object *at(json_object *obj, const char *key, size_t i)
{
	return json_object_array_get_idx(array(obj, key), i);
}

static const char *or_dash(const char *text)
{
	return text[0] ? text : "-";
}

/* ---- printing it ---- */

static const char *interval(int64_t seconds, char *buf, size_t len)
{
	int64_t days = seconds / 86400;

	if (days)
		snprintf(buf, len, "%" PRId64 "d%02d:%02d:%02d", days,
			 (int)(seconds / 3600 % 24), (int)(seconds / 60 % 60),
			 (int)(seconds % 60));
	else
		snprintf(buf, len, "%02d:%02d:%02d", (int)(seconds / 3600),
			 (int)(seconds / 60 % 60), (int)(seconds % 60));
	return buf;
}

static void print_mesh(struct vty *vty, json_object *o)
{
	const char *status = str(o, "status");

	if (!strcmp(status, "disabled")) {
		vty_out(vty, "No softwire mesh is configured.\n");
	} else if (!strcmp(status, "no-source")) {
		vty_out(vty,
			"No transit source: enter 'transit <ipv4|ipv6> source ADDR' under 'softwire mesh'.\n");
	} else {
		vty_out(vty,
			"Transit %s source %s, SW-NHOPs %s, peer policy %s\n",
			str(o, "transitFamily"), str(o, "transitSource"),
			str(o, "swNhopPrefix"), str(o, "peerPolicy"));
		if (!strcmp(status, "waiting-for-address"))
			vty_out(vty,
				"Waiting for address: %s is on no interface.\n",
				str(o, "transitSource"));
	}
	if (strcmp(str(o, "bgpConversation"), "synced"))
		vty_out(vty, "bgpd's module (bgpd -M swmesh): %s\n",
			str(o, "bgpConversation"));
	if (num(o, "leftoverDevices") || num(o, "leftoverRoutes"))
		vty_out(vty,
			"Kept from an earlier run: %" PRId64
			" devices, %" PRId64 " routes\n",
			num(o, "leftoverDevices"), num(o, "leftoverRoutes"));
	vty_out(vty, "\n");
}

static void print_table(struct vty *vty, struct ttable *tt)
{
	char *out;

	tt->style.cell.rpad = 2;
	tt->style.corner = ' ';
	ttable_restyle(tt);
	ttable_rowseps(tt, 0, BOTTOM, true, '-');
	out = ttable_dump(tt, "\n");
	vty_out(vty, "%s\n", out);
	XFREE(MTYPE_TMP, out);
	ttable_del(tt);
}

static void row_softwire(struct ttable *tt, json_object *o)
{
	char up[32] = "-", last[MESH_REASON_LEN];

	if (!strcmp(str(o, "state"), "up")) {
		interval(num(o, "stateSeconds"), up, sizeof(up));
		snprintf(last, sizeof(last), "%" PRId64 " / %" PRId64,
			 num(o, "rxPackets"), num(o, "txPackets"));
	} else
		strlcpy(last, str(o, "reason"), sizeof(last));
	ttable_add_row(tt, "%s|%s|%s|%s|%s|%s|%" PRId64 "|%s",
		       str(o, "endpoint"),
		       flag(o, "peerAnnounces") ? str(o, "sendTunnel") : "-",
		       str(o, "receiveTunnel"), or_dash(str(o, "device")),
		       str(o, "state"), up, num(o, "routes"), last);
}

void swmesh_print_softwires(struct vty *vty, json_object *o)
{
	struct ttable *tt;

	print_mesh(vty, o);
	tt = ttable_new(&ttable_styles[TTSTYLE_BLANK]);
	ttable_add_row(
		tt,
		"Remote AFBR|Send|Receive|Device|State|Up for|Routes|Rx / Tx packets, or why not");
	for (size_t i = 0; i < array_len(o, "softwires"); i++)
		row_softwire(tt, at(o, "softwires", i));
	/* Next hops that no softwire serves. */
	for (size_t i = 0; i < array_len(o, "swNhops"); i++) {
		json_object *d = at(o, "swNhops", i);

		if (!flag(d, "up"))
			ttable_add_row(tt, "%s|-|-|-|down|-|%" PRId64 "|%s",
				       str(d, "nextHop"),
				       num(d, "routesIpv4") +
					       num(d, "routesIpv6"),
				       str(d, "reason"));
	}
	print_table(vty, tt);
}

static void print_softwire_detail(struct vty *vty, json_object *o)
{
	char buf[32];

	vty_out(vty, "Softwire to %s by %s, device %s\n", str(o, "endpoint"),
		str(o, "type"), or_dash(str(o, "device")));
	vty_out(vty, "  State %s for %s, came up %" PRId64 " times%s%s\n",
		str(o, "state"),
		interval(num(o, "stateSeconds"), buf, sizeof(buf)),
		num(o, "upCount"), str(o, "reason")[0] ? ": " : "",
		str(o, "reason"));
	vty_out(vty, "  Receive %s, send %s, MTU %" PRId64 "\n",
		str(o, "receiveTunnel"),
		flag(o, "peerAnnounces")
			? str(o, "sendTunnel")
			: "never: the remote AFBR does not announce it",
		num(o, "mtu"));
	vty_out(vty,
		"  Sends for %" PRId64 " SW-NHOPs with %" PRId64 " routes\n",
		num(o, "swNhops"), num(o, "routes"));
	vty_out(vty,
		"  Received %" PRId64 " packets, %" PRId64
		" octets; sent %" PRId64 " packets, %" PRId64
		" octets, %" PRId64 " errors\n",
		num(o, "rxPackets"), num(o, "rxBytes"), num(o, "txPackets"),
		num(o, "txBytes"), num(o, "txErrors"));
}

static void print_demand_detail(struct vty *vty, json_object *o)
{
	char buf[32];

	vty_out(vty, "SW-NHOP %s for next hop %s%s\n", str(o, "swNhop"),
		str(o, "nextHop"),
		flag(o, "stale") ? ", no longer named by bgpd" : "");
	vty_out(vty, "  %" PRId64 " IPv4 routes, %" PRId64 " IPv6 routes\n",
		num(o, "routesIpv4"), num(o, "routesIpv6"));
	if (flag(o, "up"))
		vty_out(vty, "  Sent by %s to %s, device %s, for %s\n",
			str(o, "tunnel"), str(o, "endpoint"), str(o, "device"),
			interval(num(o, "stateSeconds"), buf, sizeof(buf)));
	else
		vty_out(vty, "  Down: %s\n", str(o, "reason"));
	for (size_t i = 0; i < array_len(o, "candidates"); i++) {
		json_object *c = at(o, "candidates", i);

		vty_out(vty, "  %s %s %s%s%s\n", flag(c, "chosen") ? "*" : " ",
			str(c, "tunnel"), str(c, "endpoint"),
			flag(c, "feasible") ? ", feasible" : ", not feasible: ",
			flag(c, "feasible") ? "" : str(c, "reason"));
	}
}

void swmesh_print_detail(struct vty *vty, json_object *o)
{
	print_mesh(vty, o);
	for (size_t i = 0; i < array_len(o, "softwires"); i++)
		print_softwire_detail(vty, at(o, "softwires", i));
	for (size_t i = 0; i < array_len(o, "swNhops"); i++)
		print_demand_detail(vty, at(o, "swNhops", i));
	vty_out(vty,
		"\nbgpd: %" PRId64 " frames in, %" PRId64 " out, %" PRId64
		" full states received, %" PRId64 " gaps\n",
		num(array(o, "bgp"), "framesIn"),
		num(array(o, "bgp"), "framesOut"),
		num(array(o, "bgp"), "resyncs"), num(array(o, "bgp"), "gaps"));
	vty_out(vty,
		"Kernel: %" PRId64 " requests in %" PRId64 " batches, %" PRId64
		" refused, %" PRId64 " overruns\n",
		num(array(o, "netlink"), "requests"),
		num(array(o, "netlink"), "batches"),
		num(array(o, "netlink"), "errors"),
		num(array(o, "netlink"), "overruns"));
}

void swmesh_print_afbrs(struct vty *vty, json_object *o)
{
	struct ttable *tt;

	print_mesh(vty, o);
	tt = ttable_new(&ttable_styles[TTSTYLE_BLANK]);
	ttable_add_row(
		tt,
		"Remote AFBR|Reachable|Via|Path MTU|Softwires|SW-NHOPs|Why not");
	for (size_t i = 0; i < array_len(o, "afbrs"); i++) {
		json_object *a = at(o, "afbrs", i);

		ttable_add_row(tt, "%s|%s|%s|%" PRId64 "|%zu|%" PRId64 "|%s",
			       str(a, "endpoint"),
			       flag(a, "reachable") ? "yes" : "no",
			       or_dash(str(a, "via")), num(a, "pathMtu"),
			       array_len(a, "softwires"), num(a, "swNhops"),
			       or_dash(str(a, "reason")));
	}
	print_table(vty, tt);
}

static void print_encap_set(struct vty *vty, json_object *o)
{
	vty_out(vty, "Encap-set %s%s%s\n", str(o, "name"),
		flag(o, "ready") ? "" : ", not announced: ", str(o, "reason"));
	for (size_t i = 0; i < array_len(o, "tunnels"); i++) {
		json_object *t = at(o, "tunnels", i);

		vty_out(vty, "  %5" PRId64 "  %s", num(t, "preference"),
			str(t, "type"));
		if (array(t, "key"))
			vty_out(vty, " key %" PRId64, num(t, "key"));
		vty_out(vty, "\n");
	}
	vty_out(vty, "  payload");
	for (size_t i = 0; i < array_len(o, "payload"); i++)
		vty_out(vty, " %s",
			json_object_get_string(at(o, "payload", i)));
	vty_out(vty, "\n  attribute %s\n", or_dash(str(o, "attribute")));
}

void swmesh_print_encap_sets(struct vty *vty, json_object *o)
{
	print_mesh(vty, o);
	for (size_t i = 0; i < array_len(o, "encapSets"); i++)
		print_encap_set(vty, at(o, "encapSets", i));
	vty_out(vty, "SOFTWIRE-OUT announces: ipv4 %s, ipv6 %s\n",
		or_dash(str(o, "announcedIpv4")),
		or_dash(str(o, "announcedIpv6")));
}
