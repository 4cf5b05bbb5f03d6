// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Encap-sets, as swmeshd has compiled them, ready to be attached to routes:
 * the attribute in an interned transit, and the communities that stand for
 * TLVs with nothing in them (RFC 9012 section 4.1, B2).
 */

#include <zebra.h>

#include "bgpd/bgpd.h"
#include "bgpd/bgp_attr.h"
#include "bgpd/bgp_ecommunity.h"

#include "bgpd/swmesh_bgp.h"
#include "lib/log_limit.h"

DEFINE_MTYPE_STATIC(SWMESH, SWMESH_SET, "Encap-set");

static int set_cmp(const struct swmesh_set *a, const struct swmesh_set *b)
{
	return strcmp(a->name, b->name);
}

DECLARE_RBTREE_UNIQ(swmesh_sets, struct swmesh_set, item, set_cmp);

static struct swmesh_sets_head swmesh_sets = INIT_RBTREE_UNIQ(swmesh_sets);

static struct swmesh_set *set_find(const char *name)
{
	struct swmesh_set ref = {.name = (char *)name};

	return swmesh_sets_find(&swmesh_sets, &ref);
}

const struct swmesh_set *swmesh_set_by_serial(uint32_t serial)
{
	const struct swmesh_set *set;

	for (set = swmesh_set_next(NULL); set; set = swmesh_set_next(set))
		if (set->serial == serial)
			return set;
	return NULL;
}

static uint32_t new_serial(void)
{
	static uint32_t last;

	if (!++last)
		last = 1;
	return last;
}

static void release(struct swmesh_set *set)
{
	XFREE(MTYPE_SWMESH_SET, set->tea);
	if (set->holder)
		bgp_attr_unintern(&set->holder);
	set->holder = NULL;
	if (set->communities)
		ecommunity_free(&set->communities);
}

static void set_free(struct swmesh_set *set)
{
	swmesh_sets_del(&swmesh_sets, set);
	release(set);
	XFREE(MTYPE_SWMESH_SET, set->name);
	XFREE(MTYPE_SWMESH_SET, set);
}

/* The attribute in a transit of its own, interned by way of an attr. */
static struct attr *hold(const uint8_t *tea, size_t len)
{
	uint8_t *buf = XMALLOC(MTYPE_TMP, len + 4);
	ssize_t total = tea_attr_write(0, tea, len, buf, len + 4);
	struct attr attr = {};
	struct attr *holder = NULL;

	if (total > 0) {
		attr.transit = swmesh_transit_replace(NULL, buf, total);
		holder = bgp_attr_intern(&attr);
	}
	XFREE(MTYPE_TMP, buf);
	return holder;
}

/*
 * B2: a TLV that says nothing but its type MUST be sent as the community, the
 * others as the attribute.
 */
static void compile(struct swmesh_set *set)
{
	uint8_t *rest = XMALLOC(MTYPE_TMP, set->tea_len + 1);
	size_t rest_len = 0;
	struct tea tea;

	if (tea_decode(set->tea, set->tea_len, NULL, &tea) != TEA_ACCEPT) {
		char reason[TEA_TEXT_LEN];

		if (set->tea_len)
			zlog_warn_limited(
				set, "encap-set %s cannot be announced: %s",
				set->name,
				tea_reason(&tea, reason, sizeof(reason)));
		tea_free(&tea);
		XFREE(MTYPE_TMP, rest);
		return;
	}
	for (size_t i = 0; i < tea.n_tunnels; i++) {
		const struct tea_tunnel *tunnel = &tea.tunnels[i];
		struct ecommunity_val val;

		if (!tea_tunnel_is_bare(tunnel)) {
			memcpy(rest + rest_len, tunnel->wire, tunnel->wire_len);
			rest_len += tunnel->wire_len;
			continue;
		}
		tea_ec_encode(tunnel->type, (uint8_t *)val.val);
		if (!set->communities)
			set->communities = ecommunity_new();
		ecommunity_add_val(set->communities, &val, false, false);
	}
	if (rest_len)
		set->holder = hold(rest, rest_len);
	tea_free(&tea);
	XFREE(MTYPE_TMP, rest);
}

static bool same_set(const struct swmesh_set *set, const Swmesh__EncapSet *msg)
{
	return set->ipv4 == msg->ipv4 && set->ipv6 == msg->ipv6 &&
	       set->tea_len == msg->tea.len &&
	       (!set->tea_len ||
		!memcmp(set->tea, msg->tea.data, set->tea_len));
}

void swmesh_set_update(const Swmesh__EncapSet *msg)
{
	struct swmesh_set *set = set_find(msg->name);

	if (!*msg->name || strlen(msg->name) > 128)
		return;
	if (set) {
		set->marked = false;
		if (same_set(set, msg))
			return;
		release(set);
	} else {
		set = XCALLOC(MTYPE_SWMESH_SET, sizeof(*set));
		set->name = XSTRDUP(MTYPE_SWMESH_SET, msg->name);
		swmesh_sets_add(&swmesh_sets, set);
	}
	set->serial = new_serial();
	set->ipv4 = msg->ipv4;
	set->ipv6 = msg->ipv6;
	set->tea_len = msg->tea.len;
	set->tea = XMALLOC(MTYPE_SWMESH_SET, set->tea_len + 1);
	if (set->tea_len) /* else protobuf-c has no data either */
		memcpy(set->tea, msg->tea.data, set->tea_len);
	compile(set);
	swmesh_rmap_ensure();
	swmesh_rmap_changed_set(set->name);
	swmesh_rmap_changed_out();
}

void swmesh_set_gone(const char *name)
{
	struct swmesh_set *set = set_find(name);

	if (!set)
		return;
	/* The map stays, for neighbors that name it: nothing to attach. */
	set_free(set);
	swmesh_rmap_changed_set(name);
	swmesh_rmap_changed_out();
}

const struct swmesh_set *swmesh_set_next(const struct swmesh_set *prev)
{
	return prev ? swmesh_sets_const_next(&swmesh_sets, prev)
		    : swmesh_sets_const_first(&swmesh_sets);
}

static bool carries(const struct swmesh_set *set, afi_t afi)
{
	return set && (afi == AFI_IP ? set->ipv4 : set->ipv6);
}

const struct swmesh_set *swmesh_set_find(const char *name, afi_t afi)
{
	const struct swmesh_set *set = set_find(name);

	return carries(set, afi) ? set : NULL;
}

const struct swmesh_set *swmesh_set_first(afi_t afi)
{
	const struct swmesh_set *set;

	for (set = swmesh_set_next(NULL); set; set = swmesh_set_next(set))
		if (carries(set, afi))
			return set;
	return NULL;
}

void swmesh_sets_mark(void)
{
	struct swmesh_set *set;

	frr_each (swmesh_sets, &swmesh_sets, set)
		set->marked = true;
}

void swmesh_sets_sweep(void)
{
	struct swmesh_set *set;
	char *name;

	frr_each_safe (swmesh_sets, &swmesh_sets, set) {
		if (!set->marked)
			continue;
		name = XSTRDUP(MTYPE_SWMESH_SET, set->name);
		swmesh_set_gone(name);
		XFREE(MTYPE_SWMESH_SET, name);
	}
}

void swmesh_sets_free(void)
{
	struct swmesh_set *set;

	while ((set = swmesh_sets_first(&swmesh_sets)))
		set_free(set);
}
