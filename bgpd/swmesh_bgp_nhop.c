// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SW-NHOPs: one for each distinct (next hop, attribute) and family of routes,
 * RFC 5619 section 2.1.
 *
 * The address is the configured prefix and a keyed hash of the pair, the key
 * being made from the machine's id: the same after any restart, and not to be
 * steered by those who choose attributes.  Which routes use one is what bgpd's
 * next-hop tracking counts anyway, path by path (bgp_nexthop_cache.path_count),
 * so that it costs nothing here.
 *
 * The values of keys in the attribute are no part of the pair (S5): an AFBR
 * that changes its keys announces all its routes again, and they must not lose
 * their softwire meanwhile.  swmeshd is told the attribute that came last.
 */

#include <zebra.h>

#include "lib/jhash.h"

#include "bgpd/bgpd.h"
#include "bgpd/bgp_nexthop.h"
#include "bgpd/bgp_nht.h"
#include "bgpd/bgp_route.h"
#include "bgpd/bgp_table.h"

#include "bgpd/swmesh_bgp.h"
#include "bgpd/swmesh_bgp_nhop_key.h"
#include "lib/log_limit.h"

DEFINE_MTYPE_STATIC(SWMESH, SWMESH_NHOP, "SW-NHOP");

/* A softwire that no route uses stays that long, for routes that flap. */
#define NHOP_GRACE_MS 10000
/* Then swmeshd is told, and its address is nobody else's for that long: until
 * the host route by the old pair's softwire is out of the kernel. */
#define NHOP_REST_MS 1000
/* Counts go to swmeshd at most this often; new SW-NHOPs sooner. */
#define NHOP_COUNT_MS 1000
#define NHOP_FRESH_MS 20
/* swmeshd takes no longer attributes (a message has to hold one). */
#define NHOP_TEA_MAX 8192

static struct thread *t_count;
static bool count_soon;
/* The pair asked for last: routes come in runs. */
static struct swmesh_nhop *last;

static int key_cmp(const struct swmesh_nhop *a, const struct swmesh_nhop *b)
{
	int ret = numcmp(a->hash, b->hash);

	if (!ret)
		ret = memcmp(&a->next_hop, &b->next_hop, sizeof(a->next_hop));
	if (!ret)
		ret = numcmp(a->classic, b->classic);
	if (!ret)
		ret = numcmp(a->afi, b->afi);
	if (!ret)
		ret = numcmp(a->identity_len, b->identity_len);
	return ret ? ret : memcmp(a->identity, b->identity, a->identity_len);
}

static uint32_t key_hash(const struct swmesh_nhop *n)
{
	return n->hash ^ n->hash >> 32;
}

static int addr_cmp(const struct swmesh_nhop *a, const struct swmesh_nhop *b)
{
	return memcmp(&a->addr, &b->addr, sizeof(a->addr));
}

static uint32_t addr_hash(const struct swmesh_nhop *n)
{
	return jhash(&n->addr, sizeof(n->addr), 0);
}

DECLARE_HASH(swmesh_nhop_by_key, struct swmesh_nhop, by_key, key_cmp, key_hash);
DECLARE_HASH(swmesh_nhop_by_addr, struct swmesh_nhop, by_addr, addr_cmp,
	     addr_hash);

static struct swmesh_nhop_by_key_head by_key = INIT_HASH(by_key);
static struct swmesh_nhop_by_addr_head swmesh_nhops = INIT_HASH(swmesh_nhops);
static unsigned int n_retired; /* in swmesh_nhops alone */

/* ---- addresses ---- */

struct swmesh_nhop *swmesh_nhop_find(const struct in6_addr *addr)
{
	struct swmesh_nhop ref = {.addr = *addr};

	return swmesh_nhop_by_addr_find(&swmesh_nhops, &ref);
}

bool swmesh_nhop_covers(const struct in6_addr *addr)
{
	struct prefix p = {.family = AF_INET6, .prefixlen = 128};

	if (!swmesh_config.known || !swmesh_config.enabled)
		return false;
	p.u.prefix6 = *addr;
	return prefix_match(&swmesh_config.prefix, &p) ||
	       (n_retired && swmesh_nhop_find(addr));
}

static uint8_t *copy_octets(const uint8_t *octets, size_t len)
{
	uint8_t *copy = XMALLOC(MTYPE_SWMESH_NHOP, MAX(len, 1u));

	memcpy(copy, octets, len);
	return copy;
}

/* The attribute that came last, which may have other keys. */
static void set_tea(struct swmesh_nhop *n, const uint8_t *tea, size_t len)
{
	XFREE(MTYPE_SWMESH_NHOP, n->tea);
	n->tea = copy_octets(tea, len);
	n->tea_len = len;
	n->fresh = true;
	n->tea_sent = false;
}

static struct swmesh_nhop *nhop_new(const struct peer *peer,
				    const struct swmesh_nhop *ref)
{
	struct swmesh_nhop *n;
	struct in6_addr addr;

	swmesh_nhop_address(ref->hash, &swmesh_config.prefix, &addr);
	n = swmesh_nhop_find(&addr);
	if (n && n->retired && !key_cmp(n, ref)) {
		n->retired = false;
		n_retired--;
		set_tea(n, ref->tea, ref->tea_len);
		swmesh_nhop_by_key_add(&by_key, n);
		swmesh_use_charge(n);
		return n;
	}
	if (n) {
		zlog_err_limited(
			n,
			"SW-NHOP %pI6 of next hop %pI6 is taken by next hop %pI6: its routes are refused; change the SW-NHOP prefix",
			&addr, &ref->next_hop, &n->next_hop);
		swmesh_use_collision(n, peer);
		return NULL;
	}
	n = XCALLOC(MTYPE_SWMESH_NHOP, sizeof(*n));
	n->addr = addr;
	n->next_hop = ref->next_hop;
	n->classic = ref->classic;
	n->afi = ref->afi;
	n->hash = ref->hash;
	n->identity = copy_octets(ref->identity, ref->identity_len);
	n->identity_len = ref->identity_len;
	n->weight = ref->weight;
	set_tea(n, ref->tea, ref->tea_len);
	swmesh_nhop_by_key_add(&by_key, n);
	swmesh_nhop_by_addr_add(&swmesh_nhops, n);
	swmesh_use_charge(n);
	if (SWMESH_DBG(NHOP))
		zlog_debug("SW-NHOP %pI6 for next hop %pI6", &n->addr,
			   &n->next_hop);
	return n;
}

static void nhop_free(struct swmesh_nhop *n)
{
	if (n == last)
		last = NULL;
	if (n->retired) {
		n_retired--;
	} else {
		swmesh_use_release(n);
		swmesh_nhop_by_key_del(&by_key, n);
	}
	swmesh_nhop_by_addr_del(&swmesh_nhops, n);
	if (n->contested)
		swmesh_use_address_freed();
	XFREE(MTYPE_SWMESH_NHOP, n->identity);
	XFREE(MTYPE_SWMESH_NHOP, n->tea);
	XFREE(MTYPE_SWMESH_NHOP, n->tunnel);
	XFREE(MTYPE_SWMESH_NHOP, n->reason);
	XFREE(MTYPE_SWMESH_NHOP, n);
}

static bool has_tea(const struct swmesh_nhop *n, const uint8_t *tea, size_t len)
{
	return n->tea_len == len && !memcmp(n->tea, tea, len);
}

/* In a buffer of this file's, until the next call. */
static void set_identity(struct swmesh_nhop *n, const uint8_t *tea, size_t len)
{
	static uint8_t identity[TEA_MAX_LEN];
	ssize_t got = tea_identity(tea, len, identity, sizeof(identity));

	n->identity = identity;
	n->identity_len = MAX(got, 0);
}

bool swmesh_nhop_serves(struct swmesh_nhop *n, const uint8_t *tea, size_t len)
{
	struct swmesh_nhop ref;

	if (has_tea(n, tea, len))
		return true;
	set_identity(&ref, tea, len);
	return n->identity_len == ref.identity_len &&
	       !memcmp(n->identity, ref.identity, ref.identity_len);
}

/* What one softwire costs: nothing that a neighbor sends is kept without. */
static uint32_t weigh(const struct swmesh_nhop *ref)
{
	struct tea tea;
	uint32_t weight;

	tea_decode(ref->tea, ref->tea_len, NULL, &tea);
	weight = swmesh_weight(&tea);
	tea_free(&tea);
	return weight;
}

static struct swmesh_nhop *nhop_admit(const struct peer *peer,
				      struct swmesh_nhop *ref)
{
	struct swmesh_nhop *n;

	ref->weight = weigh(ref);
	if (!swmesh_use_allowed(peer, ref->weight, NULL))
		return NULL;
	n = nhop_new(peer, ref);
	if (n)
		swmesh_use_add(n, peer);
	return n;
}

static struct swmesh_nhop *nhop_get(const struct peer *peer,
				    struct swmesh_nhop *ref)
{
	struct swmesh_nhop *n;

	set_identity(ref, ref->tea, ref->tea_len);
	ref->hash = swmesh_nhop_hash(&ref->next_hop, ref->classic,
				     ref->afi == AFI_IP6, ref->identity,
				     ref->identity_len);
	n = swmesh_nhop_by_key_find(&by_key, ref);
	if (!n)
		return nhop_admit(peer, ref);
	if (!swmesh_use_has(n, peer)) {
		if (!swmesh_use_allowed(peer, n->weight, n))
			return NULL;
		swmesh_use_add(n, peer);
	}
	if (!has_tea(n, ref->tea, ref->tea_len)) {
		if (SWMESH_DBG(NHOP))
			zlog_debug("SW-NHOP %pI6 of next hop %pI6: other keys",
				   &n->addr, &n->next_hop);
		set_tea(n, ref->tea, ref->tea_len);
	}
	return n;
}

static void too_long(const struct peer *peer, const uint8_t *tea, size_t len)
{
	char reason[TEA_TEXT_LEN];

	snprintf(reason, sizeof(reason),
		 "of %zu octets: swmeshd takes no more than %u", len,
		 NHOP_TEA_MAX);
	swmesh_peer_refused(swmesh_peer_get(peer), reason, tea, len);
}

struct swmesh_nhop *swmesh_nhop_get(const struct peer *peer,
				    const struct in6_addr *next_hop,
				    bool classic, afi_t afi, const uint8_t *tea,
				    size_t len)
{
	struct swmesh_nhop ref = {
		.next_hop = *next_hop,
		.classic = classic,
		.afi = afi,
		.tea = (uint8_t *)tea,
		.tea_len = len,
	};

	if (last && last->classic == classic && last->afi == afi &&
	    !memcmp(&last->next_hop, next_hop, sizeof(*next_hop)) &&
	    has_tea(last, tea, len) && swmesh_use_has(last, peer))
		return last;
	if (len > NHOP_TEA_MAX) {
		too_long(peer, tea, len);
		return NULL;
	}
	last = nhop_get(peer, &ref);
	if (last && (last->fresh || !last->sent)) {
		count_soon = true;
		swmesh_nhop_touch();
	}
	return last;
}

/* ---- who uses it ---- */

struct bgp_nexthop_cache *swmesh_nhop_bnc(const struct swmesh_nhop *n,
					  struct bgp *bgp)
{
	struct prefix p = {.family = AF_INET6, .prefixlen = 128};

	p.u.prefix6 = n->addr;
	return bnc_find(&bgp->nexthop_cache_table[AFI_IP6], &p, 0, 0);
}

static void count_in(struct swmesh_nhop *n, struct bgp *bgp)
{
	const struct bgp_nexthop_cache *bnc = swmesh_nhop_bnc(n, bgp);

	if (!bnc)
		return;
	if (n->afi == AFI_IP)
		n->routes_ipv4 += bnc->path_count;
	else
		n->routes_ipv6 += bnc->path_count;
}

static void count(struct swmesh_nhop *n)
{
	struct listnode *node;
	struct bgp *bgp;

	n->routes_ipv4 = 0;
	n->routes_ipv6 = 0;
	for (ALL_LIST_ELEMENTS_RO(bm->bgp, node, bgp))
		count_in(n, bgp);
}

static void send_demand(struct swmesh_nhop *n)
{
	Swmesh__Demand demand = SWMESH__DEMAND__INIT;
	Swmesh__Item item = SWMESH__ITEM__INIT;

	demand.sw_nhop.data = (uint8_t *)&n->addr;
	demand.sw_nhop.len = sizeof(n->addr);
	demand.next_hop.data = (uint8_t *)&n->next_hop;
	demand.next_hop.len = sizeof(n->next_hop);
	if (IN6_IS_ADDR_V4MAPPED(&n->next_hop)) {
		demand.next_hop.data += 12;
		demand.next_hop.len = 4;
	}
	demand.tea.data = n->tea;
	demand.tea.len = n->tea_len;
	demand.routes_ipv4 = n->routes_ipv4;
	demand.routes_ipv6 = n->routes_ipv6;
	item.body_case = SWMESH__ITEM__BODY_DEMAND;
	item.demand = &demand;
	if (!swmesh_msg_queue(&swmesh_talk, &item))
		return;
	n->sent = true;
	n->tea_sent = true;
	n->sent_ipv4 = n->routes_ipv4;
	n->sent_ipv6 = n->routes_ipv6;
}

static void send_gone(const struct swmesh_nhop *n)
{
	Swmesh__DemandGone gone = SWMESH__DEMAND_GONE__INIT;
	Swmesh__Item item = SWMESH__ITEM__INIT;

	gone.sw_nhop.data = (uint8_t *)&n->addr;
	gone.sw_nhop.len = sizeof(n->addr);
	item.body_case = SWMESH__ITEM__BODY_DEMAND_GONE;
	item.demand_gone = &gone;
	swmesh_msg_queue(&swmesh_talk, &item);
}

static bool in_use(const struct swmesh_nhop *n)
{
	return n->routes_ipv4 || n->routes_ipv6;
}

/*
 * Another pair whose routes were refused for its address is waiting for it, so
 * swmeshd must have answered since it was told.
 */
static bool has_rested(const struct swmesh_nhop *n, int64_t now)
{
	int64_t until = n->gone_ms + NHOP_REST_MS;

	return now >= until && (!n->contested || swmesh_talk.heard_ms >= until);
}

static void let_go(struct swmesh_nhop *n, int64_t now)
{
	if (SWMESH_DBG(NHOP))
		zlog_debug("SW-NHOP %pI6 of next hop %pI6 is not used any more",
			   &n->addr, &n->next_hop);
	if (n->sent)
		send_gone(n);
	n->sent = false;
	n->gone_ms = now;
}

/* True when it is to be looked at again, for its grace time runs. */
static bool update(struct swmesh_nhop *n, int64_t now)
{
	count(n);
	n->fresh = false;
	if (in_use(n)) {
		n->idle_ms = n->gone_ms = 0;
		if (!n->sent || !n->tea_sent ||
		    n->sent_ipv4 != n->routes_ipv4 ||
		    n->sent_ipv6 != n->routes_ipv6)
			send_demand(n);
		return false;
	}
	if (!n->idle_ms)
		n->idle_ms = now;
	if (now - n->idle_ms < NHOP_GRACE_MS) {
		if (n->sent && (n->sent_ipv4 || n->sent_ipv6))
			send_demand(n);
		return true;
	}
	if (!n->gone_ms)
		let_go(n, now);
	if (!has_rested(n, now))
		return true;
	nhop_free(n);
	return false;
}

static void arm(void);

static void count_run(struct thread *thread)
{
	int64_t now = swmesh_now_ms();
	struct swmesh_nhop *n;
	bool again = false;

	count_soon = false;
	swmesh_use_check_begin();
	frr_each_safe (swmesh_nhop_by_addr, &swmesh_nhops, n) {
		swmesh_use_check(n);
		again |= update(n, now);
	}
	again |= swmesh_use_check_end();
	swmesh_msg_flush(&swmesh_talk);
	if (again)
		arm();
}

/* A new SW-NHOP shortens a wait that was meant for counts. */
static void arm(void)
{
	static bool armed_soon;

	if (t_count && (!count_soon || armed_soon))
		return;
	if (swmesh_stopping || (!swmesh_nhop_by_addr_count(&swmesh_nhops) &&
				!swmesh_use_waiting()))
		return;
	THREAD_OFF(t_count);
	armed_soon = count_soon;
	thread_add_timer_msec(bm->master, count_run, NULL,
			      count_soon ? NHOP_FRESH_MS : NHOP_COUNT_MS,
			      &t_count);
}

/* Called for each route: nearly always the timer runs already. */
void swmesh_nhop_touch(void)
{
	swmesh_use_changed();
	arm();
}

struct swmesh_nhop *swmesh_nhop_next(struct swmesh_nhop *prev)
{
	return prev ? swmesh_nhop_by_addr_next(&swmesh_nhops, prev)
		    : swmesh_nhop_by_addr_first(&swmesh_nhops);
}

void swmesh_nhop_walk(void (*func)(const struct swmesh_nhop *n, void *arg),
		      void *arg)
{
	struct swmesh_nhop *n;

	frr_each (swmesh_nhop_by_addr, &swmesh_nhops, n) {
		count(n);
		if (in_use(n) || !n->gone_ms)
			func(n, arg);
	}
}

void swmesh_nhop_send_all(void)
{
	struct swmesh_nhop *n;

	frr_each (swmesh_nhop_by_addr, &swmesh_nhops, n) {
		count(n);
		n->sent = false;
		if (in_use(n) || (n->idle_ms && !n->gone_ms))
			send_demand(n);
	}
}

void swmesh_nhop_address_gone(const struct in6_addr *addr)
{
	struct bgp_nexthop_cache *bnc;
	struct swmesh_nhop *n;
	struct listnode *node;
	struct bgp *bgp;

	frr_each (swmesh_nhop_by_addr, &swmesh_nhops, n) {
		if (!IPV6_ADDR_SAME(&n->next_hop, addr))
			continue;
		for (ALL_LIST_ELEMENTS_RO(bm->bgp, node, bgp)) {
			bnc = swmesh_nhop_bnc(n, bgp);
			if (bnc)
				evaluate_paths(bnc);
		}
	}
}

/*
 * Routes keep the SW-NHOPs that they have, with all that goes with them, until
 * SOFTWIRE-IN has given them others: one that is retired is no more found by
 * its next hop and attribute, and goes like any other when no route uses it.
 */
void swmesh_nhop_reset(void)
{
	struct swmesh_nhop *n;

	last = NULL;
	while ((n = swmesh_nhop_by_key_pop(&by_key))) {
		swmesh_use_release(n);
		n->retired = true;
		n_retired++;
	}
	count_soon = true;
	swmesh_nhop_touch();
}

/* ---- what swmeshd tells ---- */

static void set_text(char **slot, const char *text)
{
	XFREE(MTYPE_SWMESH_NHOP, *slot);
	if (text && *text)
		*slot = XSTRDUP(MTYPE_SWMESH_NHOP, text);
}

void swmesh_nhop_state(const Swmesh__SoftwireState *state)
{
	struct swmesh_nhop *n;
	struct in6_addr addr;

	if (state->sw_nhop.len != sizeof(addr))
		return;
	memcpy(&addr, state->sw_nhop.data, sizeof(addr));
	n = swmesh_nhop_find(&addr);
	if (!n)
		return;
	n->state_known = true;
	n->state_marked = false;
	n->up = state->up;
	set_text(&n->tunnel, state->tunnel);
	set_text(&n->reason, state->reason);
}

void swmesh_nhop_states_mark(void)
{
	struct swmesh_nhop *n;

	frr_each (swmesh_nhop_by_addr, &swmesh_nhops, n)
		n->state_marked = n->state_known;
}

void swmesh_nhop_states_sweep(void)
{
	struct swmesh_nhop *n;

	frr_each (swmesh_nhop_by_addr, &swmesh_nhops, n) {
		if (!n->state_marked)
			continue;
		n->state_known = false;
		n->state_marked = false;
		n->up = false;
		set_text(&n->tunnel, NULL);
		set_text(&n->reason, NULL);
	}
}

/* ---- start and stop ---- */

void swmesh_nhop_init(void)
{
	swmesh_nhop_key_make();
	swmesh_nhop_by_key_init(&by_key);
	swmesh_nhop_by_addr_init(&swmesh_nhops);
}

void swmesh_nhop_fini(void)
{
	struct swmesh_nhop *n;

	THREAD_OFF(t_count);
	while ((n = swmesh_nhop_by_addr_first(&swmesh_nhops)))
		nhop_free(n);
	swmesh_nhop_by_key_fini(&by_key);
	swmesh_nhop_by_addr_fini(&swmesh_nhops);
}
