/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was asked of charon and is not answered yet; private to charon/charon.c.
 *
 * charon works off what one connection sends in strict order (process_queue()
 * of its vici_socket.c), so answers are matched by order alone: what was sent
 * stands in the list "wire", what waits for a place there in "queue". Event
 * registrations stand in the same lists; a request for a list has one in front
 * of it and one behind.
 */
#ifndef SWMESH_VICI_OPS_H
#define SWMESH_VICI_OPS_H

#include "typesafe.h"

#include "swmeshd/charon/charon_types.h"

enum vici_op_kind { VICI_OP_REQUEST, VICI_OP_REGISTER, VICI_OP_UNREGISTER };

PREDECL_LIST(vici_ops);

/* One packet that charon answers with one. */
struct vici_op {
	struct vici_ops_item link;
	enum vici_op_kind kind;
	char name[32];	       /* of the command or event, perhaps cut off */
	struct vici_builder b; /* the packet; wiped once it is sent */
	size_t sent;	       /* octets */
	bool initial;	       /* a registration not for a list */
	/* Of requests: */
	const char *event; /* the one that streams its items, or NULL */
	bool no_event;	   /* charon does not know it */
	swmesh_vici_item item;
	swmesh_vici_done done;
	void *arg;
};

DECLARE_LIST(vici_ops, struct vici_op, link);

struct vici_pending {
	struct vici_ops_head queue, wire;
	struct vici_op *sending; /* last of wire, while not sent in full */
	unsigned int requests;	 /* in both, registrations not counted */
	size_t unsent;		 /* octets of queue */
};

void vici_pending_init(struct vici_pending *p);

/* Takes the packet over. NULL: it holds an error, which is logged. */
struct vici_op *vici_op_new(enum vici_op_kind kind, struct vici_builder *b);
struct vici_op *vici_op_register(enum vici_op_kind kind, const char *event);
/* Wipes the packet. op may be NULL. */
void vici_op_free(struct vici_op *op);

void vici_pending_add(struct vici_pending *p, struct vici_op *op);

/* Is there something to send, and a place on the wire for it? Then the one to
 * go on with; and what to do when its last octet is sent. */
bool vici_pending_may_send(const struct vici_pending *p);
struct vici_op *vici_pending_sending(struct vici_pending *p);
void vici_pending_sent(struct vici_pending *p);

/* Take what an answer to a request (or else to a registration) is for: the
 * oldest on the wire. NULL: nothing of that kind waits for an answer now. */
struct vici_op *vici_pending_answered(struct vici_pending *p, bool request);
/* The request next in order, or NULL. */
struct vici_op *vici_pending_next(struct vici_pending *p);

/* Tell the owner of an operation that was taken, and free it. */
void vici_pending_finish(struct vici_pending *p, struct vici_op *op,
			 const struct swmesh_vici_reply *reply);
/* The same for all of them; how many were requests. */
unsigned int vici_pending_fail(struct vici_pending *p,
			       enum swmesh_vici_error error, const char *text);
/* Free all without a word. */
void vici_pending_clear(struct vici_pending *p);

void vici_pending_cancel(struct vici_pending *p, const void *arg);

#endif /* SWMESH_VICI_OPS_H */
