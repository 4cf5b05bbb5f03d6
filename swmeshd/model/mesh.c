// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The mesh as a whole: configuration to model, and the one place where what was
 * marked is brought up to date, once a pass of the event loop however much came
 * in.
 */
#include <zebra.h>

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/model/model.h"
#include "swmeshd/swmesh_slice.h"

#define DEFAULT_NHOP_PREFIX "fd53:574d:4553:4800::/64"

void mesh_init(struct mesh *mesh, const struct mesh_ops *ops)
{
	memset(mesh, 0, sizeof(*mesh));
	mesh->ops = ops;
	str2prefix_ipv6(DEFAULT_NHOP_PREFIX, &mesh->config.nhop_prefix);
	mesh->config.handshakes = HANDSHAKES_DEFAULT;
	encap_sets_init(&mesh->sets);
	securities_init(&mesh->securities);
	afbr_table_init(&mesh->afbrs);
	demand_table_init(&mesh->demands);
	afbr_dirty_init(&mesh->dirty_afbrs);
	demand_dirty_init(&mesh->dirty_demands);
	demand_cut_init(&mesh->cut_demands);
}

void mesh_fini(struct mesh *mesh)
{
	struct demand *demand;

	while ((demand = demand_table_first(&mesh->demands)))
		demand_del(demand);
	mesh->syncing = false;
	mesh_run(mesh); /* AFBRs go with the last demand */
	encap_sets_del_all(&mesh->sets);
	encap_sets_fini(&mesh->sets);
	securities_clear(&mesh->securities);
	securities_fini(&mesh->securities);
	afbr_table_fini(&mesh->afbrs);
	demand_table_fini(&mesh->demands);
}

void mesh_config_changed(struct mesh *mesh)
{
	mesh->config_dirty = true;
	mesh->ops->schedule(mesh);
}

void mesh_source(struct mesh *mesh, bool ok)
{
	struct afbr *afbr;

	if (mesh->source_known && mesh->source_ok == ok)
		return;
	mesh->source_known = true;
	mesh->source_ok = ok;
	/* What was compiled meanwhile was compiled without it. This marks all
	 * AFBRs and demands, too.
	 */
	if (ok) {
		mesh_config_changed(mesh);
		return;
	}
	frr_each (afbr_table, &mesh->afbrs, afbr) {
		afbr_mark_dirty(afbr);
		afbr_mark_demands(afbr);
	}
}

enum mesh_status mesh_status(const struct mesh *mesh)
{
	if (!mesh->config.enabled)
		return MESH_DISABLED;
	if (IS_IPADDR_NONE(&mesh->config.source))
		return MESH_NO_SOURCE;
	return mesh->source_ok ? MESH_READY : MESH_WAIT_ADDRESS;
}

const char *mesh_status_name(enum mesh_status status)
{
	switch (status) {
	case MESH_DISABLED:
		return "disabled";
	case MESH_NO_SOURCE:
		return "no-source";
	case MESH_WAIT_ADDRESS:
		return "waiting-for-address";
	case MESH_READY:
		return "ready";
	}
	return "unknown";
}

/* A commit that names a security that is not there is refused; should it
 * happen all the same, nothing may go out in clear for it. */
static void drop_unsecured(struct mesh *mesh)
{
	struct local_tunnels *local = &mesh->local;
	unsigned int n = 0;

	for (unsigned int i = 0; i < local->n; i++)
		if (!local->t[i].security[0] ||
		    security_find(&mesh->securities, local->t[i].security))
			local->t[n++] = local->t[i];
	local->n = n;
}

/* Configuration to what follows from it. */
static void mesh_reconfigure(struct mesh *mesh)
{
	const char *announce = mesh->config.announce;
	bool active =
		mesh->config.enabled && !IS_IPADDR_NONE(&mesh->config.source);
	struct ipaddr source = {};
	struct demand *demand;
	struct afbr *afbr;
	bool relink;

	if (active) {
		source = mesh->config.source;
		encap_order(&mesh->sets, announce, 0, &mesh->local);
		drop_unsecured(mesh);
		encap_order(&mesh->sets, announce, PAYLOAD_IPV4,
			    &mesh->order_ipv4);
		encap_order(&mesh->sets, announce, PAYLOAD_IPV6,
			    &mesh->order_ipv6);
	} else
		mesh->local.n = mesh->order_ipv4.n = mesh->order_ipv6.n = 0;
	relink = ipaddr_cmp(&source, &mesh->local_source) != 0;
	mesh->local_source = source;

	frr_each_safe (demand_table, &mesh->demands, demand) {
		if (relink)
			demand_link(demand);
		demand_mark_dirty(demand);
	}
	frr_each (afbr_table, &mesh->afbrs, afbr)
		afbr_mark_dirty(afbr);
	mesh->ops->config_changed(mesh);
}

void mesh_run(struct mesh *mesh)
{
	while (!mesh_run_slice(mesh))
		;
}

bool mesh_run_slice(struct mesh *mesh)
{
	struct timeval began;
	struct demand *demand;
	struct afbr *afbr;

	monotime(&began);
	if (mesh->config_dirty) {
		mesh->config_dirty = false;
		mesh_reconfigure(mesh);
	}
	if (mesh->syncing)
		return true; /* half of the demands would be judged without the
			      * rest
			      */

	/* Softwires first: what they come to decides the demands. An AFBR can
	 * be marked again only from outside, so both loops end. */
	while ((afbr = afbr_dirty_pop(&mesh->dirty_afbrs))) {
		afbr->dirty = false;
		afbr_update(afbr);
		if (slice_over(&began))
			return false;
	}
	demand_link_cut(mesh); /* marks what the next pass has to look at */
	while ((demand = demand_dirty_pop(&mesh->dirty_demands))) {
		demand->dirty = false;
		demand_choose(demand);
		if (slice_over(&began))
			return false;
	}
	return true;
}
