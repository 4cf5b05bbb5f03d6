// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which drop policies the mesh needs; see guard/guard.h.
 *
 * A guard that the configuration does not ask for any more stays while a device
 * is there that sends or takes the protocol from that address: devices outlive
 * their softwires by seconds, and those of an earlier run by the grace time. It
 * goes at once when the configuration asks for the protocol in clear.
 */
#include <zebra.h>

#include "swmeshd/swmesh_errors.h"
#include "swmeshd/model/settle.h"
#include "swmeshd/guard/guard.h"
#include "swmeshd/guard/guard_bgp.h"
#include "swmeshd/guard/guard_policy.h"
#include "swmeshd/swmeshd.h"

/* How often it is looked whether the devices have gone, and whether a guard
 * that the kernel refused can be had now. */
#define LOOK_S 1

static struct thread *t_look;

/* A device carries all that its encapsulation can, whatever the payload of the
 * set. */
static unsigned int type_protocols(uint16_t type,
				   uint8_t protocols[ENCAP_PROTOCOLS_MAX])
{
	return encap_find(type)->protocols(PAYLOAD_ALL, protocols);
}

static bool guard_type(const struct ipaddr *source, uint16_t type, char *err,
		       size_t len)
{
	uint8_t protocols[ENCAP_PROTOCOLS_MAX];
	unsigned int n = type_protocols(type, protocols);

	for (unsigned int i = 0; i < n; i++)
		if (!swmesh_xfrm_guard(source, protocols[i], err, len))
			return false;
	return true;
}

bool swmesh_guard_set(struct softwire *sw, char *err, size_t len)
{
	return !sw->security || guard_type(&sw->afbr->mesh->local_source,
					   sw->tunnel.type, err, len);
}

/* ---- which are needed ---- */

enum need {
	NEED_NONE,
	NEED_CLEAR, /* unprotected tunnels use it */
	NEED_GUARD,
};

static enum need need_of(const struct mesh *mesh,
			 const struct xfrm_guard_id *id)
{
	enum need need = NEED_NONE;
	uint8_t protocols[ENCAP_PROTOCOLS_MAX];

	if (ipaddr_cmp(&mesh->local_source, &id->source))
		return NEED_NONE;
	for (unsigned int i = 0; i < mesh->local.n; i++) {
		const struct local_tunnel *t = &mesh->local.t[i];
		unsigned int n = type_protocols(t->tunnel.type, protocols);

		while (n--)
			if (protocols[n] == id->protocol)
				need = MAX(need, t->security[0] ? NEED_GUARD
								: NEED_CLEAR);
	}
	return need;
}

static bool device_left(const struct xfrm_guard_id *id)
{
	const struct encap *encap = encap_of_protocol(id->protocol);

	return encap && swmesh->ops->device_any(&id->source, encap->type);
}

static bool stays(const struct mesh *mesh, const struct xfrm_guard_id *id)
{
	switch (need_of(mesh, id)) {
	case NEED_GUARD:
		return true;
	case NEED_CLEAR:
		return false;
	case NEED_NONE:
		break;
	}
	return (mesh->config.enabled && !swmesh_grace_over()) ||
	       device_left(id);
}

/* True if some of them have to be looked at again. */
static bool remove_unneeded(const struct mesh *mesh)
{
	struct xfrm_guard_id ids[XFRM_GUARDS_MAX];
	unsigned int n, kept = 0;
	bool again = false;

	n = swmesh_xfrm_guards(ids, array_size(ids));
	for (unsigned int i = 0; i < n; i++) {
		if (!stays(mesh, &ids[i]))
			continue;
		again |= need_of(mesh, &ids[i]) == NEED_NONE;
		ids[kept++] = ids[i];
	}
	if (kept < n)
		swmesh_xfrm_guard_only(ids, kept);
	return again;
}

static bool install_needed(const struct mesh *mesh)
{
	char err[MESH_REASON_LEN];
	bool ok = true;

	for (unsigned int i = 0; i < mesh->local.n; i++) {
		const struct local_tunnel *t = &mesh->local.t[i];

		if (t->security[0] &&
		    !guard_type(&mesh->local_source, t->tunnel.type, err,
				sizeof(err)))
			ok = false;
	}
	return ok;
}

static void look(struct thread *t)
{
	bool again = !install_needed(swmesh);

	again |= remove_unneeded(swmesh);
	if (again)
		thread_add_timer(master, look, NULL, LOOK_S, &t_look);
}

void swmesh_guard_config_changed(struct mesh *mesh)
{
	/* Refusals are told by guard_set(), of the softwires concerned. */
	bool again = !install_needed(mesh);

	/* What devices still use is removed a moment later: they have not yet
	 * been told to go. */
	again |= remove_unneeded(mesh);
	if (again && !t_look)
		thread_add_timer(master, look, NULL, LOOK_S, &t_look);
	guard_bgp_config_changed();
}

void swmesh_guard_sweep(void)
{
	THREAD_OFF(t_look);
	look(NULL);
}

void swmesh_guard_stop(void)
{
	THREAD_OFF(t_look);
	guard_bgp_stop();
	swmesh_xfrm_guard_stop();
}
