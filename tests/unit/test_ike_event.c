// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Why an attempt failed, out of charon's events: its log comes by another
 * thread of charon's than the rest, so before or after it. Events are given as
 * charon builds them; the state machine is the real one.
 */
#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "debug.h"
#include "thread.h"

#include "lib/vici.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/ike/ike_peer.h"
#include "swmeshd/charon/charon.h"
#include "swmeshd/charon/charon_log.h"
#include "swmeshd/swmeshd.h"

#define NAME "swmesh-2001:db8:c::1"
#define REFUSED "received AUTHENTICATION_FAILED notify error"
#define NOT_READY "received NO_PROPOSAL_CHOSEN notify error"

DEFINE_MGROUP(SWMESHD, "swmeshd ike test");
struct debug swmesh_dbg_ike = {0, "ike"};
struct thread_master *master;
struct mesh *swmesh;
static struct mesh the_mesh;
static struct ike_peer peer;
static char told[MESH_REASON_LEN];
static bool log_wanted;

/* ---- the rest of the backend ---- */

struct ike_peers_head ike_peers;

int ike_peer_cmp(const struct ike_peer *a, const struct ike_peer *b)
{
	return ipaddr_cmp(&a->addr, &b->addr);
}

uint32_t ike_peer_hash(const struct ike_peer *p)
{
	return 0;
}

bool ike_synced(void)
{
	return true;
}

enum ike_kind ike_missing(const struct ike_peer *p)
{
	return ENCAP_PROTOCOL_GRE;
}

bool ike_sas_tidy(struct ike_peer *p)
{
	return false;
}

bool ike_peer_wanted(const struct ike_peer *p)
{
	return true;
}

bool ike_peer_protected(const struct ike_peer *p)
{
	return false;
}

struct ike_peer *ike_peer_by_name(const char *name)
{
	return strcmp(name, NAME) ? NULL : &peer;
}

struct ike_peer *ike_peer_find(const struct ipaddr *addr)
{
	return ipaddr_cmp(addr, &peer.addr) ? NULL : &peer;
}

void ike_peer_error(struct ike_peer *p, const char *text)
{
	strlcpy(told, text, sizeof(told));
}

void ike_peer_kernel(struct ike_peer *p)
{
}

void ike_peer_note(struct ike_peer *p, const char *text)
{
}

const struct ike_sa *ike_peer_sa(const struct ike_peer *p)
{
	return NULL;
}

void ike_sa_terminate(struct ike_peer *p, struct ike_sa *sa, bool force)
{
}

void ike_work_add(struct ike_peer *p)
{
}

void ike_pin(struct ike_peer *p)
{
}

void ike_pin_settle(struct ike_peer *p)
{
}

void ike_unpin(struct ike_peer *p)
{
}

bool ike_request(struct vici_builder *b)
{
	vici_free(b);
	return true;
}

enum swmesh_vici_error swmesh_vici_request(struct vici_builder *b,
					   swmesh_vici_done done, void *arg)
{
	vici_free(b);
	return SWMESH_VICI_OK;
}

void swmesh_vici_log_want(bool wanted)
{
	log_wanted = wanted;
}

bool swmesh_vici_log_ready(void)
{
	return true;
}

struct swmesh_vici_status swmesh_vici_status(void)
{
	struct swmesh_vici_status status = {.path = "/run/charon.vici"};

	return status;
}

/* ---- scenery ---- */

static void give(struct vici_builder *b, const char *name)
{
	struct vici_packet packet;

	assert_int_equal(vici_finish(b), VICI_OK);
	assert_int_equal(vici_parse(b->buf + VICI_HEADER_LEN,
				    b->len - VICI_HEADER_LEN, &packet),
			 VICI_OK);
	if (name)
		ike_vici_event(name, &packet.msg);
	else
		ike_vici_log(&packet.msg);
	vici_free(b);
}

/* With a name once charon has chosen the connection. */
static void give_log(uint32_t id, const char *name, const char *line)
{
	struct vici_builder b;

	vici_begin(&b, VICI_EVENT, "log");
	vici_key_number(&b, "ikesa-uniqueid", id);
	if (name)
		vici_key_value(&b, "ikesa-name", name);
	vici_key_value(&b, "msg", line);
	give(&b, NULL);
}

static void give_down(uint32_t id)
{
	struct vici_builder b;

	vici_begin(&b, VICI_EVENT, "ike-updown");
	vici_section_start(&b, NAME);
	vici_key_number(&b, "uniqueid", id);
	vici_section_end(&b);
	give(&b, "ike-updown");
}

static void give_up(uint32_t id)
{
	struct vici_builder b;

	vici_begin(&b, VICI_EVENT, "ike-updown");
	vici_key_bool(&b, "up", true);
	vici_section_start(&b, NAME);
	vici_key_number(&b, "uniqueid", id);
	vici_key_value(&b, "state", "ESTABLISHED");
	vici_section_end(&b);
	give(&b, "ike-updown");
}

/* The handshake that has been asked for, or given back, is granted. */
static void grant(enum ike_state state)
{
	struct thread t;

	do {
		assert_non_null(thread_fetch(master, &t));
		thread_call(&t);
	} while (peer.state != state);
}

static void initiate(uint32_t id)
{
	if (peer.state == IKE_BACKOFF)
		ike_event(&peer, IKE_EV_TIMER);
	else
		ike_check(&peer);
	grant(IKE_INITIATING);
	told[0] = '\0';
	give_log(id, NAME, "initiating IKE_SA " NAME "[3] to 2001:db8:c::1");
	assert_int_equal(peer.attempt, id);
}

static int setup(void **state)
{
	master = thread_master_create(NULL);
	swmesh = &the_mesh;
	swmesh->config.handshakes = 2;
	memset(&peer, 0, sizeof(peer));
	str2ipaddr("2001:db8:c::1", &peer.addr);
	ike_sas_init(&peer.sas);
	peer.has_conn = peer.loaded = true;
	peer.initiator = true;
	peer.child[ENCAP_PROTOCOL_GRE].wanted = true;
	told[0] = '\0';
	ike_peers_init(&ike_peers);
	ike_peers_add(&ike_peers, &peer);
	return 0;
}

static int teardown(void **state)
{
	ike_peers_del(&ike_peers, &peer);
	ike_peers_fini(&ike_peers);
	ike_fsm_clear(&peer);
	ike_incoming_set(&peer, 0);
	if (peer.state == IKE_BACKOFF)
		grant(IKE_BACKOFF);
	ike_queue_stop();
	ike_log_stop();
	thread_master_free(master);
	return 0;
}

/* ---- tests ---- */

static void test_reason_first(void **state)
{
	initiate(3);
	give_log(3, NAME, REFUSED);
	assert_int_equal(peer.state, IKE_BACKOFF);
	assert_non_null(strstr(told, "refused our authentication"));
	told[0] = '\0';
	give_down(3);
	assert_int_equal(peer.state, IKE_BACKOFF);
	assert_string_equal(told, "");
}

static void test_reason_last(void **state)
{
	initiate(3);
	give_down(3);
	assert_int_equal(peer.state, IKE_BACKOFF);
	give_log(3, NAME, REFUSED);
	assert_non_null(strstr(told, "refused our authentication"));

	/* The next one fails for another reason. */
	initiate(4);
	give_down(4);
	give_log(4, NAME, NOT_READY);
	assert_non_null(strstr(told, "not ready for us"));
	assert_int_equal(peer.retries, 2);
}

/* What is said of an older attempt is not why this one fails. */
static void test_reason_of_another(void **state)
{
	initiate(3);
	give_down(3);
	give_log(2, NAME, REFUSED);
	assert_string_equal(told, "");
}

/* What a peer that begins itself is refused for is told at once. */
static void test_reason_incoming(void **state)
{
	give_log(9, NULL, "2001:db8:c::1 is initiating an IKE_SA");
	assert_int_equal(peer.incoming, 9);
	give_log(9, NULL, "received proposals unacceptable");
	assert_non_null(strstr(told, "proposal mismatch"));
	give_down(9);
	assert_int_equal(peer.incoming, 0);
}

/* First messages that are forged, and what comes of them, have no part in our
 * own attempt, nor in when we begin. */
static void test_forged(void **state)
{
	int64_t until;

	initiate(3);
	give_log(9, NULL, "2001:db8:c::1 is initiating an IKE_SA");
	give_log(9, NULL, "received proposals unacceptable");
	assert_int_equal(peer.state, IKE_INITIATING);
	assert_string_equal(peer.why, "");
	give_down(3);
	assert_int_equal(peer.state, IKE_BACKOFF);
	peer.yield_until = until = ike_now_ms() + 10;
	for (uint32_t id = 10; id < 20; id++)
		give_log(id, NULL, "2001:db8:c::1 is initiating an IKE_SA");
	assert_int_equal(peer.yield_until, until);
	assert_int_equal(peer.incoming, 19);
}

/* charon's log tells who answers. */
static void test_answers(void **state)
{
	initiate(3);
	give_log(3, NAME, "retransmit 1 of request with message ID 0");
	assert_true(peer.silent && peer.overdue);
	give_log(3, NAME, "parsed INFORMATIONAL request 1 [ N( response ) ]");
	assert_true(peer.silent);
	give_log(2, NAME, "parsed IKE_SA_INIT response 0 [ SA KE No ]");
	assert_true(peer.silent);
	give_log(3, NAME, "parsed IKE_SA_INIT response 0 [ SA KE No ]");
	assert_false(peer.silent || peer.overdue);
}

/* More IKE_SAs than are remembered, and the oldest is rekeyed: its place is the
 * one that is taken. What is freed too early the sanitizers tell. */
static void test_rekey_of_many(void **state)
{
	const struct ike_sa *last;
	struct vici_builder b;

	peer.state = IKE_UP;
	for (uint32_t id = 1; id <= 16; id++)
		give_up(id);
	vici_begin(&b, VICI_EVENT, "ike-rekey");
	vici_section_start(&b, NAME);
	vici_section_start(&b, "old");
	vici_key_number(&b, "uniqueid", 1);
	vici_section_end(&b);
	vici_section_start(&b, "new");
	vici_key_number(&b, "uniqueid", 17);
	vici_key_value(&b, "state", "ESTABLISHED");
	vici_section_end(&b);
	vici_section_end(&b);
	give(&b, "ike-rekey");
	last = ike_sa_find(&peer, 17);
	assert_non_null(last);
	assert_int_equal(last->rekeys, 1);
	assert_null(ike_sa_find(&peer, 1));
	assert_int_equal(ike_sas_count(&peer.sas), 16);
	ike_sas_clear(&peer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reason_first),
		TEST(test_reason_last),
		TEST(test_reason_of_another),
		TEST(test_reason_incoming),
		TEST(test_forged),
		TEST(test_answers),
		TEST(test_rekey_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
