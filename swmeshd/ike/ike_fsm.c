// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A peer's state machine: one table, state x event -> next state, action. It
 * rules the conversation with charon; what is protected is the kernel's to say
 * (ike/ike.c).
 *
 * Both ends setting up an IKE_SA at the same time would leave two, so it is the
 * turn of the end with the lower address; the other one waits, but not for
 * ever: the first may think that all is well, if we alone have lost ours. A
 * peer that has begun by itself is waited for as well, but once only: anybody
 * can send a first message by its address (RFC 7296 section 2.6). At most
 * `handshakes` peers are in IKE_INITIATING, the others queue
 * (ike/ike_queue.c).
 */
#include <zebra.h>

#include "monotime.h"
#include "network.h"

#include "lib/vici.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/ike/ike_peer.h"
#include "swmeshd/charon/charon.h"
#include "swmeshd/swmeshd.h"

/* All in milliseconds. */
#define ATTEMPT_MS 30000
/* Of a peer that has never answered; and what an answer may take. */
#define ATTEMPT_SILENT_MS 10000
#define ANSWER_MS 8000
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
/* The peer seems to be about to set up an IKE_SA: let it. */
#define YIELD_MS 10000
/* A timer that comes so much later was held up with all else: first what has
 * come in meanwhile is read. */
#define LATE_MS 1000

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

/* ---- timers ---- */

static void timer_over(struct thread *t);

static void set_timer(struct ike_peer *peer, unsigned int ms)
{
	THREAD_OFF(peer->t_timer);
	peer->next_try = ike_now_ms() + ms;
	thread_add_timer_msec(master, timer_over, peer, ms, &peer->t_timer);
}

/* The peer has begun by itself: wait for what comes of it. */
static bool yields(const struct ike_peer *peer)
{
	return !peer->forced && ike_now_ms() < peer->yield_until;
}

static void tell_yields(struct ike_peer *peer)
{
	char text[MESH_REASON_LEN];

	snprintfrr(
		text, sizeof(text),
		"a first message of IKE has come from %pIA: it is given %u s to go on, then we begin",
		&peer->addr, YIELD_MS / 1000);
	ike_peer_note(peer, text);
}

void ike_yield(struct ike_peer *peer)
{
	bool missing = peer->state != IKE_UP;

	if (peer->yielded)
		return;
	peer->yielded = missing;
	peer->yield_until = ike_now_ms() + YIELD_MS;
	if (missing && yields(peer))
		tell_yields(peer);
}

void ike_yield_end(struct ike_peer *peer)
{
	peer->yield_until = 0;
}

/* It is not complete any more: what has begun already is all that it is given
 * time for. */
static void left_up(struct ike_peer *peer)
{
	peer->lost = true;
	peer->yielded = yields(peer);
	if (peer->yielded)
		tell_yields(peer);
}

/* No answer is known of after a while; true: there is time left. */
static bool still_trying(struct ike_peer *peer)
{
	int64_t left = peer->attempt_until - ike_now_ms();

	if (left <= 0)
		return false;
	if (!peer->answers_now)
		ike_does_not_answer(peer);
	/* It may have had to give way just now. */
	if (peer->state == IKE_INITIATING)
		set_timer(peer, left);
	return true;
}

static void timer_over(struct thread *t)
{
	struct ike_peer *peer = THREAD_ARG(t);
	int64_t now = ike_now_ms(), late = now - peer->next_try;

	peer->next_try = 0;
	if (late > LATE_MS) {
		set_timer(peer, LATE_MS);
		return;
	}
	if (peer->state == IKE_INITIATING) {
		if (still_trying(peer))
			return;
	} else if (yields(peer)) {
		set_timer(peer, peer->yield_until - now);
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
	ike_turn_end(peer);
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
	ike_turn_end(peer);
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
	ike_proves(peer);
	peer->lost = peer->forced = peer->yielded = false;
	peer->yield_until = 0;
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

	ike_turn_end(peer);
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
	ike_turn_ask(peer);
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

static void begin_attempt(struct ike_peer *peer)
{
	bool silent = peer->silent && !peer->proven;

	peer->answers_now = false;
	peer->attempt_until =
		ike_now_ms() + (silent ? ATTEMPT_SILENT_MS : ATTEMPT_MS);
	set_timer(peer, ANSWER_MS);
}

static void act_initiate(struct ike_peer *peer)
{
	enum ike_kind kind = ike_missing(peer);

	peer->why[0] = '\0';
	peer->why_vague = peer->why_soon = false;
	peer->attempt = peer->failed = 0;
	begin_attempt(peer);
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
	begin_attempt(peer);
	initiate(peer, kind);
}

static void act_backoff(struct ike_peer *peer)
{
	unsigned int shift = MIN(peer->retries, 6u), max;
	struct ike_child *child = &peer->child[peer->trying];

	ike_turn_end(peer);
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
			(unsigned int)(ike_now_ms() - peer->attempt_at) / 1000);
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
			left_up(peer);
		peer->state = t->next;
		peer->since = monotime(NULL);
		ike_log_changed(peer);
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
	if (yields(peer))
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
