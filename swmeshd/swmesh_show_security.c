// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * "show softwire security" and "clear softwire security": what protects the
 * softwires, or why it does not (doc/show.md tells the keys). Who is protected
 * is the kernel's to say; charon tells how it came about.
 */
#include <zebra.h>

#include "command.h"
#include "json.h"
#include "monotime.h"

#include "swmeshd/filter/filter.h"
#include "swmeshd/ike/ike.h"
#include "swmeshd/ike/ike_show.h"
#include "swmeshd/swmesh_show.h"
#include "swmeshd/swmesh_show_read.h"
#include "swmeshd/charon/charon.h"
#include "swmeshd/charon/charon_text.h"
#include "swmeshd/xfrm/xfrm.h"
#include "swmeshd/swmeshd.h"
#ifndef VTYSH_EXTRACT_PL
#include "swmeshd/swmesh_show_security_clippy.c"
#endif

/* Kernel SAs of one pair of addresses that are looked at. */
#define SHOW_SAS_MAX 64

static int64_t ago(time_t since)
{
	return since ? monotime(NULL) - since : 0;
}

/* ---- hashes ---- */

char *swmesh_show_hash(const uint8_t hash[KEY_HASH_LEN], char *buf)
{
	for (size_t i = 0; i < KEY_HASH_LEN; i++)
		snprintf(buf + 2 * i, 3, "%02x", hash[i]);
	return buf;
}

static json_object *json_hashes(const struct ike_hashes *hashes)
{
	json_object *list = json_object_new_array();
	char text[SHOW_HASH_LEN];

	for (unsigned int i = 0; i < hashes->n; i++)
		json_array_string_add(list,
				      swmesh_show_hash(hashes->hash[i], text));
	return list;
}

/* ---- charon, the configuration ---- */

static json_object *json_charon(void)
{
	struct swmesh_vici_status status = swmesh_vici_status();
	json_object *o = json_object_new_object();

	json_object_string_add(o, "state",
			       swmesh_vici_state_name(status.state));
	json_object_string_add(o, "socket", status.path ? status.path : "");
	json_object_int_add(o, "stateSeconds", ago(status.since));
	json_object_string_add(o, "error", status.error ? status.error : "");
	if (status.error && status.error[0])
		json_object_int_add(o, "errorSeconds", ago(status.error_at));
	json_object_boolean_add(o, "hangs", status.hangs_since != 0);
	json_object_int_add(o, "waiting", status.queued + status.wire);
	if (!status.stats)
		return o;
	json_object_int_add(o, "connects", status.stats->connects);
	json_object_int_add(o, "requests", status.stats->requests);
	json_object_int_add(o, "refusals", status.stats->refusals);
	json_object_int_add(o, "failures", status.stats->failures);
	json_object_int_add(o, "events", status.stats->events);
	return o;
}

static json_object *json_handshakes(void)
{
	json_object *o = json_object_new_object();

	json_object_int_add(o, "underWay", swmesh_ike_in_flight());
	json_object_int_add(o, "waiting", swmesh_ike_queued());
	json_object_int_add(o, "most", swmesh->config.handshakes);
	return o;
}

static json_object *json_security(const struct security *security)
{
	json_object *o = json_object_new_object();
	json_object *keys = json_object_new_array();
	char text[MESH_REASON_LEN];

	json_object_string_add(o, "name", security->name);
	json_object_string_add(o, "method", ike_method_name(security->method));
	json_object_string_add(o, "protection",
			       security_text(security, text, sizeof(text)));
	json_object_string_add(o, "error", security->error);
	for (unsigned int i = 0; i < security->n_keys; i++)
		json_array_string_add(
			keys, swmesh_show_hash(security->keys[i].hash, text));
	json_object_object_add(o, "announcedKeys", keys);
	return o;
}

static json_object *json_securities(void)
{
	json_object *list = json_object_new_array();
	const struct security *security;

	frr_each (securities_const, &swmesh->securities, security)
		json_object_array_add(list, json_security(security));
	return list;
}

/* ---- what is dropped ---- */

/* "clear-sent" is "clearSent". */
static char *json_key(const char *name, char *buf, size_t len)
{
	size_t at = 0;

	for (; *name && at + 1 < len; name++) {
		if (*name == '-' && name[1])
			buf[at++] = (char)toupper((unsigned char)*++name);
		else
			buf[at++] = *name;
	}
	buf[at] = '\0';
	return buf;
}

static json_object *json_filter(void)
{
	struct filter_count counts[FILTER_COUNTERS] = {};
	json_object *o = json_object_new_object(), *c;
	char err[MESH_REASON_LEN] = "", key[64];
	bool read = false;

	json_object_boolean_add(o, "enabled", !swmesh->config.filter.off);
	if (!swmesh->config.filter.off)
		read = swmesh_filter_read(counts, err, sizeof(err));
	json_object_string_add(o, "error",
			       swmesh_filter_error()[0] ? swmesh_filter_error()
							: err);
	for (int i = 0; read && i < FILTER_COUNTERS; i++) {
		c = json_object_new_object();
		json_object_int_add(c, "packets", counts[i].packets);
		json_object_int_add(c, "bytes", counts[i].bytes);
		json_object_object_add(
			o, json_key(filter_counter_name(i), key, sizeof(key)),
			c);
	}
	return o;
}

/* Those of /proc/net/xfrm_stat that tell of attacks or of missing SAs. */
static const struct {
	const char *key, *name;
} kernel_drops[] = {
	{"outWithoutSa", "XfrmOutPolBlock"},
	{"inWithoutSa", "XfrmInPolBlock"},
	{"inUnknownSpi", "XfrmInNoStates"},
	{"inReplayed", "XfrmInStateSeqError"},
	{"inForged", "XfrmInStateProtoError"},
	{"inWrongSelector", "XfrmInStateMismatch"},
	{"inWrongPolicy", "XfrmInTmplMismatch"},
};

static json_object *json_kernel_drops(void)
{
	json_object *o = json_object_new_object();

	for (size_t i = 0; i < array_size(kernel_drops); i++)
		json_object_int_add(o, kernel_drops[i].key,
				    swmesh_xfrm_stat(kernel_drops[i].name));
	return o;
}

/* ---- a peer ---- */

static void add_spi(json_object *o, const char *key, uint32_t spi)
{
	json_object_string_addf(o, key, "%08x", spi);
}

/* What the kernel must have for this peer, and whether it has it. */
static json_object *json_children(const struct ike_peer *peer)
{
	json_object *list = json_object_new_array(), *o;
	char text[MESH_REASON_LEN];

	for (int kind = 0; kind < IKE_CHILDREN; kind++) {
		const struct ike_child *child = &peer->child[kind];

		if (!child->wanted)
			continue;
		o = json_object_new_object();
		json_object_string_add(o, "name", ike_kind_name(kind));
		json_object_int_add(o, "protocol", ike_kind_protocol(kind));
		json_object_string_add(o, "security", child->security->name);
		json_object_string_add(
			o, "protection",
			security_text(child->security, text, sizeof(text)));
		json_object_boolean_add(o, "up", child->up);
		json_object_int_add(o, "stateSeconds", ago(child->since));
		if (child->up) {
			add_spi(o, "spiIn", child->spi_in);
			add_spi(o, "spiOut", child->spi_out);
		}
		json_object_int_add(o, "rekeys", child->rekeys);
		json_object_array_add(list, o);
	}
	return list;
}

static json_object *json_child_sa(const struct ike_child_sa *sa)
{
	json_object *o = json_object_new_object();

	json_object_string_add(o, "name",
			       sa->kind < IKE_CHILDREN ? ike_kind_name(sa->kind)
						       : "");
	json_object_int_add(o, "id", sa->id);
	json_object_string_add(o, "state", sa->state);
	json_object_string_add(o, "protocol", sa->protocol);
	json_object_string_add(o, "algorithms", sa->algorithms);
	add_spi(o, "spiIn", sa->spi_in);
	add_spi(o, "spiOut", sa->spi_out);
	json_object_int_add(o, "seconds", ago(sa->since));
	return o;
}

static json_object *json_ike_sa(const struct ike_sa *sa)
{
	json_object *o = json_object_new_object();
	json_object *children = json_object_new_array();

	json_object_int_add(o, "id", sa->id);
	json_object_string_add(o, "state", sa->state);
	json_object_boolean_add(o, "established", sa->established);
	json_object_boolean_add(o, "ending", sa->condemned != 0);
	json_object_boolean_add(o, "initiator", sa->initiator);
	json_object_string_addf(o, "spiInitiator", "%016" PRIx64,
				sa->spi_initiator);
	json_object_string_addf(o, "spiResponder", "%016" PRIx64,
				sa->spi_responder);
	json_object_string_add(o, "localIdentity", sa->local_id);
	json_object_string_add(o, "remoteIdentity", sa->remote_id);
	json_object_string_add(o, "algorithms", sa->algorithms);
	json_object_boolean_add(o, "ppk", sa->ppk);
	json_object_int_add(o, "seconds", ago(sa->since));
	json_object_int_add(o, "rekeys", sa->rekeys);
	json_object_object_add(o, "keys", json_hashes(&sa->hashes));
	for (unsigned int i = 0; i < sa->n_children; i++)
		json_object_array_add(children,
				      json_child_sa(&sa->children[i]));
	json_object_object_add(o, "childSas", children);
	return o;
}

/* The child of this SPI, as charon tells; "" if it does not. */
static const char *child_of(const struct ike_peer *peer,
			    const struct xfrm_sa *xsa)
{
	bool in = !ipaddr_cmp(&xsa->dst, &peer->local);
	const struct ike_sa *sa;

	frr_each (ike_sas_const, &peer->sas, sa)
		for (unsigned int i = 0; i < sa->n_children; i++)
			if (sa->children[i].kind < IKE_CHILDREN &&
			    (in ? sa->children[i].spi_in
				: sa->children[i].spi_out) == xsa->spi)
				return ike_kind_name(sa->children[i].kind);
	return "";
}

static json_object *json_kernel_sa(const struct ike_peer *peer,
				   const struct xfrm_sa *sa)
{
	json_object *o = json_object_new_object();
	bool in = !ipaddr_cmp(&sa->dst, &peer->local);

	json_object_string_add(o, "direction", in ? "in" : "out");
	add_spi(o, "spi", sa->spi);
	json_object_string_add(o, "protocol",
			       sa->protocol == IPPROTO_AH ? "ah" : "esp");
	json_object_string_add(o, "child", child_of(peer, sa));
	json_object_int_add(o, "packets", sa->packets);
	json_object_int_add(o, "bytes", sa->bytes);
	json_object_int_add(o, "replayed", sa->replays);
	json_object_int_add(o, "tooOld", sa->replay_window_misses);
	json_object_int_add(o, "forged", sa->integrity_failures);
	if (sa->add_time)
		json_object_int_add(o, "seconds",
				    MAX((int64_t)time(NULL) - sa->add_time, 0));
	return o;
}

/* All SAs of the kernel, with sums of what they carried and dropped. */
static void add_kernel_sas(json_object *o, const struct ike_peer *peer)
{
	static struct xfrm_sa sas[SHOW_SAS_MAX];
	json_object *list = json_object_new_array();
	struct xfrm_traffic traffic;
	unsigned int n;

	n = swmesh_xfrm_sas(&peer->local, &peer->addr, sas, SHOW_SAS_MAX);
	for (unsigned int i = 0; i < n; i++)
		json_object_array_add(list, json_kernel_sa(peer, &sas[i]));
	traffic = swmesh_xfrm_traffic(&peer->local, sas, n);
	json_object_int_add(o, "packetsIn", traffic.in);
	json_object_int_add(o, "packetsOut", traffic.out);
	json_object_int_add(o, "packetsRefused", traffic.refused);
	json_object_object_add(o, "kernelSas", list);
}

static void add_state(json_object *o, const struct ike_peer *peer)
{
	int64_t now = monotime(NULL);

	json_object_string_add(o, "state", ike_state_name(peer->state));
	json_object_int_add(o, "stateSeconds", ago(peer->since));
	json_object_boolean_add(o, "protected", ike_peer_protected(peer));
	json_object_string_add(o, "reason", peer->error);
	if (peer->error[0])
		json_object_int_add(o, "reasonSeconds", ago(peer->error_at));
	json_object_int_add(o, "failures", peer->retries);
	if (peer->next_try)
		json_object_int_add(o, "nextTrySeconds",
				    MAX(peer->next_try / 1000 - now, 0));
	json_object_int_add(o, "established", peer->established);
	json_object_int_add(o, "ikeRekeys", peer->ike_rekeys);
}

static bool json_peer(const struct ike_peer *peer, void *arg)
{
	json_object *o = json_object_new_object();
	json_object *sas = json_object_new_array();
	const struct security *security = peer->security;
	const struct ike_sa *sa = ike_peer_sa(peer);

	json_object_string_addf(o, "endpoint", "%pIA", &peer->addr);
	json_object_string_addf(o, "localEndpoint", "%pIA", &peer->local);
	json_object_string_add(o, "connection", peer->name);
	json_object_string_add(o, "role", ike_peer_role(peer));
	json_object_boolean_add(o, "bgpNeighbor", peer->bgp_neighbor);
	json_object_string_add(o, "security", security ? security->name : "");
	json_object_string_add(
		o, "method", security ? ike_method_name(security->method) : "");
	add_state(o, peer);
	json_object_string_add(o, "localIdentity", sa ? sa->local_id : "");
	json_object_string_add(o, "remoteIdentity", sa ? sa->remote_id : "");
	json_object_object_add(o, "announcedKeys",
			       json_hashes(&peer->announced));
	json_object_object_add(o, "acceptedKeys", json_hashes(&peer->allowed));
	json_object_object_add(o, "seenKeys",
			       sa ? json_hashes(&sa->hashes)
				  : json_object_new_array());
	json_object_object_add(o, "children", json_children(peer));
	frr_each (ike_sas_const, &peer->sas, sa)
		json_object_array_add(sas, json_ike_sa(sa));
	json_object_object_add(o, "ikeSas", sas);
	add_kernel_sas(o, peer);
	json_object_array_add(arg, o);
	return true;
}

static json_object *json_all(void)
{
	json_object *o = json_object_new_object();
	json_object *peers = json_object_new_array();

	swmesh_xfrm_read_stats();
	json_object_object_add(o, "charon", json_charon());
	json_object_object_add(o, "handshakes", json_handshakes());
	json_object_object_add(o, "securities", json_securities());
	swmesh_ike_each(json_peer, peers);
	json_object_object_add(o, "peers", peers);
	json_object_object_add(o, "filter", json_filter());
	json_object_object_add(o, "kernelDrops", json_kernel_drops());
	return o;
}

/* ---- part of "show softwire" ---- */

void swmesh_show_add_security(struct json_object *o, const struct softwire *sw)
{
	const struct ike_peer *peer;
	char text[MESH_REASON_LEN];

	if (!sw->security) {
		json_object_string_add(o, "securityName", "");
		json_object_string_add(o, "security", "");
		return;
	}
	peer = swmesh_ike_peer(&sw->afbr->addr);
	json_object_string_add(o, "securityName", sw->security->name);
	json_object_string_add(o, "security",
			       security_text(sw->security, text, sizeof(text)));
	json_object_string_add(o, "saState",
			       peer ? ike_state_name(peer->state)
				    : ike_state_name(IKE_IDLE));
}

/* ---- commands ---- */

DEFPY(show_softwire_security, show_softwire_security_cmd,
      "show softwire security [detail$detail] [json$json]",
      SHOW_STR
      "Softwires\n"
      "IKE and IPsec\n"
      "Every security association\n" JSON_STR)
{
	return swmesh_show_output(vty, json_all(), json != NULL,
				  detail ? swmesh_print_security_detail
					 : swmesh_print_security);
}

DEFPY(clear_softwire_security, clear_softwire_security_cmd,
      "clear softwire security <all|A.B.C.D|X:X::X:X>$peer [hard$hard]",
      CLEAR_STR
      "Softwires\n"
      "IKE and IPsec\n"
      "Of all remote AFBRs\n"
      "Of this remote AFBR\n"
      "Of this remote AFBR\n"
      "Take the security associations down and build them anew, with an interruption\n")
{
	struct ipaddr addr;
	bool all = !strcmp(peer, "all");
	unsigned int n;

	if (!all && str2ipaddr(peer, &addr)) {
		vty_out(vty, "%% %s is no address\n", peer);
		return CMD_WARNING;
	}
	n = swmesh_ike_clear(all ? NULL : &addr, hard != NULL);
	if (!n && !all) {
		vty_out(vty,
			"%% nothing is protected towards %s; see 'show softwire security'\n",
			peer);
		return CMD_WARNING;
	}
	vty_out(vty, "%s with %u AFBRs\n",
		hard ? "Taking down, and building anew," : "Rekeying", n);
	return CMD_SUCCESS;
}

void swmesh_show_security_init(void)
{
	install_element(VIEW_NODE, &show_softwire_security_cmd);
	install_element(ENABLE_NODE, &clear_softwire_security_cmd);
}
