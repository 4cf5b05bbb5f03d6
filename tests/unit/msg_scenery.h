/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two ends of the conversation of lib/swmesh_msg.h, and frames between them. */
#ifndef SWMESH_MSG_SCENERY_H
#define SWMESH_MSG_SCENERY_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "lib/swmesh_msg.h"

#define OBJECTS 64
#define QUEUE 256

/* One end: some numbered objects of its own, a replica of the other's. */
struct end {
	struct swmesh_msg msg;
	struct end *other;
	uint32_t own[OBJECTS];	   /* value; 0: there is none */
	uint32_t replica[OBJECTS]; /* what the other end told */
	bool marked[OBJECTS];
	uint32_t value_out; /* grows, so that no value comes twice */

	uint8_t *queue[QUEUE]; /* frames on their way to this end */
	size_t queue_len[QUEUE];
	unsigned int head, tail;
	unsigned int sent;		  /* frames handed to the transport */
	bool (*lose)(struct end *sender); /* NULL: nothing is lost */
	bool refuse;			  /* the transport takes nothing */
	size_t pad;			  /* octets of "tea" in an object */

	unsigned int begins, ends, items, ups, downs;
	size_t longest; /* frame sent */
};

struct pair {
	struct end a, b;
	int64_t now;
};

struct pair *pair_new(void);
void pair_free(struct pair *pair);

/* Tell an object as it is. */
void put_object(struct end *end, unsigned int id);
/* A change on one side, told as it is made. */
void change(struct end *end, unsigned int id, bool there);
/* The end's process starts again: a new epoch, its objects as given. */
void restart(struct end *end, uint64_t epoch);

/* The next frame for this end, if there is one. */
bool deliver_one(struct pair *pair, struct end *end);
/* Deliver until nothing is on its way; the count tells of endless exchanges. */
unsigned int deliver(struct pair *pair);
/* Forget what is on its way to this end. */
void drain(struct end *end);
/* Both timers, and all that is said then. */
void tick(struct pair *pair);

void assert_converged(struct pair *pair);

#endif /* SWMESH_MSG_SCENERY_H */
