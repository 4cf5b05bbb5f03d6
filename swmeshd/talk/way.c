// SPDX-License-Identifier: GPL-2.0-or-later
/* The ways to the endpoints; see talk/way.h. */
#include <zebra.h>

#include <net/if.h>

#include "if.h"
#include "memory.h"
#include "plist.h"
#include "thread.h"
#include "vrf.h"
#include "zclient.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/talk/way.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, TRACKER, "Tracked endpoint");
DEFINE_MTYPE_STATIC(SWMESHD, TRACKER_LEGS, "Ways to a tracked endpoint");

/* zebra tells addresses one by one, and each look is at all AFBRs. */
#define CHECK_MS 50

/* An interface that packets to the endpoint may leave by. */
struct leg {
	ifindex_t ifindex;
	vrf_id_t vrf_id;
	bool softwire;
};

/* What next-hop tracking said last: each interface once, all of them. */
struct tracker {
	unsigned int n;
	struct leg *legs;
};

static struct thread *t_check;

/* ---- interfaces ---- */

static struct interface *leg_interface(const struct leg *leg)
{
	/* zebra tells us the interfaces of this VRF alone. */
	return leg->vrf_id == VRF_DEFAULT
		       ? if_lookup_by_index(leg->ifindex, VRF_DEFAULT)
		       : NULL;
}

/* buf, of INTERFACE_NAMSIZ, is returned; empty: there is none. */
static const char *leg_name(const struct leg *leg, char *buf)
{
	const struct interface *ifp = leg_interface(leg);

	buf[0] = '\0';
	if (ifp)
		strlcpy(buf, ifp->name, INTERFACE_NAMSIZ);
	else if (leg->vrf_id != VRF_DEFAULT &&
		 !if_indextoname(leg->ifindex, buf))
		buf[0] = '\0';
	return buf;
}

static uint32_t leg_mtu(const struct leg *leg, int family)
{
	const struct interface *ifp = leg_interface(leg);

	if (!ifp)
		return 0;
	return family == AF_INET6 && ifp->mtu6 ? ifp->mtu6 : ifp->mtu;
}

/* The smallest MTU of all ways: packets may take any. */
static uint32_t path_mtu(const struct afbr *afbr)
{
	const struct tracker *tracker = afbr->tracker;
	uint32_t mtu = 0, one;

	for (unsigned int i = 0; i < tracker->n; i++) {
		one = leg_mtu(&tracker->legs[i], ipaddr_family(&afbr->addr));
		if (one && (!mtu || one < mtu))
			mtu = one;
	}
	return mtu;
}

/* ---- do they lead through the core ---- */

static void describe_leg(const struct leg *leg, int core,
			 struct transit_leg *out)
{
	struct interface *ifp = leg_interface(leg);
	struct connected *c;
	struct listnode *node;

	memset(out, 0, sizeof(*out));
	leg_name(leg, out->ifname);
	out->foreign = leg->vrf_id != VRF_DEFAULT;
	if (!ifp)
		return;
	out->loopback = if_is_loopback(ifp);
	for (ALL_LIST_ELEMENTS_RO(ifp->connected, node, c)) {
		if (!transit_island_address(c->address, core))
			continue;
		prefix_copy(&out->island, c->address);
		return;
	}
}

static enum transit_verdict listed(const struct afbr *afbr)
{
	const char *name = swmesh->config.transit.prefix_list;
	const struct prefix_list_entry *entry = NULL;
	struct prefix_list *list;
	struct prefix p;

	if (!name[0])
		return TRANSIT_CORE;
	list = prefix_list_lookup(IS_IPADDR_V4(&afbr->addr) ? AFI_IP : AFI_IP6,
				  name);
	if (!list)
		return TRANSIT_NO_LIST;
	swmesh_way_prefix(&afbr->addr, &p);
	/* An address has no length to compare. An empty list permits all by
	 * FRR's rule, without an entry: here it permits nothing, since it is
	 * empty for a moment whenever it is written anew. */
	return prefix_list_apply_ext(list, &entry, &p, true) == PREFIX_PERMIT &&
			       entry
		       ? TRANSIT_CORE
		       : TRANSIT_NOT_LISTED;
}

static void find_fault(const struct afbr *afbr, struct transit_fault *fault)
{
	const struct tracker *tracker = afbr->tracker;
	struct transit_leg leg;

	memset(fault, 0, sizeof(*fault));
	fault->verdict = listed(afbr);
	for (unsigned int i = 0; i < tracker->n; i++) {
		if (tracker->legs[i].softwire)
			continue; /* endpoint_path.recursive tells */
		describe_leg(&tracker->legs[i], ipaddr_family(&afbr->addr),
			     &leg);
		transit_judge(&swmesh->config.transit, &leg, fault);
	}
	if (!tracker->n && fault->verdict == TRANSIT_CORE)
		fault->verdict = TRANSIT_NO_INTERFACE;
}

/* ---- what zebra says ---- */

static bool through_softwire(const struct zapi_nexthop *nh)
{
	struct prefix gate = {.family = AF_INET6, .prefixlen = IPV6_MAX_BITLEN};

	if (nh->ifindex && swmesh->ops->device_ours(nh->ifindex))
		return true;
	if (nh->type != NEXTHOP_TYPE_IPV6 &&
	    nh->type != NEXTHOP_TYPE_IPV6_IFINDEX)
		return false;
	gate.u.prefix6 = nh->gate.ipv6;
	return prefix_match((const struct prefix *)&swmesh->config.nhop_prefix,
			    &gate);
}

static void describe_way(const struct zapi_nexthop *nh, char *buf, size_t len)
{
	struct leg leg = {.ifindex = nh->ifindex, .vrf_id = nh->vrf_id};
	char name[INTERFACE_NAMSIZ] = "";

	if (nh->ifindex)
		leg_name(&leg, name);
	switch (nh->type) {
	case NEXTHOP_TYPE_IPV4:
	case NEXTHOP_TYPE_IPV4_IFINDEX:
		snprintfrr(buf, len, "%pI4 %s", &nh->gate.ipv4, name);
		break;
	case NEXTHOP_TYPE_IPV6:
	case NEXTHOP_TYPE_IPV6_IFINDEX:
		snprintfrr(buf, len, "%pI6 %s", &nh->gate.ipv6, name);
		break;
	case NEXTHOP_TYPE_IFINDEX:
		strlcpy(buf, name, len);
		break;
	case NEXTHOP_TYPE_BLACKHOLE:
		strlcpy(buf, "blackhole", len);
		break;
	}
}

static void add_leg(struct tracker *tracker, const struct zapi_nexthop *nh)
{
	struct leg *leg;

	for (unsigned int i = 0; i < tracker->n; i++) {
		leg = &tracker->legs[i];
		if (leg->ifindex == nh->ifindex && leg->vrf_id == nh->vrf_id)
			return;
	}
	leg = &tracker->legs[tracker->n++];
	leg->ifindex = nh->ifindex;
	leg->vrf_id = nh->vrf_id;
	leg->softwire = swmesh->ops->device_ours(nh->ifindex);
}

void swmesh_way_told(struct afbr *afbr, const struct zapi_route *nhr)
{
	struct tracker *tracker = afbr->tracker;
	struct endpoint_path path;

	memset(&path, 0, sizeof(path)); /* compared as octets */
	path.known = true;
	tracker->n = 0;
	tracker->legs =
		XREALLOC(MTYPE_TRACKER_LEGS, tracker->legs,
			 MAX(nhr->nexthop_num, 1) * sizeof(*tracker->legs));
	for (unsigned int i = 0; i < nhr->nexthop_num; i++) {
		const struct zapi_nexthop *nh = &nhr->nexthops[i];

		if (through_softwire(nh)) {
			path.recursive = true;
			describe_way(nh, path.via, sizeof(path.via));
		}
		if (nh->type == NEXTHOP_TYPE_BLACKHOLE)
			continue;
		if (!path.via[0])
			describe_way(nh, path.via, sizeof(path.via));
		path.reachable = true;
		/* One without an interface is resolved by the ones that follow
		 * it. */
		if (nh->ifindex)
			add_leg(tracker, nh);
	}
	if (path.reachable)
		find_fault(afbr, &path.fault);
	path.mtu = path_mtu(afbr);
	DEBUGD(&swmesh_dbg_zebra, "zebra: %pIA by %pFX, %u next hops, MTU %u%s",
	       &afbr->addr, &nhr->prefix, nhr->nexthop_num, path.mtu,
	       path.recursive ? ", recursive" : "");
	afbr_path(afbr, &path);
}

void swmesh_way_prefix(const struct ipaddr *addr, struct prefix *p)
{
	memset(p, 0, sizeof(*p));
	p->family = ipaddr_family(addr);
	p->prefixlen = p->family == AF_INET ? IPV4_MAX_BITLEN : IPV6_MAX_BITLEN;
	if (p->family == AF_INET)
		p->u.prefix4 = addr->ipaddr_v4;
	else
		p->u.prefix6 = addr->ipaddr_v6;
}

/* ---- what else they depend on ---- */

void swmesh_way_check(void)
{
	struct endpoint_path path;
	struct afbr *afbr;

	THREAD_OFF(t_check);
	frr_each (afbr_table, &swmesh->afbrs, afbr) {
		if (!afbr->path.reachable)
			continue;
		memcpy(&path, &afbr->path, sizeof(path));
		find_fault(afbr, &path.fault);
		path.mtu = path_mtu(afbr);
		afbr_path(afbr, &path);
	}
}

static void check(struct thread *t)
{
	swmesh_way_check();
}

void swmesh_way_check_later(void)
{
	thread_add_timer_msec(master, check, NULL, CHECK_MS, &t_check);
}

static void list_changed(struct prefix_list *list)
{
	if (!strcmp(prefix_list_name(list), swmesh->config.transit.prefix_list))
		swmesh_way_check_later();
}

void swmesh_way_init(void)
{
	prefix_list_add_hook(list_changed);
	prefix_list_delete_hook(list_changed);
}

void swmesh_way_stop(void)
{
	THREAD_OFF(t_check);
	prefix_list_add_hook(NULL);
	prefix_list_delete_hook(NULL);
}

void swmesh_way_new(struct afbr *afbr)
{
	afbr->tracker = XCALLOC(MTYPE_TRACKER, sizeof(struct tracker));
}

void swmesh_way_free(struct afbr *afbr)
{
	struct tracker *tracker = afbr->tracker;

	XFREE(MTYPE_TRACKER_LEGS, tracker->legs);
	XFREE(MTYPE_TRACKER, afbr->tracker);
}
