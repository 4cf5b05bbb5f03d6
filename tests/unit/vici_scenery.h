/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * swmeshd's vici client and a peer at a real socket. The peer is this same
 * thread: it reads and writes without waiting, between rounds of the event loop
 * that the client runs on, so each test says exactly what is sent when.
 *
 * What the client calls back is written to a journal, which tests compare.
 * Every request holds SECRET, and no test passes that frees memory which has
 * it.
 */
#ifndef SWMESH_VICI_SCENERY_H
#define SWMESH_VICI_SCENERY_H

#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "monotime.h"

#include "swmeshd/charon/charon.h"
#include "swmeshd/charon/charon_text.h"

#define SECRET "correct horse battery staple"
#define JOURNAL_SIZE 4096

int setup_group(void **unused);
int teardown_group(void **unused);
/* A client that has just been started, and somebody who listens. */
int setup(void **unused);
int teardown(void **unused);

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---- the client's side ---- */

/* With the events "ike-updown" and "log"; and with none. */
extern const struct swmesh_vici_ops ops, no_events;
extern char journal[JOURNAL_SIZE];

void note(const char *fmt, ...) PRINTFRR(1, 2);
/* What was noted since the last time. */
void assert_journal(const char *want);
/* Notes how the request of `arg`, a name, has ended. */
void on_done(void *arg, const struct swmesh_vici_reply *reply);
enum swmesh_vici_error request(const char *name, const char *who);
enum swmesh_vici_error list(const char *event, const char *who);
const struct swmesh_vici_stats *stats(void);
enum swmesh_vici_state state(void);

/* ---- the event loop ---- */

#define PATIENCE_S 30

void run_once(void);
#define RUN_UNTIL(condition)                                                   \
	do {                                                                   \
		time_t deadline = monotime(NULL) + PATIENCE_S;                 \
                                                                               \
		while (!(condition)) {                                         \
			run_once();                                            \
			if (monotime(NULL) > deadline)                         \
				fail_msg("waited in vain for " #condition);    \
		}                                                              \
	} while (0)

/* Long enough for whatever is ready to be done. */
void settle(void);

/* ---- the peer's side ---- */

/* Where it listens, and another place. */
extern char path[64], other_path[64];
extern int listener, peer;
extern struct vici_packet got;

void listen_at(const char *at);
bool accepted(void);
void peer_close(void);
/* A whole packet from the client, of which max octets are read? Then it is in
 * "got". */
bool peer_has_packet(size_t max);
void peer_expect(enum vici_type type, const char *name);
void peer_send_octets(const void *octets, size_t len);
/* A packet with the message {what = WHAT}, or with none where what is NULL. */
void peer_build(struct vici_builder *b, enum vici_type type, const char *name,
		const char *what);
void peer_send(enum vici_type type, const char *name, const char *what);
void peer_reply(const char *what);
void peer_refuse(const char *errmsg);
void peer_confirm(void);
/* The client has closed the connection, whatever it sent before. */
bool peer_sees_end(void);
/* Accept, and answer the registration of the two events. */
void peer_welcome(void);

#endif /* SWMESH_VICI_SCENERY_H */
