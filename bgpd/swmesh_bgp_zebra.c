// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module's place on bgpd's zebra session: the talk with swmeshd over
 * opaque messages (lib/swmesh_msg.h), next-hop answers (_nht) and addresses of
 * our own that come (_session) and go (_nhop).
 *
 * bgpd's table of message handlers is constant, the pointer to it in struct
 * zclient is not.
 */

#include <zebra.h>

#include <sys/random.h>

#include "lib/zclient.h"

#include "bgpd/bgpd.h"
#include "bgpd/bgp_nexthop.h"
#include "bgpd/bgp_zebra.h"

#include "bgpd/swmesh_bgp.h"
#include "lib/log_limit.h"

DEFINE_MTYPE_STATIC(SWMESH, SWMESH_CONFIG, "Mesh configuration");

/* Messages that end up in nobody's handler are dropped by libfrr. */
#define HANDLERS 256

/* bgpd declares it in each file that needs it. */
extern struct zclient *zclient;

struct swmesh_config swmesh_config;
struct swmesh_msg swmesh_talk;

static zclient_handler *handlers[HANDLERS];
static zclient_handler *bgpd_opaque, *bgpd_nexthop_update;
static zclient_handler *bgpd_address_add, *bgpd_address_delete;
static void (*bgpd_connected)(struct zclient *zclient);
static struct thread *t_tick;

/* ---- what swmeshd tells ---- */

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

static bool same_policy(const struct swmesh_config *a,
			const struct swmesh_config *b)
{
	return a->known == b->known && a->enabled == b->enabled &&
	       a->required == b->required;
}

static void mesh_config(const Swmesh__MeshConfig *msg)
{
	struct swmesh_config old = swmesh_config;
	struct swmesh_config new = {
		.known = true,
		.enabled = msg->enabled,
		.required = msg->peer_policy_required,
		.prefix.family = AF_INET6,
		.prefix.prefixlen = msg->nhop_prefix_len,
	};
	bool moved;

	if (msg->enabled &&
	    (msg->nhop_prefix.len != 16 || msg->nhop_prefix_len > 96)) {
		zlog_warn_limited(
			0,
			"swmeshd sent a SW-NHOP prefix that is none; configuration not taken");
		return;
	}
	if (msg->nhop_prefix.len == 16)
		memcpy(&new.prefix.prefix, msg->nhop_prefix.data, 16);
	apply_mask_ipv6(&new.prefix);
	if (msg->announce && *msg->announce)
		new.announce = XSTRDUP(MTYPE_SWMESH_CONFIG, msg->announce);

	moved = !prefix_same(&old.prefix, &new.prefix);
	swmesh_config = new;
	if (moved)
		swmesh_nhop_reset();
	if (moved || !same_policy(&old, &new))
		swmesh_rmap_changed_in();
	if (!same_text(old.announce, new.announce))
		swmesh_rmap_changed_out();
	XFREE(MTYPE_SWMESH_CONFIG, old.announce);
}

static void talk_item(void *arg, const Swmesh__Item *item)
{
	switch (item->body_case) {
	case SWMESH__ITEM__BODY_MESH_CONFIG:
		mesh_config(item->mesh_config);
		break;
	case SWMESH__ITEM__BODY_ENCAP_SET:
		swmesh_set_update(item->encap_set);
		break;
	case SWMESH__ITEM__BODY_ENCAP_SET_GONE:
		swmesh_set_gone(item->encap_set_gone->name);
		break;
	case SWMESH__ITEM__BODY_SOFTWIRE_STATE:
		swmesh_nhop_state(item->softwire_state);
		break;
	default:
		break; /* of a later version, or our own direction */
	}
}

static void talk_sync_begin(void *arg)
{
	swmesh_sets_mark();
	swmesh_nhop_states_mark();
}

static void talk_sync_end(void *arg)
{
	swmesh_sets_sweep();
	swmesh_nhop_states_sweep();
}

static void talk_full_state(void *arg)
{
	if (SWMESH_DBG(MSG))
		zlog_debug("swmeshd asks for all we have");
	swmesh_nhop_send_all();
}

static void talk_peer(void *arg, bool up)
{
	zlog_info_limited(up, "swmeshd %s", up ? "answers" : "is silent");
}

static bool talk_send(void *arg, const uint8_t *data, size_t len)
{
	if (!zclient || zclient->sock < 0)
		return false;
	return zclient_send_opaque(zclient, SWMESH_OPAQUE_TO_SWMESHD, data,
				   len) != ZCLIENT_SEND_FAILURE;
}

static const struct swmesh_msg_ops talk_ops = {
	.send = talk_send,
	.full_state = talk_full_state,
	.sync_begin = talk_sync_begin,
	.sync_end = talk_sync_end,
	.item = talk_item,
	.peer = talk_peer,
};

/* ---- zebra ---- */

static int opaque_received(ZAPI_CALLBACK_ARGS)
{
	struct zapi_opaque_msg info;
	struct stream *s = zclient->ibuf;

	if (bgpd_opaque)
		bgpd_opaque(cmd, zclient, length, vrf_id);
	if (swmesh_stopping || zclient_opaque_decode(s, &info) != 0 ||
	    info.type != SWMESH_OPAQUE_TO_BGPD)
		return 0;
	swmesh_msg_receive(&swmesh_talk, stream_pnt(s), STREAM_READABLE(s),
			   swmesh_now_ms());
	return 0;
}

static int nexthop_update(ZAPI_CALLBACK_ARGS)
{
	if (!swmesh_stopping)
		swmesh_nht_filter(zclient->ibuf);
	return bgpd_nexthop_update(cmd, zclient, length, vrf_id);
}

static int address_add(ZAPI_CALLBACK_ARGS)
{
	int ret = bgpd_address_add(cmd, zclient, length, vrf_id);

	if (!swmesh_stopping)
		swmesh_session_address_added();
	return ret;
}

/* The address of the message, as zebra_interface_address_read() would read it:
 * interface, flags, family, address. */
static bool peek_address(struct stream *s, struct in6_addr *addr)
{
	size_t at = stream_get_getp(s) + 4 + 1;
	struct in_addr v4;

	if (STREAM_READABLE(s) < 4 + 1 + 1 + sizeof(*addr))
		return false;
	switch (stream_getc_from(s, at)) {
	case AF_INET:
		stream_get_from(&v4, s, at + 1, sizeof(v4));
		ipv4_to_ipv4_mapped_ipv6(addr, v4);
		return true;
	case AF_INET6:
		stream_get_from(addr, s, at + 1, sizeof(*addr));
		return true;
	default:
		return false;
	}
}

static int address_delete(ZAPI_CALLBACK_ARGS)
{
	struct in6_addr addr;
	bool known = peek_address(zclient->ibuf, &addr);
	int ret = bgpd_address_delete(cmd, zclient, length, vrf_id);

	if (known && !swmesh_stopping)
		swmesh_nhop_address_gone(&addr);
	return ret;
}

static void tick(struct thread *thread)
{
	thread_add_timer_msec(bm->master, tick, NULL, SWMESH_MSG_HELLO_MS,
			      &t_tick);
	if (zclient && zclient->sock >= 0)
		swmesh_msg_tick(&swmesh_talk, swmesh_now_ms());
}

/*
 * When zebra comes back, bgpd takes its next hops for registered still
 * (bgp_nht.c:1024) and its routes for installed: no softwire would ever carry
 * anything again.
 */
static void forget_registrations(void)
{
	struct bgp_nexthop_cache *bnc;
	struct listnode *node;
	struct bgp *bgp;

	for (ALL_LIST_ELEMENTS_RO(bm->bgp, node, bgp))
		for (afi_t afi = AFI_IP; afi < AFI_MAX; afi++)
			frr_each (bgp_nexthop_cache,
				  &bgp->nexthop_cache_table[afi], bnc)
				UNSET_FLAG(bnc->flags, BGP_NEXTHOP_REGISTERED);
}

static void install_again(void)
{
	struct listnode *node;
	struct bgp *bgp;

	for (ALL_LIST_ELEMENTS_RO(bm->bgp, node, bgp)) {
		bgp_zebra_announce_table(bgp, AFI_IP, SAFI_UNICAST);
		bgp_zebra_announce_table(bgp, AFI_IP6, SAFI_UNICAST);
	}
}

static void zebra_connected(struct zclient *zclient)
{
	static bool before;

	if (before)
		forget_registrations();
	if (bgpd_connected)
		bgpd_connected(zclient);
	if (swmesh_stopping)
		return;
	if (before)
		install_again();
	before = true;
	zclient_register_opaque(zclient, SWMESH_OPAQUE_TO_BGPD);
	swmesh_msg_tick(&swmesh_talk, swmesh_now_ms());
}

static void take_handlers(void)
{
	for (size_t i = 0; i < MIN(zclient->n_handlers, HANDLERS); i++)
		handlers[i] = zclient->handlers[i];
	bgpd_opaque = handlers[ZEBRA_OPAQUE_MESSAGE];
	bgpd_nexthop_update = handlers[ZEBRA_NEXTHOP_UPDATE];
	bgpd_address_add = handlers[ZEBRA_INTERFACE_ADDRESS_ADD];
	bgpd_address_delete = handlers[ZEBRA_INTERFACE_ADDRESS_DELETE];
	assert(bgpd_nexthop_update && bgpd_address_add && bgpd_address_delete);
	handlers[ZEBRA_OPAQUE_MESSAGE] = opaque_received;
	handlers[ZEBRA_NEXTHOP_UPDATE] = nexthop_update;
	handlers[ZEBRA_INTERFACE_ADDRESS_ADD] = address_add;
	handlers[ZEBRA_INTERFACE_ADDRESS_DELETE] = address_delete;
	zclient->handlers = handlers;
	zclient->n_handlers = HANDLERS;
	bgpd_connected = zclient->zebra_connected;
	zclient->zebra_connected = zebra_connected;
}

void swmesh_zebra_init(void)
{
	uint64_t epoch = 0;

	while (!epoch)
		if (getrandom(&epoch, sizeof(epoch), 0) != sizeof(epoch))
			epoch = (uint64_t)monotime(NULL) << 16 ^ getpid();
	if (!swmesh_msg_init(&swmesh_talk, &talk_ops, NULL, epoch,
			     "bgpd_swmesh " SWMESH_VERSION)) {
		zlog_err("bgpd_swmesh: out of memory");
		exit(1);
	}
	take_handlers();
	thread_add_timer_msec(bm->master, tick, NULL, SWMESH_MSG_HELLO_MS,
			      &t_tick);
}

void swmesh_zebra_fini(void)
{
	THREAD_OFF(t_tick);
	swmesh_msg_fini(&swmesh_talk);
	XFREE(MTYPE_SWMESH_CONFIG, swmesh_config.announce);
}
