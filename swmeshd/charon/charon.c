// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests to charon, and its events; see charon/charon.h. */
#include <zebra.h>

#include "log.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/charon/charon.h"
#include "swmeshd/charon/charon_text.h"
#include "swmeshd/charon/charon_link.h"
#include "swmeshd/charon/charon_log.h"
#include "swmeshd/swmeshd.h"

static struct vici_link vici = {
	.path = SWMESH_VICI_PATH,
	.fd = -1,
	.timeout_ms = SWMESH_VICI_TIMEOUT_MS,
};
static const struct swmesh_vici_ops *ops;
static struct vici_link_ops link_ops;

/* charon's log goes by another connection, which comes and goes with this. */
static void on_up(bool up)
{
	vici_log_may(up);
	ops->up(up);
}

bool swmesh_vici_set_path(const char *path)
{
	if (strlen(path) >= sizeof(vici.path))
		return false;
	if (!strcmp(path, vici.path))
		return true;
	strlcpy(vici.path, path, sizeof(vici.path));
	vici_link_restart(&vici);
	return true;
}

void swmesh_vici_set_timeout(unsigned int ms)
{
	vici.timeout_ms = ms;
}

void swmesh_vici_start(const struct swmesh_vici_ops *these)
{
	ops = these;
	link_ops = (struct vici_link_ops){
		.events = ops->events,
		.event = ops->event,
		.up = on_up,
	};
	vici_log_init(ops, vici.path);
	vici_link_start(&vici, &link_ops);
}

void swmesh_vici_stop(void)
{
	vici_log_stop();
	vici_link_stop(&vici);
}

/* May it be taken? The registrations around a list are not asked for. */
static enum swmesh_vici_error admit(const struct vici_op *op)
{
	if (!op)
		return SWMESH_VICI_BAD_REQUEST;
	if (vici.state != SWMESH_VICI_UP)
		return SWMESH_VICI_NOT_UP;
	if (vici.pending.requests >= SWMESH_VICI_REQUESTS_MAX ||
	    vici.pending.unsent + op->b.len > SWMESH_VICI_OCTETS_MAX) {
		return SWMESH_VICI_FULL;
	}
	return SWMESH_VICI_OK;
}

/* op and the registrations around it, which may be NULL. */
static void take(struct vici_op *op, struct vici_op *before,
		 struct vici_op *after)
{
	vici.stats.requests++;
	if (before)
		vici_link_send(&vici, before);
	vici_link_send(&vici, op);
	if (after)
		vici_link_send(&vici, after);
}

enum swmesh_vici_error swmesh_vici_list(struct vici_builder *b,
					const char *event,
					swmesh_vici_item item,
					swmesh_vici_done done, void *arg)
{
	struct vici_op *op, *before = NULL, *after = NULL;
	enum swmesh_vici_error error;

	if (b->type != VICI_CMD_REQUEST)
		vici_fail(b, VICI_ERR_TYPE);
	op = vici_op_new(VICI_OP_REQUEST, b);
	error = admit(op);
	if (!error && event && !vici_link_has_event(&vici, event)) {
		before = vici_op_register(VICI_OP_REGISTER, event);
		after = vici_op_register(VICI_OP_UNREGISTER, event);
		if (!before || !after)
			error = SWMESH_VICI_BAD_REQUEST;
	}
	if (error) {
		DEBUGD(&swmesh_dbg_ike, "charon: %s not sent: %s",
		       op ? op->name : "request",
		       swmesh_vici_error_name(error));
		vici_op_free(op);
		vici_op_free(before);
		vici_op_free(after);
		return error;
	}
	op->event = event;
	op->item = item;
	op->done = done;
	op->arg = arg;
	take(op, before, after);
	return SWMESH_VICI_OK;
}

enum swmesh_vici_error swmesh_vici_request(struct vici_builder *b,
					   swmesh_vici_done done, void *arg)
{
	return swmesh_vici_list(b, NULL, NULL, done, arg);
}

void swmesh_vici_cancel(const void *arg)
{
	if (vici.state != SWMESH_VICI_STOPPED)
		vici_pending_cancel(&vici.pending, arg);
}

unsigned int swmesh_vici_room(void)
{
	if (vici.state != SWMESH_VICI_UP ||
	    vici.pending.unsent >= SWMESH_VICI_OCTETS_MAX)
		return 0;
	return SWMESH_VICI_REQUESTS_MAX - vici.pending.requests;
}

struct swmesh_vici_status swmesh_vici_status(void)
{
	return (struct swmesh_vici_status){
		.state = vici.state,
		.path = vici.path,
		.since = vici.since,
		.queued = vici_ops_count(&vici.pending.queue),
		.wire = vici_ops_count(&vici.pending.wire),
		.error = vici.error,
		.error_at = vici.error_at,
		.hangs_since = vici.hangs_since,
		.stats = &vici.stats,
	};
}
