// SPDX-License-Identifier: GPL-2.0-or-later
/* charon's events: what they say of SAs goes into the peer's table. */
#include <zebra.h>

#include "lib/vici.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/ike/ike_peer.h"
#include "swmeshd/swmeshd.h"

#define NAME_LEN 128

const char *const ike_events[] = {
	"ike-updown", "ike-rekey", "child-updown", "child-rekey", NULL,
};

/* ---- sections ---- */

/* The one section that is an IKE_SA: its name is that of the connection. */
static struct ike_peer *event_peer(const struct vici_section *msg,
				   struct vici_section *ike)
{
	char name[NAME_LEN];
	struct vici_iter it;
	struct ike_peer *peer;

	vici_each_section(msg, it)
	{
		vici_text(&it.name, name, sizeof(name));
		peer = ike_peer_by_name(name);
		if (!peer)
			continue;
		*ike = it.section;
		return peer;
	}
	return NULL;
}

static bool event_id(const struct vici_section *ike, uint32_t *id)
{
	uint64_t number;

	if (!vici_find_number(ike, "uniqueid", &number) || number > UINT32_MAX)
		return false;
	*id = number;
	return true;
}

/* ---- SAs ---- */

static void ike_down(struct ike_peer *peer, uint32_t id)
{
	struct ike_sa *sa = ike_sa_find(peer, id);
	bool ours = peer->state == IKE_INITIATING && peer->attempt == id;

	if (sa)
		ike_sa_del(peer, sa);
	if (peer->incoming == id) {
		ike_incoming_set(peer, 0);
		ike_yield_end(peer);
		ike_unpin(peer);
	}
	if (ours)
		ike_event(peer, IKE_EV_FAILED);
	ike_check(peer);
}

static void on_ike_updown(const struct vici_section *msg)
{
	bool up = vici_find_is(msg, "up", "yes");
	struct vici_section ike;
	struct ike_peer *peer = event_peer(msg, &ike);
	uint32_t id;

	if (!peer || !event_id(&ike, &id))
		return;
	DEBUGD(&swmesh_dbg_ike, "ike: peer %pIA: IKE_SA %u is %s", &peer->addr,
	       id, up ? "up" : "down");
	if (!up) {
		ike_down(peer, id);
		return;
	}
	ike_sa_read(peer, &ike);
	ike_check(peer);
}

/* The new one is of the same make as the old one. */
static void on_ike_rekey(const struct vici_section *msg)
{
	struct vici_section ike, old, new;
	struct ike_peer *peer = event_peer(msg, &ike);
	struct ike_sa *from, *to;
	uint32_t old_id, new_id;

	if (!peer || !vici_find_section(&ike, "old", &old) ||
	    !vici_find_section(&ike, "new", &new) || !event_id(&old, &old_id) ||
	    !event_id(&new, &new_id))
		return;
	DEBUGD(&swmesh_dbg_ike, "ike: peer %pIA: IKE_SA %u is rekeyed as %u",
	       &peer->addr, old_id, new_id);
	peer->ike_rekeys++;
	/* In this order: the new one may take the place of another. */
	to = ike_sa_read(peer, &new);
	from = ike_sa_find(peer, old_id);
	if (from && to && from != to) {
		from->spi_initiator = to->spi_initiator;
		from->spi_responder = to->spi_responder;
		from->initiator = to->initiator;
		from->rekeys++;
		from->id = new_id;
		strlcpy(from->algorithms, to->algorithms,
			sizeof(from->algorithms));
		ike_sa_del(peer, to);
	} else if (to)
		to->rekeys++;
	ike_check(peer);
}

/* Of a child: its IKE_SA with its number, and the children it is about; NULL:
 * of no peer of ours, or not complete. */
static struct ike_peer *child_event(const struct vici_section *msg,
				    struct vici_section *ike, uint32_t *id,
				    struct vici_section *children)
{
	struct ike_peer *peer = event_peer(msg, ike);

	if (!peer || !event_id(ike, id) ||
	    !vici_find_section(ike, "child-sas", children))
		return NULL;
	return peer;
}

static void on_child_updown(const struct vici_section *msg)
{
	bool up = vici_find_is(msg, "up", "yes");
	struct vici_section ike, children;
	struct vici_iter it;
	struct ike_peer *peer;
	struct ike_sa *sa;
	uint32_t id;

	peer = child_event(msg, &ike, &id, &children);
	if (!peer)
		return;
	sa = up ? ike_sa_read(peer, &ike) : ike_sa_find(peer, id);
	if (!sa)
		return;
	vici_each_section(&children, it)
	{
		ike_child_read(peer, sa, &it.section, !up);
		if (up && peer->incoming == id)
			ike_incoming_set(peer, 0);
	}
	if (up)
		ike_pin_settle(peer);
	ike_peer_kernel(peer);
	ike_check(peer);
}

static void on_child_rekey(const struct vici_section *msg)
{
	struct vici_section ike, children, old, new;
	struct vici_iter it;
	struct ike_peer *peer;
	struct ike_sa *sa;
	uint32_t id;

	peer = child_event(msg, &ike, &id, &children);
	if (!peer)
		return;
	sa = ike_sa_find(peer, id);
	if (!sa)
		sa = ike_sa_read(peer, &ike);
	if (!sa)
		return;
	vici_each_section(&children,
			  it) if (vici_find_section(&it.section, "old", &old) &&
				  vici_find_section(&it.section, "new", &new))
		ike_child_rekeyed(peer, sa, &old, &new);
	ike_peer_kernel(peer);
	ike_check(peer);
}

/* ---- all of them ---- */

static const struct {
	const char *name;
	void (*handle)(const struct vici_section *msg);
} handlers[] = {
	{"ike-updown", on_ike_updown},
	{"ike-rekey", on_ike_rekey},
	{"child-updown", on_child_updown},
	{"child-rekey", on_child_rekey},
};

void ike_vici_event(const char *name, const struct vici_section *msg)
{
	for (unsigned int i = 0; i < array_size(handlers); i++)
		if (!strcmp(handlers[i].name, name))
			handlers[i].handle(msg);
}
