// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The elements of the table's sets: what the mesh asks for, against what the
 * kernel has been given. Of swmesh_filter.c, which decides when.
 */
#include <zebra.h>

#include "memory.h"
#include "monotime.h"

#include "swmeshd/swmesh_filter_priv.h"
#include "swmeshd/swmesh_kernel.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, FILTER_ELEMENT, "Filter element");

static struct filter_elements_head elements;

static void want(const struct filter_element *key)
{
	struct filter_element *e = filter_elements_find(&elements, key);

	if (!e) {
		e = XCALLOC(MTYPE_FILTER_ELEMENT, sizeof(*e));
		*e = *key;
		filter_elements_add(&elements, e);
	}
	e->wanted = true;
	e->unwanted_since = 0;
}

/* One for its protocol, or two; its device; its own address. */
#define SOFTWIRE_ELEMENTS_MAX 4

/* What lets in what the AFBR sends by it: what we announced for it, it may. */
static unsigned int
softwire_elements(const struct softwire *sw, int ifindex,
		  struct filter_element out[SOFTWIRE_ELEMENTS_MAX])
{
	struct filter_element e = {.addr = sw->afbr->addr};
	uint8_t payload, protocols[2];
	unsigned int n = 0, n_protocols = 0;

	if (sw->tunnel.type == TEA_TYPE_GRE) {
		protocols[n_protocols++] = IPPROTO_GRE;
	} else {
		payload = mesh_local_payload(sw->afbr->mesh, &sw->tunnel);
		if (payload & PAYLOAD_IPV4)
			protocols[n_protocols++] = IPPROTO_IPIP;
		if (payload & PAYLOAD_IPV6)
			protocols[n_protocols++] = IPPROTO_IPV6;
	}
	e.set = sw->security ? FILTER_SET_PROTECTED : FILTER_SET_OPEN;
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
	int ifindex = swmesh_kernel_device_ifindex(sw);
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
		ifindex = swmesh_kernel_device_ifindex(sw);
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

bool filter_elements_want(struct mesh *mesh)
{
	time_t now = monotime(NULL);
	struct filter_element *e;
	struct afbr *afbr;
	bool lingering = false;

	frr_each (filter_elements, &elements, e)
		e->wanted = e->put = false;
	frr_each (afbr_table, &mesh->afbrs, afbr)
		want_afbr(afbr);
	frr_each (filter_elements, &elements, e) {
		if (e->wanted)
			continue;
		if (!e->unwanted_since)
			e->unwanted_since = now;
		if (now - e->unwanted_since < FILTER_LINGER_S && !superseded(e))
			lingering = true;
		else
			e->unwanted_since = 1; /* long over */
	}
	frr_each (filter_elements, &elements, e)
		if (e->unwanted_since > 1)
			e->wanted = true;
	return lingering;
}

static unsigned int put_set(struct filter_text *text, int family,
			    enum filter_set set, bool all, bool del,
			    unsigned int max)
{
	struct filter_element *e;
	unsigned int n = 0;

	frr_each (filter_elements, &elements, e) {
		if (n == max)
			break;
		if (e->set != set || e->wanted == del)
			continue;
		if (!all && e->installed != del)
			continue;
		if (!n)
			filter_text_elements(text, del ? "delete" : "add", set,
					     family);
		filter_text_element(text, e, n == 0);
		e->put = true;
		n++;
	}
	if (n)
		filter_text_end(text);
	return n;
}

void filter_elements_put_all(struct filter_text *text, int family)
{
	struct filter_element *e;

	for (unsigned int set = 0; set < FILTER_SETS; set++)
		put_set(text, family, set, true, false, UINT_MAX);
	frr_each (filter_elements, &elements, e)
		e->put = true; /* those that are left out, too */
}

/* First what lets in: an AFBR that changes from one set to the other is in
 * both for a moment, of which the protected one counts. */
bool filter_elements_put_changes(struct filter_text *text, int family,
				 unsigned int max)
{
	unsigned int n = 0;

	for (int del = 0; del < 2; del++)
		for (unsigned int set = 0; set < FILTER_SETS; set++)
			n += put_set(text, family, set, false, del, max - n);
	return n != 0;
}

bool filter_elements_done(void)
{
	struct filter_element *e;
	bool all = true;

	frr_each_safe (filter_elements, &elements, e) {
		if (e->put)
			e->installed = e->wanted;
		e->put = false;
		if (e->installed != e->wanted)
			all = false;
		if (e->wanted || e->installed)
			continue;
		filter_elements_del(&elements, e);
		XFREE(MTYPE_FILTER_ELEMENT, e);
	}
	return all;
}

void filter_elements_clear(void)
{
	struct filter_element *e;

	while ((e = filter_elements_pop(&elements)))
		XFREE(MTYPE_FILTER_ELEMENT, e);
}
