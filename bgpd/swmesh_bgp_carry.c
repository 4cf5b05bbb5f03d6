// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attribute 23 through bgpd's RIB (B8, T1-T11 unchanged).
 *
 * bgpd carries an attribute it does not know, octet for octet, in
 * attr->transit, and announces it so.  It does know 23, though, so _rx has
 * given the attribute a stand-in type with a mark; here 23 is put back.  That
 * is done once bgpd_update() has stored the path, and before anything else of
 * bgpd can run (swmesh_post()): the stand-in is never announced.  The same
 * exchange is made for whatever goes to a neighbor (_filter), as a second lock.
 *
 * A transit is found by a hash over its octets, so its octets never change in
 * place: the path gets another attr.
 */

#include <zebra.h>

#include "lib/hook.h"

#include "bgpd/bgpd.h"
#include "bgpd/bgp_advertise.h"
#include "bgpd/bgp_attr.h"
#include "bgpd/bgp_memory.h"
#include "bgpd/bgp_mplsvpn.h"
#include "bgpd/bgp_route.h"
#include "bgpd/bgp_table.h"

#include "bgpd/swmesh_bgp.h"
#include "bgpd/swmesh_update.h"

DEFINE_MTYPE_STATIC(SWMESH, SWMESH_PENDING, "Paths to mend");

/* A destination that this packet's update has touched; locked. */
struct touched {
	struct bgp_dest *dest;
	/* The path that may have got a new attr, and the one it had before;
	 * both with a reference of ours.  NULL: nothing to compare. */
	struct bgp_path_info *pi;
	struct attr *before;
};

static struct touched *pending;
static size_t n_pending, pending_size;
static bool carrying;

/* The last exchange, with a reference to both: the routes of one UPDATE share
 * one attr. */
static struct attr *last_from, *last_to;

bool swmesh_transit_find(const struct transit *transit,
			 struct swmesh_found *found)
{
	size_t at = 0;
	struct tea_attr attr;

	if (!transit)
		return false;
	while (tea_attr_read(transit->val + at, transit->length - at, &attr)) {
		found->marked = update_is_marked(attr.flags, attr.type);
		if (found->marked || attr.type == TEA_ATTR_TYPE) {
			found->value = attr.value;
			found->len = attr.len;
			found->at = at;
			found->total = attr.total;
			return true;
		}
		at += attr.total;
	}
	return false;
}

static struct transit *transit_new(size_t size)
{
	struct transit *transit = XCALLOC(MTYPE_TRANSIT, sizeof(*transit));

	transit->val = XMALLOC(MTYPE_TRANSIT_VAL, size);
	return transit;
}

void swmesh_transit_free(struct transit *transit)
{
	XFREE(MTYPE_TRANSIT_VAL, transit->val);
	XFREE(MTYPE_TRANSIT, transit);
}

static void transit_add(struct transit *transit, const uint8_t *attr,
			size_t len)
{
	memcpy(transit->val + transit->length, attr, len);
	transit->length += len;
}

struct transit *swmesh_transit_restore(const struct transit *from)
{
	struct transit *to = transit_new(from->length);
	size_t at = 0;
	struct tea_attr attr;

	transit_add(to, from->val, from->length);
	while (tea_attr_read(to->val + at, to->length - at, &attr)) {
		uint8_t *p = to->val + at;

		/* bgp_attr_unknown() has set Partial; the mark tells whether
		 * it was set before. */
		if (update_is_marked(attr.flags, attr.type)) {
			if ((attr.flags & UPDATE_MARK_MASK) == UPDATE_MARK)
				p[0] &= ~TEA_ATTR_PARTIAL;
			p[0] &= ~UPDATE_MARK_MASK;
			p[1] = TEA_ATTR_TYPE;
		}
		at += attr.total;
	}
	return to;
}

struct transit *swmesh_transit_replace(const struct transit *from,
				       const uint8_t *tea, size_t len)
{
	size_t from_len = from ? (size_t)from->length : 0;
	struct transit *to = transit_new(from_len + len + 1);
	size_t at = 0;
	struct tea_attr attr;

	while (from && tea_attr_read(from->val + at, from_len - at, &attr)) {
		if (attr.type != TEA_ATTR_TYPE &&
		    !update_is_marked(attr.flags, attr.type))
			transit_add(to, from->val + at, attr.total);
		at += attr.total;
	}
	if (len)
		transit_add(to, tea, len);
	if (to->length)
		return to;
	swmesh_transit_free(to);
	return NULL;
}

static void forget_last(void)
{
	if (last_from)
		bgp_attr_unintern(&last_from);
	if (last_to)
		bgp_attr_unintern(&last_to);
	last_from = NULL;
	last_to = NULL;
}

/*
 * Both are known and held, and differ in the transit alone: all other parts
 * keep their number of references, and none of these four falls to zero.
 */
static void exchange_last(struct attr **slot)
{
	last_from->refcnt--;
	last_from->transit->refcnt--;
	last_to->refcnt++;
	last_to->transit->refcnt++;
	*slot = last_to;
}

static bool mend(struct attr **slot)
{
	struct attr *from = *slot;
	struct swmesh_found found;
	struct attr copy;

	if (!from || !from->transit)
		return false;
	if (from != last_from) {
		if (!swmesh_transit_find(from->transit, &found) ||
		    !found.marked)
			return false;
		copy = *from;
		copy.transit = swmesh_transit_restore(from->transit);
		forget_last();
		last_from = bgp_attr_intern(from);
		last_to = bgp_attr_intern(&copy);
	}
	exchange_last(slot);
	return true;
}

static void mend_adj_in(struct bgp_dest *dest)
{
	for (struct bgp_adj_in *in = dest->adj_in; in; in = in->next)
		mend(&in->attr);
}

/*
 * bgp_update() has shown the path to the VPN tables just before, when VRFs
 * leak into each other: show it again, as bgp_route.c:4545 does.
 */
static void leak_again(struct bgp_dest *dest, struct bgp_path_info *pi)
{
	struct bgp_table *table = bgp_dest_table(dest);
	struct bgp *bgp = table->bgp;

	if (table->safi != SAFI_UNICAST ||
	    (bgp->inst_type != BGP_INSTANCE_TYPE_VRF &&
	     bgp->inst_type != BGP_INSTANCE_TYPE_DEFAULT))
		return;
	vpn_leak_from_vrf_update(bgp_get_default(), bgp, pi);
}

static void mend_dest(struct bgp_dest *dest)
{
	struct bgp_path_info *pi = bgp_dest_get_bgp_path_info(dest);

	mend_adj_in(dest);
	for (; pi; pi = pi->next)
		if (mend(&pi->attr) && !CHECK_FLAG(pi->flags, BGP_PATH_REMOVED))
			leak_again(dest, pi);
}

/*
 * bgp_update() has compared the old attr with one that had the stand-in, and
 * called the path changed (bgp_route.c:4179).  If it is not, neither best path
 * nor zebra need know: a route refresh leaves everything as it was.
 */
static void compare(struct touched *t)
{
	if (!t->pi)
		return;
	if (t->pi->attr == t->before &&
	    !CHECK_FLAG(t->pi->flags, BGP_PATH_REMOVED))
		UNSET_FLAG(t->pi->flags, BGP_PATH_ATTR_CHANGED);
	bgp_attr_unintern(&t->before);
	bgp_path_info_unlock(t->pi);
}

static void flush_pending(void)
{
	for (size_t i = 0; i < n_pending; i++) {
		mend_dest(pending[i].dest);
		compare(&pending[i]);
		bgp_dest_unlock_node(pending[i].dest);
	}
	n_pending = 0;
}

void swmesh_carry_flush(void)
{
	flush_pending();
	forget_last();
}

void swmesh_carry_packet(bool marked)
{
	flush_pending();
	carrying = marked;
	if (marked)
		swmesh_post();
}

/* The neighbor's path, if it is one that may prove unchanged. */
static struct bgp_path_info *unchanged_path(struct bgp_dest *dest,
					    const struct peer *peer)
{
	struct bgp_path_info *pi = bgp_dest_get_bgp_path_info(dest);
	struct bgp_path_info *found = NULL;

	for (; pi; pi = pi->next) {
		if (pi->peer != peer)
			continue;
		if (found) /* add-path: there is no telling which */
			return NULL;
		found = pi;
	}
	if (!found || !found->attr->transit ||
	    CHECK_FLAG(found->flags, BGP_PATH_REMOVED) ||
	    CHECK_FLAG(found->flags, BGP_PATH_ATTR_CHANGED))
		return NULL;
	return found;
}

static void add_pending(struct bgp_dest *dest, const struct peer *peer)
{
	struct touched *t;

	if (n_pending == pending_size) {
		pending_size = pending_size ? 2 * pending_size : 1024;
		pending = XREALLOC(MTYPE_SWMESH_PENDING, pending,
				   pending_size * sizeof(*pending));
	}
	t = &pending[n_pending++];
	t->dest = bgp_dest_lock_node(dest);
	t->pi = unchanged_path(dest, peer);
	if (!t->pi)
		return;
	bgp_path_info_lock(t->pi);
	t->before = bgp_attr_intern(t->pi->attr);
}

/*
 * From bgp_update(), for each route.  A new path is complete (bgp_route.c:4694)
 * and is mended at once; one that replaces another, or a filtered one, gets
 * its attr after this (bgp_route.c:4181, 4733).
 */
static int route_processed(struct bgp *bgp, afi_t afi, safi_t safi,
			   struct bgp_dest *dest, struct peer *peer,
			   bool withdraw)
{
	if (swmesh_stopping)
		return 0;
	swmesh_nhop_touch();
	if (!carrying)
		return 0;
	if (!withdraw) {
		mend_adj_in(dest);
		mend(&bgp_dest_get_bgp_path_info(dest)->attr);
	} else {
		add_pending(dest, peer);
	}
	return 0;
}

void swmesh_carry_init(void)
{
	hook_register(bgp_process, route_processed);
}

void swmesh_carry_fini(void)
{
	swmesh_carry_flush();
	XFREE(MTYPE_SWMESH_PENDING, pending);
	pending_size = 0;
}
