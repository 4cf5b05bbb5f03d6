// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading what charon has: all of it when the connection comes up, since it may
 * be another charon than before, and we may be another swmeshd; and every now
 * and then, since others load and unload, too (swanctl --load-all takes out
 * whatever is not in swanctl.conf).
 *
 * Connections and SAs of ours that belong to no peer are remembered: after our
 * restart the peers come with bgpd's routes. What no peer has claimed after the
 * grace period is taken out.
 */
#include <zebra.h>

#include "jhash.h"
#include "memory.h"

#include "lib/log_limit.h"
#include "lib/vici.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/model/settle.h"
#include "swmeshd/ike/ike_peer.h"
#include "swmeshd/charon/charon.h"
#include "swmeshd/xfrm/xfrm.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, IKE_KNOWN, "IKE connection without a peer");

#define AUDIT_MS 20000
#define AUDIT_FIRST_MS 2000
/* Names that are sure to fit into a packet, with others of the operator's. */
#define NAMES_MAX 8000
#define KNOWN_MAX (2 * MESH_AFBRS_MAX)

/* Of ours in charon, but of no peer. */
PREDECL_HASH(ike_known);
struct ike_known {
	struct ike_known_item item;
	struct ipaddr addr;
	bool conn, sas;
	uint8_t digest[IKE_DIGEST_LEN]; /* with conn */
	uint8_t salt;
};

static int known_cmp(const struct ike_known *a, const struct ike_known *b)
{
	return ipaddr_cmp(&a->addr, &b->addr);
}

static uint32_t known_hash(const struct ike_known *k)
{
	return jhash(&k->addr.ip, IS_IPADDR_V4(&k->addr) ? 4 : 16, 0x494b454b);
}

DECLARE_HASH(ike_known, struct ike_known, item, known_cmp, known_hash);

static struct ike_known_head known = INIT_HASH(known);
static bool synced;
static struct thread *t_audit;

bool ike_synced(void)
{
	return synced;
}

/* ---- without a peer ---- */

static struct ike_known *known_find(const struct ipaddr *addr)
{
	struct ike_known ref = {.addr = *addr};

	return ike_known_find(&known, &ref);
}

static struct ike_known *known_get(const struct ipaddr *addr)
{
	struct ike_known *k = known_find(addr);

	if (k || ike_known_count(&known) >= KNOWN_MAX)
		return k;
	k = XCALLOC(MTYPE_IKE_KNOWN, sizeof(*k));
	k->addr = *addr;
	ike_known_add(&known, k);
	return k;
}

static void known_del(struct ike_known *k)
{
	ike_known_del(&known, k);
	XFREE(MTYPE_IKE_KNOWN, k);
}

static void known_clear(void)
{
	struct ike_known *k;

	while ((k = ike_known_pop(&known)))
		XFREE(MTYPE_IKE_KNOWN, k);
}

static bool is_known(const struct ipaddr *addr)
{
	return known_find(addr) != NULL;
}

/* Nobody has asked for them since we started. */
static void known_drop(void)
{
	char name[64];
	struct ike_known *k;

	if (!swmesh_grace_over())
		return;
	frr_each_safe (ike_known, &known, k) {
		if (ike_peer_find(&k->addr)) {
			known_del(k);
			continue;
		}
		zlog_notice_limited(
			k,
			"ike: AFBR %pIA of an earlier run did not come back; its SAs are taken down",
			&k->addr);
		ike_unload(ike_conn_name(&k->addr, name, sizeof(name)));
		known_del(k);
	}
}

/* ---- connections ---- */

/* The digest that is the name of one of its children. */
static bool conn_digest(const struct vici_section *conn, uint8_t *digest,
			uint8_t *salt)
{
	struct vici_section children;
	char name[IKE_DIGEST_NAME_LEN + 1];
	struct vici_iter it;

	if (!vici_find_section(conn, "children", &children))
		return false;
	vici_each_section(&children,
			  it) if (ike_digest_parse(vici_text(&it.name, name,
							     sizeof(name)),
						   digest, salt)) return true;
	return false;
}

static void on_conn(void *arg, const struct vici_section *msg)
{
	uint8_t digest[IKE_DIGEST_LEN] = {}, salt = 0;
	struct ike_peer *peer;
	struct ike_known *k;
	struct ipaddr addr;
	struct vici_iter it;
	char name[128];

	vici_each_section(msg, it)
	{
		vici_text(&it.name, name, sizeof(name));
		if (!ike_conn_name_parse(name, &addr))
			continue;
		conn_digest(&it.section, digest, &salt);
		peer = ike_peer_find(&addr);
		if (peer) {
			memcpy(peer->conn_digest, digest, IKE_DIGEST_LEN);
			peer->salt = salt;
			peer->has_conn = peer->loaded = true;
			continue;
		}
		k = known_get(&addr);
		if (!k)
			continue;
		k->conn = true;
		k->salt = salt;
		memcpy(k->digest, digest, IKE_DIGEST_LEN);
	}
}

/* ---- SAs ---- */

static void on_sa(void *arg, const struct vici_section *msg)
{
	struct vici_section children;
	struct ike_peer *peer;
	struct ike_known *k;
	struct ipaddr addr;
	struct vici_iter it, child;
	struct ike_sa *sa;
	char name[128];

	vici_each_section(msg, it)
	{
		vici_text(&it.name, name, sizeof(name));
		if (!ike_conn_name_parse(name, &addr))
			continue;
		peer = ike_peer_find(&addr);
		if (!peer) {
			k = known_get(&addr);
			if (k)
				k->sas = true;
			continue;
		}
		sa = ike_sa_read(peer, &it.section);
		if (!sa ||
		    !vici_find_section(&it.section, "child-sas", &children))
			continue;
		vici_each_section(&children, child)
			ike_child_read(peer, sa, &child.section, false);
	}
}

static void mark(struct ike_peer *peer)
{
	struct ike_sa *sa;

	frr_each (ike_sas, &peer->sas, sa) {
		sa->seen = false;
		for (unsigned int i = 0; i < sa->n_children; i++)
			sa->children[i].seen = false;
	}
}

static void sweep(struct ike_peer *peer)
{
	struct ike_sa *sa;

	frr_each_safe (ike_sas, &peer->sas, sa) {
		for (unsigned int i = 0; i < sa->n_children;) {
			if (sa->children[i].seen)
				i++;
			else
				sa->children[i] =
					sa->children[--sa->n_children];
		}
		if (!sa->seen)
			ike_sa_del(peer, sa);
	}
}

/* ---- comparing ---- */

static void named(const struct vici_value *value)
{
	char name[128];
	struct ike_peer *peer =
		ike_peer_by_name(vici_text(value, name, sizeof(name)));

	if (peer)
		peer->named = true;
}

static void load_unnamed(void)
{
	struct ike_peer *peer;

	frr_each (ike_peers, &ike_peers, peer) {
		if (peer->named || !peer->loaded || peer->loading)
			continue;
		zlog_notice_limited(
			peer,
			"ike: AFBR %pIA: charon has lost its connection (swanctl --load-all does that); it is loaded again",
			&peer->addr);
		peer->loaded = peer->has_conn = false;
		memset(peer->conn_digest, 0, IKE_DIGEST_LEN);
		ike_work_add(peer);
	}
}

static void on_names(void *arg, const struct swmesh_vici_reply *reply)
{
	struct vici_section list;
	struct vici_iter it;

	if (reply->error != SWMESH_VICI_OK ||
	    !vici_find_list(reply->msg, "conns", &list))
		return;
	vici_each(&list, it) named(&it.value);
	load_unnamed();
}

static void on_named_conn(void *arg, const struct vici_section *msg)
{
	struct vici_iter it;

	vici_each_section(msg, it) named(&it.name);
}

static void on_named_conns(void *arg, const struct swmesh_vici_reply *reply)
{
	if (reply->error == SWMESH_VICI_OK)
		load_unnamed();
}

static bool list_has(const struct vici_section *msg, const char *word)
{
	struct vici_section list;
	struct vici_iter it;

	if (!vici_find_list(msg, "keys", &list))
		return false;
	vici_each(&list, it) if (vici_is(&it.value, word)) return true;
	return false;
}

static void on_shared(void *arg, const struct swmesh_vici_reply *reply)
{
	if (reply->error == SWMESH_VICI_OK)
		ike_load_compare_shared(list_has(reply->msg, IKE_PSK_ID),
					list_has(reply->msg, IKE_PPK_ID));
}

static bool has_key(const void *arg, const char *id)
{
	return list_has(arg, id);
}

static void on_keys(void *arg, const struct swmesh_vici_reply *reply)
{
	if (reply->error == SWMESH_VICI_OK)
		ike_load_compare_keys(has_key, reply->msg);
}

static void audit_done(void *arg, const struct swmesh_vici_reply *reply)
{
	struct ike_peer *peer;

	if (reply->error != SWMESH_VICI_OK)
		return;
	frr_each_safe (ike_peers, &ike_peers, peer) {
		if (!peer->told)
			continue;
		sweep(peer);
		if (ike_orphans_drop(peer))
			ike_audit_in(AUDIT_FIRST_MS);
		ike_peer_kernel(peer);
		ike_check(peer);
	}
	/* First: what charon takes down now is not left behind yet. */
	if (swmesh_grace_over())
		ike_orphans_sweep(is_known);
	known_drop();
}

static void ask(const char *command, swmesh_vici_done done)
{
	struct vici_builder b;

	vici_begin(&b, VICI_CMD_REQUEST, command);
	swmesh_vici_request(&b, done, NULL);
}

/* charon gives all names in one packet, which ends at 512 KiB, or else each
 * connection with all that is in it, which is ten times the work. */
static void ask_names(void)
{
	struct vici_builder b;
	struct ike_peer *peer;

	frr_each (ike_peers, &ike_peers, peer)
		peer->named = false;
	if (ike_peers_count(&ike_peers) <= NAMES_MAX) {
		ask("get-conns", on_names);
		return;
	}
	vici_begin(&b, VICI_CMD_REQUEST, "list-conns");
	swmesh_vici_list(&b, "list-conn", on_named_conn, on_named_conns, NULL);
}

static void audit(struct thread *t)
{
	struct vici_builder b;
	struct ike_peer *peer;

	ike_audit_in(AUDIT_MS);
	if (!synced)
		return;
	ask_names();
	ask("get-shared", on_shared);
	ask("get-keys", on_keys);
	frr_each (ike_peers, &ike_peers, peer)
		mark(peer);
	vici_begin(&b, VICI_CMD_REQUEST, "list-sas");
	swmesh_vici_list(&b, "list-sa", on_sa, audit_done, NULL);
}

void ike_audit_in(unsigned int ms)
{
	if (t_audit && thread_timer_remain_msec(t_audit) > ms)
		THREAD_OFF(t_audit);
	thread_add_timer_msec(master, audit, NULL, ms, &t_audit);
}

/* ---- when charon comes and goes ---- */

static void first_done(void *arg, const struct swmesh_vici_reply *reply)
{
	struct ike_peer *peer;

	if (reply->error != SWMESH_VICI_OK)
		return; /* the connection is gone */
	synced = true;
	frr_each (ike_peers, &ike_peers, peer) {
		sweep(peer);
		/* One that came while we read is asked for again. */
		peer->told = !known_find(&peer->addr);
		ike_work_add(peer);
	}
	DEBUGD(&swmesh_dbg_ike,
	       "ike: charon's state is read, %zu of ours without a peer",
	       ike_known_count(&known));
	ike_audit_in(AUDIT_FIRST_MS);
}

static void read_all(void)
{
	struct vici_builder b;

	vici_begin(&b, VICI_CMD_REQUEST, "list-conns");
	swmesh_vici_list(&b, "list-conn", on_conn, NULL, NULL);
	vici_begin(&b, VICI_CMD_REQUEST, "list-sas");
	swmesh_vici_list(&b, "list-sa", on_sa, first_done, NULL);
}

void ike_vici_up(bool up)
{
	struct ike_peer *peer;

	synced = false;
	known_clear();
	ike_load_forget();
	frr_each_safe (ike_peers, &ike_peers, peer) {
		peer->has_conn = peer->loaded = peer->loading = false;
		peer->told = peer->asking = false;
		peer->adopting = true;
		ike_incoming_set(peer, 0);
		memset(peer->conn_digest, 0, IKE_DIGEST_LEN);
		mark(peer);
		ike_check(peer);
	}
	if (up) {
		zlog_notice_limited(0, "ike: connected with charon");
		read_all();
	} else
		zlog_warn_limited(
			0,
			"ike: charon is gone; SAs in the kernel stay, and no new ones are set up until it is back");
}

static void peer_done(void *arg, const struct swmesh_vici_reply *reply)
{
	struct ike_peer *peer = arg;

	peer->asking = false;
	if (reply->error != SWMESH_VICI_OK)
		return;
	peer->told = true;
	ike_work_add(peer);
}

bool ike_sync_peer(struct ike_peer *peer)
{
	struct ike_known *k = known_find(&peer->addr);
	struct vici_builder b;
	bool sas;

	if (peer->asking)
		return false;
	if (!k) {
		peer->told = true;
		peer->adopting = false;
		return true;
	}
	sas = k->sas;
	peer->adopting = true;
	if (k->conn) {
		memcpy(peer->conn_digest, k->digest, IKE_DIGEST_LEN);
		peer->salt = k->salt;
		peer->has_conn = peer->loaded = true;
	}
	known_del(k);
	if (!sas) {
		peer->told = true;
		return true;
	}
	vici_begin(&b, VICI_CMD_REQUEST, "list-sas");
	vici_key_value(&b, "ike", peer->name);
	peer->asking = swmesh_vici_list(&b, "list-sa", on_sa, peer_done,
					peer) == SWMESH_VICI_OK;
	return false;
}

void ike_sync_stop(void)
{
	THREAD_OFF(t_audit);
	synced = false;
	known_clear();
	ike_known_fini(&known);
}
