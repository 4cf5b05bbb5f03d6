// SPDX-License-Identifier: GPL-2.0-or-later
/* What was asked of charon and is not answered yet; see charon/charon_queue.h.
 */
#include <zebra.h>

#include "log.h"

#include "lib/log_limit.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/charon/charon_queue.h"
#include "swmeshd/charon/charon_text.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, VICI_OP, "Request to charon");

void vici_pending_init(struct vici_pending *p)
{
	memset(p, 0, sizeof(*p));
	vici_ops_init(&p->queue);
	vici_ops_init(&p->wire);
}

struct vici_op *vici_op_new(enum vici_op_kind kind, struct vici_builder *b)
{
	struct vici_packet packet;
	struct vici_op *op;

	if (vici_finish(b) != VICI_OK ||
	    vici_parse(b->buf + VICI_HEADER_LEN, b->len - VICI_HEADER_LEN,
		       &packet) != VICI_OK) {
		zlog_err_limited(0, "charon: request not sent, at \"%s\": %s",
				 b->where, vici_error_text(b->error));
		vici_free(b);
		return NULL;
	}
	op = XCALLOC(MTYPE_VICI_OP, sizeof(*op));
	op->kind = kind;
	vici_text(&packet.name, op->name, sizeof(op->name));
	op->b = *b;
	memset(b, 0, sizeof(*b));
	return op;
}

struct vici_op *vici_op_register(enum vici_op_kind kind, const char *event)
{
	enum vici_type type = kind == VICI_OP_REGISTER ? VICI_EVENT_REGISTER
						       : VICI_EVENT_UNREGISTER;
	struct vici_builder b;

	vici_begin(&b, type, event);
	return vici_op_new(kind, &b);
}

void vici_op_free(struct vici_op *op)
{
	if (op)
		vici_free(&op->b);
	XFREE(MTYPE_VICI_OP, op);
}

void vici_pending_add(struct vici_pending *p, struct vici_op *op)
{
	if (op->kind == VICI_OP_REQUEST)
		p->requests++;
	p->unsent += op->b.len;
	vici_ops_add_tail(&p->queue, op);
}

bool vici_pending_may_send(const struct vici_pending *p)
{
	return p->sending || (vici_ops_count(&p->queue) &&
			      vici_ops_count(&p->wire) < SWMESH_VICI_WINDOW);
}

struct vici_op *vici_pending_sending(struct vici_pending *p)
{
	static const char *const verbs[] = {
		[VICI_OP_REQUEST] = "",
		[VICI_OP_REGISTER] = "register ",
		[VICI_OP_UNREGISTER] = "unregister ",
	};
	struct vici_op *op = p->sending;

	if (op)
		return op;
	op = p->sending = vici_ops_pop(&p->queue);
	p->unsent -= op->b.len;
	vici_ops_add_tail(&p->wire, op);
	DEBUGD(&swmesh_dbg_ike, "charon: %s%s (%zu octets)", verbs[op->kind],
	       op->name, op->b.len);
	return op;
}

void vici_pending_sent(struct vici_pending *p)
{
	vici_free(&p->sending->b);
	p->sending = NULL;
}

struct vici_op *vici_pending_answered(struct vici_pending *p, bool request)
{
	struct vici_op *op = vici_ops_first(&p->wire);

	if (!op || op == p->sending || (op->kind == VICI_OP_REQUEST) != request)
		return NULL;
	return vici_ops_pop(&p->wire);
}

struct vici_op *vici_pending_next(struct vici_pending *p)
{
	struct vici_op *op = vici_ops_first(&p->wire);

	return op ? op : vici_ops_first(&p->queue);
}

void vici_pending_finish(struct vici_pending *p, struct vici_op *op,
			 const struct swmesh_vici_reply *reply)
{
	if (op->kind == VICI_OP_REQUEST) {
		p->requests--;
		DEBUGD(&swmesh_dbg_ike, "charon: %s: %s%s%s", op->name,
		       swmesh_vici_error_name(reply->error),
		       *reply->text ? ": " : "", reply->text);
		if (op->done)
			op->done(op->arg, reply);
	}
	vici_op_free(op);
}

static struct vici_op *pop_any(struct vici_pending *p)
{
	struct vici_op *op = vici_ops_pop(&p->wire);

	p->sending = NULL;
	if (op)
		return op;
	op = vici_ops_pop(&p->queue);
	if (op)
		p->unsent -= op->b.len;
	return op;
}

unsigned int vici_pending_fail(struct vici_pending *p,
			       enum swmesh_vici_error error, const char *text)
{
	static const struct vici_section nothing;
	const struct swmesh_vici_reply reply = {
		.error = error, .text = text, .msg = &nothing};
	unsigned int requests = p->requests;
	struct vici_op *op;

	while ((op = pop_any(p)))
		vici_pending_finish(p, op, &reply);
	return requests;
}

void vici_pending_clear(struct vici_pending *p)
{
	struct vici_op *op;

	while ((op = pop_any(p)))
		vici_op_free(op);
	p->requests = 0;
}

static void cancel(struct vici_ops_head *ops, const void *arg)
{
	struct vici_op *op;

	frr_each (vici_ops, ops, op) {
		if (op->arg != arg)
			continue;
		op->item = NULL;
		op->done = NULL;
	}
}

void vici_pending_cancel(struct vici_pending *p, const void *arg)
{
	cancel(&p->wire, arg);
	cancel(&p->queue, arg);
}
