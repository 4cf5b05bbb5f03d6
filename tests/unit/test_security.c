// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `security` without files: algorithms, defaults, what they add to a packet
 * (F4), what is the same, and sealed secrets (security/seal.h).
 */
#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "memory.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/security/key_files.h"
#include "swmeshd/security/seal.h"
#include "swmeshd/swmeshd.h"

DEFINE_MGROUP(SWMESHD, "swmeshd security test");
struct debug swmesh_dbg_events = {0, "events"};

static struct security *make(const char *name, enum ipsec_protocol protocol,
			     const char *words)
{
	struct security *s = security_new(name);

	s->method = IKE_METHOD_PSK;
	s->protocol = protocol;
	security_set_proposals(&s->ipsec, words);
	security_digest(s);
	return s;
}

static void test_digest_works(void **state)
{
	assert_true(security_digest_works());
}

static void test_defaults(void **state)
{
	struct security *s = make("A", IPSEC_ESP, "");
	char text[64], why[256];
	unsigned int n;

	assert_string_equal(security_ike_proposal(s, 0),
			    "aes256gcm16-prfsha384-x25519");
	for (n = 0; security_ike_proposal(s, n); n++)
		assert_true(security_ike_word_ok(security_ike_proposal(s, n),
						 why, sizeof(why)));
	assert_true(n >= 2);
	assert_string_equal(security_ipsec_proposal(s, 0), "aes256gcm16");
	assert_null(security_ipsec_proposal(s, 1));
	assert_string_equal(security_text(s, text, sizeof(text)),
			    "esp aes256gcm16");
	s->protocol = IPSEC_AH;
	assert_string_equal(security_text(s, text, sizeof(text)), "ah sha256");
	assert_string_equal(security_text(s, text, 6), "ah sh");
	security_unref(&s);
	assert_null(s);
	security_unref(&s);
}

static void test_proposals(void **state)
{
	struct security *s = make("A", IPSEC_ESP, "null-sha256  aes256gcm16");
	char many[64] = "";

	assert_string_equal(security_ipsec_proposal(s, 0), "null-sha256");
	assert_string_equal(security_ipsec_proposal(s, 1), "aes256gcm16");
	assert_null(security_ipsec_proposal(s, 2));
	for (int i = 0; i < SECURITY_PROPOSALS_MAX + 3; i++)
		strlcat(many, "esn ", sizeof(many));
	security_set_proposals(&s->ipsec, many);
	assert_int_equal(s->ipsec.n, SECURITY_PROPOSALS_MAX);
	security_unref(&s);
}

static void test_words(void **state)
{
	static const struct {
		char use;		  /* 'i', 'e', 'a' */
		const char *word, *fault; /* NULL: fine */
	} rows[] = {
		{'i', "aes256gcm16-prfsha384-x25519", NULL},
		{'i', "aes128-sha256-modp3072", NULL},
		{'i', "aes256-aes128-sha384-sha256-ecp384-x25519", NULL},
		{'i', "aes256gcm16-prfsha384-aes128-x25519", "in one proposal"},
		{'i', "aes256gcm16-x25519", "no pseudorandom function"},
		{'i', "aes256gcm16-prfsha384", "no key exchange"},
		{'i', "aes256-x25519", "no integrity"},
		{'i', "sha256-x25519", "no cipher"},
		{'i', "null-sha256-x25519", "'null' is no algorithm for IKE"},
		{'i', "aes256gcm16-prfsha384-modp1024", "'modp1024'"},
		{'i', "", "'' is no algorithm"},
		{'i', "aes256gcm16--x25519", "'' is no algorithm"},
		{'e', "aes256gcm16", NULL},
		{'e', "null-sha256", NULL},
		{'e', "chacha20poly1305-x25519-esn", NULL},
		{'e', "aes256gmac", NULL},
		{'e', "aes256", "no integrity"},
		{'e', "sha256", "no cipher"},
		{'e', "aes256gcm16-sha256", "has its integrity in it"},
		{'e', "aes256gcm16-prfsha384", "'prfsha384'"},
		{'e', "3des-sha1", "'3des'"},
		{'a', "sha256", NULL},
		{'a', "aes256-sha256", "'aes256' is no algorithm for AH"},
		{'a', "x25519", "no integrity"},
	};
	char why[1024];
	bool ok;

	for (size_t i = 0; i < array_size(rows); i++) {
		why[0] = '\0';
		ok = rows[i].use == 'i'
			     ? security_ike_word_ok(rows[i].word, why,
						    sizeof(why))
			     : security_ipsec_word_ok(
				       rows[i].use == 'a' ? IPSEC_AH
							  : IPSEC_ESP,
				       rows[i].word, why, sizeof(why));
		if (ok != !rows[i].fault ||
		    (rows[i].fault && !strstr(why, rows[i].fault)))
			fail_msg("%s: %s", rows[i].word, ok ? "accepted" : why);
	}
	memset(why, 'x', sizeof(why));
	why[SECURITY_WORD_LEN] = '\0';
	assert_false(security_ike_word_ok(why, why + 512, 256));
}

/* By hand from RFC 4303 section 2 and RFC 4302 section 2. */
static void test_overhead(void **state)
{
	static const struct {
		enum ipsec_protocol protocol;
		const char *words;
		unsigned int octets;
	} rows[] = {
		/* SPI, sequence, IV, padding, trailer, ICV */
		{IPSEC_ESP, "aes256gcm16", 4 + 4 + 8 + 3 + 2 + 16},
		{IPSEC_ESP, "chacha20poly1305", 4 + 4 + 8 + 3 + 2 + 16},
		{IPSEC_ESP, "aes256gmac", 4 + 4 + 8 + 3 + 2 + 16},
		{IPSEC_ESP, "null-sha256", 4 + 4 + 0 + 3 + 2 + 16},
		{IPSEC_ESP, "null-sha1", 4 + 4 + 0 + 3 + 2 + 12},
		{IPSEC_ESP, "aes256-sha256", 4 + 4 + 16 + 15 + 2 + 16},
		{IPSEC_ESP, "aes128-sha512-x25519", 4 + 4 + 16 + 15 + 2 + 32},
		{IPSEC_ESP, "aes128ctr-sha384", 4 + 4 + 8 + 3 + 2 + 24},
		/* the worst of several, part by part */
		{IPSEC_ESP, "null-sha256 aes256gcm16", 4 + 4 + 8 + 3 + 2 + 16},
		/* fixed part and ICV, to a multiple of 8 */
		{IPSEC_AH, "sha256", 32},
		{IPSEC_AH, "sha1", 24},
		{IPSEC_AH, "sha384", 40},
		{IPSEC_AH, "sha512", 48},
		{IPSEC_AH, "", 32},
		{IPSEC_ESP, "", 4 + 4 + 8 + 3 + 2 + 16},
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct security *s = make("A", rows[i].protocol, rows[i].words);

		assert_int_equal(security_overhead(s), rows[i].octets);
		security_unref(&s);
	}
}

static void test_same(void **state)
{
	struct security *a = make("A", IPSEC_ESP, ""),
			*b = make("B", IPSEC_ESP, "null-sha256"),
			*c = security_copy(a);

	assert_true(security_same(NULL, NULL));
	assert_false(security_same(a, NULL));
	assert_true(security_same(a, c));
	assert_true(security_same_config(a, c));
	/* ESP and the name may differ for one IKE SA. */
	assert_false(security_same(a, b));
	assert_true(security_same_ike(a, b));
	c->rekey_sa++;
	security_digest(c);
	assert_true(security_same_ike(a, c));
	assert_false(security_same(a, c));
	c->rekey_ike++;
	security_digest(c);
	assert_false(security_same_ike(a, c));
	/* What was read counts, too, but not for the configuration. */
	security_blob_set(&b->psk.blob, "x", 1);
	security_digest(b);
	assert_false(security_same_ike(a, b));
	/* The default in words is the default. */
	security_set_proposals(&a->ipsec, "aes256gcm16");
	security_digest(a);
	security_unref(&c);
	c = make("A", IPSEC_ESP, "");
	assert_true(security_same(a, c));
	strlcpy(c->error, "gone", sizeof(c->error));
	assert_false(security_same(a, c));
	security_unref(&a);
	security_unref(&b);
	security_unref(&c);
}

static void test_tree(void **state)
{
	struct securities_head all;
	struct security *a = make("A", IPSEC_ESP, "");

	securities_init(&all);
	assert_null(security_find(&all, ""));
	securities_add(&all, security_ref(a));
	assert_ptr_equal(security_find(&all, "A"), a);
	assert_null(security_find(&all, "B"));
	securities_clear(&all);
	assert_int_equal(a->refs, 1);
	security_unref(&a);
	securities_fini(&all);
}

static void test_missing(void **state)
{
	struct security *s = security_new("A");

	assert_non_null(strstr(security_missing(s), "no method"));
	s->method = IKE_METHOD_PKI;
	assert_non_null(strstr(security_missing(s), "ike pki ca"));
	s->method = IKE_METHOD_PSK;
	assert_null(security_missing(s));
	security_set_text(&s->ppk_id, "id");
	assert_non_null(strstr(security_missing(s), "ppk"));
	security_unref(&s);
}

/* ---- sealed secrets ---- */

static char folder[] = "/tmp/swmesh-seal.XXXXXX";
static char key_file[64];

static int seal_setup(void **state)
{
	strlcpy(folder + strlen(folder) - 6, "XXXXXX", 7);
	assert_non_null(mkdtemp(folder));
	snprintf(key_file, sizeof(key_file), "%s/key", folder);
	swmesh_seal_init(key_file);
	return 0;
}

static int seal_teardown(void **state)
{
	swmesh_seal_fini();
	unlink(key_file);
	return rmdir(folder);
}

static void test_seal(void **state)
{
	char text[SEAL_TEXT_MAX], again[SEAL_TEXT_MAX], other[SEAL_TEXT_MAX],
		err[256], longest[SEAL_SECRET_MAX + 2];
	struct security_blob secret = {};
	struct stat st;

	assert_true(swmesh_seal("correct horse", text, err, sizeof(err)));
	assert_null(strstr(text, "horse"));
	assert_int_equal(stat(key_file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* Entered again it changes nothing; another one does. */
	assert_true(swmesh_seal("correct horse", again, err, sizeof(err)));
	assert_string_equal(text, again);
	assert_true(swmesh_seal("correct horsf", other, err, sizeof(err)));
	/* not even the nonce, which is the first 16 letters after "v1:" */
	assert_int_not_equal(strncmp(text + 3, other + 3, 16), 0);
	assert_true(swmesh_unseal(text, &secret, err, sizeof(err)));
	assert_string_equal(secret.data, "correct horse");
	assert_int_equal(secret.len, 13);
	security_blob_free(&secret);

	assert_false(swmesh_seal("", text, err, sizeof(err)));
	memset(longest, 'x', sizeof(longest));
	longest[SEAL_SECRET_MAX + 1] = '\0';
	assert_false(swmesh_seal(longest, text, err, sizeof(err)));
	longest[SEAL_SECRET_MAX] = '\0';
	assert_true(swmesh_seal(longest, text, err, sizeof(err)));
	assert_true(strlen(text) < SEAL_TEXT_MAX);
	assert_true(swmesh_unseal(text, &secret, err, sizeof(err)));
	assert_string_equal(secret.data, longest);
	security_blob_free(&secret);
}

/* The same for the same secrets, with this key alone. */
static void test_seal_tag(void **state)
{
	struct security_blob one = {(uint8_t *)"correct horse", 13}, none = {};
	const struct security_blob *const first[] = {&one, &none},
					  *const second[] = {&none, &one};
	uint8_t tag[SEAL_TAG_LEN], again[SEAL_TAG_LEN], other[SEAL_TAG_LEN];
	char err[256];

	assert_true(swmesh_seal_tag(first, 2, tag, err, sizeof(err)));
	assert_true(swmesh_seal_tag(first, 2, again, err, sizeof(err)));
	assert_memory_equal(tag, again, sizeof(tag));
	assert_true(swmesh_seal_tag(second, 2, other, err, sizeof(err)));
	assert_memory_not_equal(tag, other, sizeof(tag));
	one.len--;
	assert_true(swmesh_seal_tag(first, 2, other, err, sizeof(err)));
	assert_memory_not_equal(tag, other, sizeof(tag));
	one.len++;

	assert_int_equal(chmod(key_file, 0644), 0);
	assert_false(swmesh_seal_tag(first, 2, tag, err, sizeof(err)));
	assert_non_null(strstr(err, "by others"));
	assert_int_equal(unlink(key_file), 0);
	assert_true(swmesh_seal_tag(first, 2, other, err, sizeof(err)));
	assert_memory_not_equal(tag, other, sizeof(tag));
}

static void test_unseal_damaged(void **state)
{
	static const char *const damaged[] = {
		"",
		"v1:",
		"v1:AAAA",
		"v2:AAAA",
		"v1:AAA",
		"v1:====",
		"v1:\xff\xff\xff\xff",
		"v1:A===",
	};
	char text[SEAL_TEXT_MAX], err[256], longest[2048];
	struct security_blob secret = {};

	assert_true(swmesh_seal("secret", text, err, sizeof(err)));
	for (size_t i = 0; i < array_size(damaged); i++) {
		assert_false(
			swmesh_unseal(damaged[i], &secret, err, sizeof(err)));
		assert_non_null(strstr(err, "enter 'ike group-psk secret'"));
	}
	memset(longest, 'A', sizeof(longest));
	memcpy(longest, "v1:", 3);
	longest[sizeof(longest) - 1] = '\0';
	for (size_t n = sizeof(longest) - 1; n > 3; n--) {
		longest[n] = '\0';
		assert_false(swmesh_unseal(longest, &secret, err, sizeof(err)));
	}
	/* Each letter counts. */
	for (size_t i = 3; i < strlen(text) && text[i] != '='; i++) {
		char was = text[i];

		text[i] = was == 'A' ? 'Q' : 'A';
		if (swmesh_unseal(text, &secret, err, sizeof(err)))
			fail_msg("letter %zu", i);
		text[i] = was;
	}
	assert_null(secret.data);
}

static void test_seal_key(void **state)
{
	char text[SEAL_TEXT_MAX], err[256];
	struct security_blob secret = {};
	FILE *f;

	/* No folder to write to, and none to read from. */
	swmesh_seal_init("/nonexistent/key");
	assert_false(swmesh_seal("secret", text, err, sizeof(err)));
	assert_non_null(strstr(err, "/nonexistent/key"));
	swmesh_seal_init(key_file);
	assert_true(swmesh_seal("secret", text, err, sizeof(err)));
	/* Somebody else's key, a damaged one, one for all to see, none. */
	unlink(key_file);
	assert_false(swmesh_unseal(text, &secret, err, sizeof(err)));
	assert_non_null(strstr(err, "is gone"));
	assert_true(swmesh_seal("another", text, err, sizeof(err)));
	assert_int_equal(chmod(key_file, 0640), 0);
	assert_false(swmesh_unseal(text, &secret, err, sizeof(err)));
	assert_non_null(strstr(err, "chmod 600"));
	assert_int_equal(chmod(key_file, 0600), 0);
	unlink(key_file);
	assert_true(swmesh_seal("secret", text + 0, err, sizeof(err)));
	text[SEAL_TEXT_MAX - 1] = '\0';
	unlink(key_file);
	{
		char second[SEAL_TEXT_MAX];

		assert_true(swmesh_seal("x", second, err, sizeof(err)));
	}
	assert_false(swmesh_unseal(text, &secret, err, sizeof(err)));
	assert_non_null(strstr(err, "another key"));
	f = fopen(key_file, "w");
	assert_non_null(f);
	fputs("short", f);
	fclose(f);
	assert_false(swmesh_unseal(text, &secret, err, sizeof(err)));
	assert_non_null(strstr(err, "damaged"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest_works),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_proposals),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_overhead),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_missing),
		cmocka_unit_test_setup_teardown(test_seal, seal_setup,
						seal_teardown),
		cmocka_unit_test_setup_teardown(test_seal_tag, seal_setup,
						seal_teardown),
		cmocka_unit_test_setup_teardown(test_unseal_damaged, seal_setup,
						seal_teardown),
		cmocka_unit_test_setup_teardown(test_seal_key, seal_setup,
						seal_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
