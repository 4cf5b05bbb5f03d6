// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SW-NHOP routes in the kernel: R/128 by the softwire's device while there is
 * one, and the whole prefix unreachable, so that a SW-NHOP without a softwire
 * never resolves by anything else, a default route included (RFC 9012 section
 * 6, B3; doc/module.md tells what the module adds to that). zebra learns them
 * from the kernel.
 */
#include <zebra.h>

#include "jhash.h"
#include "memory.h"

#include "lib/log_limit.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_errors.h"
#include "swmeshd/kernel/kdev.h"
#include "swmeshd/kernel/kroute.h"
#include "swmeshd/kernel/netlink.h"
#include "swmeshd/swmesh_slice.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, KROUTE, "Kernel route");

#define ROUTE_RETRY_MS 1000
/*
 * Of all our routes, so that a change replaces the route; but with a number of
 * its own for each MTU, as a metric is what zebra and bgpd look at: only then
 * do they install the routes that resolve by it anew, which take its MTU.
 */
#define ROUTE_METRIC 1024

static uint32_t route_metric(uint32_t mtu)
{
	if (!mtu)
		return ROUTE_METRIC;
	return mtu < SOFTWIRE_ROUTE_MTU_MAX
		       ? ROUTE_METRIC + SOFTWIRE_ROUTE_MTU_MAX - mtu
		       : ROUTE_METRIC + mtu;
}

PREDECL_HASH(kroute_table);
PREDECL_RBTREE_UNIQ(kroute_device);
PREDECL_DLIST(kroute_check);
struct kroute {
	struct kroute_table_item item;
	struct kroute_device_item device_item; /* with have_ifindex */
	struct prefix_ipv6 dst;
	bool unreachable; /* the prefix route */

	bool owned;    /* the model has a say: it wants it, or none */
	bool dropping; /* freed as soon as the kernel has none */
	bool wanted;
	int want_ifindex;  /* with wanted; 0 for the prefix route */
	uint32_t want_mtu; /* 0: the device's */

	bool present;
	int have_ifindex; /* 0 unless present */
	uint32_t have_mtu;
	/* One with another MTU, and so with another metric, is there as well:
	 * it goes when the right one is there. */
	bool stale;
	uint32_t stale_mtu;
	/* A request is under way; it is over when it has been answered and the
	 * notifications that the kernel sent before the answer have been read,
	 * for they tell in which order it and others changed the route. */
	bool asked, answered;
	bool asked_add;
	int asked_ifindex;
	uint32_t asked_mtu;
	int went_ifindex; /* of a device that was missing once */
	bool marked;	  /* not seen in the dump under way */
	struct thread *t_retry;

	struct kroute_check_item check_item;
	bool checking;
};

static int kroute_cmp(const struct kroute *a, const struct kroute *b)
{
	return prefix_cmp(&a->dst, &b->dst);
}

static uint32_t kroute_hash(const struct kroute *r)
{
	return jhash(&r->dst.prefix, sizeof(r->dst.prefix), r->dst.prefixlen);
}

DECLARE_HASH(kroute_table, struct kroute, item, kroute_cmp, kroute_hash);

/* Those by one device are side by side. */
static int kroute_device_cmp(const struct kroute *a, const struct kroute *b)
{
	int diff = numcmp(a->have_ifindex, b->have_ifindex);

	return diff ? diff : kroute_cmp(a, b);
}

DECLARE_RBTREE_UNIQ(kroute_device, struct kroute, device_item,
		    kroute_device_cmp);
DECLARE_DLIST(kroute_check, struct kroute, check_item);

static struct kroute_table_head kroutes;
static struct kroute_device_head by_device;
static struct kroute_check_head checks;
static struct kroute *prefix_route;

static void kroute_reconcile(struct kroute *r);

static struct kroute *kroute_get(const struct prefix_ipv6 *dst)
{
	struct kroute ref = {}, *r;

	ref.dst = *dst;
	r = kroute_table_find(&kroutes, &ref);
	if (r)
		return r;
	r = XCALLOC(MTYPE_KROUTE, sizeof(*r));
	r->dst = *dst;
	kroute_table_add(&kroutes, r);
	return r;
}

/* ifindex: 0 for the prefix route, and for one that is not there. */
static void set_have(struct kroute *r, bool present, int ifindex)
{
	if (r->have_ifindex)
		kroute_device_del(&by_device, r);
	r->present = present;
	r->have_ifindex = ifindex;
	if (ifindex)
		kroute_device_add(&by_device, r);
}

/* The kernel has it with this MTU no more. */
static void gone(struct kroute *r, uint32_t mtu)
{
	if (r->stale && r->stale_mtu == mtu)
		r->stale = false;
	else if (r->have_mtu == mtu)
		set_have(r, false, 0);
}

static void check_later(struct kroute *r)
{
	if (r->checking)
		return;
	r->checking = true;
	kroute_check_add_tail(&checks, r);
}

/* Frees it if it is nothing to anybody. */
static bool kroute_gc(struct kroute *r)
{
	if ((r->owned && !r->dropping) || r->present || r->stale || r->asked)
		return false;
	THREAD_OFF(r->t_retry);
	if (r->checking)
		kroute_check_del(&checks, r);
	if (r == prefix_route)
		prefix_route = NULL;
	kroute_table_del(&kroutes, r);
	XFREE(MTYPE_KROUTE, r);
	return true;
}

/* ---- requests ---- */

static void retry(struct thread *t)
{
	struct kroute *r = THREAD_ARG(t);

	kroute_reconcile(r);
}

/* As the model wants it. */
static bool is_in(const struct kroute *r)
{
	return r->wanted && r->present && r->have_ifindex == r->want_ifindex &&
	       r->have_mtu == r->want_mtu;
}

/* error: NULL: it is in. */
static void tell_model(const struct kroute *r, const char *error)
{
	struct demand *demand =
		r->unreachable ? NULL : demand_find(swmesh, &r->dst.prefix);

	if (demand && error)
		demand_route_refused(demand, error);
	else if (demand)
		demand_route_in(demand);
}

/* The softwire falls out of use, and so do its others, until it is tried
 * again; the rest (the prefix's route, removal) is tried again here. */
static void refused(struct kroute *r, int err, const char *text)
{
	char error[MESH_REASON_LEN];

	snprintfrr(error, sizeof(error),
		   "the kernel did not let the route %pFX be %s: %s%s%s",
		   &r->dst, r->asked_add ? "added" : "removed", strerror(err),
		   text[0] ? ": " : "", text);
	flog_err_limited(EC_SWMESH_ROUTE, r, "kernel: %s; tried again", error);
	thread_add_timer_msec(master, retry, r, ROUTE_RETRY_MS, &r->t_retry);
	/* ENOBUFS: the answer was lost, and it may be in. */
	if (r->asked_add && r->wanted && err != ENOBUFS)
		tell_model(r, error);
}

/*
 * The device went, or down, after the request had been made: no fault, and the
 * model is about to hear of it. The second time it is a fault.
 */
static bool device_went(struct kroute *r, int err)
{
	bool before = r->went_ifindex == r->asked_ifindex;

	if (!r->asked_add || (err != ENODEV && err != ENETDOWN))
		return false;
	r->went_ifindex = r->asked_ifindex;
	return !before;
}

static void request_done(void *arg, int err, const char *text)
{
	struct kroute *r = arg;

	if (err == ESRCH && !r->asked_add) {
		gone(r, r->asked_mtu);
		err = 0;
	}
	if (!err) {
		r->went_ifindex = 0;
		r->answered = true;
		check_later(r);
		return;
	}
	r->asked = false;
	if (err == EACCES && r->asked_add && kdev_allow_ipv6(r->asked_ifindex))
		kroute_reconcile(r);
	else if (!device_went(r, err))
		refused(r, err, text);
	else if (r->want_ifindex == r->asked_ifindex)
		thread_add_timer_msec(master, retry, r, ROUTE_RETRY_MS,
				      &r->t_retry);
	else
		kroute_reconcile(r);
}

static void put_mtu(struct nlmsghdr *nlh, uint32_t mtu)
{
	struct nlattr *metrics = mnl_attr_nest_start(nlh, RTA_METRICS);

	mnl_attr_put_u32(nlh, RTAX_MTU, mtu);
	mnl_attr_nest_end(nlh, metrics);
}

/* mtu: of the one that is added or removed. */
static void request(struct kroute *r, bool add, uint32_t mtu)
{
	struct nlmsghdr *nlh;
	struct rtmsg *rtm;

	DEBUGD(&swmesh_dbg_kernel, "kernel: %s route %pFX ifindex %d",
	       add ? "add" : "remove", &r->dst, r->want_ifindex);
	r->asked = true;
	r->asked_add = add;
	r->asked_ifindex = add ? r->want_ifindex : 0;
	r->asked_mtu = mtu;
	nl_unit_begin(request_done, r);
	nlh = nl_unit_message(add ? RTM_NEWROUTE : RTM_DELROUTE,
			      add ? NLM_F_CREATE | NLM_F_REPLACE : 0);
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = AF_INET6;
	rtm->rtm_dst_len = r->dst.prefixlen;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = SWMESH_RTPROT;
	rtm->rtm_scope = RT_SCOPE_UNIVERSE;
	rtm->rtm_type = r->unreachable ? RTN_UNREACHABLE : RTN_UNICAST;
	mnl_attr_put(nlh, RTA_DST, sizeof(r->dst.prefix), &r->dst.prefix);
	mnl_attr_put_u32(nlh, RTA_PRIORITY, route_metric(mtu));
	if (add && mtu)
		put_mtu(nlh, mtu);
	if (add && !r->unreachable)
		mnl_attr_put_u32(nlh, RTA_OIF, r->want_ifindex);
	nl_unit_end();
}

static void kroute_reconcile(struct kroute *r)
{
	if (r->asked)
		return; /* looked at again when it is answered */
	THREAD_OFF(r->t_retry);
	if (r->wanted && !is_in(r))
		request(r, true, r->want_mtu);
	else if (r->owned && r->stale)
		request(r, false, r->stale_mtu);
	else if (r->owned && !r->wanted && r->present)
		request(r, false, r->have_mtu);
	else
		kroute_gc(r);
}

static void kroute_drop(struct kroute *r)
{
	r->owned = true;
	r->dropping = true;
	r->wanted = false;
	kroute_reconcile(r);
}

/* ---- what the model wants ---- */

static struct prefix_ipv6 host_prefix(const struct in6_addr *addr)
{
	struct prefix_ipv6 p = {};

	p.family = AF_INET6;
	p.prefixlen = IPV6_MAX_BITLEN;
	p.prefix = *addr;
	return p;
}

/*
 * Less than the device's where the softwire says so. A route that has had an
 * MTU goes on having one, the device's: Linux gives an IPv4 route without one
 * that of an earlier route by the same nexthop object (fib_find_info_nh(), seen
 * with 6.1), and zebra's routes by this one would stay small for good.
 */
static uint32_t mtu_for(const struct kroute *r, const struct softwire *sw)
{
	uint32_t mtu = softwire_route_mtu(sw);

	if (mtu || (!r->want_mtu && !(r->present && r->have_mtu)))
		return mtu;
	mtu = softwire_mtu(sw);
	return mtu ? mtu : r->want_mtu;
}

bool swmesh_kernel_route_set(struct demand *demand, struct softwire *sw)
{
	struct prefix_ipv6 dst = host_prefix(&demand->sw_nhop);
	struct kroute *r = kroute_get(&dst);

	r->owned = true;
	r->dropping = false;
	/* 0: the device has just gone, and the softwire will hear of it. */
	r->want_ifindex = sw ? sw->dev.ifindex : 0;
	r->wanted = r->want_ifindex != 0;
	if (sw)
		r->want_mtu = mtu_for(r, sw);
	kroute_reconcile(r);
	return is_in(r);
}

void swmesh_kernel_route_release(struct demand *demand)
{
	struct prefix_ipv6 dst = host_prefix(&demand->sw_nhop);
	struct kroute ref = {}, *r;

	ref.dst = dst;
	r = kroute_table_find(&kroutes, &ref);
	if (!r)
		return;
	kroute_drop(r);
}

/*
 * The unreachable route of a prefix that is no longer ours stays until bgpd has
 * certainly let go of its SW-NHOPs: their host routes are gone, and by a
 * default route zebra would find another way for what still refers to them
 * (B3).
 */
#define GUARD_S 10

static struct kroute *old_guard;
static struct thread *t_guard;

static void guard_over(struct thread *t)
{
	struct kroute *r = old_guard;

	old_guard = NULL;
	kroute_drop(r);
}

void kroute_prefix(const struct prefix_ipv6 *prefix)
{
	if (prefix_route && prefix && !prefix_cmp(&prefix_route->dst, prefix) &&
	    prefix_route->wanted)
		return;
	if (prefix_route) {
		THREAD_OFF(t_guard);
		if (old_guard)
			guard_over(NULL);
		old_guard = prefix_route;
		prefix_route = NULL;
		thread_add_timer(master, guard_over, NULL, GUARD_S, &t_guard);
	}
	if (!prefix)
		return;
	prefix_route = kroute_get(prefix);
	if (prefix_route == old_guard) {
		THREAD_OFF(t_guard);
		old_guard = NULL;
	}
	prefix_route->unreachable = true;
	prefix_route->owned = prefix_route->wanted = true;
	prefix_route->dropping = false;
	prefix_route->want_ifindex = 0;
	kroute_reconcile(prefix_route);
}

/* ---- what the kernel says ---- */

static int collect(const struct nlattr *attr, void *arg)
{
	const struct nlattr **a = arg;

	if (mnl_attr_get_type(attr) <= RTA_MAX)
		a[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static uint32_t get_mtu(const struct nlattr *metrics)
{
	const struct nlattr *attr;

	if (!metrics)
		return 0;
	mnl_attr_for_each_nested(
		attr, metrics) if (mnl_attr_get_type(attr) == RTAX_MTU &&
				   mnl_attr_validate(attr, MNL_TYPE_U32) >=
					   0) return mnl_attr_get_u32(attr);
	return 0;
}

static bool parse(const struct nlmsghdr *nlh, struct prefix_ipv6 *dst,
		  int *ifindex, uint32_t *mtu)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a[RTA_MAX + 1] = {};
	uint32_t table;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm) ||
	    rtm->rtm_family != AF_INET6 || rtm->rtm_protocol != SWMESH_RTPROT ||
	    rtm->rtm_dst_len > IPV6_MAX_BITLEN)
		return false;
	mnl_attr_parse(nlh, sizeof(*rtm), collect, a);
	table = a[RTA_TABLE] ? mnl_attr_get_u32(a[RTA_TABLE]) : rtm->rtm_table;
	if (table != RT_TABLE_MAIN || !a[RTA_DST] ||
	    mnl_attr_get_payload_len(a[RTA_DST]) != sizeof(dst->prefix))
		return false;
	memset(dst, 0, sizeof(*dst));
	dst->family = AF_INET6;
	dst->prefixlen = rtm->rtm_dst_len;
	memcpy(&dst->prefix, mnl_attr_get_payload(a[RTA_DST]),
	       sizeof(dst->prefix));
	*ifindex = rtm->rtm_type == RTN_UNICAST && a[RTA_OIF]
			   ? (int)mnl_attr_get_u32(a[RTA_OIF])
			   : 0;
	*mtu = get_mtu(a[RTA_METRICS]);
	return true;
}

void kroute_notification(const struct nlmsghdr *nlh)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct prefix_ipv6 dst;
	struct kroute *r;
	uint32_t mtu;
	int ifindex;

	if (!parse(nlh, &dst, &ifindex, &mtu))
		return;
	r = kroute_get(&dst);
	if (nlh->nlmsg_type == RTM_NEWROUTE) {
		/* Two of them: a run ended while it put one for the other. */
		if (r->present && !r->marked && r->have_mtu != mtu) {
			r->stale = true;
			r->stale_mtu = r->have_mtu;
		}
		set_have(r, true, ifindex);
		r->have_mtu = mtu;
		r->unreachable = rtm->rtm_type == RTN_UNREACHABLE;
	} else
		gone(r, mtu);
	r->marked = false;
	check_later(r);
}

void kroute_device_gone(int ifindex)
{
	struct kroute ref = {.have_ifindex = ifindex}, *r;

	while ((r = kroute_device_find_gteq(&by_device, &ref)) &&
	       r->have_ifindex == ifindex) {
		set_have(r, false, 0);
		r->stale = false;
		check_later(r);
	}
}

void kroute_mark(void)
{
	struct kroute *r;

	frr_each (kroute_table, &kroutes, r)
		r->marked = r->present;
}

void kroute_unmarked(void)
{
	struct kroute *r;

	frr_each (kroute_table, &kroutes, r) {
		if (!r->marked)
			continue;
		r->marked = false;
		set_have(r, false, 0);
		check_later(r);
	}
}

bool kroute_idle(void)
{
	struct timeval began;
	struct kroute *r;

	monotime(&began);
	while (!slice_over(&began)) {
		r = kroute_check_pop(&checks);
		if (!r)
			return true;
		r->checking = false;
		if (r->answered)
			r->asked = r->answered = false;
		/* The model sees to those whose device went first. */
		if (r->wanted && r->want_ifindex &&
		    !swmesh_kernel_owns(r->want_ifindex))
			continue;
		if (is_in(r))
			tell_model(r, NULL);
		kroute_reconcile(r);
	}
	return false;
}

/* ---- leftovers ---- */

unsigned int kroute_leftovers(void)
{
	struct kroute *r;
	unsigned int n = 0;

	frr_each (kroute_table, &kroutes, r)
		n += r->present && !r->owned;
	return n;
}

void kroute_sweep(void)
{
	struct kroute *r;

	frr_each_safe (kroute_table, &kroutes, r) {
		if (r->owned)
			continue;
		kroute_drop(r);
	}
}

void kroute_init(void)
{
	kroute_table_init(&kroutes);
	kroute_device_init(&by_device);
	kroute_check_init(&checks);
}

void kroute_stop(void)
{
	struct kroute *r;

	THREAD_OFF(t_guard);
	while (kroute_check_pop(&checks))
		;
	while (kroute_device_pop(&by_device))
		;
	kroute_device_fini(&by_device);
	while ((r = kroute_table_pop(&kroutes))) {
		THREAD_OFF(r->t_retry);
		XFREE(MTYPE_KROUTE, r);
	}
	kroute_table_fini(&kroutes);
}
