// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Peers of the IKE backend, and what the model wants of them; see
 * ike/ike.h, and ike/ike_peer.h for the other files.
 *
 * A softwire is told that it is protected, or no more, by what the kernel says.
 * A peer lives as long as a softwire, or `protect bgp`, wants it, and a moment
 * longer: what comes back at once finds its SAs.
 */
#include <zebra.h>

#include "jhash.h"
#include "memory.h"
#include "monotime.h"

#include "lib/log_limit.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/ike/ike.h"
#include "swmeshd/ike/ike_conn.h"
#include "swmeshd/ike/ike_peer.h"
#include "swmeshd/security/key_dir.h"
#include "swmeshd/charon/charon.h"
#include "swmeshd/xfrm/xfrm.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, IKE_PEER, "IKE peer");
DEFINE_MTYPE_STATIC(SWMESHD, IKE_USER, "IKE user");

#define LINGER_MS 1000
/* The end that answers has its SAs before the other one has looked at what it
 * has proved; a refusal comes right behind (RFC 7296 section 2.21.2). Its
 * softwires wait for that. */
#define CONFIRM_MS 1000
#define CONFIRM_S 2

struct ike_peers_head ike_peers;

int ike_peer_cmp(const struct ike_peer *a, const struct ike_peer *b)
{
	return ipaddr_cmp(&a->addr, &b->addr);
}

uint32_t ike_peer_hash(const struct ike_peer *peer)
{
	return jhash(&peer->addr.ip, IS_IPADDR_V4(&peer->addr) ? 4 : 16,
		     0x494b4521);
}

struct ike_peer *ike_peer_find(const struct ipaddr *addr)
{
	struct ike_peer ref = {.addr = *addr};

	return ike_peers_find(&ike_peers, &ref);
}

struct ike_peer *ike_peer_by_name(const char *name)
{
	struct ipaddr addr;

	return ike_conn_name_parse(name, &addr) ? ike_peer_find(&addr) : NULL;
}

bool ike_peer_wanted(const struct ike_peer *peer)
{
	return peer->bgp_neighbor || ike_users_const_first(&peer->users);
}

/* ---- life ---- */

static struct ike_peer *peer_get(const struct ipaddr *addr)
{
	struct ike_peer *peer = ike_peer_find(addr);

	if (peer)
		return peer;
	peer = XCALLOC(MTYPE_IKE_PEER, sizeof(*peer));
	peer->addr = *addr;
	peer->since = monotime(NULL);
	peer->adopting = true; /* until charon's state is known */
	ike_conn_name(addr, peer->name, sizeof(peer->name));
	ike_sas_init(&peer->sas);
	ike_users_init(&peer->users);
	peer->proven = ike_proven_before(addr);
	ike_peers_add(&ike_peers, peer);
	return peer;
}

void ike_peer_del(struct ike_peer *peer)
{
	ike_fsm_clear(peer);
	ike_incoming_set(peer, 0);
	ike_unpin(peer);
	ike_load_gone(peer);
	THREAD_OFF(peer->t_release);
	THREAD_OFF(peer->t_confirm);
	ike_sas_clear(peer);
	for (unsigned int i = 0; i < IKE_CHILDREN; i++)
		security_unref(&peer->child[i].security);
	security_unref(&peer->security);
	ike_sas_fini(&peer->sas);
	ike_users_fini(&peer->users);
	ike_peers_del(&ike_peers, peer);
	XFREE(MTYPE_IKE_PEER, peer);
}

static void release_now(struct thread *t)
{
	struct ike_peer *peer = THREAD_ARG(t);

	DEBUGD(&swmesh_dbg_ike, "ike: peer %pIA is not wanted any more",
	       &peer->addr);
	ike_unload(peer->name);
	ike_orphans_release(peer);
	ike_peer_del(peer);
}

/* ---- what is wanted ---- */

static void security_set(struct security **field, struct security *security)
{
	struct security *old = *field;

	if (old == security)
		return;
	*field = security ? security_ref(security) : NULL;
	security_unref(&old);
}

static void want_child(struct ike_peer *peer, enum ike_kind kind,
		       struct security *security)
{
	if (!peer->security)
		security_set(&peer->security, security);
	security_set(&peer->child[kind].security, security);
}

static void want_softwire(struct ike_peer *peer, const struct softwire *sw)
{
	uint8_t protocols[SOFTWIRE_PROTOCOLS_MAX];
	unsigned int n = softwire_protocols(sw, protocols);

	for (unsigned int i = 0; i < n; i++)
		for (unsigned int k = 0; k < ENCAP_PROTOCOLS; k++)
			if (ike_kind_protocol(k) == protocols[i])
				want_child(peer, k, sw->security);
}

static void want_bgp(struct ike_peer *peer)
{
	struct security *security = security_find(
		&swmesh->securities, swmesh->config.protect_bgp.security);

	if (!security || !ike_peer_wanted(peer))
		return;
	want_child(peer, IKE_CHILD_BGP_IN, security);
	want_child(peer, IKE_CHILD_BGP_OUT, security);
}

static void child_wanted(struct ike_child *child, bool wanted)
{
	if (child->wanted == wanted)
		return;
	memset(child->digest, 0, sizeof(child->digest));
	child->wanted = wanted;
	child->up = false;
	child->since = monotime(NULL);
	child->rekeys = child->failures = 0;
	child->odd_since = 0;
}

/* From the softwires and the configuration. */
static void peer_collect(struct ike_peer *peer)
{
	struct security *old[IKE_CHILDREN + 1];
	struct ike_user *user;

	/* References are kept until the new ones are taken. */
	old[IKE_CHILDREN] = peer->security;
	peer->security = NULL;
	for (unsigned int i = 0; i < IKE_CHILDREN; i++) {
		old[i] = peer->child[i].security;
		peer->child[i].security = NULL;
	}
	frr_each (ike_users, &peer->users, user)
		want_softwire(peer, user->sw);
	want_bgp(peer);
	for (unsigned int i = 0; i < IKE_CHILDREN; i++)
		child_wanted(&peer->child[i], peer->child[i].security != NULL);
	for (unsigned int i = 0; i <= IKE_CHILDREN; i++)
		security_unref(&old[i]);

	peer->local = swmesh->local_source;
	peer->initiator = ipaddr_cmp(&peer->local, &peer->addr) < 0;
	ike_work_add(peer);
	if (ike_peer_wanted(peer))
		THREAD_OFF(peer->t_release);
	else
		thread_add_timer_msec(master, release_now, peer, LINGER_MS,
				      &peer->t_release);
}

/* ---- what the kernel has ---- */

static bool child_in_kernel(const struct ike_peer *peer, enum ike_kind kind,
			    struct xfrm_child *x)
{
	return swmesh_xfrm_child(&peer->local, &peer->addr,
				 ike_kind_protocol(kind),
				 kind == IKE_CHILD_BGP_IN ? BGP_PORT : 0,
				 kind == IKE_CHILD_BGP_OUT ? BGP_PORT : 0, x);
}

static void child_refresh(struct ike_peer *peer, enum ike_kind kind)
{
	struct ike_child *child = &peer->child[kind];
	struct xfrm_child x = {};
	bool up;

	if (!child->wanted)
		return;
	up = child_in_kernel(peer, kind, &x);
	if (child->up != up) {
		if (up)
			zlog_info_limited(child,
					  "ike: AFBR %pIA: %s is protected",
					  &peer->addr, ike_kind_name(kind));
		else
			zlog_warn_limited(
				child,
				"ike: AFBR %pIA: %s is not protected any more",
				&peer->addr, ike_kind_name(kind));
		child->since = monotime(NULL);
	} else if (up && child->spi_out != x.spi_out)
		child->rekeys++;
	child->up = up;
	child->spi_out = up ? x.spi_out : 0;
	child->spi_in = up ? x.spi_in : 0;
	if (up)
		child->odd_since = 0;
}

/* What it is pinned to may be gone; then charon's policies decide. */
static void pin_holds(struct ike_peer *peer)
{
	bool gone = false;

	for (unsigned int i = 0; i < IKE_CHILDREN; i++)
		if ((peer->pinned & 1u << i) && !peer->child[i].up)
			gone = true;
	if (!gone)
		return;
	ike_unpin(peer);
	for (unsigned int i = 0; i < IKE_CHILDREN; i++)
		child_refresh(peer, i);
}

static bool user_up(const struct ike_user *user)
{
	const struct ike_peer *peer = user->peer;
	uint8_t protocols[SOFTWIRE_PROTOCOLS_MAX];
	unsigned int n = softwire_protocols(user->sw, protocols);
	bool up = n > 0 && !peer->blocked[0];

	for (unsigned int i = 0; i < n; i++)
		for (unsigned int k = 0; k < ENCAP_PROTOCOLS; k++)
			if (ike_kind_protocol(k) == protocols[i])
				up = up && peer->child[k].up;
	return up;
}

static void user_tell(struct ike_user *user)
{
	struct ike_peer *peer = user->peer;
	char text[MESH_REASON_LEN];
	bool up = user_up(user);

	if (up == user->up)
		return;
	user->up = up;
	if (up) {
		softwire_event(user->sw, SOFTWIRE_EV_SA_READY, NULL);
		return;
	}
	if (peer->blocked[0])
		strlcpy(text, peer->blocked, sizeof(text));
	else
		snprintfrr(
			text, sizeof(text),
			"the security association with %pIA is gone; it is set up again",
			&peer->addr);
	softwire_event(user->sw, SOFTWIRE_EV_SA_LOST, text);
}

/* The other end has accepted us, as far as can be told. What is in the kernel
 * before charon has said what it has is of an earlier run, and in use. */
static bool confirmed(const struct ike_peer *peer)
{
	const struct ike_sa *sa = ike_peer_sa(peer);

	if (peer->state == IKE_INITIATING || !ike_synced() || !peer->told)
		return true;
	return sa && (sa->initiator || monotime(NULL) - sa->since >= CONFIRM_S);
}

static void confirm_over(struct thread *t);

static void await_confirmation(struct ike_peer *peer)
{
	thread_add_timer_msec(master, confirm_over, peer, CONFIRM_MS,
			      &peer->t_confirm);
}

static void tell_users(struct ike_peer *peer, bool accepted)
{
	struct ike_user *user;
	bool waiting = false;

	frr_each_safe (ike_users, &peer->users, user) {
		if (!accepted && !user->up && user_up(user))
			waiting = true;
		else
			user_tell(user);
	}
	if (waiting)
		await_confirmation(peer);
	else
		THREAD_OFF(peer->t_confirm);
}

static void confirm_over(struct thread *t)
{
	tell_users(THREAD_ARG(t), true);
}

void ike_peer_kernel(struct ike_peer *peer)
{
	for (unsigned int i = 0; i < IKE_CHILDREN; i++)
		child_refresh(peer, i);
	pin_holds(peer);
	tell_users(peer, confirmed(peer));
}

/* As configured, once there is an address to do so from. */
static bool protects_bgp(const struct mesh *mesh)
{
	return mesh->config.protect_bgp.security[0] &&
	       !IS_IPADDR_NONE(&mesh->local_source);
}

void swmesh_ike_kernel_changed(const struct ipaddr *local,
			       const struct ipaddr *remote)
{
	struct ike_peer *peer = ike_peer_find(remote);

	if (!peer || ipaddr_cmp(&peer->local, local))
		return;
	ike_peer_kernel(peer);
	ike_check(peer);
}

/* ---- the model ---- */

static void read_announced(struct ike_peer *peer, const struct afbr_auth *auth)
{
	peer->announced.n = 0;
	for (unsigned int i = 0; i < auth->n; i++)
		memcpy(peer->announced.hash[peer->announced.n++],
		       auth->keys[i]->hash, KEY_HASH_LEN);
}

bool swmesh_ike_sa_set(struct softwire *sw, char *err, size_t len)
{
	struct ike_user *user = sw->sa;
	struct ike_peer *peer;

	if (!sw->security) {
		swmesh_ike_sa_release(sw);
		return true;
	}
	if (!user) {
		peer = peer_get(&sw->afbr->addr);
		user = XCALLOC(MTYPE_IKE_USER, sizeof(*user));
		user->sw = sw;
		user->peer = peer;
		ike_users_add_tail(&peer->users, user);
		sw->sa = user;
	}
	peer = user->peer;
	read_announced(peer, &sw->afbr->auth);
	peer_collect(peer);
	for (unsigned int i = 0; i < IKE_CHILDREN; i++)
		child_refresh(peer, i);
	if (user_up(user) && !user->up && !confirmed(peer)) {
		await_confirmation(peer);
		return false;
	}
	user->up = user_up(user);
	/* The peer may be in a state in which it tells nothing more: without
	 * charon, or refused. */
	if (!user->up && peer->error[0])
		strlcpy(err, peer->error, len);
	return user->up;
}

void swmesh_ike_sa_release(struct softwire *sw)
{
	struct ike_user *user = sw->sa;

	if (!user)
		return;
	sw->sa = NULL;
	ike_users_del(&user->peer->users, user);
	peer_collect(user->peer);
	XFREE(MTYPE_IKE_USER, user);
}

/* S11: neighbors that are protected, known as AFBRs or not. */
static void set_neighbors(const struct protect_bgp_config *config, bool on)
{
	struct ike_peer *peer;

	frr_each (ike_peers, &ike_peers, peer)
		peer->bgp_neighbor = false;
	for (unsigned int i = 0; on && i < config->n; i++)
		if (config->neighbor[i].ipa_type ==
			    swmesh->local_source.ipa_type &&
		    ipaddr_cmp(&config->neighbor[i], &swmesh->local_source))
			peer_get(&config->neighbor[i])->bgp_neighbor = true;
}

bool swmesh_ike_sa_sends(const struct softwire *sw, uint8_t protocol,
			 uint32_t spi)
{
	uint8_t protocols[SOFTWIRE_PROTOCOLS_MAX];
	unsigned int n = softwire_protocols(sw, protocols);

	for (unsigned int i = 0; i < n; i++)
		if (swmesh_xfrm_sends(&sw->afbr->mesh->local_source,
				      &sw->afbr->addr, protocols[i], protocol,
				      spi))
			return true;
	return false;
}

void swmesh_ike_config_changed(struct mesh *mesh)
{
	struct ike_peer *peer;

	set_neighbors(&mesh->config.protect_bgp, protects_bgp(mesh));
	frr_each_safe (ike_peers, &ike_peers, peer)
		peer_collect(peer);
	ike_turns_run();
}

/* ---- commands ---- */

static void rekey(const char *what, uint32_t id)
{
	struct vici_builder b;

	vici_begin(&b, VICI_CMD_REQUEST, "rekey");
	vici_key_number(&b, what, id);
	ike_request(&b);
}

static void clear_peer(struct ike_peer *peer, bool hard)
{
	struct ike_sa *sa;

	frr_each_safe (ike_sas, &peer->sas, sa) {
		if (sa->condemned)
			continue;
		if (hard) {
			ike_sa_terminate(peer, sa, false);
			continue;
		}
		/* Children first: charon does not find one that is just on its
		 * way into the new IKE_SA. */
		for (unsigned int i = 0; i < sa->n_children; i++)
			rekey("child-id", sa->children[i].id);
		rekey("ike-id", sa->id);
	}
	peer->retries = 0;
	peer->forced = hard || peer->state != IKE_UP;
	ike_event(peer, IKE_EV_NOW);
	ike_check(peer);
}

unsigned int swmesh_ike_clear(const struct ipaddr *addr, bool hard)
{
	struct ike_peer *peer;
	unsigned int n = 0;

	frr_each (ike_peers, &ike_peers, peer) {
		if (addr && ipaddr_cmp(addr, &peer->addr))
			continue;
		clear_peer(peer, hard);
		n++;
	}
	return n;
}

/* ---- show ---- */

static int by_address(const void *a, const void *b)
{
	const struct ike_peer *const *pa = a, *const *pb = b;

	return ipaddr_cmp(&(*pa)->addr, &(*pb)->addr);
}

void swmesh_ike_each(bool (*cb)(const struct ike_peer *peer, void *arg),
		     void *arg)
{
	size_t n = ike_peers_count(&ike_peers), i = 0;
	const struct ike_peer **all;
	struct ike_peer *peer;

	if (!n)
		return;
	all = XCALLOC(MTYPE_TMP, n * sizeof(*all));
	frr_each (ike_peers, &ike_peers, peer)
		all[i++] = peer;
	qsort(all, n, sizeof(*all), by_address);
	for (i = 0; i < n; i++)
		if (!cb(all[i], arg))
			break;
	XFREE(MTYPE_TMP, all);
}

const struct ike_peer *swmesh_ike_peer_after(const struct ike_peer *peer)
{
	const struct ike_peer *next = NULL;
	struct ike_peer *p;

	frr_each (ike_peers, &ike_peers, p)
		if ((!peer || ike_peer_cmp(p, peer) > 0) &&
		    (!next || ike_peer_cmp(p, next) < 0))
			next = p;
	return next;
}

const struct ike_peer *swmesh_ike_peer(const struct ipaddr *addr)
{
	return ike_peer_find(addr);
}

bool ike_peer_protected(const struct ike_peer *peer)
{
	for (unsigned int i = 0; i < IKE_CHILDREN; i++)
		if (peer->child[i].wanted && !peer->child[i].up)
			return false;
	return !peer->blocked[0];
}

/* ---- start and end ---- */

static const struct swmesh_vici_ops vici_ops = {
	.events = ike_events,
	.event = ike_vici_event,
	.up = ike_vici_up,
	.log = ike_vici_log,
	.log_up = ike_turns_run,
};

void swmesh_ike_init(const char *vici_path)
{
	ike_peers_init(&ike_peers);
	key_dir_init(ike_keys_changed);
	if (!swmesh_vici_set_path(vici_path))
		zlog_warn("ike: --vici %s: too long for a socket; using %s",
			  vici_path, SWMESH_VICI_PATH);
	swmesh_vici_start(&vici_ops);
}

void swmesh_ike_stop(void)
{
	struct ike_peer *peer;
	struct ike_user *user;

	swmesh_vici_stop();
	ike_sync_stop();
	frr_each_safe (ike_peers, &ike_peers, peer) {
		while ((user = ike_users_pop(&peer->users))) {
			user->sw->sa = NULL;
			XFREE(MTYPE_IKE_USER, user);
		}
		ike_peer_del(peer);
	}
	ike_load_stop();
	ike_log_stop();
	key_dir_stop();
	ike_queue_stop();
	ike_peers_fini(&ike_peers);
}
