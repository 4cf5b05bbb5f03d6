// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A peer's state machine: one table, state x event -> next state, action. It
 * rules the conversation with charon; what is protected is the kernel's to say
 * (swmesh_ike.c).
 *
 * Both ends setting up an IKE_SA at the same time would leave two, so it is the
 * turn of the end with the lower address; the other one waits, but not for
 * ever: the first may think that all is well, if we alone have lost ours. At
 * most `handshakes` peers are in IKE_INITIATING; the others queue.
 */
#include <zebra.h>

#include "monotime.h"
#include "network.h"

#include "lib/vici.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_ike_peer.h"
#include "swmeshd/swmesh_vici.h"
#include "swmeshd/swmeshd.h"

/* All in milliseconds. */
#define ATTEMPT_MS 30000
#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 60000
#define BACKOFF_SOON_MS 8000
/* How long the end with the higher address waits for the other one: before the
 * first SA; when ours no longer fit; when the kernel still has SAs that charon
 * has forgotten; when they are gone. */
#define WAIT_FIRST_MS 30000
#define WAIT_STALE_MS 5000
#define WAIT_KEPT_MS 8000
#define WAIT_LOST_MS 3000
/* The peer is about to set up an IKE_SA: let it. */
#define INCOMING_MS 20000

static struct ike_queue_head queue = INIT_DLIST(queue);
static unsigned int in_flight;
static struct thread *t_slots;

typedef void (*ike_action)(struct ike_peer *peer);

int64_t ike_now_ms(void)
{
	struct timeval tv;

	monotime(&tv);
	return (int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000;
}

/* Up to a fifth more, so that many peers do not act at the same moment. */
static unsigned int jitter(unsigned int ms)
{
	return ms + (unsigned int)frr_weak_random() % (ms / 5 + 1);
}

/* ---- the queue ---- */

static void slots_now(struct thread *t)
{
	struct ike_peer *peer;

	while (in_flight < swmesh->config.handshakes &&
	       (peer = ike_queue_pop(&queue))) {
		peer->in_queue = false;
		peer->slot = true;
		in_flight++;
		ike_event(peer, IKE_EV_SLOT);
	}
}

void ike_slots_run(void)
{
	thread_add_event(master, slots_now, NULL, 0, &t_slots);
}

static void leave_queue(struct ike_peer *peer)
{
	if (peer->in_queue)
		ike_queue_del(&queue, peer);
	peer->in_queue = false;
	if (peer->slot) {
		in_flight--;
		ike_slots_run();
	}
	peer->slot = false;
}

unsigned int swmesh_ike_in_flight(void)
{
	return in_flight;
}

unsigned int swmesh_ike_queued(void)
{
	return ike_queue_count(&queue);
}

/* ---- timers ---- */

static void timer_over(struct thread *t);

static void set_timer(struct ike_peer *peer, unsigned int ms)
{
	THREAD_OFF(peer->t_timer);
	peer->next_try = ike_now_ms() + ms;
	thread_add_timer_msec(master, timer_over, peer, ms, &peer->t_timer);
}

/* The peer has begun by itself: wait for what comes of it. */
static bool incoming(const struct ike_peer *peer)
{
	return peer->incoming && !peer->forced &&
	       ike_now_ms() - peer->incoming_at < INCOMING_MS;
}

static void timer_over(struct thread *t)
{
	struct ike_peer *peer = THREAD_ARG(t);

	peer->next_try = 0;
	if (peer->state != IKE_INITIATING && incoming(peer)) {
		set_timer(peer, INCOMING_MS);
		return;
	}
	ike_event(peer, IKE_EV_TIMER);
}

static void check_now(struct thread *t)
{
	ike_check(THREAD_ARG(t));
}

void ike_check_in(struct ike_peer *peer, unsigned int ms)
{
	if (peer->t_check && thread_timer_remain_msec(peer->t_check) > ms)
		THREAD_OFF(peer->t_check);
	thread_add_timer_msec(master, check_now, peer, ms, &peer->t_check);
}

void ike_fsm_clear(struct ike_peer *peer)
{
	leave_queue(peer);
	THREAD_OFF(peer->t_timer);
	THREAD_OFF(peer->t_check);
	peer->next_try = 0;
}

/* ---- actions ---- */

static void stop_waiting(struct ike_peer *peer)
{
	THREAD_OFF(peer->t_timer);
	peer->next_try = 0;
}

static void act_rest(struct ike_peer *peer)
{
	leave_queue(peer);
	stop_waiting(peer);
	peer->attempt = 0;
	peer->retries = 0;
}

static void act_away(struct ike_peer *peer)
{
	char text[MESH_REASON_LEN];

	act_rest(peer);
	if (ike_peer_protected(peer))
		return;
	snprintf(
		text, sizeof(text),
		"charon does not answer at %s; see that strongSwan runs and that swmeshd may open its socket",
		swmesh_vici_status().path);
	ike_peer_error(peer, text);
}

static void act_block(struct ike_peer *peer)
{
	act_rest(peer);
	ike_peer_error(peer, peer->blocked);
}

static void act_up(struct ike_peer *peer)
{
	act_rest(peer);
	peer->lost = peer->forced = false;
	peer->why[0] = '\0';
	peer->error[0] = '\0';
	for (unsigned int i = 0; i < IKE_CHILDREN; i++)
		peer->child[i].failures = 0;
	DEBUGD(&swmesh_dbg_ike, "ike: peer %pIA: complete", &peer->addr);
}

static void act_wait(struct ike_peer *peer)
{
	bool established = ike_peer_sa(peer) != NULL;
	bool kept = false;
	unsigned int ms;

	leave_queue(peer);
	for (unsigned int i = 0; i < IKE_CHILDREN; i++)
		kept = kept || peer->child[i].up;
	if (established)
		ms = WAIT_STALE_MS;
	else if (kept)
		ms = WAIT_KEPT_MS;
	else
		ms = peer->lost ? WAIT_LOST_MS : WAIT_FIRST_MS;
	set_timer(peer, jitter(ms));
}

static void act_queue(struct ike_peer *peer)
{
	stop_waiting(peer);
	if (!peer->loaded)
		ike_work_add(peer);
	if (peer->in_queue || peer->slot)
		return;
	peer->in_queue = true;
	ike_queue_add_tail(&queue, peer);
	ike_slots_run();
}

static void initiate_done(void *arg, const struct swmesh_vici_reply *reply)
{
	struct ike_peer *peer = arg;

	if (reply->error != SWMESH_VICI_REFUSED ||
	    peer->state != IKE_INITIATING)
		return;
	snprintf(peer->why, sizeof(peer->why), "charon: %s", reply->text);
	peer->why_soon = true;
	ike_event(peer, IKE_EV_FAILED);
}

static void initiate(struct ike_peer *peer, enum ike_kind kind)
{
	struct vici_builder b;

	DEBUGD(&swmesh_dbg_ike, "ike: peer %pIA: initiating %s", &peer->addr,
	       ike_kind_name(kind));
	peer->trying = kind;
	peer->attempt_at = ike_now_ms();
	vici_begin(&b, VICI_CMD_REQUEST, "initiate");
	vici_key_value(&b, "ike", peer->name);
	vici_key_value(&b, "child", ike_kind_name(kind));
	vici_key_number(&b, "timeout", -1);
	/* If it is not taken the timer ends the attempt. */
	swmesh_vici_request(&b, initiate_done, peer);
}

static void act_initiate(struct ike_peer *peer)
{
	enum ike_kind kind = ike_missing(peer);

	peer->why[0] = '\0';
	peer->why_vague = peer->why_soon = false;
	peer->attempt = peer->failed = 0;
	set_timer(peer, ATTEMPT_MS);
	if (kind < IKE_CHILDREN)
		initiate(peer, kind);
	else
		ike_check_in(peer, 0);
}

/* One child is there; the next goes into the same IKE_SA. */
static void act_next(struct ike_peer *peer)
{
	enum ike_kind kind = ike_missing(peer);

	if (kind == IKE_CHILDREN || kind == peer->trying)
		return;
	set_timer(peer, ATTEMPT_MS);
	initiate(peer, kind);
}

static void act_backoff(struct ike_peer *peer)
{
	unsigned int shift = MIN(peer->retries, 6u), max;
	struct ike_child *child = &peer->child[peer->trying];

	leave_queue(peer);
	max = peer->why_soon ? BACKOFF_SOON_MS : BACKOFF_MAX_MS;
	set_timer(peer,
		  jitter(MIN((unsigned int)BACKOFF_MIN_MS << shift, max)));
	peer->retries++;
	if (child->wanted && !child->up)
		child->failures++;
	peer->failed = peer->attempt;
	peer->attempt = 0;
	peer->forced = false;
	if (peer->why[0])
		ike_peer_error(peer, peer->why);
}

void ike_failed_by(struct ike_peer *peer)
{
	if (peer->why_soon &&
	    peer->next_try - ike_now_ms() > (int64_t)BACKOFF_SOON_MS)
		set_timer(peer, jitter(BACKOFF_SOON_MS));
	ike_peer_error(peer, peer->why);
}

/* charon goes on trying for minutes; there may be better to do by then. */
static void act_give_up(struct ike_peer *peer)
{
	struct ike_sa *sa, *next;

	if (!peer->why[0])
		snprintfrr(
			peer->why, sizeof(peer->why),
			"no answer from the AFBR within %u s; see that charon runs there and UDP 500 and 4500 are open",
			ATTEMPT_MS / 1000);
	for (sa = ike_sas_first(&peer->sas); sa; sa = next) {
		next = ike_sas_next(&peer->sas, sa);
		if (!sa->established && sa->id == peer->attempt)
			ike_sa_terminate(peer, sa, true);
	}
	if (peer->attempt && !ike_sa_find(peer, peer->attempt)) {
		struct vici_builder b;

		vici_begin(&b, VICI_CMD_REQUEST, "terminate");
		vici_key_number(&b, "ike-id", peer->attempt);
		vici_key_bool(&b, "force", true);
		vici_key_number(&b, "timeout", -1);
		ike_request(&b);
	}
	act_backoff(peer);
}

/* ---- the table ---- */

struct transition {
	bool valid; /* false: the event means nothing in this state */
	enum ike_state next;
	ike_action action; /* after the state has changed */
};

#define GO(next_, action_)                                                     \
	{                                                                      \
		.valid = true, .next = IKE_##next_, .action = action_          \
	}

/* clang-format off */
static const struct transition transitions[IKE_STATES][IKE_EVENTS] = {
	[IKE_IDLE] = {
		[IKE_EV_AWAY]     = GO(AWAY,       act_away),
		[IKE_EV_BLOCKED]  = GO(BLOCKED,    act_block),
		[IKE_EV_LOAD]     = GO(LOADING,    NULL),
		[IKE_EV_COMPLETE] = GO(UP,         act_up),
		[IKE_EV_OURS]     = GO(QUEUED,     act_queue),
		[IKE_EV_THEIRS]   = GO(WAITING,    act_wait),
	},
	[IKE_BLOCKED] = {
		[IKE_EV_AWAY]     = GO(AWAY,       act_away),
		[IKE_EV_BLOCKED]  = GO(BLOCKED,    act_block),
		[IKE_EV_LOAD]     = GO(LOADING,    NULL),
		[IKE_EV_COMPLETE] = GO(UP,         act_up),
		[IKE_EV_OURS]     = GO(QUEUED,     act_queue),
		[IKE_EV_THEIRS]   = GO(WAITING,    act_wait),
	},
	[IKE_AWAY] = {
		[IKE_EV_BLOCKED]  = GO(BLOCKED,    act_block),
		[IKE_EV_LOAD]     = GO(LOADING,    NULL),
		[IKE_EV_COMPLETE] = GO(UP,         act_up),
		[IKE_EV_OURS]     = GO(QUEUED,     act_queue),
		[IKE_EV_THEIRS]   = GO(WAITING,    act_wait),
	},
	[IKE_LOADING] = {
		[IKE_EV_AWAY]     = GO(AWAY,       act_away),
		[IKE_EV_BLOCKED]  = GO(BLOCKED,    act_block),
		[IKE_EV_COMPLETE] = GO(UP,         act_up),
		[IKE_EV_OURS]     = GO(QUEUED,     act_queue),
		[IKE_EV_THEIRS]   = GO(WAITING,    act_wait),
		[IKE_EV_FAILED]   = GO(BACKOFF,    act_backoff),
	},
	[IKE_WAITING] = {
		[IKE_EV_AWAY]     = GO(AWAY,       act_away),
		[IKE_EV_BLOCKED]  = GO(BLOCKED,    act_block),
		[IKE_EV_COMPLETE] = GO(UP,         act_up),
		[IKE_EV_OURS]     = GO(QUEUED,     act_queue),
		[IKE_EV_TIMER]    = GO(QUEUED,     act_queue),
		[IKE_EV_NOW]      = GO(QUEUED,     act_queue),
	},
	[IKE_QUEUED] = {
		[IKE_EV_AWAY]     = GO(AWAY,       act_away),
		[IKE_EV_BLOCKED]  = GO(BLOCKED,    act_block),
		[IKE_EV_COMPLETE] = GO(UP,         act_up),
		[IKE_EV_SLOT]     = GO(INITIATING, act_initiate),
		[IKE_EV_FAILED]   = GO(BACKOFF,    act_backoff),
	},
	[IKE_INITIATING] = {
		[IKE_EV_AWAY]     = GO(AWAY,       act_away),
		[IKE_EV_BLOCKED]  = GO(BLOCKED,    act_block),
		[IKE_EV_COMPLETE] = GO(UP,         act_up),
		[IKE_EV_NEXT]     = GO(INITIATING, act_next),
		[IKE_EV_FAILED]   = GO(BACKOFF,    act_backoff),
		[IKE_EV_TIMER]    = GO(BACKOFF,    act_give_up),
	},
	[IKE_BACKOFF] = {
		[IKE_EV_AWAY]     = GO(AWAY,       act_away),
		[IKE_EV_BLOCKED]  = GO(BLOCKED,    act_block),
		[IKE_EV_COMPLETE] = GO(UP,         act_up),
		[IKE_EV_TIMER]    = GO(QUEUED,     act_queue),
		[IKE_EV_NOW]      = GO(QUEUED,     act_queue),
	},
	[IKE_UP] = {
		[IKE_EV_AWAY]     = GO(AWAY,       act_away),
		[IKE_EV_BLOCKED]  = GO(BLOCKED,    act_block),
		[IKE_EV_OURS]     = GO(QUEUED,     act_queue),
		[IKE_EV_THEIRS]   = GO(WAITING,    act_wait),
	},
};

static const char *const event_names[IKE_EVENTS] = {
	[IKE_EV_NONE]     = "none",
	[IKE_EV_AWAY]     = "charon-away",
	[IKE_EV_BLOCKED]  = "blocked",
	[IKE_EV_LOAD]     = "load",
	[IKE_EV_COMPLETE] = "complete",
	[IKE_EV_OURS]     = "our-turn",
	[IKE_EV_THEIRS]   = "their-turn",
	[IKE_EV_SLOT]     = "slot",
	[IKE_EV_NEXT]     = "next-child",
	[IKE_EV_FAILED]   = "failed",
	[IKE_EV_TIMER]    = "timer",
	[IKE_EV_NOW]      = "now",
};
/* clang-format on */

const char *ike_event_name(enum ike_event event)
{
	return event_names[event];
}

enum ike_state ike_next_state(enum ike_state state, enum ike_event event)
{
	const struct transition *t = &transitions[state][event];

	return t->valid ? t->next : state;
}

void ike_event(struct ike_peer *peer, enum ike_event event)
{
	const struct transition *t = &transitions[peer->state][event];

	if (!t->valid)
		return;
	if (peer->state != t->next) {
		DEBUGD(&swmesh_dbg_ike, "ike: peer %pIA: %s, %s -> %s",
		       &peer->addr, event_names[event],
		       ike_state_name(peer->state), ike_state_name(t->next));
		if (peer->state == IKE_UP)
			peer->lost = true;
		peer->state = t->next;
		peer->since = monotime(NULL);
	}
	if (t->action)
		t->action(peer);
}

/* ---- what there is to do ---- */

static enum ike_event judge(struct ike_peer *peer)
{
	if (!ike_synced())
		return IKE_EV_AWAY;
	if (peer->blocked[0])
		return IKE_EV_BLOCKED;
	if (!peer->has_conn)
		return IKE_EV_LOAD;
	if (peer->in_work || peer->loading || peer->asking)
		return IKE_EV_NONE; /* looked at again after that */
	if (ike_sas_tidy(peer))
		return IKE_EV_NONE;
	if (ike_missing(peer) == IKE_CHILDREN)
		return IKE_EV_COMPLETE;
	if (peer->state == IKE_INITIATING)
		return IKE_EV_NEXT;
	if (incoming(peer))
		return IKE_EV_THEIRS;
	return peer->initiator || peer->forced ? IKE_EV_OURS : IKE_EV_THEIRS;
}

void ike_check(struct ike_peer *peer)
{
	enum ike_event event;

	if (!ike_peer_wanted(peer))
		return;
	event = judge(peer);
	/* Told once, or its timer would begin anew each time. */
	if (event == IKE_EV_BLOCKED && peer->state == IKE_BLOCKED &&
	    !strcmp(peer->error, peer->blocked))
		return;
	if (event != IKE_EV_NONE)
		ike_event(peer, event);
}
