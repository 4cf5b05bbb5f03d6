// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which of charon's SAs are good, what is missing and what is taken down. SAs
 * are given as charon's sections; what is asked of charon is written down.
 */
#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "debug.h"
#include "memory.h"

#include "lib/vici.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/model/settle.h"
#include "swmeshd/ike/ike_peer.h"
#include "swmeshd/swmeshd.h"

DEFINE_MGROUP(SWMESHD, "swmeshd ike test");
struct debug swmesh_dbg_ike = {0, "ike"};

/* ---- the rest of the backend ---- */

static int64_t now_ms = 1000000;
static unsigned int terminated, forced;
static uint64_t last_ike, last_child;

int64_t ike_now_ms(void)
{
	return now_ms;
}

void ike_check_in(struct ike_peer *peer, unsigned int ms)
{
}

void ike_audit_in(unsigned int ms)
{
}

static bool settled;

bool swmesh_grace_over(void)
{
	return settled;
}

bool ike_request(struct vici_builder *b)
{
	struct vici_packet packet;

	assert_int_equal(vici_finish(b), VICI_OK);
	assert_int_equal(vici_parse(b->buf + VICI_HEADER_LEN,
				    b->len - VICI_HEADER_LEN, &packet),
			 VICI_OK);
	assert_true(vici_is(&packet.name, "terminate"));
	last_ike = last_child = 0;
	vici_find_number(&packet.msg, "ike-id", &last_ike);
	vici_find_number(&packet.msg, "child-id", &last_child);
	forced += vici_find_is(&packet.msg, "force", "yes");
	terminated++;
	vici_free(b);
	return true;
}

/* ---- scenery ---- */

static struct ike_peer peer;
static struct security security;

static int setup(void **state)
{
	memset(&peer, 0, sizeof(peer));
	memset(&security, 0, sizeof(security));
	ike_sas_init(&peer.sas);
	security.method = IKE_METHOD_PSK;
	peer.security = &security;
	peer.initiator = true;
	memset(peer.ike_digest, 1, IKE_DIGEST_LEN);
	peer.child[ENCAP_PROTOCOL_GRE].wanted = true;
	peer.child[ENCAP_PROTOCOL_GRE].up = true;
	memset(peer.child[ENCAP_PROTOCOL_GRE].digest, 2, IKE_DIGEST_LEN);
	terminated = forced = 0;
	settled = true;
	return 0;
}

static int teardown(void **state)
{
	ike_sas_clear(&peer);
	return 0;
}

/* An established IKE_SA, and a child of it if that is not 0. */
static struct ike_sa *sa(unsigned int id, const char *kind, unsigned int child)
{
	struct vici_builder b;
	struct vici_packet packet;
	struct vici_section section;
	struct ike_sa *made;

	vici_begin(&b, VICI_EVENT, "test");
	vici_key_number(&b, "uniqueid", id);
	vici_key_value(&b, "state", "ESTABLISHED");
	vici_key_number(&b, "established", 100 - id);
	vici_key_value(&b, "initiator-spi", "00000000deadbeef");
	vici_key_value(&b, "encr-alg", "AES_GCM_16");
	vici_key_value(&b, "encr-keysize", "256");
	vici_key_value(&b, "dh-group", "CURVE_25519");
	vici_section_start(&b, "child");
	vici_key_value(&b, "name", kind);
	vici_key_number(&b, "uniqueid", child);
	vici_key_value(&b, "state", "INSTALLED");
	vici_key_value(&b, "spi-in", "c0000001");
	vici_key_value(&b, "spi-out", "0000ff02");
	vici_section_end(&b);
	assert_int_equal(vici_finish(&b), VICI_OK);
	assert_int_equal(vici_parse(b.buf + VICI_HEADER_LEN,
				    b.len - VICI_HEADER_LEN, &packet),
			 VICI_OK);
	made = ike_sa_read(&peer, &packet.msg);
	assert_non_null(made);
	assert_true(vici_find_section(&packet.msg, "child", &section));
	if (child)
		ike_child_read(&peer, made, &section, false);
	vici_free(&b);
	return made;
}

static void announce(unsigned int n, ...)
{
	va_list ap;

	va_start(ap, n);
	peer.allowed_before = peer.allowed;
	peer.allowed.n = n;
	for (unsigned int i = 0; i < n; i++)
		memset(peer.allowed.hash[i], va_arg(ap, int), KEY_HASH_LEN);
	va_end(ap);
	peer.allowed_since = now_ms;
	now_ms += 10000;
}

/* ---- tests ---- */

static void test_read(void **state)
{
	struct ike_sa *one = sa(1, "gre", 5);

	assert_true(one->established);
	assert_string_equal(one->algorithms, "AES_GCM_16-256/CURVE_25519");
	assert_int_equal(one->n_children, 1);
	assert_int_equal(one->children[0].kind, ENCAP_PROTOCOL_GRE);
	assert_int_equal(one->children[0].spi_in, 0xc0000001);
	assert_int_equal(one->children[0].spi_out, 0xff02);
	assert_ptr_equal(sa(1, "gre", 5), one);
	assert_int_equal(one->n_children, 1);
}

static void test_missing(void **state)
{
	assert_int_equal(ike_missing(&peer), ENCAP_PROTOCOL_GRE);
	sa(1, "gre", 0);
	assert_int_equal(ike_missing(&peer), ENCAP_PROTOCOL_GRE);
	sa(1, "gre", 5);
	assert_int_equal(ike_missing(&peer), IKE_CHILDREN);
	peer.child[ENCAP_PROTOCOL_IP4].wanted = true;
	assert_int_equal(ike_missing(&peer), ENCAP_PROTOCOL_IP4);
	/* One of our children may be called by any other name there. */
	sa(1, "somebody", 6);
	assert_int_equal(ike_missing(&peer), ENCAP_PROTOCOL_IP4);
}

static void test_good_as_it_is(void **state)
{
	sa(1, "gre", 5);
	assert_false(ike_sas_tidy(&peer));
	now_ms += 100000;
	assert_false(ike_sas_tidy(&peer));
	assert_int_equal(terminated, 0);
}

/* What was made by another configuration goes when it has been replaced. */
static void test_stale(void **state)
{
	sa(1, "gre", 5);
	memset(peer.ike_digest, 9, IKE_DIGEST_LEN);
	assert_int_equal(ike_missing(&peer), ENCAP_PROTOCOL_GRE);
	assert_false(ike_sas_tidy(&peer));
	now_ms += 100000;
	assert_false(ike_sas_tidy(&peer));
	assert_int_equal(terminated, 0);
	sa(2, "gre", 6);
	assert_int_equal(ike_missing(&peer), IKE_CHILDREN);
	ike_sas_tidy(&peer);
	assert_int_equal(terminated, 0);
	now_ms += 4000;
	ike_sas_tidy(&peer);
	assert_int_equal(terminated, 1);
	assert_int_equal(last_ike, 1);
}

/* After both ends have begun: one goes, and one end sees to it. */
static void test_twice(void **state)
{
	sa(1, "gre", 5);
	sa(2, "gre", 6);
	peer.initiator = false;
	ike_sas_tidy(&peer);
	now_ms += 4000;
	ike_sas_tidy(&peer);
	assert_int_equal(terminated, 0);
	peer.initiator = true;
	ike_sas_tidy(&peer);
	assert_int_equal(terminated, 1);
	assert_int_equal(last_ike, 1); /* the older one */
}

static void test_two_children(void **state)
{
	sa(1, "gre", 5);
	sa(1, "gre", 6);
	ike_sas_tidy(&peer);
	now_ms += 4000;
	ike_sas_tidy(&peer);
	assert_int_equal(terminated, 1);
	assert_int_equal(last_child, 5);
}

/* An older one goes by force if the peer does not confirm. */
static void test_force(void **state)
{
	struct ike_sa *one = sa(1, "gre", 5);

	ike_sa_terminate(&peer, one, false);
	assert_int_equal(forced, 0);
	assert_true(ike_sas_tidy(&peer));
	now_ms += 4000;
	assert_true(ike_sas_tidy(&peer));
	assert_int_equal(forced, 1);
	now_ms += 4000;
	ike_sas_tidy(&peer);
	assert_null(ike_sa_find(&peer, 1));
}

static void test_kernel_lacks_it(void **state)
{
	sa(1, "gre", 5);
	peer.child[ENCAP_PROTOCOL_GRE].up = false;
	ike_sas_tidy(&peer);
	assert_int_equal(terminated, 0); /* it may be on its way */
	now_ms += 1500;
	ike_sas_tidy(&peer);
	assert_int_equal(terminated, 1);
	assert_int_equal(last_child, 5);
	assert_int_equal(ike_missing(&peer), ENCAP_PROTOCOL_GRE);
}

static void test_unwanted(void **state)
{
	sa(1, "gre", 5);
	sa(1, "ip4", 6);
	/* Not while bgpd may still ask for it, after our start. */
	settled = false;
	ike_sas_tidy(&peer);
	now_ms += 60000;
	ike_sas_tidy(&peer);
	assert_int_equal(terminated, 0);
	settled = true;
	ike_sas_tidy(&peer);
	assert_int_equal(terminated, 1);
	assert_int_equal(last_child, 6);
}

/* ---- S5 ---- */

static void test_key_added(void **state)
{
	security.method = IKE_METHOD_RAW;
	announce(1, 'a');
	sa(1, "gre", 5);
	announce(2, 'a', 'b');
	assert_int_equal(ike_missing(&peer), IKE_CHILDREN);
	ike_sas_tidy(&peer);
	assert_int_equal(terminated, 0);
}

static void test_key_withdrawn(void **state)
{
	security.method = IKE_METHOD_RAW;
	announce(1, 'a');
	sa(1, "gre", 5);
	announce(1, 'b');
	assert_int_equal(ike_missing(&peer), ENCAP_PROTOCOL_GRE);
	assert_true(ike_sas_tidy(&peer));
	assert_int_equal(terminated, 1);
	assert_int_equal(last_ike, 1);
}

/* It may have been by the key that stays: replaced first, but not kept. */
static void test_one_of_two_withdrawn(void **state)
{
	security.method = IKE_METHOD_RAW;
	announce(2, 'a', 'b');
	sa(1, "gre", 5);
	announce(1, 'b');
	assert_int_equal(ike_missing(&peer), ENCAP_PROTOCOL_GRE);
	ike_sas_tidy(&peer);
	assert_int_equal(terminated, 0);
	now_ms += 31000;
	ike_sas_tidy(&peer);
	assert_int_equal(terminated, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_read),	  TEST(test_missing),
		TEST(test_good_as_it_is), TEST(test_stale),
		TEST(test_twice),	  TEST(test_two_children),
		TEST(test_force),	  TEST(test_kernel_lacks_it),
		TEST(test_unwanted),	  TEST(test_key_added),
		TEST(test_key_withdrawn), TEST(test_one_of_two_withdrawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
