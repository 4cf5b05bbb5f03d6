// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Conversation with bgpd's module; see talk/bgp.h.
 *
 * bgpd gone is not routes gone: what it asked for last stays until it says
 * otherwise, and what it no longer names after a resync stays for the grace
 * time, since a bgpd that has just started has no routes yet (design 7).
 */
#include <zebra.h>

#include <sys/random.h>

#include "monotime.h"

#include "lib/log_limit.h"

#include "swmeshd/talk/bgp.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_errors.h"
#include "swmeshd/model/settle.h"
#include "swmeshd/talk/zebra.h"
#include "swmeshd/swmeshd.h"

static struct swmesh_msg conversation;
static struct thread *t_tick;
static struct thread *t_flush;
/* bgpd's full state has been read once: from then on what is held of it is
 * whole, even while it is read again. */
static bool known;

/* A demand was not kept: there were too many. */
static bool missed;

/* Encap-sets as last sent, by name: to tell what is gone. */
static char sent[ENCAP_SETS_MAX][ENCAP_NAME_LEN + 1];
static unsigned int n_sent;

static int64_t now_ms(void)
{
	struct timeval tv;

	monotime(&tv);
	return tv.tv_sec * INT64_C(1000) + tv.tv_usec / 1000;
}

const struct swmesh_msg *swmesh_bgp_conversation(void)
{
	return &conversation;
}

/* ---- out ---- */

static void flush(struct thread *t)
{
	swmesh_msg_flush(&conversation);
}

static void queue(const Swmesh__Item *item)
{
	if (!swmesh_msg_queue(&conversation, item))
		flog_warn_limited(
			EC_SWMESH_BGP_ITEM, item->body_case,
			"bgpd: an item of kind %d is too large for a message; not sent",
			item->body_case);
	thread_add_event(master, flush, NULL, 0, &t_flush);
}

static void send_config(const struct mesh *mesh)
{
	Swmesh__MeshConfig config = SWMESH__MESH_CONFIG__INIT;
	Swmesh__Item item = SWMESH__ITEM__INIT;

	config.enabled = mesh->config.enabled;
	config.nhop_prefix.data = (uint8_t *)&mesh->config.nhop_prefix.prefix;
	config.nhop_prefix.len = sizeof(mesh->config.nhop_prefix.prefix);
	config.nhop_prefix_len = mesh->config.nhop_prefix.prefixlen;
	config.peer_policy_required = mesh->config.policy_required;
	config.announce = (char *)mesh->config.announce;
	item.body_case = SWMESH__ITEM__BODY_MESH_CONFIG;
	item.mesh_config = &config;
	queue(&item);
}

/* Before our address is there nobody could reach us by it. */
static ssize_t compile(struct mesh *mesh, const struct encap_set *set,
		       uint8_t *buf, size_t cap)
{
	if (mesh_status(mesh) != MESH_READY)
		return 0;
	return encap_set_compile(set, &mesh->securities, &mesh->config.source,
				 buf, cap);
}

static void send_encap_set(struct mesh *mesh, const struct encap_set *set)
{
	Swmesh__EncapSet es = SWMESH__ENCAP_SET__INIT;
	Swmesh__Item item = SWMESH__ITEM__INIT;
	uint8_t tea[ENCAP_TEA_MAX];
	ssize_t len = compile(mesh, set, tea, sizeof(tea));

	if (len < 0) {
		flog_warn_limited(
			EC_SWMESH_BGP_ITEM, set,
			"encap-set %s: more than %zu octets; not announced",
			set->name, sizeof(tea));
		len = 0;
	}
	es.name = (char *)set->name;
	es.tea.data = tea;
	es.tea.len = len;
	es.ipv4 = set->payload & PAYLOAD_IPV4;
	es.ipv6 = set->payload & PAYLOAD_IPV6;
	item.body_case = SWMESH__ITEM__BODY_ENCAP_SET;
	item.encap_set = &es;
	queue(&item);
}

static void send_encap_set_gone(const char *name)
{
	Swmesh__EncapSetGone gone = SWMESH__ENCAP_SET_GONE__INIT;
	Swmesh__Item item = SWMESH__ITEM__INIT;

	gone.name = (char *)name;
	item.body_case = SWMESH__ITEM__BODY_ENCAP_SET_GONE;
	item.encap_set_gone = &gone;
	queue(&item);
}

static void send_encap_sets(struct mesh *mesh)
{
	struct encap_set *set;

	n_sent = 0;
	frr_each (encap_sets, &mesh->sets, set) {
		send_encap_set(mesh, set);
		if (n_sent < ENCAP_SETS_MAX)
			strlcpy(sent[n_sent++], set->name, sizeof(sent[0]));
	}
}

static void send_demand(const struct demand *demand)
{
	Swmesh__SoftwireState state = SWMESH__SOFTWIRE_STATE__INIT;
	Swmesh__Item item = SWMESH__ITEM__INIT;
	char text[SW_TUNNEL_TEXT_LEN] = "";

	state.sw_nhop.data = (uint8_t *)&demand->sw_nhop;
	state.sw_nhop.len = sizeof(demand->sw_nhop);
	state.up = demand_up(demand);
	if (state.up)
		sw_tunnel_text(demand->via_type, demand->via_has_key,
			       demand->via_key, text, sizeof(text));
	state.tunnel = text;
	state.reason = (char *)demand->reason;
	item.body_case = SWMESH__ITEM__BODY_SOFTWIRE_STATE;
	item.softwire_state = &state;
	queue(&item);
}

void swmesh_bgp_demand_changed(struct demand *demand)
{
	DEBUGD(&swmesh_dbg_events, "SW-NHOP %pI6 (next hop %pIA): %s%s",
	       &demand->sw_nhop, &demand->next_hop,
	       demand_up(demand) ? "up" : "down: ",
	       demand_up(demand) ? "" : demand->reason);
	send_demand(demand);
}

void swmesh_bgp_config_changed(struct mesh *mesh)
{
	for (unsigned int i = 0; i < n_sent; i++)
		if (!encap_set_find(&mesh->sets, sent[i]))
			send_encap_set_gone(sent[i]);
	send_config(mesh);
	send_encap_sets(mesh);
}

/* ---- in ---- */

static void full_state(void *arg)
{
	struct mesh *mesh = arg;
	struct demand *demand;

	send_config(mesh);
	send_encap_sets(mesh);
	frr_each (demand_table, &mesh->demands, demand)
		send_demand(demand);
}

static void sync_begin(void *arg)
{
	struct mesh *mesh = arg;
	struct demand *demand;

	mesh->syncing = !known;
	frr_each (demand_table, &mesh->demands, demand)
		demand->marked = true;
}

static void stale(struct thread *t)
{
	struct demand *demand = THREAD_ARG(t);

	DEBUGD(&swmesh_dbg_bgp,
	       "bgpd: SW-NHOP %pI6 was not named again; removed",
	       &demand->sw_nhop);
	demand_del(demand);
}

void swmesh_bgp_stale_cancel(struct demand *demand)
{
	THREAD_OFF(demand->t_stale);
}

static void sync_end(void *arg)
{
	struct mesh *mesh = arg;
	struct demand *demand;

	frr_each (demand_table, &mesh->demands, demand)
		if (demand->marked && !demand->t_stale)
			thread_add_timer(master, stale, demand, swmesh_grace,
					 &demand->t_stale);
	known = true;
	mesh->syncing = false;
	mesh->ops->schedule(mesh);
	swmesh_grace_synced();
}

static bool read_addr(const ProtobufCBinaryData *bin, struct ipaddr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (bin->len == sizeof(struct in_addr)) {
		SET_IPADDR_V4(addr);
		memcpy(&addr->ipaddr_v4, bin->data, bin->len);
		return true;
	}
	if (bin->len != sizeof(struct in6_addr))
		return false;
	SET_IPADDR_V6(addr);
	memcpy(&addr->ipaddr_v6, bin->data, bin->len);
	return true;
}

/* bgpd's module asks for less by itself: some other has made them up, or it was
 * restarted again and again. */
static void refuse_demand(const struct in6_addr *sw_nhop,
			  const struct ipaddr *next_hop)
{
	Swmesh__SoftwireState state = SWMESH__SOFTWIRE_STATE__INIT;
	Swmesh__Item item = SWMESH__ITEM__INIT;

	missed = true;
	state.sw_nhop.data = (uint8_t *)sw_nhop;
	state.sw_nhop.len = sizeof(*sw_nhop);
	state.tunnel = (char *)"";
	state.reason = (char *)"swmeshd has too many SW-NHOPs";
	item.body_case = SWMESH__ITEM__BODY_SOFTWIRE_STATE;
	item.softwire_state = &state;
	queue(&item);
	zlog_warn_limited(
		0,
		"bgpd: more than %u SW-NHOPs: the one of next hop %pIA, and others, are left out until some go",
		MESH_DEMANDS_MAX, next_hop);
}

static void receive_demand(struct mesh *mesh, const Swmesh__Demand *msg)
{
	struct in6_addr sw_nhop;
	struct ipaddr next_hop;
	struct demand *demand;

	if (msg->sw_nhop.len != sizeof(sw_nhop) ||
	    !read_addr(&msg->next_hop, &next_hop)) {
		flog_warn_limited(EC_SWMESH_BGP_ITEM, 0,
				  "bgpd: a demand without addresses; ignored");
		return;
	}
	memcpy(&sw_nhop, msg->sw_nhop.data, sizeof(sw_nhop));
	demand = demand_get(mesh, &sw_nhop);
	if (!demand) {
		refuse_demand(&sw_nhop, &next_hop);
		return;
	}
	if (demand_update(demand, &next_hop, msg->tea.data, msg->tea.len,
			  msg->routes_ipv4, msg->routes_ipv6, msg->refused))
		DEBUGD(&swmesh_dbg_bgp,
		       "bgpd: SW-NHOP %pI6: next hop %pIA, %zu octets, %u+%u routes %s",
		       &sw_nhop, &next_hop, msg->tea.len, msg->routes_ipv4,
		       msg->routes_ipv6, msg->refused);
}

static void receive_demand_gone(struct mesh *mesh,
				const Swmesh__DemandGone *msg)
{
	struct in6_addr sw_nhop;
	struct demand *demand;

	if (msg->sw_nhop.len != sizeof(sw_nhop))
		return;
	memcpy(&sw_nhop, msg->sw_nhop.data, sizeof(sw_nhop));
	demand = demand_find(mesh, &sw_nhop);
	if (!demand)
		return;
	DEBUGD(&swmesh_dbg_bgp, "bgpd: SW-NHOP %pI6 is gone", &sw_nhop);
	demand_del(demand);
}

static void receive_item(void *arg, const Swmesh__Item *item)
{
	switch (item->body_case) {
	case SWMESH__ITEM__BODY_DEMAND:
		receive_demand(arg, item->demand);
		break;
	case SWMESH__ITEM__BODY_DEMAND_GONE:
		receive_demand_gone(arg, item->demand_gone);
		break;
	default:
		flog_warn_limited(
			EC_SWMESH_BGP_ITEM, item->body_case,
			"bgpd: an item of kind %d is not for us; ignored",
			item->body_case);
		break;
	}
}

static void peer(void *arg, bool up)
{
	struct mesh *mesh = arg;

	if (up)
		zlog_info_limited(0, "bgpd's module is there");
	else
		zlog_warn_limited(
			0,
			"bgpd's module fell silent; what it asked for stays as it is");
	if (mesh->syncing) { /* the rest will never come */
		mesh->syncing = false;
		mesh->ops->schedule(mesh);
	}
}

static bool send_frame(void *arg, const uint8_t *data, size_t len)
{
	return swmesh_zebra_send_opaque(data, len);
}

static const struct swmesh_msg_ops ops = {
	.send = send_frame,
	.full_state = full_state,
	.sync_begin = sync_begin,
	.sync_end = sync_end,
	.item = receive_item,
	.peer = peer,
};

static void receive(const uint8_t *data, size_t len)
{
	uint64_t bad = conversation.stats.bad_frames;

	DEBUGD(&swmesh_dbg_bgp, "bgpd: frame of %zu octets", len);
	swmesh_msg_receive(&conversation, data, len, now_ms());
	if (conversation.stats.bad_frames != bad && conversation.peer_version &&
	    conversation.peer_version != SWMESH_MSG_VERSION)
		flog_err_limited(
			EC_SWMESH_BGP_VERSION, conversation.peer_version,
			"bgpd's module speaks version %u, swmeshd speaks %u: install both from one release and restart them",
			conversation.peer_version, SWMESH_MSG_VERSION);
}

/* ---- time ---- */

/* There is room for what was not kept: have it told again. */
static void ask_for_missed(struct mesh *mesh)
{
	if (!missed || demand_table_count(&mesh->demands) >= MESH_DEMANDS_MAX)
		return;
	missed = false;
	swmesh_msg_resync(&conversation, now_ms());
}

static void tick(struct thread *t)
{
	ask_for_missed(swmesh);
	swmesh_msg_tick(&conversation, now_ms());
	thread_add_timer_msec(master, tick, NULL, SWMESH_MSG_HELLO_MS, &t_tick);
}

static void connected(void)
{
	THREAD_OFF(t_tick);
	thread_add_event(master, tick, NULL, 0, &t_tick);
}

static const struct zebra_channel channel = {
	.connected = connected,
	.receive = receive,
};

void swmesh_bgp_init(void)
{
	uint64_t epoch = 0;

	/* Only ever the same by accident, and then a resync is missed. */
	while (getrandom(&epoch, sizeof(epoch), 0) != sizeof(epoch) || !epoch)
		;
	swmesh_msg_init(&conversation, &ops, swmesh, epoch,
			"swmeshd " SWMESH_VERSION);
	swmesh_zebra_channel(&channel);
}

void swmesh_bgp_stop(void)
{
	THREAD_OFF(t_tick);
	THREAD_OFF(t_flush);
	swmesh_msg_fini(&conversation);
}
