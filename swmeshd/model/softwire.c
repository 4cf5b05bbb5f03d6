// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The softwire's state machine: one table, state x event -> action, next state.
 *
 * A softwire is up when its endpoint is reachable through the core (RFC 9012
 * section 6), its device is in the kernel and, if it is to be protected, its
 * SAs are (RFC 5619 section 4), and the filter lets in what the AFBR sends by
 * it (S8). The order is law (S9): first what drops packets in clear, then the
 * device, then the SAs; the route comes last, as a demand that chooses the
 * softwire. It is used by the demands that choose it
 * (model/select.c); a change here only marks them to choose anew. A demand's
 * route that the kernel refuses takes it down again. The device
 * stays while the endpoint is away: it does no harm, and the other end may
 * still reach us. It goes when the way to the endpoint is none through the core
 * (model/transit.c): the softwire is down then, and lets nobody in.
 */
#include <zebra.h>

#include "memory.h"
#include "monotime.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/model/model.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, SOFTWIRE, "Softwire");

#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000

/* Actions may cause another event at once: they return it. */
typedef enum softwire_event (*softwire_action)(struct softwire *sw);

static enum softwire_event act_check_endpoint(struct softwire *sw)
{
	return afbr_usable(sw->afbr) ? SOFTWIRE_EV_ENDPOINT_UP
				     : SOFTWIRE_EV_NONE;
}

static enum softwire_event act_make_device(struct softwire *sw)
{
	const struct mesh_ops *ops = sw->afbr->mesh->ops;

	ops->retry_cancel(sw);
	if (!ops->guard_set(sw, sw->error, sizeof(sw->error)))
		return SOFTWIRE_EV_DEVICE_FAILED;
	if (ops->device_set(sw))
		return SOFTWIRE_EV_DEVICE_READY;
	return SOFTWIRE_EV_NONE;
}

/* The kernel removed the routes by the device together with it. */
static enum softwire_event act_remake_device(struct softwire *sw)
{
	struct demand *demand;

	frr_each (softwire_users, &sw->users, demand)
		demand->route_in = false;
	return act_make_device(sw);
}

/* What the AFBR does not announce it does not take, and has no key for; what it
 * takes protected only is not sent in clear (S6). */
static bool protect(struct softwire *sw)
{
	const struct mesh_ops *ops = sw->afbr->mesh->ops;
	uint8_t protocols[SOFTWIRE_PROTOCOLS_MAX];

	if (sw->security ? sw->peer_has && softwire_protocols(sw, protocols)
			 : !sw->clear_refused)
		return ops->sa_set(sw, sw->error, sizeof(sw->error));
	ops->sa_release(sw);
	strlcpy(sw->error,
		sw->clear_refused ? clear_refusal_reason(sw->clear_refused)
				  : "the AFBR does not announce this tunnel",
		sizeof(sw->error));
	return false;
}

/* It is up: see afbr.was_protected. */
static void note_protected(struct softwire *sw)
{
	if (sw->security && sw->peer_clear && !sw->afbr->has_asked)
		sw->afbr->was_protected = true;
}

static enum softwire_event act_protect(struct softwire *sw)
{
	sw->error[0] = '\0'; /* the device's, and that is there now */
	return protect(sw) ? SOFTWIRE_EV_SA_READY : SOFTWIRE_EV_NONE;
}

/* It is up, and what protects it may have changed. */
static enum softwire_event act_protect_anew(struct softwire *sw)
{
	if (!protect(sw))
		return SOFTWIRE_EV_SA_LOST;
	note_protected(sw);
	return SOFTWIRE_EV_NONE;
}

/* It was asked for when the device came, and mostly is there by now. */
static enum softwire_event act_filter(struct softwire *sw)
{
	sw->error[0] = '\0';
	return sw->afbr->mesh->ops->filter_set(sw) ? SOFTWIRE_EV_FILTER_READY
						   : SOFTWIRE_EV_NONE;
}

static enum softwire_event act_came_up(struct softwire *sw)
{
	sw->afbr->mesh->ops->retry_cancel(sw);
	sw->error[0] = '\0';
	sw->changes++;
	note_protected(sw);
	return SOFTWIRE_EV_NONE;
}

/* Only now: a route that is refused each time it comes up is to be tried at
 * longer and longer intervals. */
static enum softwire_event act_in_use(struct softwire *sw)
{
	sw->failures = 0;
	return SOFTWIRE_EV_NONE;
}

static enum softwire_event act_retry_later(struct softwire *sw)
{
	unsigned int ms = RETRY_MIN_MS << MIN(sw->failures, 6u);

	sw->failures++;
	sw->afbr->mesh->ops->retry(sw, MIN(ms, (unsigned int)RETRY_MAX_MS));
	return SOFTWIRE_EV_NONE;
}

static enum softwire_event act_cancel_retry(struct softwire *sw)
{
	sw->afbr->mesh->ops->retry_cancel(sw);
	return SOFTWIRE_EV_NONE;
}

static enum softwire_event act_release(struct softwire *sw)
{
	sw->afbr->mesh->ops->retry_cancel(sw);
	sw->afbr->mesh->ops->sa_release(sw);
	sw->afbr->mesh->ops->device_release(sw);
	return SOFTWIRE_EV_NONE;
}

struct transition {
	bool valid; /* false: the event means nothing in this state */
	enum softwire_state next;
	softwire_action action; /* run after the state has changed */
};

#define GO(next_, action_)                                                     \
	{                                                                      \
		.valid = true, .next = SOFTWIRE_##next_, .action = action_     \
	}

/* clang-format off */
static const struct transition transitions[SOFTWIRE_STATES][SOFTWIRE_EVENTS] = {
	[SOFTWIRE_DOWN] = {
		[SOFTWIRE_EV_START]         = GO(WAIT_ENDPOINT, act_check_endpoint),
	},
	[SOFTWIRE_WAIT_ENDPOINT] = {
		[SOFTWIRE_EV_ENDPOINT_UP]   = GO(WAIT_DEVICE,   act_make_device),
		[SOFTWIRE_EV_STOP]          = GO(DOWN,          act_release),
	},
	[SOFTWIRE_WAIT_DEVICE] = {
		[SOFTWIRE_EV_ENDPOINT_DOWN] = GO(WAIT_ENDPOINT, NULL),
		[SOFTWIRE_EV_CHANGED]       = GO(WAIT_DEVICE,   act_make_device),
		[SOFTWIRE_EV_DEVICE_READY]  = GO(WAIT_SA,       act_protect),
		[SOFTWIRE_EV_DEVICE_FAILED] = GO(FAILING,       act_retry_later),
		[SOFTWIRE_EV_DEVICE_LOST]   = GO(WAIT_DEVICE,   act_remake_device),
		[SOFTWIRE_EV_STOP]          = GO(DOWN,          act_release),
	},
	[SOFTWIRE_WAIT_SA] = {
		[SOFTWIRE_EV_ENDPOINT_DOWN] = GO(WAIT_ENDPOINT, NULL),
		[SOFTWIRE_EV_CHANGED]       = GO(WAIT_DEVICE,   act_make_device),
		[SOFTWIRE_EV_DEVICE_FAILED] = GO(FAILING,       act_retry_later),
		[SOFTWIRE_EV_DEVICE_LOST]   = GO(WAIT_DEVICE,   act_remake_device),
		[SOFTWIRE_EV_SA_READY]      = GO(WAIT_FILTER,   act_filter),
		[SOFTWIRE_EV_SA_FAILED]     = GO(WAIT_SA,       NULL),
		[SOFTWIRE_EV_STOP]          = GO(DOWN,          act_release),
	},
	[SOFTWIRE_WAIT_FILTER] = {
		[SOFTWIRE_EV_ENDPOINT_DOWN] = GO(WAIT_ENDPOINT, NULL),
		[SOFTWIRE_EV_CHANGED]       = GO(WAIT_DEVICE,   act_make_device),
		[SOFTWIRE_EV_DEVICE_FAILED] = GO(FAILING,       act_retry_later),
		[SOFTWIRE_EV_DEVICE_LOST]   = GO(WAIT_DEVICE,   act_remake_device),
		[SOFTWIRE_EV_SA_LOST]       = GO(WAIT_SA,       NULL),
		[SOFTWIRE_EV_FILTER_READY]  = GO(UP,            act_came_up),
		[SOFTWIRE_EV_FILTER_FAILED] = GO(WAIT_FILTER,   NULL),
		[SOFTWIRE_EV_STOP]          = GO(DOWN,          act_release),
	},
	[SOFTWIRE_UP] = {
		[SOFTWIRE_EV_ENDPOINT_DOWN] = GO(WAIT_ENDPOINT, NULL),
		[SOFTWIRE_EV_CHANGED]       = GO(UP,            act_make_device),
		[SOFTWIRE_EV_DEVICE_READY]  = GO(UP,            act_protect_anew),
		[SOFTWIRE_EV_SA_LOST]       = GO(WAIT_SA,       NULL),
		[SOFTWIRE_EV_DEVICE_FAILED] = GO(FAILING,       act_retry_later),
		[SOFTWIRE_EV_DEVICE_LOST]   = GO(WAIT_DEVICE,   act_remake_device),
		[SOFTWIRE_EV_ROUTE_IN]      = GO(UP,            act_in_use),
		[SOFTWIRE_EV_ROUTE_REFUSED] = GO(FAILING,       act_retry_later),
		[SOFTWIRE_EV_STOP]          = GO(DOWN,          act_release),
	},
	[SOFTWIRE_FAILING] = {
		[SOFTWIRE_EV_ENDPOINT_DOWN] = GO(WAIT_ENDPOINT, act_cancel_retry),
		[SOFTWIRE_EV_CHANGED]       = GO(WAIT_DEVICE,   act_make_device),
		[SOFTWIRE_EV_DEVICE_READY]  = GO(WAIT_SA,       act_protect),
		[SOFTWIRE_EV_DEVICE_LOST]   = GO(WAIT_DEVICE,   act_remake_device),
		[SOFTWIRE_EV_RETRY]         = GO(WAIT_DEVICE,   act_make_device),
		[SOFTWIRE_EV_STOP]          = GO(DOWN,          act_release),
	},
};

static const char *const state_names[SOFTWIRE_STATES] = {
	[SOFTWIRE_DOWN]          = "down",
	[SOFTWIRE_WAIT_ENDPOINT] = "wait-endpoint",
	[SOFTWIRE_WAIT_DEVICE]   = "wait-device",
	[SOFTWIRE_WAIT_SA]       = "wait-sa",
	[SOFTWIRE_WAIT_FILTER]   = "wait-filter",
	[SOFTWIRE_UP]            = "up",
	[SOFTWIRE_FAILING]       = "failing",
};

static const char *const event_names[SOFTWIRE_EVENTS] = {
	[SOFTWIRE_EV_NONE]          = "none",
	[SOFTWIRE_EV_START]         = "start",
	[SOFTWIRE_EV_ENDPOINT_UP]   = "endpoint-up",
	[SOFTWIRE_EV_ENDPOINT_DOWN] = "endpoint-down",
	[SOFTWIRE_EV_CHANGED]       = "changed",
	[SOFTWIRE_EV_DEVICE_READY]  = "device-ready",
	[SOFTWIRE_EV_DEVICE_FAILED] = "device-failed",
	[SOFTWIRE_EV_DEVICE_LOST]   = "device-lost",
	[SOFTWIRE_EV_SA_READY]      = "sa-ready",
	[SOFTWIRE_EV_SA_FAILED]     = "sa-failed",
	[SOFTWIRE_EV_SA_LOST]       = "sa-lost",
	[SOFTWIRE_EV_FILTER_READY]  = "filter-ready",
	[SOFTWIRE_EV_FILTER_FAILED] = "filter-failed",
	[SOFTWIRE_EV_ROUTE_IN]      = "route-in",
	[SOFTWIRE_EV_ROUTE_REFUSED] = "route-refused",
	[SOFTWIRE_EV_RETRY]         = "retry",
	[SOFTWIRE_EV_STOP]          = "stop",
};
/* clang-format on */

const char *softwire_state_name(enum softwire_state state)
{
	return state_names[state];
}

const char *softwire_event_name(enum softwire_event event)
{
	return event_names[event];
}

enum softwire_state softwire_next_state(enum softwire_state state,
					enum softwire_event event)
{
	const struct transition *t = &transitions[state][event];

	return t->valid ? t->next : state;
}

static void change_state(struct softwire *sw, enum softwire_state next,
			 enum softwire_event event)
{
	char text[SW_TUNNEL_TEXT_LEN];

	if (sw->state == next)
		return;
	DEBUGD(&swmesh_dbg_events, "softwire to %pIA by %s: %s, %s -> %s",
	       &sw->afbr->addr, softwire_tunnel_text(sw, text, sizeof(text)),
	       event_names[event], state_names[sw->state], state_names[next]);
	sw->state = next;
	sw->since = monotime(NULL);
	afbr_mark_demands(sw->afbr);
	sw->afbr->mesh->ops->softwire_changed(sw);
}

/* What is shown and told to bgpd's module changes with it. */
static void set_error(struct softwire *sw, const char *text)
{
	if (!strcmp(sw->error, text))
		return;
	strlcpy(sw->error, text, sizeof(sw->error));
	afbr_mark_demands(sw->afbr);
}

void softwire_event(struct softwire *sw, enum softwire_event event,
		    const char *text)
{
	if (text)
		set_error(sw, text);
	while (event != SOFTWIRE_EV_NONE) {
		const struct transition *t = &transitions[sw->state][event];

		if (!t->valid)
			return;
		change_state(sw, t->next, event);
		event = t->action ? t->action(sw) : SOFTWIRE_EV_NONE;
	}
}

struct softwire *softwire_new(struct afbr *afbr, const struct sw_tunnel *tunnel)
{
	struct softwire *sw = XCALLOC(MTYPE_SOFTWIRE, sizeof(*sw));

	sw->afbr = afbr;
	sw->tunnel = *tunnel;
	sw->since = monotime(NULL);
	softwire_users_init(&sw->users);
	afbr_softwires_add_tail(&afbr->softwires, sw);
	return sw;
}

void softwire_del(struct softwire *sw)
{
	struct demand *demand;

	softwire_event(sw, SOFTWIRE_EV_STOP, NULL);
	while ((demand = softwire_users_pop(&sw->users))) {
		demand->via = NULL;
		demand_mark_dirty(demand);
	}
	softwire_users_fini(&sw->users);
	afbr_softwires_del(&sw->afbr->softwires, sw);
	security_unref(&sw->security);
	XFREE(MTYPE_SOFTWIRE, sw);
}

unsigned int softwire_protocols(const struct softwire *sw,
				uint8_t protocols[SOFTWIRE_PROTOCOLS_MAX])
{
	return encap_find(sw->tunnel.type)->protocols(sw->payload, protocols);
}

unsigned int softwire_overhead(const struct softwire *sw)
{
	unsigned int outer = IS_IPADDR_V6(&sw->afbr->addr) ? 40 : 20;

	if (sw->security)
		outer += security_overhead(sw->security);
	return outer + encap_find(sw->tunnel.type)->header(sw->has_okey);
}

void softwire_device(struct softwire *sw, const struct softwire_device *dev)
{
	bool other = sw->dev.ifindex != dev->ifindex;

	sw->dev = *dev;
	if (other)
		sw->afbr->mesh->ops->softwire_changed(sw);
}

uint32_t softwire_path_mtu(const struct softwire *sw)
{
	uint32_t path = sw->afbr->path.mtu;

	return sw->core_mtu && (!path || sw->core_mtu < path) ? sw->core_mtu
							      : path;
}

uint32_t softwire_mtu(const struct softwire *sw)
{
	uint32_t overhead = softwire_overhead(sw);
	uint32_t path = softwire_path_mtu(sw);

	if (!path)
		return 0;
	/* RFC 8200 section 5: an IPv6 link carries 1280 octets. Smaller, and
	 * the kernel would take IPv6 off the device, with the SW-NHOP. */
	return MAX(path > overhead ? path - overhead : 0,
		   (uint32_t)SOFTWIRE_ROUTE_MTU_MAX);
}

static bool is_narrow(const struct softwire *sw)
{
	uint32_t path = softwire_path_mtu(sw);

	return path && path < softwire_overhead(sw) + SOFTWIRE_ROUTE_MTU_MAX;
}

bool softwire_fragments(const struct softwire *sw)
{
	return IS_IPADDR_V4(&sw->afbr->addr) && is_narrow(sw);
}

/* RFC 791: every IPv4 link carries 68 octets. */
#define IPV4_MTU_MIN 68

uint32_t softwire_route_mtu(const struct softwire *sw)
{
	uint32_t overhead = softwire_overhead(sw);
	uint32_t path = softwire_path_mtu(sw);

	if (!is_narrow(sw) || softwire_fragments(sw))
		return 0;
	return path > overhead + IPV4_MTU_MIN ? path - overhead : IPV4_MTU_MIN;
}

const char *softwire_mtu_note(const struct softwire *sw, char *buf, size_t len)
{
	unsigned int overhead = softwire_overhead(sw);

	buf[0] = '\0';
	if (!is_narrow(sw))
		return buf;
	/* RFC 2473 section 7.1 wants the outer packet in fragments over IPv6,
	 * too; Linux does not make any of what it forwards. */
	snprintf(
		buf, len,
		"the core carries packets of %u octets, %u of which are overhead: %s; give the core an MTU of %u or more",
		softwire_path_mtu(sw), overhead,
		softwire_fragments(sw)
			? "larger inner packets, up to 1280 octets, cross it in fragments, which costs throughput"
			: "larger inner packets are fragmented (IPv4) or answered by ICMP; an IPv6 source need not heed that below 1280 (RFC 8200), and then they are lost",
		overhead + SOFTWIRE_ROUTE_MTU_MAX);
	return buf;
}

const char *softwire_tunnel_text(const struct softwire *sw, char *buf,
				 size_t len)
{
	return sw_tunnel_text(sw->tunnel.type, sw->tunnel.has_key,
			      sw->tunnel.key, buf, len);
}

const char *softwire_reason(const struct softwire *sw, char *buf, size_t len)
{
	switch (sw->state) {
	case SOFTWIRE_UP:
		buf[0] = '\0';
		break;
	case SOFTWIRE_WAIT_ENDPOINT:
		afbr_reason(sw->afbr, buf, len);
		break;
	case SOFTWIRE_FAILING:
		strlcpy(buf, sw->error, len);
		break;
	case SOFTWIRE_WAIT_DEVICE:
		snprintf(buf, len, "%s",
			 sw->failures ? sw->error
				      : "the kernel is making the device");
		break;
	case SOFTWIRE_WAIT_SA:
		snprintf(buf, len, "%s",
			 sw->error[0] ? sw->error
				      : "IKE is setting up its protection");
		break;
	case SOFTWIRE_WAIT_FILTER:
		snprintf(buf, len,
			 "the filter does not let its AFBR in yet%s%s",
			 sw->error[0] ? ": " : "", sw->error);
		break;
	case SOFTWIRE_DOWN:
	case SOFTWIRE_STATES:
		if (!afbr_reason(sw->afbr, buf, len)[0])
			strlcpy(buf, "not started", len);
		break;
	}
	return buf;
}
