// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which public keys a peer of method raw may have (S4, S5): a peer that
 * announces hashes alone, and a directory with real keys. What is freed too
 * early the sanitizers tell.
 */
#include <zebra.h>

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/pem.h>

#include "memory.h"
#include "thread.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/ike/ike_peer.h"
#include "swmeshd/security/key_files.h"
#include "swmeshd/security/key_dir.h"
#include "swmeshd/security/key_parse.h"
#include "swmeshd/swmeshd.h"

DEFINE_MGROUP(SWMESHD, "swmeshd ike keys test");
struct debug swmesh_dbg_events = {0, "events"};
struct mesh *swmesh;
struct thread_master *master;

#define COUNT (AFBR_KEYS_MAX + 2)

static char folder[] = "/tmp/swmesh-ike-keys.XXXXXX";
static struct public_key hashes[COUNT]; /* as announced: no key */
static struct afbr afbr;
static struct security security;
static struct ike_peer peer;
static struct ike_conn conn;

struct afbr *afbr_find(struct mesh *mesh, const struct ipaddr *addr)
{
	return &afbr;
}

static unsigned int readings;
static char noted[MESH_REASON_LEN];

void ike_peer_note(struct ike_peer *p, const char *text)
{
	strlcpy(noted, text, sizeof(noted));
}

struct ike_peers_head ike_peers;

int ike_peer_cmp(const struct ike_peer *a, const struct ike_peer *b)
{
	return 0;
}

uint32_t ike_peer_hash(const struct ike_peer *p)
{
	return 0;
}

bool ike_peer_is_raw(const struct ike_peer *p)
{
	return true;
}

void ike_work_add(struct ike_peer *p)
{
	p->in_work = true;
}

static void changed(void)
{
	readings++;
	ike_keys_changed();
}

/* Until the directory has been read once more. */
static void wait_read(void)
{
	unsigned int before = readings;
	struct thread t;

	while (readings == before) {
		assert_non_null(thread_fetch(master, &t));
		thread_call(&t);
	}
}

static void make_key(unsigned int i)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct public_key made = {};
	char path[64];
	FILE *f;

	assert_true(key_to_public(key, &made));
	memcpy(hashes[i].hash, made.hash, KEY_HASH_LEN);
	snprintf(path, sizeof(path), "%s/%u.pub", folder, i);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(PEM_write_PUBKEY(f, key));
	fclose(f);
	EVP_PKEY_free(key);
}

static int make_keys(void **state)
{
	assert_non_null(mkdtemp(folder));
	for (unsigned int i = 0; i < COUNT; i++)
		make_key(i);
	return 0;
}

static int remove_keys(void **state)
{
	char path[64];

	for (unsigned int i = 0; i < COUNT; i++) {
		snprintf(path, sizeof(path), "%s/%u.pub", folder, i);
		unlink(path);
	}
	return rmdir(folder);
}

static int setup(void **state)
{
	security.peer_keys = folder;
	peer.security = &security;
	afbr.auth.n = 0;
	master = thread_master_create(NULL);
	key_dir_init(changed);
	readings = 0;
	ike_peers_init(&ike_peers);
	ike_peers_add(&ike_peers, &peer);
	return 0;
}

static int teardown(void **state)
{
	ike_keys_clear(&peer);
	ike_peers_del(&ike_peers, &peer);
	ike_peers_fini(&ike_peers);
	peer.in_work = false;
	key_dir_stop();
	thread_master_free(master);
	return 0;
}

/* What the directory has is known, or will be in a moment. */
static void collect_known(void)
{
	enum ike_keys keys = ike_keys_collect(&peer, &conn);

	if (keys == IKE_KEYS_UNKNOWN) {
		peer.keys_unknown = true;
		assert_non_null(strstr(noted, "being read"));
		assert_string_equal(peer.blocked, "");
		wait_read();
		assert_true(peer.in_work);
		peer.keys_unknown = false;
		memset(&conn, 0, sizeof(conn));
		keys = ike_keys_collect(&peer, &conn);
	}
	assert_int_equal(keys, IKE_KEYS_SETTLED);
}

/* The AFBR announces keys first to last; what we may use is just those. */
static void collect(unsigned int first, unsigned int last)
{
	afbr.auth.n = 0;
	for (unsigned int i = first; i <= last; i++)
		afbr.auth.keys[afbr.auth.n++] = &hashes[i];
	memset(&conn, 0, sizeof(conn));
	peer.blocked[0] = '\0';
	collect_known();
	assert_string_equal(peer.blocked, "");
	assert_int_equal(conn.n_keys, afbr.auth.n);
	for (unsigned int i = 0; i < conn.n_keys; i++) {
		assert_true(conn.keys[i]->len > 0);
		assert_memory_equal(conn.keys[i]->hash, hashes[first + i].hash,
				    KEY_HASH_LEN);
	}
}

/* A key after another is changed: the ninth has its place. */
static void test_ninth_key(void **state)
{
	for (unsigned int i = 0; i < AFBR_KEYS_MAX; i++)
		collect(i, i);
	collect(AFBR_KEYS_MAX, AFBR_KEYS_MAX);
}

/* The ninth beside seven of those before: none of them is let go of while the
 * connection is put together. */
static void test_ninth_beside_others(void **state)
{
	collect(0, AFBR_KEYS_MAX - 1);
	collect(1, AFBR_KEYS_MAX);
	collect(2, AFBR_KEYS_MAX + 1);
	collect(0, AFBR_KEYS_MAX - 1);
}

/* The same hash twice takes one place. */
static void test_twice(void **state)
{
	afbr.auth.n = 0;
	for (unsigned int i = 0; i < AFBR_KEYS_MAX; i++)
		afbr.auth.keys[afbr.auth.n++] = &hashes[i % 2];
	memset(&conn, 0, sizeof(conn));
	collect_known();
	assert_ptr_equal(conn.keys[0], conn.keys[2]);
	assert_null(peer.found[2]);
}

static void test_none(void **state)
{
	memset(&conn, 0, sizeof(conn));
	assert_int_equal(ike_keys_collect(&peer, &conn), IKE_KEYS_SETTLED);
	assert_non_null(strstr(peer.blocked, "announces no key"));

	afbr.auth.n = 1;
	afbr.auth.keys[0] = &hashes[0];
	security.peer_keys = NULL;
	assert_int_equal(ike_keys_collect(&peer, &conn), IKE_KEYS_ABSENT);
	assert_non_null(strstr(peer.blocked, "no 'peer-keys' directory"));
	assert_int_equal(conn.n_keys, 0);
}

/* ---- the directory ---- */

static void test_directory(void **state)
{
	uint8_t unknown[KEY_HASH_LEN] = {};
	char err[512];

	assert_null(key_dir_find(folder, hashes[3].hash, err, sizeof(err)));
	assert_false(key_dir_known(folder));
	wait_read();
	assert_true(key_dir_known(folder));
	for (unsigned int i = 0; i < COUNT; i++) {
		const struct public_key *key =
			key_dir_find(folder, hashes[i].hash, err, sizeof(err));

		assert_non_null(key);
		assert_int_equal(key->len, 44);
	}
	/* However many are asked for that are not there, and by whomever, it
	 * is not read once more for them. */
	for (unsigned int i = 0; i < 10000; i++) {
		unknown[0] = i;
		assert_null(key_dir_find(folder, unknown, err, sizeof(err)));
		assert_non_null(strstr(err, "no key with SHA-1"));
	}
	assert_int_equal(readings, 1);

	assert_null(key_dir_find("/nonexistent", unknown, err, sizeof(err)));
	wait_read();
	assert_null(key_dir_find("/nonexistent", unknown, err, sizeof(err)));
	assert_non_null(strstr(err, "peer-keys /nonexistent: No such file"));
}

/* A folder with something that never answers: the event loop is not held up,
 * and what is there of the peer stays. */
static void test_directory_hangs(void **state)
{
	char path[64], other[] = "/tmp/swmesh-ike-fifo.XXXXXX", err[512];
	unsigned int before = readings;

	assert_non_null(mkdtemp(other));
	snprintf(path, sizeof(path), "%s/a.pem", other);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(key_dir_find(other, hashes[0].hash, err, sizeof(err)));
	assert_non_null(strstr(err, "being read"));
	assert_int_equal(readings, before);
	wait_read(); /* it is no file, so not waited for */
	assert_null(key_dir_find(other, hashes[0].hash, err, sizeof(err)));
	assert_non_null(strstr(err, "among its 1 files"));
	unlink(path);
	rmdir(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ninth_key), TEST(test_ninth_beside_others),
		TEST(test_twice),     TEST(test_none),
		TEST(test_directory), TEST(test_directory_hangs),
	};

	return cmocka_run_group_tests(tests, make_keys, remove_keys);
}
