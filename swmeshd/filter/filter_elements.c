// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The elements of the table's sets: what the mesh asks for, against what the
 * kernel has been given. Of filter/filter.c, which decides when.
 */
#include <zebra.h>

#include "memory.h"
#include "monotime.h"

#include "swmeshd/filter/filter_change.h"
#include "swmeshd/filter/filter_elements.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, FILTER_ELEMENT, "Filter element");

static struct filter_elements_head elements;

/* What the kernel lacks, and what it has that nobody wants. */
static struct {
	struct filter_todo_head list;
	unsigned int put; /* so many from its head are under way */
} to_add = {INIT_DLIST(to_add.list)}, to_delete = {INIT_DLIST(to_delete.list)};

static struct filter_element *get(const struct filter_element *key)
{
	struct filter_element *e = filter_elements_find(&elements, key);

	if (e)
		return e;
	e = XCALLOC(MTYPE_FILTER_ELEMENT, sizeof(*e));
	*e = *key;
	filter_elements_add(&elements, e);
	return e;
}

static void list(struct filter_element *e)
{
	if (e->listed || e->installed == e->stays)
		return;
	e->listed = true;
	filter_todo_add_tail(e->stays ? &to_add.list : &to_delete.list, e);
}

static void want(const struct filter_element *key)
{
	struct filter_element *e = get(key);

	e->wanted = e->stays = true;
	e->found = false;
	e->unwanted_since = 0;
	list(e);
}

static void forget(struct filter_element *e)
{
	filter_elements_del(&elements, e);
	XFREE(MTYPE_FILTER_ELEMENT, e);
}

/* One for its protocol, or two; its device; its own address. */
#define SOFTWIRE_ELEMENTS_MAX 4

/* What lets in what the AFBR sends by it: what we announced for it, it may. */
static unsigned int
softwire_elements(const struct softwire *sw, int ifindex,
		  struct filter_element out[SOFTWIRE_ELEMENTS_MAX])
{
	struct filter_element e = {.addr = sw->afbr->addr};
	uint8_t payload, protocols[ENCAP_PROTOCOLS_MAX];
	unsigned int n = 0, n_protocols;

	payload = mesh_local_payload(sw->afbr->mesh, &sw->tunnel);
	n_protocols =
		encap_find(sw->tunnel.type)->protocols(payload, protocols);
	/* What we may not send in clear is not taken in clear either. */
	e.set = sw->security || sw->clear_refused ? FILTER_SET_PROTECTED
						  : FILTER_SET_OPEN;
	while (n < n_protocols) {
		e.protocol = protocols[n];
		out[n++] = e;
	}
	e.protocol = 0;
	e.ifindex = ifindex;
	e.set = FILTER_SET_OWN;
	out[n++] = e;
	e.set = FILTER_SET_SOFTWIRES;
	memset(&e.addr, 0, sizeof(e.addr));
	out[n++] = e;
	return n;
}

bool filter_elements_in(const struct softwire *sw)
{
	struct filter_element e[SOFTWIRE_ELEMENTS_MAX];
	const struct filter_element *there;
	int ifindex = sw->dev.ifindex;
	unsigned int n;

	if (!ifindex)
		return false;
	n = softwire_elements(sw, ifindex, e);
	for (unsigned int i = 0; i < n; i++) {
		there = filter_elements_find(&elements, &e[i]);
		if (!there || !there->installed)
			return false;
	}
	return true;
}

/* A softwire without a device takes nothing: its packets find the AFBR unknown
 * until the device is there and its inner sources are checked. */
static void want_afbr(struct afbr *afbr)
{
	struct filter_element of_one[SOFTWIRE_ELEMENTS_MAX];
	int ifindexes[LOCAL_TUNNELS_MAX], ifindex;
	struct filter_element e = {.set = FILTER_SET_PAIRS};
	struct softwire *sw;
	unsigned int n = 0, n_of_one;

	frr_each (afbr_softwires, &afbr->softwires, sw) {
		ifindex = sw->dev.ifindex;
		if (!ifindex)
			continue;
		n_of_one = softwire_elements(sw, ifindex, of_one);
		for (unsigned int i = 0; i < n_of_one; i++)
			want(&of_one[i]);
		if (n < array_size(ifindexes))
			ifindexes[n++] = ifindex;
	}
	for (unsigned int i = 0; i < n; i++)
		for (unsigned int j = 0; j < n; j++) {
			if (i == j)
				continue;
			e.ifindex = ifindexes[i];
			e.ifindex2 = ifindexes[j];
			want(&e);
		}
}

/* The AFBR and protocol are in the other one of the two sets now. */
static bool superseded(const struct filter_element *e)
{
	struct filter_element key = *e;
	const struct filter_element *other;

	if (e->set != FILTER_SET_OPEN && e->set != FILTER_SET_PROTECTED)
		return false;
	key.set = e->set == FILTER_SET_OPEN ? FILTER_SET_PROTECTED
					    : FILTER_SET_OPEN;
	other = filter_elements_find(&elements, &key);
	return other && other->wanted;
}

/* Whether the kernel is to have it although the mesh does not ask for it. */
static bool kept(struct filter_element *e, time_t now, bool adopt)
{
	if (superseded(e))
		return false;
	/* Of an earlier run, or of somebody else. */
	if (e->found)
		return adopt;
	if (!e->unwanted_since)
		e->unwanted_since = now;
	return now - e->unwanted_since < FILTER_LINGER_S;
}

/* Of an address that we had: its set is in no rule any more. */
static bool of_other_family(const struct filter_element *e, int family)
{
	return !IS_IPADDR_NONE(&e->addr) && ipaddr_family(&e->addr) != family;
}

static void nothing_to_do(void)
{
	struct filter_element *e;

	while ((e = filter_todo_pop(&to_add.list)))
		e->listed = false;
	while ((e = filter_todo_pop(&to_delete.list)))
		e->listed = false;
	to_add.put = to_delete.put = 0;
}

bool filter_elements_want(struct mesh *mesh, bool adopt)
{
	int family = ipaddr_family(&mesh->local_source);
	time_t now = monotime(NULL);
	struct filter_element *e;
	struct afbr *afbr;
	bool lingering = false;

	nothing_to_do();
	frr_each (filter_elements, &elements, e)
		e->wanted = e->stays = false;
	frr_each (afbr_table, &mesh->afbrs, afbr)
		want_afbr(afbr);
	frr_each_safe (filter_elements, &elements, e) {
		if (e->wanted)
			continue;
		e->stays = kept(e, now, adopt);
		if (of_other_family(e, family) ||
		    (!e->stays && !e->installed)) {
			forget(e);
			continue;
		}
		if (e->stays && !e->found)
			lingering = true;
		list(e);
	}
	return lingering;
}

static unsigned int put(bool add, const struct filter_todo_head *from,
			int family, unsigned int max)
{
	const struct filter_element *e;
	unsigned int i;

	for (unsigned int set = 0; set < FILTER_SETS; set++) {
		i = 0;
		frr_each (filter_todo_const, from, e) {
			if (i++ == max)
				break;
			if (e->set == set)
				filter_change_put(add, e, family);
		}
	}
	return MIN(max, filter_todo_count(from));
}

/* First what lets in: an AFBR that changes from one set to the other is in
 * both for a moment, of which the protected one counts. */
unsigned int filter_elements_put(int family, unsigned int max)
{
	filter_change_begin();
	to_add.put = put(true, &to_add.list, family, max);
	to_delete.put = put(false, &to_delete.list, family, max - to_add.put);
	return to_add.put + to_delete.put;
}

bool filter_elements_done(void)
{
	struct filter_element *e;

	for (; to_add.put; to_add.put--) {
		e = filter_todo_pop(&to_add.list);
		e->listed = false;
		e->installed = true;
	}
	for (; to_delete.put; to_delete.put--)
		forget(filter_todo_pop(&to_delete.list));
	return !filter_todo_count(&to_add.list) &&
	       !filter_todo_count(&to_delete.list);
}

void filter_elements_unknown(void)
{
	struct filter_element *e;

	nothing_to_do();
	frr_each (filter_elements, &elements, e)
		e->installed = false;
}

void filter_elements_found(const struct filter_element *key)
{
	struct filter_element *e = filter_elements_find(&elements, key);

	if (!e) {
		e = get(key);
		e->found = true;
	}
	e->installed = true;
}

void filter_elements_clear(void)
{
	struct filter_element *e;

	nothing_to_do();
	while ((e = filter_elements_pop(&elements)))
		XFREE(MTYPE_FILTER_ELEMENT, e);
}
