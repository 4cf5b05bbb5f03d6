/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the IKE backend: what its files are to each other.
 *
 *   ike/ike.c        peers, and what the model wants of them
 *   ike/ike_tell.c   what operators are told
 *   ike/ike_fsm.c    a peer's state machine
 *   ike/ike_queue.c  whose turn it is for a handshake
 *   ike/ike_load.c   credentials and connections into charon, and out of it
 *   ike/ike_keys.c   public keys that a peer may have
 *   ike/ike_sa.c     what SAs charon has
 *   ike/ike_judge.c   which of them are as they should be; the others go
 *   ike/ike_pin.c    the moment between old and new SAs
 *   guard/guard_bgp.c    BGP in clear
 *   ike/ike_event.c  charon's events
 *   ike/ike_log.c    charon's log
 *   ike/ike_audit.c   reading charon's state: at first, and now and then
 *   ike/ike_conn.c, ike/ike_reason.c  pure: messages, reasons
 *
 * Whatever happens ends in ike_check(), which compares what there is with what
 * is wanted and tells the state machine.
 */
#ifndef SWMESH_IKE_PEER_H
#define SWMESH_IKE_PEER_H

#include "memory.h"

#include "swmeshd/ike/ike_conn.h"
#include "swmeshd/ike/ike_show.h"

struct vici_section;
struct vici_builder;

enum ike_event {
	IKE_EV_NONE,
	IKE_EV_AWAY,	 /* charon is gone */
	IKE_EV_BLOCKED,	 /* nothing may be set up */
	IKE_EV_LOAD,	 /* charon has to be given the connection first */
	IKE_EV_COMPLETE, /* all is there */
	IKE_EV_OURS,	 /* something is missing: our turn */
	IKE_EV_THEIRS,	 /* ...: the other end's turn */
	IKE_EV_SLOT,	 /* handshake granted */
	IKE_EV_NEXT,	 /* one of several children came up */
	IKE_EV_FAILED,	 /* the attempt, or the loading */
	IKE_EV_TIMER,
	IKE_EV_NOW, /* do not wait any longer */
	IKE_EVENTS,
};

/* ---- ike/ike.c ---- */

struct ike_user {
	struct ike_users_item item;
	struct ike_peer *peer;
	struct softwire *sw;
	bool up;
};
DECLARE_DLIST(ike_users, struct ike_user, item);

int ike_peer_cmp(const struct ike_peer *a, const struct ike_peer *b);
uint32_t ike_peer_hash(const struct ike_peer *peer);
DECLARE_HASH(ike_peers, struct ike_peer, item, ike_peer_cmp, ike_peer_hash);

extern struct ike_peers_head ike_peers;

/* NULL: there is none, or it is on its way out (all: those, too). */
struct ike_peer *ike_peer_find(const struct ipaddr *addr);
/* By the name of a connection. */
struct ike_peer *ike_peer_by_name(const char *name);
bool ike_peer_wanted(const struct ike_peer *peer);
void ike_peer_del(struct ike_peer *peer);
/* What the kernel has; tells softwires that came up or went down. */
void ike_peer_kernel(struct ike_peer *peer);

/* ---- ike/ike_tell.c ---- */

/* A reason for the softwires that are not up, and for show. */
void ike_peer_error(struct ike_peer *peer, const char *text);
/* The same, of what is no fault. */
void ike_peer_note(struct ike_peer *peer, const char *text);

/* ---- ike/ike_fsm.c ---- */

void ike_event(struct ike_peer *peer, enum ike_event event);
enum ike_state ike_next_state(enum ike_state state, enum ike_event event);
const char *ike_event_name(enum ike_event event);
/* See what there is to do. */
void ike_check(struct ike_peer *peer);
/* ... in a moment. */
void ike_check_in(struct ike_peer *peer, unsigned int ms);
/* Why the attempt that has just failed did so: charon's log may come after its
 * other events. */
void ike_failed_by(struct ike_peer *peer);
/* A first message by its address: leave it to the peer for a moment, once
 * until it is up again. */
void ike_yield(struct ike_peer *peer);
void ike_yield_end(struct ike_peer *peer);
/* Forget timers, and its place in the queue. */
void ike_fsm_clear(struct ike_peer *peer);
int64_t ike_now_ms(void);

/* ---- ike/ike_queue.c ---- */

/* IKE_EV_SLOT follows. */
void ike_turn_ask(struct ike_peer *peer);
/* It has none any more, nor waits for one. */
void ike_turn_end(struct ike_peer *peer);
/* Grant turns to those who wait; `handshakes` may have changed. */
void ike_turns_run(void);
/* An answer of its charon's has come; charon had to ask again; it is up. */
void ike_answers(struct ike_peer *peer);
void ike_does_not_answer(struct ike_peer *peer);
void ike_proves(struct ike_peer *peer);
bool ike_proven_before(const struct ipaddr *addr);
void ike_queue_stop(void);

/* ---- ike/ike_load.c ---- */

#define IKE_PSK_ID IKE_NAME_PREFIX "psk"
#define IKE_PPK_ID IKE_NAME_PREFIX "ppk"

/* Bring charon up to date about this peer. */
void ike_work_add(struct ike_peer *peer);
/* The peer goes. */
void ike_load_gone(struct ike_peer *peer);
/* charon has nothing of ours, or we do not know. */
void ike_load_forget(void);
/* What it has of our credentials; what is missing is loaded again. */
void ike_load_compare_shared(bool psk, bool ppk);
void ike_load_compare_keys(bool (*has)(const void *arg, const char *id),
			   const void *arg);
void ike_load_stop(void);
/* Take the connection, and the SAs by it, out of charon. */
void ike_unload(const char *name);
/* Nobody waits for the answer. */
bool ike_request(struct vici_builder *b);

/* ---- ike/ike_keys.c ---- */

struct ike_conn;

enum ike_keys {
	IKE_KEYS_SETTLED, /* or peer->blocked says why there is none */
	IKE_KEYS_ABSENT,  /* ... and one may be put there: look again */
	IKE_KEYS_UNKNOWN, /* ike_keys_changed() comes when it is */
};

/* Put the keys that the peer may have into the connection; they live until the
 * next call. */
enum ike_keys ike_keys_collect(struct ike_peer *peer, struct ike_conn *conn);
/* The directory has been read. */
void ike_keys_changed(void);
void ike_keys_clear(struct ike_peer *peer);

/* ---- ike/ike_sa.c ---- */

/* An IKE_SA's section of an event or a list; children too. */
struct ike_sa *ike_sa_read(struct ike_peer *peer,
			   const struct vici_section *section);
void ike_child_read(struct ike_peer *peer, struct ike_sa *sa,
		    const struct vici_section *section, bool down);
void ike_child_rekeyed(struct ike_peer *peer, struct ike_sa *sa,
		       const struct vici_section *old,
		       const struct vici_section *new);
struct ike_sa *ike_sa_find(struct ike_peer *peer, uint32_t id);
void ike_sa_del(struct ike_peer *peer, struct ike_sa *sa);
void ike_sas_clear(struct ike_peer *peer);
/* Its IKE_SAs are authenticated by raw keys. */
bool ike_peer_is_raw(const struct ike_peer *peer);
bool ike_hashes_has(const struct ike_hashes *hashes, const uint8_t *hash);

/* ---- ike/ike_judge.c ---- */

/* A child that is wanted and not there, the one that failed least first;
 * IKE_CHILDREN: none. */
enum ike_kind ike_missing(const struct ike_peer *peer);
/* Take down what must not be, or is there twice; true: wait for charon to do
 * so before anything is set up. */
bool ike_sas_tidy(struct ike_peer *peer);
void ike_sa_terminate(struct ike_peer *peer, struct ike_sa *sa, bool force);

/* ---- ike/ike_pin.c ---- */

/* The peer begins to replace its IKE_SA: go on sending by the SAs of now. */
void ike_pin(struct ike_peer *peer);
/* The new ones are there: use them in a moment; at once. */
void ike_pin_settle(struct ike_peer *peer);
void ike_unpin(struct ike_peer *peer);

/* ---- ike/ike_event.c ---- */

extern const char *const ike_events[];
void ike_vici_event(const char *name, const struct vici_section *msg);

/* ---- ike/ike_log.c ---- */

void ike_vici_log(const struct vici_section *msg);
/* The IKE_SA by which charon's log tells of a peer that begins; 0: none. */
void ike_incoming_set(struct ike_peer *peer, uint32_t id);
/* The peer's state or keys are others: the log may be of use now. */
void ike_log_changed(const struct ike_peer *peer);
void ike_log_stop(void);

/* ---- ike/ike_orphan.c ---- */

/* Remove what a charon that died left in the kernel for the peer, now that it
 * is protected by another. True: some was seen for the first time; call it
 * again when charon has been asked again. */
bool ike_orphans_drop(struct ike_peer *peer);
/* The peer goes: remove what charon will not. */
void ike_orphans_release(const struct ike_peer *peer);
/* Likewise of pairs that are no peers, unless charon has SAs with that AFBR.
 * Some of them at a time. */
void ike_orphans_sweep(bool (*in_charon)(const struct ipaddr *remote));

/* ---- ike/ike_audit.c ---- */

void ike_vici_up(bool up);
/* charon has been reached, and what it has is known. */
bool ike_synced(void);
/* What charon had of this peer before the peer was there. True: that is in
 * `peer` now; false: it is being asked, and the peer is worked on then. */
bool ike_sync_peer(struct ike_peer *peer);
/* Compare with charon, in ms. */
void ike_audit_in(unsigned int ms);
void ike_sync_stop(void);

#endif /* SWMESH_IKE_PEER_H */
