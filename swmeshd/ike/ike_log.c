// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * charon's log: the only place where it says why an attempt fails, that a peer
 * begins one, and whether it answers. Most of it anybody can make charon say,
 * by first messages of IKE (RFC 7296 section 2.6) with any source address: so
 * it decides about nothing but for how long, once, we leave it to the peer; and
 * a line costs the same, however many peers there are.
 *
 * It is listened to only while that matters: somebody sets up SAs, or may
 * replace them because keys are being changed.
 */
#include <zebra.h>

#include "jhash.h"

#include "lib/vici.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/ike/ike_peer.h"
#include "swmeshd/ike/ike_reason.h"
#include "swmeshd/charon/charon.h"
#include "swmeshd/charon/charon_log.h"
#include "swmeshd/swmeshd.h"

#define NAME_LEN 128
#define LINE_LEN 192
/* It is looked at so often whether it is still of use. */
#define LOOK_S 30

/* ---- whether it is of use ---- */

static struct thread *t_look;

static bool of_use(const struct ike_peer *peer)
{
	switch (peer->state) {
	case IKE_LOADING:
	case IKE_WAITING:
	case IKE_QUEUED:
	case IKE_INITIATING:
	case IKE_BACKOFF:
		return true;
	case IKE_IDLE:
	case IKE_BLOCKED:
	case IKE_AWAY:
	case IKE_UP:
	case IKE_STATES:
		break;
	}
	/* Keys are being changed: the peer may begin another IKE_SA, and is
	 * to be answered without losing a packet (ike/ike_pin.c). */
	return peer->allowed.n > 1;
}

static void look(struct thread *t)
{
	const struct ike_peer *peer;

	frr_each (ike_peers_const, &ike_peers, peer) {
		if (!of_use(peer))
			continue;
		thread_add_timer(master, look, NULL, LOOK_S, &t_look);
		return;
	}
	swmesh_vici_log_want(false);
}

void ike_log_changed(const struct ike_peer *peer)
{
	if (!of_use(peer))
		return;
	swmesh_vici_log_want(true);
	thread_add_timer(master, look, NULL, LOOK_S, &t_look);
}

void ike_log_stop(void)
{
	THREAD_OFF(t_look);
}

/* ---- peers that begin by themselves ---- */

/* Anybody can send a first message in a peer's name: what follows from it must
 * not cost the more, the more peers there are. */
static int incoming_cmp(const struct ike_peer *a, const struct ike_peer *b)
{
	return numcmp(a->incoming, b->incoming);
}

static uint32_t incoming_hash(const struct ike_peer *peer)
{
	return jhash_1word(peer->incoming, 0x696e636f);
}

DECLARE_HASH(ike_incoming, struct ike_peer, incoming_item, incoming_cmp,
	     incoming_hash);

static struct ike_incoming_head incomings = INIT_HASH(incomings);

static struct ike_peer *incoming_find(uint32_t id)
{
	struct ike_peer ref = {.incoming = id};

	return ike_incoming_find(&incomings, &ref);
}

void ike_incoming_set(struct ike_peer *peer, uint32_t id)
{
	struct ike_peer *other = id ? incoming_find(id) : NULL;

	if (other == peer && id)
		return;
	if (other) /* another charon counts from 1 again */
		ike_incoming_set(other, 0);
	if (peer->incoming)
		ike_incoming_del(&incomings, peer);
	peer->incoming = id;
	if (id)
		ike_incoming_add(&incomings, peer);
}

/* ---- whose line it is ---- */

/* "2001:db8::1 is initiating an IKE_SA" */
static struct ike_peer *log_initiating(const char *line)
{
	const char *end = strstr(line, " is initiating an IKE_SA");
	char text[INET6_ADDRSTRLEN + 16];
	struct ipaddr addr = {};

	if (!end || (size_t)(end - line) >= sizeof(text))
		return NULL;
	memcpy(text, line, end - line);
	text[end - line] = '\0';
	return str2ipaddr(text, &addr) ? NULL : ike_peer_find(&addr);
}

/* The peer begins, outside of the IKE_SAs that we have with it: rekeying one
 * of those is told in the same words. */
static void log_begins(struct ike_peer *peer, uint32_t id)
{
	ike_incoming_set(peer, id);
	peer->incoming_at = ike_now_ms();
	peer->incoming_why = false;
	ike_yield(peer);
	ike_pin(peer);
}

static struct ike_peer *log_peer(const struct vici_section *msg, uint32_t id,
				 const char *line)
{
	struct ike_peer *peer;
	char name[NAME_LEN];

	vici_find_text(msg, "ikesa-name", name, sizeof(name));
	peer = ike_peer_by_name(name);
	if (peer || !id)
		return peer;
	peer = log_initiating(line);
	if (peer) {
		log_begins(peer, id);
		return peer;
	}
	/* It has no name before its connection is chosen. */
	return incoming_find(id);
}

/* ---- what it says ---- */

static void reason_text(const struct ike_peer *peer,
			const struct ike_reason *reason, const char *line,
			char *buf, size_t len)
{
	const struct security *s = peer->security;

	snprintf(buf, len, "%s%s (charon: %s)",
		 ike_reason_text(reason, s ? s->method : IKE_METHOD_NONE),
		 reason->ppk && s && s->ppk_id
			 ? "; or it has another PPK, see 'ppk'"
			 : "",
		 line);
}

/* Of our own attempt. */
static void note_reason(struct ike_peer *peer, const struct ike_reason *reason,
			const char *line)
{
	if (peer->why[0] && (!peer->why_vague || reason->vague))
		return;
	peer->why_vague = reason->vague;
	peer->why_soon = reason->retry == IKE_RETRY_SOON;
	reason_text(peer, reason, line, peer->why, sizeof(peer->why));
}

/* Of one that the peer has begun, or somebody by its address: it is told, and
 * has no part in when we try. */
static void tell_incoming(struct ike_peer *peer,
			  const struct ike_reason *reason, const char *line)
{
	char text[MESH_REASON_LEN];

	if (peer->incoming_why && reason->vague)
		return;
	peer->incoming_why = !reason->vague;
	if (!reason->vague)
		ike_yield_end(peer);
	reason_text(peer, reason, line, text, sizeof(text));
	ike_peer_error(peer, text);
}

/* The peer has looked at what we proved when it had our SAs already, and takes
 * them down again: "parsed INFORMATIONAL request 2 [ N(AUTH_FAILED) ]". */
static bool refused_late(const struct ike_peer *peer, const char *line)
{
	return peer->state != IKE_INITIATING &&
	       !strncmp(line, "parsed INFORMATIONAL request",
			strlen("parsed INFORMATIONAL request")) &&
	       strstr(line, "N(AUTH_FAILED)");
}

/* "parsed IKE_SA_INIT response 0 [ ... ]"; "retransmit 1 of request ..." */
static void log_progress(struct ike_peer *peer, const char *line)
{
	const char *end = strchr(line, '[');
	const char *word = strstr(line, " response ");

	if (!strncmp(line, "parsed ", strlen("parsed ")) && word &&
	    (!end || word < end)) {
		peer->answers_now = true;
		ike_answers(peer);
	} else if (!strncmp(line, "retransmit ", strlen("retransmit ")))
		ike_does_not_answer(peer);
}

void ike_vici_log(const struct vici_section *msg)
{
	const struct ike_reason *reason;
	struct ike_peer *peer;
	char line[LINE_LEN];
	uint64_t number = 0;

	if (!vici_find_text(msg, "msg", line, sizeof(line)))
		return;
	vici_find_number(msg, "ikesa-uniqueid", &number);
	peer = log_peer(msg, number, line);
	if (!peer)
		return;
	if (peer->state == IKE_INITIATING &&
	    !strncmp(line, "initiating IKE_SA", strlen("initiating IKE_SA")))
		peer->attempt = number;
	if (number && peer->attempt == number)
		log_progress(peer, line);
	if (refused_late(peer, line)) {
		peer->incoming_why = false;
		tell_incoming(peer,
			      ike_reason_find(
				      "received AUTHENTICATION_FAILED notify"),
			      line);
		return;
	}
	reason = ike_reason_find(line);
	if (!reason)
		return;
	DEBUGD(&swmesh_dbg_ike, "ike: peer %pIA: charon: %s", &peer->addr,
	       line);
	if (peer->incoming && peer->incoming == number) {
		tell_incoming(peer, reason, line);
		return;
	}
	note_reason(peer, reason, line);
	if (peer->state == IKE_BACKOFF && number && peer->failed == number)
		ike_failed_by(peer);
	else if (peer->state == IKE_INITIATING && reason->final)
		ike_event(peer, IKE_EV_FAILED);
}
