// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keys and certificates in files (security/key_files.h), made here by
 * libcrypto: what is accepted, what is refused and with which words, and the
 * hash that RFC 5566 announces (S4, S5).
 */
#include <zebra.h>

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "memory.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/security/key_files.h"
#include "swmeshd/security/seal.h"
#include "swmeshd/swmeshd.h"

DEFINE_MGROUP(SWMESHD, "swmeshd keys test");
struct debug swmesh_dbg_events = {0, "events"};

#define ENDPOINT "2001:db8:c::1"

/* ---- files ---- */

static char folder[] = "/tmp/swmesh-keys.XXXXXX";

static const char *path_of(const char *leaf)
{
	static char paths[8][64];
	static unsigned int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, leaf);
	return path;
}

static FILE *create(const char *leaf, mode_t mode)
{
	FILE *f = fopen(path_of(leaf), "w");

	assert_non_null(f);
	assert_int_equal(fchmod(fileno(f), mode), 0);
	return f;
}

static void write_file(const char *leaf, mode_t mode, const char *text)
{
	FILE *f = create(leaf, mode);

	fputs(text, f);
	fclose(f);
}

static void write_key(const char *leaf, EVP_PKEY *key)
{
	FILE *f = create(leaf, 0600);

	assert_true(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL));
	fclose(f);
}

static void write_public(const char *leaf, EVP_PKEY *key)
{
	FILE *f = create(leaf, 0644);

	assert_true(PEM_write_PUBKEY(f, key));
	fclose(f);
}

static void write_cert(const char *leaf, X509 *cert)
{
	FILE *f = create(leaf, 0644);

	assert_true(PEM_write_X509(f, cert));
	fclose(f);
}

static EVP_PKEY *ed25519, *ed25519_b, *ecdsa, *rsa, *rsa_short, *ca_key;
static X509 *ca;

/* days: from now, to and from. */
static X509 *certify(EVP_PKEY *key, const char *name, const char *san, int from,
		     int to, EVP_PKEY *by, X509 *issuer, bool is_ca)
{
	static long serial;
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
	X509_time_adj_ex(X509_getm_notBefore(cert), from, 0, NULL);
	X509_time_adj_ex(X509_getm_notAfter(cert), to, 0, NULL);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
				   (const uint8_t *)name, -1, -1, 0);
	X509_set_issuer_name(cert,
			     issuer ? X509_get_subject_name(issuer) : subject);
	X509_set_pubkey(cert, key);
	X509V3_set_ctx(&ctx, issuer ? issuer : cert, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, NID_basic_constraints,
				  is_ca ? "critical,CA:TRUE" : "CA:FALSE");
	X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
	if (san) {
		ext = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name,
					  san);
		assert_non_null(ext);
		X509_add_ext(cert, ext, -1);
		X509_EXTENSION_free(ext);
	}
	/* Ed25519 hashes by itself. */
	assert_true(X509_sign(cert, by,
			      EVP_PKEY_get_base_id(by) == EVP_PKEY_ED25519
				      ? NULL
				      : EVP_sha256()) > 0);
	return cert;
}

static void name_key(X509_CRL *crl, X509 *issuer)
{
	AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int len;

	assert_true(X509_pubkey_digest(issuer, EVP_sha1(), digest, &len));
	id->keyid = ASN1_OCTET_STRING_new();
	assert_true(ASN1_OCTET_STRING_set(id->keyid, digest, len));
	assert_true(X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, id,
					  0, 0));
	AUTHORITY_KEYID_free(id);
}

static void write_crl(const char *leaf, EVP_PKEY *by, X509 *issuer, bool named)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
	FILE *f = create(leaf, 0644);

	X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer));
	X509_CRL_set1_lastUpdate(crl, now);
	X509_CRL_set1_nextUpdate(crl, now);
	if (named)
		name_key(crl, issuer);
	assert_true(X509_CRL_sign(crl, by, EVP_sha256()) > 0);
	assert_true(PEM_write_X509_CRL(f, crl));
	fclose(f);
	ASN1_TIME_free(now);
	X509_CRL_free(crl);
}

static int make_keys(void **state)
{
	assert_non_null(mkdtemp(folder));
	ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	ed25519_b = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	ecdsa = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	rsa_short = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	ca_key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	assert_non_null(ed25519 && ecdsa && rsa && rsa_short && ca_key ? ecdsa
								       : NULL);
	ca = certify(ca_key, "mesh CA", NULL, -1, 365, ca_key, NULL, true);
	write_cert("ca.pem", ca);
	write_key("ed25519.pem", ed25519);
	write_key("ed25519-b.pem", ed25519_b);
	write_public("ed25519-b.pub", ed25519_b);
	write_key("ecdsa.pem", ecdsa);
	write_key("rsa.pem", rsa);
	write_key("rsa-short.pem", rsa_short);
	return 0;
}

static int remove_keys(void **state)
{
	const struct dirent *entry;
	DIR *dir = opendir(folder);
	char path[PATH_MAX];

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			unlink(path);
	}
	closedir(dir);
	EVP_PKEY_free(ed25519);
	EVP_PKEY_free(ed25519_b);
	EVP_PKEY_free(ecdsa);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(rsa_short);
	EVP_PKEY_free(ca_key);
	X509_free(ca);
	return rmdir(folder);
}

/* ---- what is tried ---- */

/* Loads; NULL: it is to work, else words of the error. Frees it. */
static void expect(struct security *s, const char *words)
{
	bool ok = security_load(s);

	if (ok != !words || (words && !strstr(s->error, words)))
		fail_msg("%s, not \"%s\"", ok ? "loaded" : s->error,
			 words ? words : "loaded");
	assert_int_equal(ok, !s->error[0]);
	if (!ok)
		assert_int_equal(s->n_keys, 0);
	security_unref(&s);
}

static struct security *psk(const char *leaf)
{
	struct security *s = security_new("CORE");

	s->method = IKE_METHOD_PSK;
	security_set_text(&s->psk.path, path_of(leaf));
	return s;
}

static struct security *raw(const char *key, const char *cert)
{
	struct security *s = security_new("CORE");

	s->method = IKE_METHOD_RAW;
	security_set_text(&s->key.path, path_of(key));
	if (cert)
		security_set_text(&s->cert.path, path_of(cert));
	return s;
}

static struct security *pki(const char *cert, const char *key)
{
	struct security *s = raw(key, cert);

	s->method = IKE_METHOD_PKI;
	security_set_text(&s->endpoint, ENDPOINT);
	security_set_text(&s->ca[s->n_ca++].path, path_of("ca.pem"));
	return s;
}

static void announce(struct security *s, const char *leaf)
{
	security_set_text(&s->announce[s->n_announce++].path, path_of(leaf));
}

static void test_psk(void **state)
{
	struct security *s;

	write_file("psk", 0600, "group key\r\n\n");
	s = psk("psk");
	assert_true(security_load(s));
	assert_int_equal(s->psk.blob.len, strlen("group key"));
	assert_memory_equal(s->psk.blob.data, "group key", 9);
	security_unref(&s);
	expect(psk("absent"), "group-psk file /tmp");
	expect(psk("absent"), "No such file");
	write_file("psk", 0644, "group key\n");
	expect(psk("psk"), "chmod 600");
	/* Group frr may read it: that is how frr.conf is kept. */
	write_file("psk", 0640, "group key\n");
	expect(psk("psk"), NULL);
	write_file("psk", 0600, "");
	expect(psk("psk"), "empty");
	write_file("psk", 0600, "\n\n");
	expect(psk("psk"), "empty");
	expect(psk("."), "not a file");
	unlink(path_of("fifo"));
	assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
	expect(psk("fifo"), "not a file"); /* and nobody waits for it */
}

static void test_size(void **state)
{
	FILE *f = create("large", 0600);

	for (int i = 0; i < KEY_FILE_MAX; i++)
		fputc('x', f);
	fclose(f);
	expect(psk("large"), NULL);
	f = fopen(path_of("large"), "a");
	fputc('x', f);
	fclose(f);
	expect(psk("large"), "larger than 64 KiB");
}

static void test_sealed(void **state)
{
	char text[SEAL_TEXT_MAX], err[256];
	struct security *s = security_new("CORE");

	swmesh_seal_init(path_of("seal"));
	assert_true(swmesh_seal("group key", text, err, sizeof(err)));
	s->method = IKE_METHOD_PSK;
	security_set_text(&s->sealed, text);
	assert_true(security_load(s));
	assert_string_equal(s->psk.blob.data, "group key");
	security_unref(&s);
	unlink(path_of("seal"));
	s = security_new("CORE");
	s->method = IKE_METHOD_PSK;
	security_set_text(&s->sealed, text);
	expect(s, "security CORE: group-psk: the sealing key");
	swmesh_seal_fini();
}

/* RFC 5566 by way of RFC 7296 section 3.7: SHA-1 of the whole
 * SubjectPublicKeyInfo. */
static void assert_announces(const struct security *s, unsigned int i,
			     EVP_PKEY *key)
{
	uint8_t *der = NULL, hash[EVP_MAX_MD_SIZE];
	int len = i2d_PUBKEY(key, &der);

	assert_true(len > 0 && i < s->n_keys);
	assert_int_equal(s->keys[i].len, len);
	assert_memory_equal(s->keys[i].spki, der, len);
	assert_true(EVP_Q_digest(NULL, "SHA1", NULL, der, len, hash, NULL));
	assert_memory_equal(s->keys[i].hash, hash, KEY_HASH_LEN);
	OPENSSL_free(der);
}

static void test_raw(void **state)
{
	struct {
		const char *file;
		EVP_PKEY *key;
	} rows[] = {{"ed25519.pem", ed25519},
		    {"ecdsa.pem", ecdsa},
		    {"rsa.pem", rsa}};
	struct security *s;

	for (size_t i = 0; i < array_size(rows); i++) {
		s = raw(rows[i].file, NULL);
		assert_true(security_load(s));
		assert_int_equal(s->n_keys, 1);
		assert_announces(s, 0, rows[i].key);
		security_unref(&s);
	}
	/* An Ed25519 SubjectPublicKeyInfo is 44 octets (RFC 8410). */
	s = raw("ed25519.pem", NULL);
	assert_true(security_load(s));
	assert_int_equal(s->keys[0].len, 44);
	security_unref(&s);
	expect(raw("rsa-short.pem", NULL), "fewer than 2048 bits");
	write_public("public.pem", ed25519);
	assert_int_equal(chmod(path_of("public.pem"), 0600), 0);
	expect(raw("public.pem", NULL), "no private key");
	write_file("junk", 0600, "-----BEGIN PRIVATE KEY-----\nAAAA\n");
	expect(raw("junk", NULL), "no private key");
	assert_int_equal(chmod(path_of("ecdsa.pem"), 0604), 0);
	expect(raw("ecdsa.pem", NULL), "others may read");
	assert_int_equal(chmod(path_of("ecdsa.pem"), 0600), 0);
}

static void test_key_with_passphrase(void **state)
{
	FILE *f = create("locked.pem", 0600);

	assert_true(PEM_write_PrivateKey(f, ecdsa, EVP_aes_128_cbc(),
					 (const uint8_t *)"word", 4, NULL,
					 NULL));
	fclose(f);
	expect(raw("locked.pem", NULL), "passphrase");
}

static void test_der(void **state)
{
	FILE *f = create("key.der", 0600);
	struct security *s;

	assert_true(i2d_PrivateKey_fp(f, ed25519));
	fclose(f);
	s = raw("key.der", NULL);
	assert_true(security_load(s));
	assert_announces(s, 0, ed25519);
	security_unref(&s);
}

static void test_self_signed(void **state)
{
	X509 *own = certify(ed25519, "a1", NULL, -1, 30, ed25519, NULL, false),
	     *other = certify(ecdsa, "a1", NULL, -1, 30, ecdsa, NULL, false),
	     *issued = certify(ed25519, "a1", NULL, -1, 30, ca_key, ca, false),
	     *old = certify(ed25519, "a1", NULL, -9, -2, ed25519, NULL, false),
	     *early = certify(ed25519, "a1", NULL, 2, 9, ed25519, NULL, false);

	write_cert("own.crt", own);
	expect(raw("ed25519.pem", "own.crt"), NULL);
	write_cert("own.crt", other);
	expect(raw("ed25519.pem", "own.crt"), "of another key");
	write_cert("own.crt", issued);
	expect(raw("ed25519.pem", "own.crt"), "not signed by its own key");
	write_cert("own.crt", old);
	expect(raw("ed25519.pem", "own.crt"), "expired on 2");
	write_cert("own.crt", early);
	expect(raw("ed25519.pem", "own.crt"), "not valid before 2");
	write_file("own.crt", 0644, "nonsense");
	expect(raw("ed25519.pem", "own.crt"), "no certificate");
	X509_free(own);
	X509_free(other);
	X509_free(issued);
	X509_free(old);
	X509_free(early);
}

/* S5: several are announced while one takes the other's place. */
static void test_announce(void **state)
{
	X509 *cert = certify(rsa, "a1", NULL, -1, 30, rsa, NULL, false);
	struct security *s = raw("ed25519.pem", NULL);

	write_cert("rsa.crt", cert);
	X509_free(cert);
	announce(s, "ed25519-b.pub");
	announce(s, "rsa.crt");
	assert_true(security_load(s));
	assert_int_equal(s->n_keys, 3);
	assert_announces(s, 0, ed25519);
	assert_announces(s, 1, ed25519_b);
	assert_announces(s, 2, rsa);
	security_unref(&s);

	/* The one in use is not announced twice. */
	s = raw("ed25519-b.pem", NULL);
	announce(s, "ed25519-b.pub");
	assert_true(security_load(s));
	assert_int_equal(s->n_keys, 1);
	security_unref(&s);

	s = raw("ed25519.pem", NULL);
	announce(s, "ed25519-b.pem"); /* a private key: for nobody to see */
	expect(s, "no public key");
	s = raw("ed25519.pem", NULL);
	announce(s, "absent.pub");
	expect(s, "announce-key");
}

static void test_pki(void **state)
{
	X509 *cert = certify(ecdsa, "a1", "IP:" ENDPOINT ",DNS:a1.example", -1,
			     30, ca_key, ca, false),
	     *old = certify(ecdsa, "a1", "IP:" ENDPOINT, -9, -2, ca_key, ca,
			    false),
	     *stranger =
		     certify(ed25519, "CA", NULL, -1, 30, ed25519, NULL, true);
	struct security *s;

	write_cert("a1.crt", cert);
	expect(pki("a1.crt", "ecdsa.pem"), NULL);
	expect(pki("a1.crt", "rsa.pem"), "of another key");
	s = pki("a1.crt", "ecdsa.pem");
	security_set_text(&s->endpoint, "2001:db8:c::2");
	expect(s, "no subject alternative name 2001:db8:c::2; that is our");
	s = pki("a1.crt", "ecdsa.pem");
	security_set_text(&s->identity, "a1.example");
	expect(s, NULL);
	s = pki("a1.crt", "ecdsa.pem");
	security_set_text(&s->identity, "a2.example");
	expect(s, "no subject alternative name a2.example; name one");
	s = pki("a1.crt", "ecdsa.pem");
	security_set_text(&s->identity, "a1"); /* in the subject alone */
	expect(s, "no subject alternative name a1;");
	s = pki("a1.crt", "ecdsa.pem");
	security_set_text(&s->ca[0].path, path_of("a1.crt"));
	expect(s, "not a certificate of an authority");
	s = pki("a1.crt", "ecdsa.pem");
	s->n_ca = 0;
	security_set_text(&s->ca[0].path, NULL);
	expect(s, "no authority to trust");
	write_cert("old.crt", old);
	expect(pki("old.crt", "ecdsa.pem"), "expired on 2");

	write_crl("good.crl", ca_key, ca, true);
	s = pki("a1.crt", "ecdsa.pem");
	security_set_text(&s->crl[s->n_crl++].path, path_of("good.crl"));
	expect(s, NULL);
	write_crl("nameless.crl", ca_key, ca, false);
	s = pki("a1.crt", "ecdsa.pem");
	security_set_text(&s->crl[s->n_crl++].path, path_of("nameless.crl"));
	expect(s, "no Authority Key Identifier");
	write_crl("strange.crl", ecdsa, stranger, true);
	s = pki("a1.crt", "ecdsa.pem");
	security_set_text(&s->crl[s->n_crl++].path, path_of("strange.crl"));
	expect(s, "signed by none of the authorities");
	s = pki("a1.crt", "ecdsa.pem");
	security_set_text(&s->crl[s->n_crl++].path, path_of("a1.crt"));
	expect(s, "no revocation list");
	X509_free(cert);
	X509_free(old);
	X509_free(stranger);
}

static void test_chain_in_one_file(void **state)
{
	X509 *cert =
		certify(ecdsa, "a1", "IP:" ENDPOINT, -1, 30, ca_key, ca, false);
	FILE *f = create("chain.crt", 0644);

	PEM_write_X509(f, cert);
	PEM_write_X509(f, ca);
	fclose(f);
	expect(pki("chain.crt", "ecdsa.pem"), "more than one");
	X509_free(cert);
}

static void test_ppk(void **state)
{
	struct security *s = psk("psk");

	write_file("psk", 0600, "group key\n");
	write_file("ppk", 0600, "postquantum\n");
	security_set_text(&s->ppk_id, "mesh");
	security_set_text(&s->ppk.path, path_of("ppk"));
	assert_true(security_load(s));
	assert_string_equal(s->ppk.blob.data, "postquantum");
	security_unref(&s);
	assert_int_equal(chmod(path_of("ppk"), 0606), 0);
	s = psk("psk");
	security_set_text(&s->ppk_id, "mesh");
	security_set_text(&s->ppk.path, path_of("ppk"));
	expect(s, "ppk file");
}

/* A changed file makes another object; the same file the same one. */
static void test_digest(void **state)
{
	struct security *a, *b;

	write_file("psk", 0600, "one\n");
	a = psk("psk");
	b = psk("psk");
	assert_true(security_load(a) && security_load(b));
	assert_true(security_same(a, b) && security_same_ike(a, b));
	write_file("psk", 0600, "two\n");
	assert_true(security_load(b));
	assert_false(security_same(a, b) || security_same_ike(a, b));
	assert_true(security_same_config(a, b));
	security_unref(&a);
	security_unref(&b);
	/* What else is announced is not IKE's. */
	a = raw("ed25519.pem", NULL);
	b = raw("ed25519.pem", NULL);
	announce(b, "ed25519-b.pub");
	assert_true(security_load(a) && security_load(b));
	assert_true(security_same_ike(a, b));
	assert_false(security_same(a, b));
	security_unref(&a);
	security_unref(&b);
}

static void test_hash_text(void **state)
{
	uint8_t hash[KEY_HASH_LEN] = {0x01, 0xab};
	char text[KEY_HASH_TEXT_LEN];

	assert_string_equal(key_hash_text(hash, text),
			    "01:ab:00:00:00:00:00:00:00:00:00:00:00:00:00:00:"
			    "00:00:00:00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_psk),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_key_with_passphrase),
		cmocka_unit_test(test_der),
		cmocka_unit_test(test_self_signed),
		cmocka_unit_test(test_announce),
		cmocka_unit_test(test_pki),
		cmocka_unit_test(test_chain_in_one_file),
		cmocka_unit_test(test_ppk),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_hash_text),
	};

	return cmocka_run_group_tests(tests, make_keys, remove_keys);
}
