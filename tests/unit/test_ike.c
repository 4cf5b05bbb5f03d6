// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the IKE backend gives charon, and how it reads charon's reasons: pure
 * functions. Messages are built and then read again by the vici parser.
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
#include "swmeshd/ike/ike_conn.h"
#include "swmeshd/ike/ike_reason.h"
#include "swmeshd/swmeshd.h"

DEFINE_MGROUP(SWMESHD, "swmeshd ike test");
struct debug swmesh_dbg_events = {0, "events"};

#define SECRET "correct horse battery staple"

static struct vici_builder b;
static struct vici_packet packet;
static struct security *security;
static struct public_key key1, key2;

static struct ipaddr addr(const char *text)
{
	struct ipaddr a = {};

	assert_int_equal(str2ipaddr(text, &a), 0);
	return a;
}

static void set_blob(struct security_blob *blob, const char *text)
{
	XFREE(MTYPE_TMP, blob->data);
	blob->len = strlen(text);
	blob->data = XMALLOC(MTYPE_TMP, blob->len);
	memcpy(blob->data, text, blob->len);
}

static int setup(void **state)
{
	security = security_new("CORE");
	security->method = IKE_METHOD_PSK;
	set_blob(&security->psk.blob, SECRET);
	key1.len = key2.len = 44;
	memset(key1.spki, 1, 44);
	memset(key1.hash, 1, KEY_HASH_LEN);
	memset(key2.spki, 2, 44);
	memset(key2.hash, 2, KEY_HASH_LEN);
	return 0;
}

static int teardown(void **state)
{
	XFREE(MTYPE_TMP, security->psk.blob.data);
	security->psk.blob.len = 0;
	security_unref(&security);
	vici_free(&b);
	return 0;
}

static struct ike_conn conn_of(void)
{
	struct ike_conn conn = {
		.name = "swmesh-2001:db8::2",
		.local = addr("2001:db8::1"),
		.remote = addr("2001:db8::2"),
		.security = security,
	};

	conn.child[ENCAP_PROTOCOL_GRE] = security;
	return conn;
}

/* The message of the builder, read again. */
static const struct vici_section *read_again(void)
{
	assert_int_equal(vici_finish(&b), VICI_OK);
	assert_int_equal(vici_parse(b.buf + VICI_HEADER_LEN,
				    b.len - VICI_HEADER_LEN, &packet),
			 VICI_OK);
	return &packet.msg;
}

static struct vici_section load(const struct ike_conn *conn)
{
	struct vici_section out;
	struct vici_iter it;

	vici_free(&b);
	ike_conn_load(&b, conn);
	it = vici_iter_of(read_again());
	assert_true(vici_next_section(&it));
	assert_true(vici_is(&it.name, conn->name));
	out = it.section;
	assert_false(vici_next_section(&it));
	return out;
}

static void assert_value(const struct vici_section *s, const char *path,
			 const char *value)
{
	char text[256];

	assert_true(vici_find_text(s, path, text, sizeof(text)));
	assert_string_equal(text, value);
}

/* A list of one. */
static void assert_item(const struct vici_section *s, const char *path,
			const char *value)
{
	struct vici_section list;
	struct vici_iter it;

	assert_true(vici_find_list(s, path, &list));
	it = vici_iter_of(&list);
	assert_true(vici_next(&it));
	if (value)
		assert_true(vici_is(&it.value, value));
	assert_false(vici_next(&it));
}

/* ---- connections ---- */

static void test_psk(void **state)
{
	struct ike_conn conn = conn_of();
	struct vici_section s = load(&conn);

	assert_value(&s, "version", "2");
	assert_item(&s, "local_addrs", "2001:db8::1");
	assert_item(&s, "remote_addrs", "2001:db8::2");
	/* charon does nothing by itself. */
	assert_value(&s, "keyingtries", "1");
	assert_value(&s, "reauth_time", "0");
	assert_value(&s, "mobike", "no");
	assert_value(&s, "children/gre/start_action", "none");
	assert_value(&s, "children/gre/close_action", "none");
	assert_value(&s, "local-1/auth", "psk");
	assert_value(&s, "local-1/id", "2001:db8::1");
	assert_value(&s, "remote-1/auth", "psk");
	assert_value(&s, "remote-1/id", "2001:db8::2");
	/* S7. */
	assert_value(&s, "children/gre/mode", "transport");
	assert_item(&s, "children/gre/local_ts", "2001:db8::1/128[47]");
	assert_item(&s, "children/gre/remote_ts", "2001:db8::2/128[47]");
	assert_false(vici_find_section(&s, "children/ip4", &s));
}

static void test_children(void **state)
{
	struct ike_conn conn = conn_of();
	struct security *ah = security_new("AH");
	struct vici_section s;

	conn.local = addr("192.0.2.1");
	conn.remote = addr("192.0.2.2");
	ah->protocol = IPSEC_AH;
	conn.child[ENCAP_PROTOCOL_IP4] = ah;
	conn.child[ENCAP_PROTOCOL_IP6] = security;
	conn.child[IKE_CHILD_BGP_IN] = security;
	conn.child[IKE_CHILD_BGP_OUT] = security;
	s = load(&conn);
	assert_item(&s, "children/ip4/local_ts", "192.0.2.1/32[4]");
	assert_item(&s, "children/ip4/ah_proposals", NULL);
	assert_item(&s, "children/ip6/remote_ts", "192.0.2.2/32[41]");
	/* S11. */
	assert_item(&s, "children/bgp-in/local_ts", "192.0.2.1/32[6/179]");
	assert_item(&s, "children/bgp-in/remote_ts", "192.0.2.2/32[6]");
	assert_item(&s, "children/bgp-out/local_ts", "192.0.2.1/32[6]");
	assert_item(&s, "children/bgp-out/remote_ts", "192.0.2.2/32[6/179]");
	security_unref(&ah);
}

/* The end that waits rekeys later, or both would at the same time; what is to
 * be replaced does not expire before. */
static void test_times(void **state)
{
	struct ike_conn conn = conn_of(), other = conn_of();
	uint64_t ours, theirs, life, rand;
	struct vici_section s;

	security->rekey_sa = 5;
	other.local = conn.remote;
	other.remote = conn.local;
	s = load(&conn);
	assert_true(vici_find_number(&s, "children/gre/rekey_time", &ours));
	assert_true(vici_find_number(&s, "children/gre/life_time", &life));
	assert_int_equal(ours, 5);
	assert_true(life >= ours + 30);
	s = load(&other);
	assert_true(vici_find_number(&s, "children/gre/rekey_time", &theirs));
	assert_true(vici_find_number(&s, "children/gre/rand_time", &rand));
	assert_true(theirs - rand > ours);
}

/* RFC 4303 section 3.3.3: 32-bit sequence numbers must not run out, whichever
 * end is the one that rekeys, and the two do it at different times. */
static void test_packets(void **state)
{
	struct ike_conn conn = conn_of(), other = conn_of();
	uint64_t ours, theirs, life, rand;
	struct vici_section s;

	other.local = conn.remote;
	other.remote = conn.local;
	s = load(&conn);
	assert_true(vici_find_number(&s, "children/gre/rekey_packets", &ours));
	assert_true(vici_find_number(&s, "children/gre/life_packets", &life));
	assert_true(ours < life / 2 && life < UINT32_MAX);
	s = load(&other);
	assert_true(
		vici_find_number(&s, "children/gre/rekey_packets", &theirs));
	assert_true(vici_find_number(&s, "children/gre/rand_packets", &rand));
	assert_true(theirs - rand > ours && theirs < life * 2 / 3);
}

/* S5: just the keys that are announced, whole. */
static void test_raw(void **state)
{
	struct ike_conn conn = conn_of();
	struct vici_section s, list;
	struct vici_iter it;

	security->method = IKE_METHOD_RAW;
	security->n_keys = 1;
	security->keys[0] = key1;
	conn.n_keys = 2;
	conn.keys[0] = &key1;
	conn.keys[1] = &key2;
	s = load(&conn);
	assert_value(&s, "remote-1/auth", "pubkey");
	assert_true(vici_find_list(&s, "local-1/pubkeys", &list));
	assert_true(vici_find_list(&s, "remote-1/pubkeys", &list));
	it = vici_iter_of(&list);
	assert_true(vici_next(&it));
	assert_int_equal(it.value.len, 44);
	assert_memory_equal(it.value.at, key1.spki, 44);
	assert_true(vici_next(&it));
	assert_memory_equal(it.value.at, key2.spki, 44);
	assert_false(vici_next(&it));
}

static void test_identity(void **state)
{
	struct ike_conn conn = conn_of();
	struct vici_section s;

	security->identity = strdup("a1.example");
	security->peer_identity = strdup("*.example");
	s = load(&conn);
	assert_value(&s, "local-1/id", "a1.example");
	assert_value(&s, "remote-1/id", "*.example");
	free(security->identity);
	free(security->peer_identity);
	security->identity = security->peer_identity = NULL;
}

static void test_secret(void **state)
{
	struct ike_conn conn = conn_of();
	const struct vici_section *msg;

	/* It is in its own message, and in no other. */
	load(&conn);
	assert_null(memmem(b.buf, b.len, SECRET, strlen(SECRET)));
	vici_free(&b);
	ike_conn_load_psk(&b, "swmesh-psk", &conn.local, security);
	msg = read_again();
	assert_value(msg, "type", "IKE");
	assert_value(msg, "data", SECRET);
	assert_item(msg, "owners", "2001:db8::1");
}

/* ---- names and digests ---- */

static void test_names(void **state)
{
	struct ipaddr a = addr("2001:db8::2"), back;
	char name[64];

	assert_string_equal(ike_conn_name(&a, name, sizeof(name)),
			    "swmesh-2001:db8::2");
	assert_true(ike_conn_name_parse(name, &back));
	assert_int_equal(ipaddr_cmp(&a, &back), 0);
	assert_true(ike_conn_name_parse("swmesh-192.0.2.1", &back));
	assert_false(ike_conn_name_parse("swmesh-psk", &back));
	assert_false(ike_conn_name_parse("office", &back));
}

static void test_digest_name(void **state)
{
	uint8_t digest[IKE_DIGEST_LEN] = {1, 2, 3, 4, 5, 6, 7, 0xfe};
	uint8_t back[IKE_DIGEST_LEN], salt = 0;
	char name[IKE_DIGEST_NAME_LEN];

	ike_digest_name(digest, 0xab, name, sizeof(name));
	assert_string_equal(name, "as-01020304050607feab");
	assert_true(ike_digest_parse(name, back, &salt));
	assert_memory_equal(back, digest, sizeof(digest));
	assert_int_equal(salt, 0xab);
	assert_false(ike_digest_parse("as-0102", back, &salt));
	assert_false(ike_digest_parse("as-01020304050607feabcd", back, &salt));
	assert_false(ike_digest_parse("as-01020304050607fexx", back, &salt));
	assert_false(ike_digest_parse("gre", back, &salt));
}

/* The connection says itself what it is. */
static void test_digest_is_inside(void **state)
{
	struct ike_conn conn = conn_of();
	struct ike_conn_digest d;
	struct vici_section s, child;
	char path[IKE_DIGEST_NAME_LEN + 16], name[IKE_DIGEST_NAME_LEN];

	conn.salt = 7;
	ike_conn_digests(&conn, &d);
	s = load(&conn);
	snprintf(path, sizeof(path), "children/%s",
		 ike_digest_name(d.all, 7, name, sizeof(name)));
	assert_true(vici_find_section(&s, path, &child));
}

#define SAME(a, b) (!memcmp(a, b, IKE_DIGEST_LEN))

static void test_digests(void **state)
{
	struct ike_conn conn = conn_of();
	struct ike_conn_digest before, after;

	ike_conn_digests(&conn, &before);
	ike_conn_digests(&conn, &after);
	assert_true(SAME(before.all, after.all));

	/* ESP alone: another child, the same IKE_SA. */
	security_set_proposals(&security->ipsec, "null-sha256");
	ike_conn_digests(&conn, &after);
	assert_false(SAME(before.all, after.all));
	assert_true(SAME(before.ike, after.ike));
	assert_false(SAME(before.child[ENCAP_PROTOCOL_GRE],
			  after.child[ENCAP_PROTOCOL_GRE]));

	/* The secret alone: another IKE_SA, and nothing that others see. */
	before = after;
	set_blob(&security->psk.blob, "another secret of the mesh");
	ike_conn_digests(&conn, &after);
	assert_true(SAME(before.all, after.all));
	assert_false(SAME(before.secret, after.secret));
	assert_false(SAME(before.ike, after.ike));
	/* But for its tag, for a later run of ours. */
	security->secret_tag[31] = 1;
	ike_conn_digests(&conn, &after);
	assert_false(SAME(before.all, after.all));

	/* The peer's keys: another connection; the IKE_SA is judged by them. */
	security->method = IKE_METHOD_RAW;
	conn.n_keys = 1;
	conn.keys[0] = &key1;
	ike_conn_digests(&conn, &before);
	conn.n_keys = 2;
	conn.keys[1] = &key2;
	ike_conn_digests(&conn, &after);
	assert_false(SAME(before.all, after.all));
	assert_true(SAME(before.ike, after.ike));
}

static void test_reqids(void **state)
{
	struct ipaddr a = addr("2001:db8::1"), p2 = addr("2001:db8::2"),
		      p3 = addr("2001:db8::3");

	assert_int_equal(ike_reqid(&a, &p2, ENCAP_PROTOCOL_GRE),
			 ike_reqid(&a, &p2, ENCAP_PROTOCOL_GRE));
	assert_int_not_equal(ike_reqid(&a, &p2, ENCAP_PROTOCOL_GRE),
			     ike_reqid(&a, &p2, ENCAP_PROTOCOL_IP4));
	assert_int_not_equal(ike_reqid(&a, &p2, ENCAP_PROTOCOL_GRE),
			     ike_reqid(&a, &p3, ENCAP_PROTOCOL_GRE));
	/* Not one of those that charon takes by itself. */
	assert_true(ike_reqid(&a, &p2, ENCAP_PROTOCOL_GRE) & 0x40000000u);
}

/* ---- reasons ---- */

/* Lines as strongSwan 5.9.8 and 6.0.1 write them. */
static const struct {
	const char *line, *word;
	enum ike_method method;
	bool final;
} lines[] = {
	{"tried 1 shared key for '2001:db8::1' - '2001:db8::2', but MAC mismatched",
	 "another group key", IKE_METHOD_PSK, false},
	{"received AUTHENTICATION_FAILED notify error", "refused our",
	 IKE_METHOD_PSK, true},
	{"received NO_PROPOSAL_CHOSEN notify error", "proposal mismatch",
	 IKE_METHOD_PSK, true},
	{"received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built", "ESP or AH",
	 IKE_METHOD_PSK, true},
	{"received TS_UNACCEPTABLE notify, no CHILD_SA built",
	 "does not protect", IKE_METHOD_PSK, true},
	{"no trusted ED25519 public key found for '2001:db8::2'",
	 "hash mismatch", IKE_METHOD_RAW, false},
	{"no trusted RSA public key found for '2001:db8::2'", "not trusted",
	 IKE_METHOD_PKI, false},
	{"certificate was revoked on Jan 01 00:00:00 UTC 2024, reason: key compromise",
	 "revoked", IKE_METHOD_PKI, false},
	{"subject certificate invalid (valid from Jan 01 00:00:00 2020 to Jan 02 00:00:00 2020)",
	 "expired", IKE_METHOD_PKI, false},
	{"no issuer certificate found for \"CN=a2\"", "not from one of our CAs",
	 IKE_METHOD_PKI, false},
	{"giving up after 5 retransmits, peer not responding", "no answer",
	 IKE_METHOD_PSK, true},
	{"establishing IKE_SA failed, peer not responding", "no answer",
	 IKE_METHOD_PSK, true},
	{"PPK required but no PPK found for 'x'", "PPK", IKE_METHOD_PSK, false},
};

static void test_reasons(void **state)
{
	for (unsigned int i = 0; i < array_size(lines); i++) {
		const struct ike_reason *r = ike_reason_find(lines[i].line);

		assert_non_null(r);
		assert_non_null(strstr(ike_reason_text(r, lines[i].method),
				       lines[i].word));
		assert_int_equal(r->final, lines[i].final);
	}
	assert_null(ike_reason_find("IKE_SA x[1] established between"));
	assert_null(ike_reason_find(
		"peer didn't accept DH group ECP_256, it requested CURVE_25519"));
}

/* No row hides behind one above it. */
static void test_rows(void **state)
{
	for (const struct ike_reason *r = ike_reasons; r->phrase; r++) {
		assert_ptr_equal(ike_reason_find(r->phrase), r);
		assert_non_null(r->text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_psk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_children, setup, teardown),
		cmocka_unit_test_setup_teardown(test_times, setup, teardown),
		cmocka_unit_test_setup_teardown(test_packets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_raw, setup, teardown),
		cmocka_unit_test_setup_teardown(test_identity, setup, teardown),
		cmocka_unit_test_setup_teardown(test_secret, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_digest_name, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_digest_is_inside, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_digests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reqids, setup, teardown),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
