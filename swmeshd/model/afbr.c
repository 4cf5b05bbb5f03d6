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

#include "lib/log_limit.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/model/model.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, AFBR, "Remote AFBR");

/* B5: a path through a softwire of ours holds the endpoint back this long,
 * doubled each time, or the two would chase each other for ever. */
#define HOLD_MIN_S 10
#define HOLD_MAX_S 320

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
	afbr_auth_clear(&afbr->auth);
	afbr_softwires_fini(&afbr->softwires);
	afbr_refs_fini(&afbr->refs);
	afbr_table_del(&mesh->afbrs, afbr);
	XFREE(MTYPE_AFBR, afbr);
}

/* ---- the way to it ---- */

bool afbr_barred(const struct afbr *afbr)
{
	/* An interface that is not known, perhaps only yet, is like no route:
	 * nothing is sent there, and what has been set up may stay. */
	return afbr->path.fault.verdict != TRANSIT_CORE &&
	       afbr->path.fault.verdict != TRANSIT_NO_INTERFACE;
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
	zlog_warn_limited(
		afbr,
		"AFBR %pIA: the way to it leads through a softwire (%s), RFC 9012 section 7.2; not used for %d s",
		&afbr->addr, afbr->path.via, (int)hold);
}

static void tell_barred(const struct afbr *afbr)
{
	char text[MESH_REASON_LEN];

	zlog_warn_limited(afbr, "AFBR %pIA is not used: %s", &afbr->addr,
			  transit_reason(&afbr->mesh->config.transit,
					 &afbr->path.fault, &afbr->addr, text,
					 sizeof(text)));
}

void afbr_path(struct afbr *afbr, const struct endpoint_path *path)
{
	bool was_recursive = afbr->path.recursive;
	bool was_barred = afbr_barred(afbr);

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
	if (afbr_barred(afbr) && !was_barred)
		tell_barred(afbr);
	afbr_mark_dirty(afbr);
	afbr_mark_demands(afbr);
}

/* ---- softwires ---- */

/* A change is acted upon by the CHANGED event that afbr_update() ends with. The
 * filter is told here: a softwire may stay up all the while. */
static void set_security(struct softwire *sw, struct security *security)
{
	struct security *old = sw->security;

	if (security == old)
		return;
	sw->security = security ? security_ref(security) : NULL;
	security_unref(&old);
	afbr_mark_demands(sw->afbr);
	sw->afbr->mesh->ops->softwire_changed(sw);
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
		set_security(sw, security_find(&mesh->securities,
					       mesh->local.t[i].security));
	}
	frr_each_safe (afbr_softwires, &afbr->softwires, sw)
		if (!sw->wanted)
			softwire_del(sw);
	afbr_read_announced(afbr);

	usable = afbr_usable(afbr);
	frr_each (afbr_softwires, &afbr->softwires, sw) {
		if (afbr_barred(afbr)) {
			softwire_event(sw, SOFTWIRE_EV_STOP, NULL);
			continue;
		}
		softwire_event(sw, SOFTWIRE_EV_START, NULL);
		if (!usable) {
			softwire_event(sw, SOFTWIRE_EV_ENDPOINT_DOWN, NULL);
			continue;
		}
		softwire_event(sw, SOFTWIRE_EV_ENDPOINT_UP, NULL);
		/* The MTU, our address or the security. */
		if (sw->state == SOFTWIRE_UP || sw->state == SOFTWIRE_WAIT_SA ||
		    sw->state == SOFTWIRE_WAIT_FILTER)
			softwire_event(sw, SOFTWIRE_EV_CHANGED, NULL);
	}
}

/* ---- what demands name ---- */

static void demand_unlink(struct demand *demand)
{
	for (unsigned int i = 0; i < demand->n_refs; i++) {
		struct afbr_ref *ref = &demand->refs[i];

		afbr_refs_del(&ref->afbr->refs, ref);
		afbr_mark_dirty(ref->afbr);
	}
	demand->n_refs = 0;
	demand->refs_cut = false;
	if (demand->cut)
		demand_cut_del(&demand->mesh->cut_demands, demand);
	demand->cut = false;
}

static void demand_no_afbr(struct demand *demand)
{
	if (demand->cut)
		return;
	demand->cut = true;
	demand_cut_add_tail(&demand->mesh->cut_demands, demand);
	zlog_warn_limited(
		0,
		"more than %u AFBRs: endpoints of next hop %pIA are left out until others go; see 'show bgp softwire limits' in bgpd",
		MESH_AFBRS_MAX, &demand->next_hop);
}

static bool endpoint_wanted(const struct mesh *mesh,
			    const struct tea_tunnel *tt,
			    const struct demand *demand, struct ipaddr *ep)
{
	if (!tt->usable || !encap_find(tt->type))
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
	if (demand->n_refs >= DEMAND_AFBRS_MAX) {
		demand->refs_cut = true;
		return;
	}
	afbr = afbr_get(demand->mesh, ep);
	if (!afbr) {
		demand_no_afbr(demand);
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

void demand_link_cut(struct mesh *mesh)
{
	size_t n = demand_cut_count(&mesh->cut_demands);
	struct demand *demand;

	for (; n && afbr_table_count(&mesh->afbrs) < MESH_AFBRS_MAX; n--) {
		demand = demand_cut_first(&mesh->cut_demands);
		demand_link(demand); /* to the list's end, if cut again */
		demand_mark_dirty(demand);
	}
}
