// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's SAs and policies by its messages; see xfrm/xfrm_view.h. */
#include <zebra.h>

#include "jhash.h"
#include "memory.h"

#include "swmeshd/xfrm/xfrm_view.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, XFRM_PAIR, "IPsec pair of addresses");
DEFINE_MTYPE_STATIC(SWMESHD, XFRM_SA, "IPsec SA");
DEFINE_MTYPE_STATIC(SWMESHD, XFRM_POLICY, "IPsec policy");

PREDECL_HASH(view_pairs);
PREDECL_DLIST(view_dirty);
struct view_pair {
	struct view_pairs_item item;
	struct ipaddr a, b; /* the lower one first */
	/* Which one is ours, as a policy tells; NULL: none did. */
	const struct ipaddr *local;
	struct view_sas_head sas;
	struct view_policies_head policies;
	bool dirty;
	struct view_dirty_item dirty_item;
};

static int pair_cmp(const struct view_pair *p, const struct view_pair *q)
{
	int diff = ipaddr_cmp(&p->a, &q->a);

	return diff ? diff : ipaddr_cmp(&p->b, &q->b);
}

static uint32_t address_hash(const struct ipaddr *addr, uint32_t seed)
{
	return jhash(&addr->ip, IS_IPADDR_V4(addr) ? 4 : 16, seed);
}

static uint32_t pair_hash(const struct view_pair *p)
{
	return address_hash(&p->b, address_hash(&p->a, 0x53575046));
}

DECLARE_HASH(view_pairs, struct view_pair, item, pair_cmp, pair_hash);
DECLARE_DLIST(view_dirty, struct view_pair, dirty_item);

static const struct view_ops *view_ops;
static struct view_pairs_head pairs = INIT_HASH(pairs);
static struct view_dirty_head dirty = INIT_DLIST(dirty);
static struct view_policies_head wide = INIT_DLIST(wide);
static bool wide_dirty;

/* ---- addresses ---- */

uint16_t view_put_address(const struct ipaddr *addr, xfrm_address_t *out)
{
	memset(out, 0, sizeof(*out));
	if (IS_IPADDR_V4(addr)) {
		memcpy(&out->a4, &addr->ipaddr_v4, 4);
		return AF_INET;
	}
	memcpy(out->a6, &addr->ipaddr_v6, 16);
	return AF_INET6;
}

void view_get_address(uint16_t family, const xfrm_address_t *in,
		      struct ipaddr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (family == AF_INET) {
		SET_IPADDR_V4(addr);
		memcpy(&addr->ipaddr_v4, &in->a4, 4);
	} else {
		SET_IPADDR_V6(addr);
		memcpy(&addr->ipaddr_v6, in->a6, 16);
	}
}

static bool family_ok(uint16_t family)
{
	return family == AF_INET || family == AF_INET6;
}

/* ---- pairs ---- */

static void pair_key(struct view_pair *key, const struct ipaddr *x,
		     const struct ipaddr *y)
{
	bool swap = ipaddr_cmp(x, y) > 0;

	key->a = swap ? *y : *x;
	key->b = swap ? *x : *y;
}

static struct view_pair *pair_find(const struct ipaddr *x,
				   const struct ipaddr *y)
{
	struct view_pair ref;

	pair_key(&ref, x, y);
	return view_pairs_find(&pairs, &ref);
}

static struct view_pair *pair_get(const struct ipaddr *x,
				  const struct ipaddr *y)
{
	struct view_pair *pair = pair_find(x, y);

	if (pair)
		return pair;
	pair = XCALLOC(MTYPE_XFRM_PAIR, sizeof(*pair));
	pair_key(pair, x, y);
	view_sas_init(&pair->sas);
	view_policies_init(&pair->policies);
	view_pairs_add(&pairs, pair);
	return pair;
}

/* Also brings it to view_tell(), which frees what is empty. */
static void pair_changed(struct view_pair *pair)
{
	if (pair->dirty)
		return;
	pair->dirty = true;
	view_dirty_add_tail(&dirty, pair);
}

static void pair_free_if_empty(struct view_pair *pair)
{
	if (view_sas_count(&pair->sas) || view_policies_count(&pair->policies))
		return;
	view_pairs_del(&pairs, pair);
	view_sas_fini(&pair->sas);
	view_policies_fini(&pair->policies);
	XFREE(MTYPE_XFRM_PAIR, pair);
}

void view_tell(void)
{
	struct view_pair *pair;
	struct ipaddr local, remote;
	bool wide_changed = wide_dirty;

	wide_dirty = false;
	if (wide_changed && view_ops->policies_changed)
		view_ops->policies_changed();
	if (wide_changed) /* it may decide for any of them */
		frr_each (view_pairs, &pairs, pair)
			pair_changed(pair);
	while ((pair = view_dirty_pop(&dirty))) {
		bool known = pair->local != NULL;

		pair->dirty = false;
		local = known ? *pair->local : pair->a;
		remote = pair->local == &pair->a ? pair->b : pair->a;
		pair_free_if_empty(pair);
		if (known && view_ops->changed)
			view_ops->changed(&local, &remote);
	}
}

struct view_policies_head *view_wide_policies(void)
{
	return &wide;
}

struct view_sas_head *view_pair_sas(const struct ipaddr *a,
				    const struct ipaddr *b)
{
	struct view_pair *pair = pair_find(a, b);

	return pair ? &pair->sas : NULL;
}

struct view_policies_head *view_pair_policies(const struct ipaddr *a,
					      const struct ipaddr *b)
{
	struct view_pair *pair = pair_find(a, b);

	return pair ? &pair->policies : NULL;
}

/* ---- messages ---- */

static int collect(const struct nlattr *attr, void *arg)
{
	const struct nlattr **a = arg;

	if (mnl_attr_get_type(attr) <= XFRMA_MAX)
		a[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

/*
 * A copy of what the message is about (the kernel aligns to 4 octets, and there
 * are 64-bit members), and its attributes. The object is the fixed part, or
 * with `in`, for deletions, in that attribute behind a fixed part of `id_len`.
 */
static bool parse(const struct nlmsghdr *nlh, void *out, size_t len,
		  uint16_t in, size_t id_len, const struct nlattr **a)
{
	size_t fixed = in ? id_len : len;

	if (mnl_nlmsg_get_payload_len(nlh) < fixed)
		return false;
	mnl_attr_parse(nlh, fixed, collect, a);
	if (!in)
		memcpy(out, mnl_nlmsg_get_payload(nlh), len);
	else if (a[in] && mnl_attr_get_payload_len(a[in]) >= len)
		memcpy(out, mnl_attr_get_payload(a[in]), len);
	else
		return false;
	return true;
}

/* One that a packet of ours can meet: no mark, no xfrm interface. */
static bool is_plain(const struct nlattr **a)
{
	const struct nlattr *if_id = a[XFRMA_IF_ID], *mark = a[XFRMA_MARK];
	const struct xfrm_mark *m;

	if (if_id && mnl_attr_validate(if_id, MNL_TYPE_U32) >= 0 &&
	    mnl_attr_get_u32(if_id))
		return false;
	if (!mark || mnl_attr_get_payload_len(mark) < sizeof(*m))
		return true;
	m = mnl_attr_get_payload(mark);
	return !m->v;
}

/* ---- SAs ---- */

/*
 * One that has been asked for only (by charon, which wants its SPI, or for a
 * packet that waits) has no algorithm yet. Encryption alone is no protection.
 */
static bool sa_is_whole(const struct xfrm_usersa_info *info,
			const struct nlattr **a)
{
	return info->id.spi && family_ok(info->family) &&
	       (info->id.proto == IPPROTO_ESP ||
		info->id.proto == IPPROTO_AH) &&
	       (a[XFRMA_ALG_AEAD] || a[XFRMA_ALG_AUTH] ||
		a[XFRMA_ALG_AUTH_TRUNC]);
}

static struct view_sa *sa_find(struct view_pair *pair, const struct ipaddr *dst,
			       uint32_t spi, uint8_t protocol)
{
	struct view_sa *s;

	frr_each (view_sas, &pair->sas, s)
		if (s->sa.spi == spi && s->sa.protocol == protocol &&
		    !ipaddr_cmp(&s->sa.dst, dst))
			return s;
	return NULL;
}

static void sa_fill(struct view_sa *s, const struct xfrm_usersa_info *info)
{
	struct xfrm_sa *sa = &s->sa;

	sa->reqid = info->reqid;
	sa->packets = info->curlft.packets;
	sa->bytes = info->curlft.bytes;
	sa->replays = info->stats.replay;
	sa->replay_window_misses = info->stats.replay_window;
	sa->integrity_failures = info->stats.integrity_failed;
	sa->add_time = info->curlft.add_time;
	s->sel = info->sel;
	s->mode = info->mode;
	s->marked = false;
}

static void sa_del(struct view_pair *pair, struct view_sa *s)
{
	view_sas_del(&pair->sas, s);
	XFREE(MTYPE_XFRM_SA, s);
	pair_changed(pair);
}

static void sa_is(const struct xfrm_usersa_info *info, const struct nlattr **a)
{
	uint32_t spi = ntohl(info->id.spi);
	struct ipaddr src, dst;
	struct view_pair *pair;
	struct view_sa *s;

	if (!sa_is_whole(info, a) || !is_plain(a))
		return;
	view_get_address(info->family, &info->saddr, &src);
	view_get_address(info->family, &info->id.daddr, &dst);
	pair = pair_get(&src, &dst);
	s = sa_find(pair, &dst, spi, info->id.proto);
	if (s && s->sa.reqid == info->reqid && s->mode == info->mode) {
		sa_fill(s, info);
		return;
	}
	if (!s) {
		s = XCALLOC(MTYPE_XFRM_SA, sizeof(*s));
		s->sa.src = src;
		s->sa.dst = dst;
		s->sa.spi = spi;
		s->sa.protocol = info->id.proto;
		view_sas_add_tail(&pair->sas, s);
	}
	sa_fill(s, info);
	pair_changed(pair);
}

static struct view_sa *sa_named(const struct xfrm_usersa_info *info,
				struct view_pair **pair)
{
	struct ipaddr src, dst;

	if (!family_ok(info->family))
		return NULL;
	view_get_address(info->family, &info->saddr, &src);
	view_get_address(info->family, &info->id.daddr, &dst);
	*pair = pair_find(&src, &dst);
	return *pair ? sa_find(*pair, &dst, ntohl(info->id.spi), info->id.proto)
		     : NULL;
}

static void sa_message(const struct nlmsghdr *nlh)
{
	const struct nlattr *a[XFRMA_MAX + 1] = {};
	struct xfrm_usersa_info info;
	struct xfrm_user_expire expire;
	struct view_pair *pair;
	struct view_sa *s;

	switch (nlh->nlmsg_type) {
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_UPDSA:
		if (parse(nlh, &info, sizeof(info), 0, 0, a))
			sa_is(&info, a);
		break;
	case XFRM_MSG_DELSA:
		if (!parse(nlh, &info, sizeof(info), XFRMA_SA,
			   sizeof(struct xfrm_usersa_id), a))
			break;
		s = sa_named(&info, &pair);
		if (s)
			sa_del(pair, s);
		break;
	case XFRM_MSG_EXPIRE:
		if (!parse(nlh, &expire, sizeof(expire), 0, 0, a))
			break;
		s = sa_named(&expire.state, &pair);
		if (s && expire.hard)
			sa_del(pair, s);
		else if (s)
			s->sa.dying = true;
		break;
	}
}

/* ---- policies ---- */

static bool selector_is_host_pair(const struct xfrm_selector *sel)
{
	unsigned int len = sel->family == AF_INET ? 32 : 128;

	return sel->prefixlen_s == len && sel->prefixlen_d == len;
}

/* Main kind, of no device. */
static bool policy_is_plain(const struct xfrm_userpolicy_info *info,
			    const struct nlattr **a)
{
	const struct nlattr *attr = a[XFRMA_POLICY_TYPE];
	const struct xfrm_userpolicy_type *type;

	if (info->dir != XFRM_POLICY_IN && info->dir != XFRM_POLICY_OUT)
		return false;
	if (!family_ok(info->sel.family) || info->sel.ifindex || !is_plain(a))
		return false;
	if (!attr || mnl_attr_get_payload_len(attr) < sizeof(*type))
		return true;
	type = mnl_attr_get_payload(attr);
	return type->type == XFRM_POLICY_TYPE_MAIN;
}

static void read_tmpls(struct view_policy *p, const struct nlattr *attr)
{
	const struct xfrm_user_tmpl *t;
	size_t n;

	p->n = 0;
	memset(p->tmpl, 0, sizeof(p->tmpl));
	if (!attr)
		return;
	t = mnl_attr_get_payload(attr);
	n = mnl_attr_get_payload_len(attr) / sizeof(*t);
	for (; n; n--, t++) {
		if (t->optional)
			continue;
		if (p->n < VIEW_TMPLS_MAX) {
			p->tmpl[p->n].protocol = t->id.proto;
			p->tmpl[p->n].mode = t->mode;
			p->tmpl[p->n].spi = ntohl(t->id.spi);
			p->tmpl[p->n].reqid = t->reqid;
		}
		p->n++;
	}
}

static struct view_policies_head *policy_list(const struct xfrm_selector *sel,
					      bool create,
					      struct view_pair **pair)
{
	struct ipaddr src, dst;

	*pair = NULL;
	if (!selector_is_host_pair(sel))
		return &wide;
	view_get_address(sel->family, &sel->saddr, &src);
	view_get_address(sel->family, &sel->daddr, &dst);
	*pair = create ? pair_get(&src, &dst) : pair_find(&src, &dst);
	return *pair ? &(*pair)->policies : NULL;
}

static struct view_policy *policy_find(struct view_policies_head *list,
				       const struct xfrm_userpolicy_info *info)
{
	struct view_policy *p;

	frr_each (view_policies, list, p)
		if (p->index == info->index && p->dir == info->dir)
			return p;
	return NULL;
}

static void policy_changed(struct view_pair *pair, uint8_t dir,
			   const struct xfrm_selector *sel)
{
	struct ipaddr src;

	if (!pair) {
		wide_dirty = true;
		return;
	}
	view_get_address(sel->family, &sel->saddr, &src);
	pair->local = !ipaddr_cmp(&src, &pair->a) == (dir == XFRM_POLICY_OUT)
			      ? &pair->a
			      : &pair->b;
	pair_changed(pair);
}

static void policy_is(const struct xfrm_userpolicy_info *info,
		      const struct nlattr **a)
{
	struct view_policies_head *list;
	struct view_policy *p, old;
	struct view_pair *pair;

	if (!policy_is_plain(info, a))
		return;
	list = policy_list(&info->sel, true, &pair);
	p = policy_find(list, info);
	if (!p) {
		p = XCALLOC(MTYPE_XFRM_POLICY, sizeof(*p));
		p->pair = pair;
		p->index = info->index;
		p->dir = info->dir;
		p->action = UINT8_MAX;
		view_policies_add_tail(list, p);
	}
	old = *p;
	p->sel = info->sel;
	p->priority = info->priority;
	p->action = info->action;
	p->marked = false;
	read_tmpls(p, a[XFRMA_TMPL]);
	if (p->action != old.action || p->priority != old.priority ||
	    p->n != old.n || memcmp(p->tmpl, old.tmpl, sizeof(p->tmpl)))
		policy_changed(pair, p->dir, &p->sel);
}

static void policy_del(struct view_policies_head *list, struct view_policy *p)
{
	view_policies_del(list, p);
	policy_changed(p->pair, p->dir, &p->sel);
	XFREE(MTYPE_XFRM_POLICY, p);
}

static void policy_gone(const struct xfrm_userpolicy_info *info)
{
	struct view_policies_head *list;
	struct view_policy *p = NULL;
	struct view_pair *pair;

	if (!family_ok(info->sel.family))
		return;
	list = policy_list(&info->sel, false, &pair);
	if (list)
		p = policy_find(list, info);
	if (p)
		policy_del(list, p);
}

static void policy_message(const struct nlmsghdr *nlh)
{
	const struct nlattr *a[XFRMA_MAX + 1] = {};
	struct xfrm_userpolicy_info info;
	struct xfrm_user_polexpire expire;

	switch (nlh->nlmsg_type) {
	case XFRM_MSG_NEWPOLICY:
	case XFRM_MSG_UPDPOLICY:
		if (parse(nlh, &info, sizeof(info), 0, 0, a))
			policy_is(&info, a);
		break;
	case XFRM_MSG_DELPOLICY:
		if (parse(nlh, &info, sizeof(info), XFRMA_POLICY,
			  sizeof(struct xfrm_userpolicy_id), a))
			policy_gone(&info);
		break;
	case XFRM_MSG_POLEXPIRE:
		if (parse(nlh, &expire, sizeof(expire), 0, 0, a) && expire.hard)
			policy_gone(&expire.pol);
		break;
	}
}

enum view_result view_message(const struct nlmsghdr *nlh)
{
	switch (nlh->nlmsg_type) {
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_UPDSA:
	case XFRM_MSG_DELSA:
	case XFRM_MSG_EXPIRE:
		sa_message(nlh);
		break;
	case XFRM_MSG_NEWPOLICY:
	case XFRM_MSG_UPDPOLICY:
	case XFRM_MSG_DELPOLICY:
	case XFRM_MSG_POLEXPIRE:
		policy_message(nlh);
		break;
	case XFRM_MSG_FLUSHSA:
	case XFRM_MSG_FLUSHPOLICY:
		return VIEW_READ_ANEW;
	}
	return VIEW_OK;
}

/* ---- around a dump ---- */

static void mark_policies(struct view_policies_head *list)
{
	struct view_policy *p;

	frr_each (view_policies, list, p)
		p->marked = true;
}

static void drop_policies(struct view_policies_head *list)
{
	struct view_policy *p;

	frr_each_safe (view_policies, list, p)
		if (p->marked)
			policy_del(list, p);
}

void view_mark(bool policies)
{
	struct view_pair *pair;
	struct view_sa *s;

	frr_each (view_pairs, &pairs, pair) {
		if (policies) {
			mark_policies(&pair->policies);
			continue;
		}
		frr_each (view_sas, &pair->sas, s)
			s->marked = true;
	}
	if (policies)
		mark_policies(&wide);
}

void view_unmarked(bool policies)
{
	struct view_pair *pair;
	struct view_sa *s;

	/* Pairs are freed by view_tell(): the table stays as it is. */
	frr_each (view_pairs, &pairs, pair) {
		if (policies) {
			drop_policies(&pair->policies);
			continue;
		}
		frr_each_safe (view_sas, &pair->sas, s)
			if (s->marked)
				sa_del(pair, s);
	}
	if (policies)
		drop_policies(&wide);
}

/* ---- start and stop ---- */

void view_init(const struct view_ops *ops)
{
	view_ops = ops;
	view_pairs_init(&pairs);
	view_dirty_init(&dirty);
	view_policies_init(&wide);
	wide_dirty = false;
}

static void free_policies(struct view_policies_head *list)
{
	struct view_policy *p;

	while ((p = view_policies_pop(list)))
		XFREE(MTYPE_XFRM_POLICY, p);
	view_policies_fini(list);
}

void view_fini(void)
{
	struct view_pair *pair;
	struct view_sa *s;

	while (view_dirty_pop(&dirty))
		;
	while ((pair = view_pairs_pop(&pairs))) {
		while ((s = view_sas_pop(&pair->sas)))
			XFREE(MTYPE_XFRM_SA, s);
		view_sas_fini(&pair->sas);
		free_policies(&pair->policies);
		XFREE(MTYPE_XFRM_PAIR, pair);
	}
	free_policies(&wide);
	view_pairs_fini(&pairs);
	view_dirty_fini(&dirty);
}

typedef bool (*pair_taker)(const struct ipaddr *local,
			   const struct ipaddr *remote, uint32_t reqid);

static bool pair_taken(const struct view_pair *pair, pair_taker take,
		       const struct ipaddr *local, const struct ipaddr *remote)
{
	const struct view_policy *p;
	const struct view_sa *s;

	frr_each (view_policies_const, &pair->policies, p)
		if (p->n && take(local, remote, p->tmpl[0].reqid))
			return true;
	frr_each (view_sas_const, &pair->sas, s)
		if (take(local, remote, s->sa.reqid))
			return true;
	return false;
}

unsigned int view_pairs_with(pair_taker take, struct xfrm_pair *found,
			     unsigned int cap)
{
	struct view_pair *pair;
	unsigned int n = 0;

	/* Which end is ours is not known without a policy: try both. */
	frr_each (view_pairs, &pairs, pair) {
		if (n == cap)
			break;
		if (pair_taken(pair, take, &pair->a, &pair->b))
			found[n++] = (struct xfrm_pair){pair->a, pair->b};
		else if (pair_taken(pair, take, &pair->b, &pair->a))
			found[n++] = (struct xfrm_pair){pair->b, pair->a};
	}
	return n;
}
