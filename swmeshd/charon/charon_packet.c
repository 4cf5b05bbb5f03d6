// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What charon says: each packet goes to the request that it answers, or is an
 * event. Called by charon/charon_link.c, which reads them.
 */
#include <zebra.h>

#include "log.h"
#include "printfrr.h"

#include "lib/log_limit.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_errors.h"
#include "swmeshd/charon/charon_link.h"
#include "swmeshd/swmeshd.h"

/* The operation that this is the answer to; NULL: to none. */
static struct vici_op *answered(struct vici_link *v, bool request)
{
	struct vici_op *op = vici_pending_answered(&v->pending, request);

	if (op)
		vici_link_watch(v);
	return op;
}

static bool answer_request(struct vici_link *v,
			   const struct vici_packet *packet)
{
	struct swmesh_vici_reply reply = {.msg = &packet->msg};
	struct vici_op *op = answered(v, true);
	char text[256] = "";

	if (!op)
		return vici_link_nonsense(v, "a reply to no request");
	if (packet->type == VICI_CMD_UNKNOWN || op->no_event) {
		reply.error = SWMESH_VICI_UNKNOWN;
		snprintf(text, sizeof(text),
			 "this charon does not know the %s %s",
			 op->no_event ? "event" : "command",
			 op->no_event ? op->event : op->name);
	} else if (vici_find_is(&packet->msg, "success", "no")) {
		reply.error = SWMESH_VICI_REFUSED;
		vici_find_text(&packet->msg, "errmsg", text, sizeof(text));
		if (!*text)
			strlcpy(text, "charon gave no reason", sizeof(text));
	}
	reply.text = text;
	if (reply.error)
		v->stats.refusals++;
	vici_pending_finish(&v->pending, op, &reply);
	return v->fd >= 0;
}

static void event_is_unknown(struct vici_link *v,
			     const struct vici_op *registration)
{
	struct vici_op *op = vici_pending_next(&v->pending);

	if (registration->initial)
		flog_warn_limited(
			EC_SWMESH_VICI, log_limit_key(registration->name),
			"charon: it has no event %s; its version may be too old",
			registration->name);
	else if (op) /* the request for a list: it comes right after */
		op->no_event = true;
}

static bool answer_register(struct vici_link *v,
			    const struct vici_packet *packet)
{
	struct vici_op *op = answered(v, false);
	bool last = false;

	if (!op)
		return vici_link_nonsense(v, "a confirmation of nothing");
	if (packet->type == VICI_EVENT_UNKNOWN && op->kind == VICI_OP_REGISTER)
		event_is_unknown(v, op);
	if (op->initial)
		last = --v->registering == 0;
	vici_op_free(op);
	if (v->ending && !vici_ops_count(&v->pending.wire) &&
	    !vici_ops_count(&v->pending.queue)) {
		vici_link_stop(v);
		return false;
	}
	if (last && !v->ending)
		vici_link_came_up(v);
	return v->fd >= 0;
}

static const char *wanted_event(struct vici_link *v,
				const struct vici_value *name)
{
	for (const char *const *event = v->ops->events; event && *event;
	     event++)
		if (vici_is(name, *event))
			return *event;
	return NULL;
}

bool vici_link_has_event(struct vici_link *v, const char *event)
{
	struct vici_value name = {.at = (const uint8_t *)event,
				  .len = strlen(event)};

	return wanted_event(v, &name);
}

static bool take_event(struct vici_link *v, const struct vici_packet *packet)
{
	struct vici_op *op = vici_ops_first(&v->pending.wire);
	const char *event;

	if (op && op->event && vici_is(&packet->name, op->event)) {
		vici_link_watch(v);
		if (op->item)
			op->item(op->arg, &packet->msg);
		return v->fd >= 0;
	}
	event = wanted_event(v, &packet->name);
	if (!event || v->state != SWMESH_VICI_UP || v->ending) {
		v->stats.unexpected++;
		return true;
	}
	v->stats.events++;
	DEBUGD(&swmesh_dbg_ike, "charon: event %s", event);
	v->ops->event(event, &packet->msg);
	return v->fd >= 0;
}

/* False: the connection is no more. */
bool vici_link_take(struct vici_link *v, const uint8_t *octets, size_t len)
{
	struct vici_packet packet;
	enum vici_error error;

	error = vici_parse(octets, len, &packet);
	if (error)
		return vici_link_nonsense(v, "a malformed packet (%s)",
					  vici_error_text(error));
	switch (packet.type) {
	case VICI_CMD_RESPONSE:
	case VICI_CMD_UNKNOWN:
		return answer_request(v, &packet);
	case VICI_EVENT_CONFIRM:
	case VICI_EVENT_UNKNOWN:
		return answer_register(v, &packet);
	case VICI_EVENT:
		return take_event(v, &packet);
	case VICI_CMD_REQUEST:
	case VICI_EVENT_REGISTER:
	case VICI_EVENT_UNREGISTER:
	case VICI_TYPES:
		break;
	}
	return vici_link_nonsense(v, "a packet of type %u", packet.type);
}
