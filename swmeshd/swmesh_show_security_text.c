// SPDX-License-Identifier: GPL-2.0-or-later
/* "show softwire security [detail]" as text, from swmesh_show_security.c's
 * JSON. */
#include <zebra.h>

#include "command.h"
#include "json.h"
#include "termtable.h"

#include "swmeshd/model/model.h"
#include "swmeshd/swmesh_show.h"
#include "swmeshd/swmesh_show_read.h"

/* ---- what is not about one peer ---- */

static void print_charon(struct vty *vty, json_object *o)
{
	json_object *charon = show_member(o, "charon");
	json_object *shakes = show_member(o, "handshakes");
	char time[32];

	show_interval(show_num(charon, "stateSeconds"), time, sizeof(time));
	if (!strcmp(show_str(charon, "state"), "up"))
		vty_out(vty, "charon: connected for %s\n", time);
	else if (show_flag(charon, "hangs"))
		vty_out(vty,
			"charon: HANGS, it does not answer (%s); restart it: systemctl restart strongswan; what is protected goes on until it expires\n",
			show_str(charon, "error"));
	else if (!strcmp(show_str(charon, "state"), "not started"))
		vty_out(vty, "charon: not asked for, nothing is protected\n");
	else
		vty_out(vty,
			"charon: no connection for %s%s%s; what is protected goes on, nothing new comes up\n",
			time, show_str(charon, "error")[0] ? ": " : "",
			show_str(charon, "error"));
	vty_out(vty,
		"Handshakes: %" PRId64 " under way, %" PRId64
		" waiting, at most %" PRId64 " at a time\n",
		show_num(shakes, "underWay"), show_num(shakes, "waiting"),
		show_num(shakes, "most"));
	for (size_t i = 0; i < show_len(o, "securities"); i++) {
		json_object *s = show_at(o, "securities", i);

		vty_out(vty, "Security %s: %s, %s%s%s\n", show_str(s, "name"),
			show_str(s, "method"), show_str(s, "protection"),
			show_str(s, "error")[0] ? "; cannot be used: " : "",
			show_str(s, "error"));
	}
	vty_out(vty, "\n");
}

static int64_t dropped(json_object *filter, const char *counter)
{
	return show_num(show_member(filter, counter), "packets");
}

static void print_drops(struct vty *vty, json_object *o)
{
	json_object *filter = show_member(o, "filter");
	json_object *kernel = show_member(o, "kernelDrops");

	if (!show_flag(filter, "enabled"))
		vty_out(vty, "Filter: off\n");
	else if (show_str(filter, "error")[0])
		vty_out(vty, "Filter: %s\n", show_str(filter, "error"));
	else
		vty_out(vty,
			"Filter dropped %" PRId64
			" packets of unknown AFBRs, %" PRId64
			" in clear that must be protected and %" PRId64
			" that were to leave so, %" PRId64
			" with a spoofed inner source\n",
			dropped(filter, "unknownSource"),
			dropped(filter, "clear"), dropped(filter, "clearSent"),
			dropped(filter, "spoofed"));
	vty_out(vty,
		"Kernel dropped, in all of IPsec: %" PRId64
		" packets without SA on the way out, %" PRId64
		" on the way in, %" PRId64 " replayed, %" PRId64
		" forged, %" PRId64 " of unknown SPIs\n",
		show_num(kernel, "outWithoutSa"),
		show_num(kernel, "inWithoutSa"), show_num(kernel, "inReplayed"),
		show_num(kernel, "inForged"), show_num(kernel, "inUnknownSpi"));
}

/* ---- the table ---- */

/* "gre ip4": what is protected; in brackets what is to be and is not. */
static void children_text(json_object *peer, char *buf, size_t len)
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < show_len(peer, "children") && at < len; i++) {
		json_object *child = show_at(peer, "children", i);
		bool up = show_flag(child, "up");

		at += snprintf(buf + at, len - at, "%s%s%s%s", at ? " " : "",
			       up ? "" : "(", show_str(child, "name"),
			       up ? "" : ")");
	}
}

static int64_t rekeys(json_object *peer)
{
	int64_t n = show_num(peer, "ikeRekeys");

	for (size_t i = 0; i < show_len(peer, "children"); i++)
		n += show_num(show_at(peer, "children", i), "rekeys");
	return n;
}

static void row_peer(struct ttable *tt, json_object *peer)
{
	char age[32], children[64], last[MESH_REASON_LEN];

	show_interval(show_num(peer, "stateSeconds"), age, sizeof(age));
	children_text(peer, children, sizeof(children));
	if (show_flag(peer, "protected") && !show_str(peer, "reason")[0])
		snprintf(last, sizeof(last), "%" PRId64 " / %" PRId64,
			 show_num(peer, "packetsIn"),
			 show_num(peer, "packetsOut"));
	else
		strlcpy(last, show_str(peer, "reason"), sizeof(last));
	ttable_add_row(tt, "%s|%s|%s|%s|%s|%s|%s|%" PRId64 "|%s",
		       show_str(peer, "endpoint"), show_str(peer, "security"),
		       show_str(peer, "method"), show_str(peer, "role"),
		       show_str(peer, "state"), age, show_or_dash(children),
		       rekeys(peer), show_or_dash(last));
}

void swmesh_print_security(struct vty *vty, json_object *o)
{
	struct ttable *tt = ttable_new(&ttable_styles[TTSTYLE_BLANK]);

	print_charon(vty, o);
	ttable_add_row(
		tt,
		"Remote AFBR|Security|Method|Role|State|For|Protects|Rekeys|In / out packets, or why not");
	for (size_t i = 0; i < show_len(o, "peers"); i++)
		row_peer(tt, show_at(o, "peers", i));
	show_table(vty, tt);
	print_drops(vty, o);
}

/* ---- detail ---- */

static void print_keys(struct vty *vty, const char *what, json_object *obj,
		       const char *key)
{
	if (!show_len(obj, key))
		return;
	vty_out(vty, "%s", what);
	for (size_t i = 0; i < show_len(obj, key); i++)
		vty_out(vty, " %s",
			json_object_get_string(show_at(obj, key, i)));
	vty_out(vty, "\n");
}

static void print_child(struct vty *vty, json_object *o)
{
	char buf[32];

	vty_out(vty,
		"  %s (protocol %" PRId64 "), %s: %s for %s, %" PRId64
		" rekeys\n",
		show_str(o, "name"), show_num(o, "protocol"),
		show_str(o, "protection"),
		show_flag(o, "up") ? "protected"
		: show_num(o, "protocol") == IPPROTO_TCP
			? "not protected"
			: "not protected, dropped",
		show_interval(show_num(o, "stateSeconds"), buf, sizeof(buf)),
		show_num(o, "rekeys"));
}

static void print_ike_sa(struct vty *vty, json_object *o)
{
	char buf[32];

	vty_out(vty, "  IKE_SA %" PRId64 " %s%s for %s, %s_i %s_r%s, %s%s\n",
		show_num(o, "id"), show_str(o, "state"),
		show_flag(o, "ending") ? " (ending)" : "",
		show_interval(show_num(o, "seconds"), buf, sizeof(buf)),
		show_str(o, "spiInitiator"), show_str(o, "spiResponder"),
		show_flag(o, "initiator") ? ", by us" : ", by the peer",
		show_str(o, "algorithms"), show_flag(o, "ppk") ? ", PPK" : "");
	print_keys(vty, "    authenticated with key", o, "keys");
	for (size_t i = 0; i < show_len(o, "childSas"); i++) {
		json_object *c = show_at(o, "childSas", i);

		vty_out(vty,
			"    CHILD_SA %" PRId64
			" %s %s for %s, %s in %s out %s, %s\n",
			show_num(c, "id"), show_or_dash(show_str(c, "name")),
			show_str(c, "state"),
			show_interval(show_num(c, "seconds"), buf, sizeof(buf)),
			show_str(c, "protocol"), show_str(c, "spiIn"),
			show_str(c, "spiOut"), show_str(c, "algorithms"));
	}
}

static void print_kernel_sa(struct vty *vty, json_object *o)
{
	vty_out(vty,
		"  kernel %s %s %s %s: %" PRId64 " packets, %" PRId64
		" octets; refused %" PRId64 " replayed, %" PRId64
		" too old, %" PRId64 " forged\n",
		show_str(o, "protocol"), show_str(o, "direction"),
		show_str(o, "spi"), show_or_dash(show_str(o, "child")),
		show_num(o, "packets"), show_num(o, "bytes"),
		show_num(o, "replayed"), show_num(o, "tooOld"),
		show_num(o, "forged"));
}

static void print_peer(struct vty *vty, json_object *o)
{
	char buf[32];

	vty_out(vty, "%s, connection %s, security %s (%s), %s\n",
		show_str(o, "endpoint"), show_str(o, "connection"),
		show_str(o, "security"), show_str(o, "method"),
		show_str(o, "role"));
	vty_out(vty, "  State %s for %s%s%s\n", show_str(o, "state"),
		show_interval(show_num(o, "stateSeconds"), buf, sizeof(buf)),
		show_str(o, "reason")[0] ? ": " : "", show_str(o, "reason"));
	if (show_num(o, "failures"))
		vty_out(vty,
			"  Failed %" PRId64 " times in a row, next in %" PRId64
			" s\n",
			show_num(o, "failures"), show_num(o, "nextTrySeconds"));
	if (show_str(o, "remoteIdentity")[0])
		vty_out(vty, "  Identities: ours %s, the peer's %s\n",
			show_str(o, "localIdentity"),
			show_str(o, "remoteIdentity"));
	print_keys(vty, "  Keys announced in BGP:", o, "announcedKeys");
	print_keys(vty, "  Keys accepted in IKE:", o, "acceptedKeys");
	for (size_t i = 0; i < show_len(o, "children"); i++)
		print_child(vty, show_at(o, "children", i));
	for (size_t i = 0; i < show_len(o, "ikeSas"); i++)
		print_ike_sa(vty, show_at(o, "ikeSas", i));
	for (size_t i = 0; i < show_len(o, "kernelSas"); i++)
		print_kernel_sa(vty, show_at(o, "kernelSas", i));
	vty_out(vty, "\n");
}

void swmesh_print_security_detail(struct vty *vty, json_object *o)
{
	print_charon(vty, o);
	for (size_t i = 0; i < show_len(o, "securities"); i++) {
		json_object *s = show_at(o, "securities", i);

		if (!show_len(s, "announcedKeys"))
			continue;
		vty_out(vty, "Security %s announces keys", show_str(s, "name"));
		print_keys(vty, "", s, "announcedKeys");
		vty_out(vty, "\n");
	}
	for (size_t i = 0; i < show_len(o, "peers"); i++)
		print_peer(vty, show_at(o, "peers", i));
	print_drops(vty, o);
}
