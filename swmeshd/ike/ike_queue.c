// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whose turn it is: at most `handshakes` peers set up an IKE_SA at a time, the
 * others wait. ike/ike_fsm.c asks for a turn and gives it back.
 *
 * Anybody whose routes we take can announce AFBRs that do not exist, and each
 * attempt with one of those would hold a turn until it is given up. So peers
 * are ranked by what they have proved: those that authenticated before come
 * first, those that answer next, and those that did not answer get a small
 * share. An attempt that charon has to repeat gives way to whoever waits.
 */
#include <zebra.h>

#include "jhash.h"
#include "memory.h"

#include "swmeshd/ike/ike_peer.h"
#include "swmeshd/charon/charon.h"
#include "swmeshd/charon/charon_log.h"
#include "swmeshd/swmeshd.h"

#define LOG_MS 100

DEFINE_MTYPE_STATIC(SWMESHD, IKE_PROVEN, "IKE peer that was up");

enum rank {
	RANK_PROVEN,  /* was up before */
	RANK_ANSWERS, /* answers; or was up before, and did not answer last */
	RANK_NEW,     /* nothing is known of it */
	RANK_SILENT,  /* did not answer, and never was up */
	RANKS,
};

static struct ike_queue_head queues[RANKS] = {
	INIT_DLIST(queues[0]),
	INIT_DLIST(queues[1]),
	INIT_DLIST(queues[2]),
	INIT_DLIST(queues[3]),
};
/* Those whose turn it is, the longest first. */
static struct ike_queue_head holders = INIT_DLIST(holders);
static struct thread *t_turns;

static enum rank rank_of(const struct ike_peer *peer)
{
	if (peer->proven)
		return peer->silent ? RANK_ANSWERS : RANK_PROVEN;
	if (peer->silent)
		return RANK_SILENT;
	return peer->answered ? RANK_ANSWERS : RANK_NEW;
}

/* ---- how many ---- */

static unsigned int share(void)
{
	unsigned int most = swmesh->config.handshakes;

	return most > 1 ? MAX(most / 4, 1u) : 0;
}

/* Turns that are left to this rank: those below take none of a share that is
 * kept for the first, and the last rank has that much in all. */
static bool may_begin(enum rank rank)
{
	unsigned int most = swmesh->config.handshakes, lower = 0;
	const struct ike_peer *peer;

	if (ike_queue_count(&holders) >= most)
		return false;
	frr_each (ike_queue_const, &holders, peer)
		lower += rank_of(peer) >= rank;
	switch (rank) {
	case RANK_PROVEN:
		return true;
	case RANK_ANSWERS:
	case RANK_NEW:
		return lower < most - share();
	case RANK_SILENT:
	case RANKS:
		break;
	}
	return lower < MAX(share(), 1u);
}

/* End the attempt that has gone on the longest without an answer, unless all
 * of them fit into their share. */
static void make_room(void)
{
	struct ike_peer *peer, *longest = NULL;
	unsigned int n = 0;

	frr_each (ike_queue, &holders, peer) {
		if (!peer->overdue)
			continue;
		n++;
		if (!longest)
			longest = peer;
	}
	if (longest && n > share())
		ike_event(longest, IKE_EV_TIMER);
}

/* ---- turns ---- */

static void turns_now(struct thread *t)
{
	struct ike_peer *peer;

	/* Why an attempt fails is told by the log alone. */
	if (swmesh_ike_queued() && !swmesh_vici_log_ready()) {
		thread_add_timer_msec(master, turns_now, NULL, LOG_MS,
				      &t_turns);
		return;
	}

	for (unsigned int rank = 0; rank < RANKS; rank++) {
		while (ike_queue_count(&queues[rank]) && may_begin(rank)) {
			peer = ike_queue_pop(&queues[rank]);
			peer->in_queue = false;
			peer->slot = true;
			peer->overdue = false;
			ike_queue_add_tail(&holders, peer);
			ike_event(peer, IKE_EV_SLOT);
		}
		if (ike_queue_count(&queues[rank]))
			make_room();
	}
}

void ike_turns_run(void)
{
	THREAD_OFF(t_turns);
	thread_add_event(master, turns_now, NULL, 0, &t_turns);
}

void ike_turn_ask(struct ike_peer *peer)
{
	if (peer->in_queue || peer->slot)
		return;
	peer->in_queue = true;
	peer->rank = rank_of(peer);
	ike_queue_add_tail(&queues[peer->rank], peer);
	ike_turns_run();
}

void ike_turn_end(struct ike_peer *peer)
{
	if (peer->in_queue)
		ike_queue_del(&queues[peer->rank], peer);
	if (peer->slot)
		ike_queue_del(&holders, peer);
	if (peer->in_queue || peer->slot)
		ike_turns_run();
	peer->in_queue = peer->slot = peer->overdue = false;
}

void ike_answers(struct ike_peer *peer)
{
	peer->answered = true;
	peer->silent = peer->overdue = false;
}

void ike_does_not_answer(struct ike_peer *peer)
{
	peer->silent = true;
	if (!peer->slot || peer->overdue)
		return;
	peer->overdue = true;
	ike_turns_run();
}

unsigned int swmesh_ike_in_flight(void)
{
	return ike_queue_count(&holders);
}

unsigned int swmesh_ike_queued(void)
{
	unsigned int n = 0;

	for (unsigned int rank = 0; rank < RANKS; rank++)
		n += ike_queue_count(&queues[rank]);
	return n;
}

/* ---- who was up before: peers come and go with bgpd's routes ---- */

#define PROVEN_MAX 4096

PREDECL_HASH(ike_proven);
PREDECL_DLIST(ike_proven_order);
struct ike_proven {
	struct ike_proven_item item;
	struct ike_proven_order_item order;
	struct ipaddr addr;
};

static int proven_cmp(const struct ike_proven *a, const struct ike_proven *b)
{
	return ipaddr_cmp(&a->addr, &b->addr);
}

static uint32_t proven_hash(const struct ike_proven *p)
{
	return jhash(&p->addr.ip, IS_IPADDR_V4(&p->addr) ? 4 : 16, 0x70726f76);
}

DECLARE_HASH(ike_proven, struct ike_proven, item, proven_cmp, proven_hash);
DECLARE_DLIST(ike_proven_order, struct ike_proven, order);

static struct ike_proven_head proven = INIT_HASH(proven);
static struct ike_proven_order_head order = INIT_DLIST(order);

bool ike_proven_before(const struct ipaddr *addr)
{
	struct ike_proven ref = {.addr = *addr};

	return ike_proven_find(&proven, &ref) != NULL;
}

static void proven_del(struct ike_proven *p)
{
	ike_proven_del(&proven, p);
	ike_proven_order_del(&order, p);
	XFREE(MTYPE_IKE_PROVEN, p);
}

void ike_proves(struct ike_peer *peer)
{
	struct ike_proven *p;

	ike_answers(peer);
	if (peer->proven)
		return;
	peer->proven = true;
	if (ike_proven_before(&peer->addr))
		return;
	if (ike_proven_count(&proven) >= PROVEN_MAX)
		proven_del(ike_proven_order_first(&order));
	p = XCALLOC(MTYPE_IKE_PROVEN, sizeof(*p));
	p->addr = peer->addr;
	ike_proven_add(&proven, p);
	ike_proven_order_add_tail(&order, p);
}

void ike_queue_stop(void)
{
	struct ike_proven *p;

	THREAD_OFF(t_turns);
	while ((p = ike_proven_order_first(&order)))
		proven_del(p);
	ike_proven_fini(&proven);
}
