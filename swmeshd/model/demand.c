// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Demands: what bgpd's module asks for. One for each distinct pair of BGP next
 * hop and Tunnel Encapsulation attribute, however many routes there are.
 */
#include <zebra.h>

#include "jhash.h"
#include "memory.h"
#include "monotime.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/model/model.h"
#include "swmeshd/model/select.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, DEMAND, "Demand");
DEFINE_MTYPE_STATIC(SWMESHD, DEMAND_TEXT, "Demand's refusal");

struct demand *demand_get(struct mesh *mesh, const struct in6_addr *sw_nhop)
{
	struct demand *demand = demand_find(mesh, sw_nhop);

	if (demand)
		return demand;
	if (demand_table_count(&mesh->demands) >= MESH_DEMANDS_MAX)
		return NULL;
	demand = XCALLOC(MTYPE_DEMAND, sizeof(*demand));
	demand->mesh = mesh;
	demand->sw_nhop = *sw_nhop;
	demand->pending = true;
	demand->since = monotime(NULL);
	demand_table_add(&mesh->demands, demand);
	return demand;
}

/*
 * The module has judged the attribute by its own configuration, martian
 * endpoints included; here only the types that we can make count.
 */
static void demand_decode(struct demand *demand, const uint8_t *tea, size_t len)
{
	struct tea_opts opts = tea_opts_default;

	opts.usable = encap_types();
	opts.allow_martian = true;
	tea_free(&demand->tea);
	tea_decode(tea, len, &opts, &demand->tea);
}

static bool demand_same(const struct demand *demand,
			const struct ipaddr *next_hop, const uint8_t *tea,
			size_t len, const char *refused)
{
	return !ipaddr_cmp(&demand->next_hop, next_hop) &&
	       demand->tea.wire_len == len &&
	       (!len || !memcmp(demand->tea.wire, tea, len)) &&
	       !strcmp(demand->refused ? demand->refused : "", refused);
}

bool demand_update(struct demand *demand, const struct ipaddr *next_hop,
		   const uint8_t *tea, size_t tea_len, uint32_t routes_ipv4,
		   uint32_t routes_ipv6, const char *refused)
{
	uint8_t payload = demand_payload(demand);

	demand->marked = false;
	demand->mesh->ops->stale_cancel(demand);
	demand->routes_ipv4 = routes_ipv4;
	demand->routes_ipv6 = routes_ipv6;
	if (demand_same(demand, next_hop, tea, tea_len, refused)) {
		if (payload == demand_payload(demand))
			return false;
		demand_mark_dirty(demand);
		return true;
	}
	demand->next_hop = *next_hop;
	XFREE(MTYPE_DEMAND_TEXT, demand->refused);
	if (refused[0])
		demand->refused = XSTRDUP(MTYPE_DEMAND_TEXT, refused);
	demand_decode(demand, tea, tea_len);
	demand_link(demand);
	demand_mark_dirty(demand);
	return true;
}

static void demand_set_via(struct demand *demand, struct softwire *sw)
{
	if (demand->via == sw)
		return;
	if (demand->via)
		softwire_users_del(&demand->via->users, demand);
	demand->via = sw;
	if (sw)
		softwire_users_add_tail(&sw->users, demand);
	else
		demand->route_in = false;
	demand->since = monotime(NULL);
}

static void route_in(struct demand *demand)
{
	demand->route_in = true;
	softwire_event(demand->via, SOFTWIRE_EV_ROUTE_IN, NULL);
}

static bool names(const struct demand *demand, const struct afbr *afbr)
{
	for (unsigned int i = 0; i < demand->n_refs; i++)
		if (demand->refs[i].afbr == afbr)
			return true;
	return false;
}

/* Until there is a verdict; but not to an AFBR of the pair that had this
 * SW-NHOP before: a bgpd that starts may give it to another one. */
static bool may_go_on(const struct demand *demand)
{
	const struct softwire *sw = demand->via;

	return demand->pending || (sw && sw->state == SOFTWIRE_UP &&
				   demand->route_in && names(demand, sw->afbr));
}

void demand_choose(struct demand *demand)
{
	static struct selection sel; /* too large for comfort on the stack */
	char reason[MESH_REASON_LEN] = "";
	const struct candidate *c = NULL;
	struct softwire *before = demand->via;
	bool was_up = demand_up(demand);

	select_tunnel(demand, &sel);
	if (sel.pending) {
		/* Something better is on its way, or nothing is known yet: what
		 * carries packets goes on, be it from an earlier run. */
		if (may_go_on(demand)) {
			if (!before)
				strlcpy(demand->reason, "waiting",
					sizeof(demand->reason));
			return;
		}
	}
	if (sel.chosen < sel.n)
		c = &sel.c[sel.chosen];
	else
		selection_reason(demand, &sel, reason, sizeof(reason));
	demand->pending = false;
	demand->via_type = c ? c->type : 0;
	demand->via_has_key = c && c->has_key;
	demand->via_key = c ? c->key : 0;
	demand_set_via(demand, c ? c->sw : NULL);
	if (demand->mesh->ops->route_set(demand, demand->via))
		route_in(demand);
	/* What it now waits for is told to the module when it is answered. */
	if (demand->via && !demand->route_in) {
		strlcpy(demand->reason, "its route is not in the kernel yet",
			sizeof(demand->reason));
		return;
	}
	if (before != demand->via || was_up != demand_up(demand) ||
	    strcmp(reason, demand->reason)) {
		strlcpy(demand->reason, reason, sizeof(demand->reason));
		demand->mesh->ops->demand_changed(demand);
	}
}

bool demand_up(const struct demand *demand)
{
	return demand->via && demand->route_in;
}

void demand_route_in(struct demand *demand)
{
	bool was_up = demand_up(demand);

	if (!demand->via)
		return;
	route_in(demand);
	if (was_up)
		return;
	demand->reason[0] = '\0';
	demand->mesh->ops->demand_changed(demand);
}

void demand_route_refused(struct demand *demand, const char *why)
{
	demand->route_in = false;
	if (demand->via)
		softwire_event(demand->via, SOFTWIRE_EV_ROUTE_REFUSED, why);
}

void demand_del(struct demand *demand)
{
	struct mesh *mesh = demand->mesh;

	mesh->ops->stale_cancel(demand);
	demand->refused = demand->refused ? demand->refused
					  : XSTRDUP(MTYPE_DEMAND_TEXT, "gone");
	demand_link(demand); /* refused: names no endpoint */
	demand_set_via(demand, NULL);
	mesh->ops->route_release(demand);
	if (demand->dirty)
		demand_dirty_del(&mesh->dirty_demands, demand);
	demand_table_del(&mesh->demands, demand);
	tea_free(&demand->tea);
	XFREE(MTYPE_DEMAND_TEXT, demand->refused);
	XFREE(MTYPE_DEMAND, demand);
}
