// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * charon's events. What they say of SAs goes into the peer's table; why an
 * attempt fails is told by charon's log alone, which is an event, too.
 */
#include <zebra.h>

#include "lib/vici.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_ike_peer.h"
#include "swmeshd/swmesh_ike_reason.h"
#include "swmeshd/swmeshd.h"

#define NAME_LEN 128
#define LINE_LEN 192

const char *const ike_events[] = {
	"ike-updown", "ike-rekey", "child-updown", "child-rekey", "log", NULL,
};

/* The one section that is an IKE_SA: its name is that of the connection. */
static struct ike_peer *event_peer(const struct vici_section *msg,
				   struct vici_section *ike)
{
	char name[NAME_LEN];
	struct vici_iter it;
	struct ike_peer *peer;

	vici_each_section(msg, it)
	{
		vici_text(&it.name, name, sizeof(name));
		peer = ike_peer_by_name(name);
		if (!peer)
			continue;
		*ike = it.section;
		return peer;
	}
	return NULL;
}

static bool event_id(const struct vici_section *ike, uint32_t *id)
{
	uint64_t number;

	if (!vici_find_number(ike, "uniqueid", &number) || number > UINT32_MAX)
		return false;
	*id = number;
	return true;
}

/* ---- SAs ---- */

static void ike_down(struct ike_peer *peer, uint32_t id)
{
	struct ike_sa *sa = ike_sa_find(peer, id);
	bool ours = peer->state == IKE_INITIATING && peer->attempt == id;

	if (sa)
		ike_sa_del(peer, sa);
	if (peer->incoming == id) {
		peer->incoming = 0;
		ike_unpin(peer);
	}
	if (ours)
		ike_event(peer, IKE_EV_FAILED);
	ike_check(peer);
}

static void on_ike_updown(const struct vici_section *msg)
{
	bool up = vici_find_is(msg, "up", "yes");
	struct vici_section ike;
	struct ike_peer *peer = event_peer(msg, &ike);
	uint32_t id;

	if (!peer || !event_id(&ike, &id))
		return;
	DEBUGD(&swmesh_dbg_ike, "ike: peer %pIA: IKE_SA %u is %s", &peer->addr,
	       id, up ? "up" : "down");
	if (!up) {
		ike_down(peer, id);
		return;
	}
	ike_sa_read(peer, &ike);
	ike_check(peer);
}

/* The new one is of the same make as the old one. */
static void on_ike_rekey(const struct vici_section *msg)
{
	struct vici_section ike, old, new;
	struct ike_peer *peer = event_peer(msg, &ike);
	struct ike_sa *from, *to;
	uint32_t old_id, new_id;

	if (!peer || !vici_find_section(&ike, "old", &old) ||
	    !vici_find_section(&ike, "new", &new) || !event_id(&old, &old_id) ||
	    !event_id(&new, &new_id))
		return;
	DEBUGD(&swmesh_dbg_ike, "ike: peer %pIA: IKE_SA %u is rekeyed as %u",
	       &peer->addr, old_id, new_id);
	peer->ike_rekeys++;
	from = ike_sa_find(peer, old_id);
	to = ike_sa_read(peer, &new);
	if (from && to && from != to) {
		from->spi_initiator = to->spi_initiator;
		from->spi_responder = to->spi_responder;
		from->initiator = to->initiator;
		from->rekeys++;
		from->id = new_id;
		strlcpy(from->algorithms, to->algorithms,
			sizeof(from->algorithms));
		ike_sa_del(peer, to);
	} else if (to)
		to->rekeys++;
	ike_check(peer);
}

static void on_child_updown(const struct vici_section *msg)
{
	bool up = vici_find_is(msg, "up", "yes");
	struct vici_section ike, children;
	struct ike_peer *peer = event_peer(msg, &ike);
	struct vici_iter it;
	struct ike_sa *sa;
	uint32_t id;

	if (!peer || !event_id(&ike, &id) ||
	    !vici_find_section(&ike, "child-sas", &children))
		return;
	sa = up ? ike_sa_read(peer, &ike) : ike_sa_find(peer, id);
	if (!sa)
		return;
	vici_each_section(&children, it)
	{
		ike_child_read(peer, sa, &it.section, !up);
		if (up && peer->incoming == id)
			peer->incoming = 0;
	}
	if (up)
		ike_pin_settle(peer);
	ike_peer_kernel(peer);
	ike_check(peer);
}

static void on_child_rekey(const struct vici_section *msg)
{
	struct vici_section ike, children, old, new;
	struct ike_peer *peer = event_peer(msg, &ike);
	struct vici_iter it;
	struct ike_sa *sa;
	uint32_t id;

	if (!peer || !event_id(&ike, &id) ||
	    !vici_find_section(&ike, "child-sas", &children))
		return;
	sa = ike_sa_find(peer, id);
	if (!sa)
		sa = ike_sa_read(peer, &ike);
	if (!sa)
		return;
	vici_each_section(&children,
			  it) if (vici_find_section(&it.section, "old", &old) &&
				  vici_find_section(&it.section, "new", &new))
		ike_child_rekeyed(peer, sa, &old, &new);
	ike_peer_kernel(peer);
	ike_check(peer);
}

/* ---- the log ---- */

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
	peer->incoming = id;
	peer->incoming_at = ike_now_ms();
	if (peer->state != IKE_INITIATING)
		peer->why[0] = '\0';
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
	frr_each (ike_peers, &ike_peers, peer)
		if (peer->incoming == id)
			return peer;
	return NULL;
}

static void note_reason(struct ike_peer *peer, const struct ike_reason *reason,
			const char *line)
{
	const struct security *s = peer->security;

	if (peer->why[0] && (!peer->why_vague || reason->vague))
		return;
	peer->why_vague = reason->vague;
	peer->why_soon = reason->retry == IKE_RETRY_SOON;
	snprintf(peer->why, sizeof(peer->why), "%s%s (charon: %s)",
		 ike_reason_text(reason, s ? s->method : IKE_METHOD_NONE),
		 reason->ppk && s && s->ppk_id
			 ? "; or it has another PPK, see 'ppk'"
			 : "",
		 line);
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

static void on_log(const struct vici_section *msg)
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
	if (refused_late(peer, line)) {
		peer->why[0] = '\0';
		note_reason(peer,
			    ike_reason_find(
				    "received AUTHENTICATION_FAILED notify"),
			    line);
		ike_peer_error(peer, peer->why);
		return;
	}
	reason = ike_reason_find(line);
	if (!reason)
		return;
	DEBUGD(&swmesh_dbg_ike, "ike: peer %pIA: charon: %s", &peer->addr,
	       line);
	note_reason(peer, reason, line);
	if (peer->incoming && peer->incoming == number) {
		ike_peer_error(peer, peer->why);
		return;
	}
	if (peer->state == IKE_BACKOFF && number && peer->failed == number)
		ike_failed_by(peer);
	else if (peer->state == IKE_INITIATING && reason->final)
		ike_event(peer, IKE_EV_FAILED);
}

/* ---- all of them ---- */

static const struct {
	const char *name;
	void (*handle)(const struct vici_section *msg);
} handlers[] = {
	{"ike-updown", on_ike_updown},
	{"ike-rekey", on_ike_rekey},
	{"child-updown", on_child_updown},
	{"child-rekey", on_child_rekey},
	{"log", on_log},
};

void ike_vici_event(const char *name, const struct vici_section *msg)
{
	for (unsigned int i = 0; i < array_size(handlers); i++)
		if (!strcmp(handlers[i].name, name))
			handlers[i].handle(msg);
}
