// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Remote AFBRs. They come from the endpoints that demands name and go with the
 * last of them. Each has a softwire for every tunnel that we announce: the
 * AFBR may send by any of them (RFC 9012 section 6 leaves the choice to the
 * sender).
 */
#include <zebra.h>

#include "jhash.h"
#include "memory.h"
#include "monotime.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_model.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, AFBR, "Remote AFBR");

/* B5: a path through a softwire of ours holds the endpoint back this long,
 * doubled each time, or the two would chase each other for ever. */
#define HOLD_MIN_S 10
#define HOLD_MAX_S 320

int afbr_cmp(const struct afbr *a, const struct afbr *b)
{
	return ipaddr_cmp(&a->addr, &b->addr);
}

uint32_t afbr_hash(const struct afbr *a)
{
	return jhash(&a->addr.ip, IS_IPADDR_V4(&a->addr) ? 4 : 16, 0x53574d41);
}

struct afbr *afbr_find(struct mesh *mesh, const struct ipaddr *addr)
{
	struct afbr ref = {.addr = *addr};

	return afbr_table_find(&mesh->afbrs, &ref);
}

static struct afbr *afbr_get(struct mesh *mesh, const struct ipaddr *addr)
{
	struct afbr *afbr = afbr_find(mesh, addr);

	if (afbr)
		return afbr;
	if (afbr_table_count(&mesh->afbrs) >= MESH_AFBRS_MAX)
		return NULL;
	afbr = XCALLOC(MTYPE_AFBR, sizeof(*afbr));
	afbr->mesh = mesh;
	afbr->addr = *addr;
	afbr_refs_init(&afbr->refs);
	afbr_softwires_init(&afbr->softwires);
	afbr_table_add(&mesh->afbrs, afbr);
	mesh->ops->track(afbr);
	afbr_mark_dirty(afbr);
	return afbr;
}

static void afbr_del(struct afbr *afbr)
{
	struct mesh *mesh = afbr->mesh;
	struct softwire *sw;

	while ((sw = afbr_softwires_first(&afbr->softwires)))
		softwire_del(sw);
	mesh->ops->hold_cancel(afbr);
	mesh->ops->untrack(afbr);
	if (afbr->dirty)
		afbr_dirty_del(&mesh->dirty_afbrs, afbr);
	afbr_softwires_fini(&afbr->softwires);
	afbr_refs_fini(&afbr->refs);
	afbr_table_del(&mesh->afbrs, afbr);
	XFREE(MTYPE_AFBR, afbr);
}

void afbr_mark_dirty(struct afbr *afbr)
{
	if (afbr->dirty)
		return;
	afbr->dirty = true;
	afbr_dirty_add_tail(&afbr->mesh->dirty_afbrs, afbr);
	afbr->mesh->ops->schedule(afbr->mesh);
}

void afbr_mark_demands(struct afbr *afbr)
{
	struct afbr_ref *ref;

	frr_each (afbr_refs, &afbr->refs, ref)
		demand_mark_dirty(ref->demand);
}

/* ---- the way to it ---- */

static bool afbr_held(const struct afbr *afbr)
{
	return afbr->held_until > monotime(NULL);
}

bool afbr_usable(const struct afbr *afbr)
{
	return afbr->mesh->source_ok && afbr->path.known &&
	       afbr->path.reachable && !afbr->path.recursive &&
	       !afbr_held(afbr);
}

const char *afbr_reason(const struct afbr *afbr, char *buf, size_t len)
{
	const struct mesh *mesh = afbr->mesh;

	if (!mesh->source_known)
		snprintf(buf, len, "zebra has not told our addresses yet");
	else if (!mesh->source_ok)
		snprintfrr(
			buf, len,
			"waiting for our address %pIA: it is on no interface",
			&mesh->config.source);
	else if (!afbr->path.known)
		snprintf(buf, len,
			 "zebra has not told the way to the endpoint yet");
	else if (afbr->path.recursive || afbr_held(afbr))
		snprintfrr(
			buf, len,
			"the way to %pIA leads through a softwire (%s): mutual recursion; keep the endpoint out of the routes that use it",
			&afbr->addr, afbr->path.via);
	else if (!afbr->path.reachable)
		snprintfrr(buf, len, "no route to endpoint %pIA", &afbr->addr);
	else
		buf[0] = '\0';
	return buf;
}

static void afbr_hold(struct afbr *afbr)
{
	time_t now = monotime(NULL), hold;

	if (now > afbr->held_until + HOLD_MAX_S)
		afbr->hold_level = 0; /* long ago: a new story */
	hold = MIN(HOLD_MIN_S << afbr->hold_level, HOLD_MAX_S);
	afbr->hold_level = MIN(afbr->hold_level + 1, 5u);
	afbr->recursions++;
	afbr->held_until = now + hold;
	afbr->mesh->ops->hold(afbr, hold * 1000);
	zlog_warn(
		"AFBR %pIA: the way to it leads through a softwire (%s), RFC 9012 section 7.2; not used for %d s",
		&afbr->addr, afbr->path.via, (int)hold);
}

void afbr_path(struct afbr *afbr, const struct endpoint_path *path)
{
	bool was_recursive = afbr->path.recursive;

	if (!memcmp(&afbr->path, path, sizeof(*path)))
		return;
	afbr->path = *path;
	DEBUGD(&swmesh_dbg_events, "AFBR %pIA: %s via %s, MTU %u", &afbr->addr,
	       path->recursive	 ? "recursive"
	       : path->reachable ? "reachable"
				 : "unreachable",
	       path->via, path->mtu);
	if (path->recursive && !was_recursive)
		afbr_hold(afbr);
	afbr_mark_dirty(afbr);
	afbr_mark_demands(afbr);
}

/* ---- keys ---- */

/* GRE keys that the AFBR announces for this endpoint, and for what payload. */
struct peer_key {
	bool has;
	uint32_t key;
	uint8_t payload;
	bool taken;
};

#define PEER_KEYS_MAX 32

struct peer_tunnels {
	bool ipip;
	unsigned int n;
	struct peer_key keys[PEER_KEYS_MAX];
};

static void peer_key_add(struct peer_tunnels *peer, const struct tea_tunnel *tt)
{
	struct peer_key k = {};
	unsigned int i;

	k.has = tea_tunnel_gre_key(tt, &k.key);
	if (tea_tunnel_allows(tt, TEA_ETHERTYPE_IPV4))
		k.payload |= PAYLOAD_IPV4;
	if (tea_tunnel_allows(tt, TEA_ETHERTYPE_IPV6))
		k.payload |= PAYLOAD_IPV6;
	for (i = 0; i < peer->n; i++) {
		if (peer->keys[i].has == k.has && peer->keys[i].key == k.key) {
			peer->keys[i].payload |= k.payload;
			return;
		}
	}
	if (peer->n < PEER_KEYS_MAX)
		peer->keys[peer->n++] = k;
}

static void peer_collect(struct afbr *afbr, struct peer_tunnels *peer)
{
	struct afbr_ref *ref;

	memset(peer, 0, sizeof(*peer));
	frr_each (afbr_refs, &afbr->refs, ref) {
		const struct demand *demand = ref->demand;

		for (size_t i = 0; i < demand->tea.n_tunnels; i++) {
			const struct tea_tunnel *tt = &demand->tea.tunnels[i];
			struct ipaddr ep;

			if (!tt->usable ||
			    !tunnel_endpoint(tt, &demand->next_hop, &ep) ||
			    ipaddr_cmp(&ep, &afbr->addr))
				continue;
			if (tt->type == TEA_TYPE_GRE)
				peer_key_add(peer, tt);
			else if (tt->type == TEA_TYPE_IPIP)
				peer->ipip = true;
		}
	}
}

static struct peer_key *peer_key_current(struct peer_tunnels *peer,
					 const struct softwire *sw)
{
	for (unsigned int i = 0; i < peer->n; i++)
		if (sw->peer_has && peer->keys[i].has == sw->has_okey &&
		    (!sw->has_okey || peer->keys[i].key == sw->okey) &&
		    !peer->keys[i].taken)
			return &peer->keys[i];
	return NULL;
}

static struct peer_key *peer_key_choose(struct peer_tunnels *peer,
					uint8_t payload)
{
	struct peer_key *second = NULL;

	for (unsigned int i = 0; i < peer->n; i++) {
		struct peer_key *k = &peer->keys[i];

		if (!(k->payload & payload))
			continue;
		if (!k->taken)
			return k;
		if (!second)
			second = k;
	}
	return second ? second : peer->n ? &peer->keys[0] : NULL;
}

/* True if what the softwire sends with has changed. */
static bool softwire_set_peer(struct softwire *sw, bool has,
			      const struct peer_key *k)
{
	bool has_okey = k && k->has;
	uint32_t okey = has_okey ? k->key : 0;

	if (sw->peer_has == has && sw->has_okey == has_okey && sw->okey == okey)
		return false;
	sw->peer_has = has;
	sw->has_okey = has_okey;
	sw->okey = okey;
	afbr_mark_demands(sw->afbr);
	return true;
}

static uint8_t local_payload(const struct mesh *mesh,
			     const struct sw_tunnel *tunnel)
{
	for (unsigned int i = 0; i < mesh->local.n; i++)
		if (sw_tunnel_same(&mesh->local.t[i].tunnel, tunnel))
			return mesh->local.t[i].payload;
	return 0;
}

/*
 * Which of the AFBR's GRE keys each softwire sends with: a kernel device has
 * one. What is in use stays as long as the AFBR announces it; the rest is
 * handed out in our order of preference, one each while there are enough.
 */
static void assign_keys(struct afbr *afbr)
{
	struct peer_tunnels peer;
	struct softwire *sw;
	struct peer_key *k;

	peer_collect(afbr, &peer);
	frr_each (afbr_softwires, &afbr->softwires, sw) {
		if (sw->tunnel.type != TEA_TYPE_GRE)
			continue;
		k = peer_key_current(&peer, sw);
		if (k)
			k->taken = true;
	}
	frr_each (afbr_softwires, &afbr->softwires, sw) {
		bool changed;

		if (sw->tunnel.type == TEA_TYPE_GRE) {
			bool keep = false;

			for (unsigned int i = 0; i < peer.n && !keep; i++)
				keep = sw->peer_has &&
				       peer.keys[i].has == sw->has_okey &&
				       peer.keys[i].key == sw->okey;
			if (keep)
				continue;
			k = peer_key_choose(
				&peer, local_payload(afbr->mesh, &sw->tunnel));
			if (k)
				k->taken = true;
			changed = softwire_set_peer(sw, k != NULL, k);
		} else
			changed = softwire_set_peer(sw, peer.ipip, NULL);
		if (changed)
			softwire_event(sw, SOFTWIRE_EV_CHANGED, NULL);
	}
}

/* ---- softwires ---- */

struct softwire *afbr_softwire(struct afbr *afbr,
			       const struct sw_tunnel *tunnel)
{
	struct softwire *sw;

	frr_each (afbr_softwires, &afbr->softwires, sw)
		if (sw_tunnel_same(&sw->tunnel, tunnel))
			return sw;
	return NULL;
}

void afbr_update(struct afbr *afbr)
{
	struct mesh *mesh = afbr->mesh;
	struct softwire *sw;
	bool usable;

	if (!afbr_refs_count(&afbr->refs)) {
		afbr_del(afbr);
		return;
	}
	frr_each (afbr_softwires, &afbr->softwires, sw)
		sw->wanted = false;
	for (unsigned int i = 0; i < mesh->local.n; i++) {
		sw = afbr_softwire(afbr, &mesh->local.t[i].tunnel);
		if (!sw)
			sw = softwire_new(afbr, &mesh->local.t[i].tunnel);
		sw->wanted = true;
	}
	frr_each_safe (afbr_softwires, &afbr->softwires, sw)
		if (!sw->wanted)
			softwire_del(sw);
	assign_keys(afbr);

	usable = afbr_usable(afbr);
	frr_each (afbr_softwires, &afbr->softwires, sw) {
		softwire_event(sw, SOFTWIRE_EV_START, NULL);
		if (!usable) {
			softwire_event(sw, SOFTWIRE_EV_ENDPOINT_DOWN, NULL);
			continue;
		}
		softwire_event(sw, SOFTWIRE_EV_ENDPOINT_UP, NULL);
		if (sw->state == SOFTWIRE_UP) /* the MTU or our address */
			softwire_event(sw, SOFTWIRE_EV_CHANGED, NULL);
	}
}

/* ---- what demands name ---- */

bool tunnel_endpoint(const struct tea_tunnel *tt, const struct ipaddr *next_hop,
		     struct ipaddr *out)
{
	memset(out, 0, sizeof(*out));
	if (!TEA_HAS(tt, TEA_SUB_ENDPOINT) ||
	    tt->endpoint.family == TEA_AF_NONE) {
		*out = *next_hop;
	} else if (tt->endpoint.family == TEA_AF_IPV4) {
		SET_IPADDR_V4(out);
		out->ipaddr_v4 = tt->endpoint.v4;
	} else if (tt->endpoint.family == TEA_AF_IPV6) {
		SET_IPADDR_V6(out);
		out->ipaddr_v6 = tt->endpoint.v6;
	}
	if (IS_IPADDR_V6(out) && IN6_IS_ADDR_V4MAPPED(&out->ipaddr_v6)) {
		struct in_addr v4;

		memcpy(&v4, &out->ipaddr_v6.s6_addr[12], sizeof(v4));
		memset(out, 0, sizeof(*out));
		SET_IPADDR_V4(out);
		out->ipaddr_v4 = v4;
	}
	return !IS_IPADDR_NONE(out);
}

static void demand_unlink(struct demand *demand)
{
	for (unsigned int i = 0; i < demand->n_refs; i++) {
		struct afbr_ref *ref = &demand->refs[i];

		afbr_refs_del(&ref->afbr->refs, ref);
		afbr_mark_dirty(ref->afbr);
	}
	demand->n_refs = 0;
	demand->refs_cut = false;
}

static bool endpoint_wanted(const struct mesh *mesh,
			    const struct tea_tunnel *tt,
			    const struct demand *demand, struct ipaddr *ep)
{
	if (!tt->usable ||
	    (tt->type != TEA_TYPE_GRE && tt->type != TEA_TYPE_IPIP))
		return false;
	return tunnel_endpoint(tt, &demand->next_hop, ep) &&
	       ep->ipa_type == mesh->local_source.ipa_type &&
	       ipaddr_cmp(ep, &mesh->local_source) && !ipaddr_is_zero(ep);
}

static void demand_link_endpoint(struct demand *demand, const struct ipaddr *ep)
{
	struct afbr_ref *ref;
	struct afbr *afbr;

	for (unsigned int i = 0; i < demand->n_refs; i++)
		if (!ipaddr_cmp(&demand->refs[i].afbr->addr, ep))
			return;
	afbr = demand->n_refs < DEMAND_AFBRS_MAX ? afbr_get(demand->mesh, ep)
						 : NULL;
	if (!afbr) {
		demand->refs_cut = true;
		return;
	}
	ref = &demand->refs[demand->n_refs++];
	ref->demand = demand;
	ref->afbr = afbr;
	afbr_refs_add_tail(&afbr->refs, ref);
	afbr_mark_dirty(afbr);
}

void demand_link(struct demand *demand)
{
	const struct mesh *mesh = demand->mesh;
	struct ipaddr ep;

	demand_unlink(demand);
	if (demand->refused || IS_IPADDR_NONE(&mesh->local_source))
		return;
	for (size_t i = 0; i < demand->tea.n_tunnels; i++)
		if (endpoint_wanted(mesh, &demand->tea.tunnels[i], demand, &ep))
			demand_link_endpoint(demand, &ep);
}
