// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Replacing an IKE_SA without losing a packet (S5: while the old and the new
 * key are announced). The end that answers has its new SAs before the end that
 * initiates has: what charon sends by them at once would be lost there. So from
 * the first message of a peer that we have SAs with, until the new ones are a
 * moment old, a policy of ours before charon's holds what we send to the SAs
 * that were in use.
 *
 * Its selector is a little wider than charon's, or it would replace that; the
 * kernel removes it by itself if we do not. What it names is an SA: without
 * that, nothing leaves.
 */
#include <zebra.h>

#include <linux/xfrm.h>

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/ike/ike_peer.h"
#include "swmeshd/xfrm/xfrm.h"
#include "swmeshd/xfrm/xfrm_policy.h"
#include "swmeshd/xfrm/xfrm_view.h"
#include "swmeshd/swmeshd.h"

/* Lower than any that charon computes: its turn comes first. */
#define PIN_PRIORITY 1000
/* The kernel's own end of it, seconds; ours, and, as anybody can send a first
 * message, after one that came to nothing, milliseconds. */
#define PIN_LIFE 20
#define PIN_MS 15000
#define PIN_AGAIN_MS 30000
/* After the new SAs are up here: the peer has them by then, even if it is slow,
 * and still has the old ones, which it takes down 3 s after it has the new ones
 * (EXTRA_MS in ike/ike_judge.c). */
#define PIN_SETTLE_MS 2000

static void pin_selector(const struct ike_peer *peer, enum ike_kind kind,
			 struct xfrm_selector *sel)
{
	uint8_t bits = IS_IPADDR_V4(&peer->addr) ? 32 : 128;

	memset(sel, 0, sizeof(*sel));
	sel->family = view_put_address(&peer->local, &sel->saddr);
	view_put_address(&peer->addr, &sel->daddr);
	sel->prefixlen_s = bits - 1;
	sel->prefixlen_d = bits;
	sel->proto = ike_kind_protocol(kind);
}

static bool pin_child(const struct ike_peer *peer, enum ike_kind kind)
{
	uint8_t buf[XFRM_MESSAGE_MAX] XFRM_ALIGNED;
	struct xfrm_userpolicy_info *info;
	struct xfrm_user_tmpl tmpl = {};
	struct xfrm_child x;
	struct nlmsghdr *nlh;

	if (!swmesh_xfrm_child(&peer->local, &peer->addr,
			       ike_kind_protocol(kind), 0, 0, &x))
		return false;
	nlh = xfrm_request(buf, XFRM_MSG_UPDPOLICY, 0);
	info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));
	pin_selector(peer, kind, &info->sel);
	info->lft.soft_byte_limit = info->lft.hard_byte_limit = XFRM_INF;
	info->lft.soft_packet_limit = info->lft.hard_packet_limit = XFRM_INF;
	info->lft.hard_add_expires_seconds = PIN_LIFE;
	info->priority = PIN_PRIORITY;
	info->dir = XFRM_POLICY_OUT;
	info->action = XFRM_POLICY_ALLOW;
	info->share = XFRM_SHARE_ANY;

	tmpl.family = info->sel.family;
	tmpl.id.spi = htonl(x.spi_out);
	tmpl.id.proto = x.protocol;
	tmpl.reqid = x.reqid;
	tmpl.mode = XFRM_MODE_TRANSPORT;
	tmpl.aalgos = tmpl.ealgos = tmpl.calgos = UINT32_MAX;
	mnl_attr_put(nlh, XFRMA_TMPL, sizeof(tmpl), &tmpl);
	return !xfrm_ask(nlh);
}

static void unpin_child(const struct ike_peer *peer, enum ike_kind kind)
{
	struct xfrm_userpolicy_id id = {.dir = XFRM_POLICY_OUT};

	pin_selector(peer, kind, &id.sel);
	xfrm_del_policy(&id); /* or the kernel has done it */
}

void ike_unpin(struct ike_peer *peer)
{
	THREAD_OFF(peer->t_pin);
	for (unsigned int k = 0; k < ENCAP_PROTOCOLS; k++)
		if (peer->pinned & 1u << k)
			unpin_child(peer, k);
	if (peer->pinned)
		DEBUGD(&swmesh_dbg_ike, "ike: peer %pIA: its new SAs are used",
		       &peer->addr);
	peer->pinned = 0;
}

static void unpin_now(struct thread *t)
{
	ike_unpin(THREAD_ARG(t));
}

void ike_pin(struct ike_peer *peer)
{
	int64_t now = ike_now_ms();

	if (peer->pinned ||
	    (peer->pinned_at && now - peer->pinned_at < PIN_AGAIN_MS))
		return;
	for (unsigned int k = 0; k < ENCAP_PROTOCOLS; k++)
		if (peer->child[k].wanted && peer->child[k].up &&
		    pin_child(peer, k))
			peer->pinned |= 1u << k;
	if (!peer->pinned)
		return;
	DEBUGD(&swmesh_dbg_ike, "ike: peer %pIA: its old SAs stay in use",
	       &peer->addr);
	peer->pinned_at = now;
	thread_add_timer_msec(master, unpin_now, peer, PIN_MS, &peer->t_pin);
}

void ike_pin_settle(struct ike_peer *peer)
{
	if (!peer->pinned)
		return;
	THREAD_OFF(peer->t_pin);
	/* It was the peer itself: the next time is not held against it. */
	peer->pinned_at = 0;
	thread_add_timer_msec(master, unpin_now, peer, PIN_SETTLE_MS,
			      &peer->t_pin);
}
