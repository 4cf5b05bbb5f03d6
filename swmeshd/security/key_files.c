// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keys and certificates in files; see security/key_files.h. What can be told
 * from the files alone is told here, when they are configured, instead of by
 * charon when an SA fails.
 */
#include <zebra.h>

#include <openssl/x509v3.h>

#include "log.h"
#include "printfrr.h"

#include "swmeshd/security/key_files.h"
#include "swmeshd/security/key_parse.h"
#include "swmeshd/security/seal.h"
#include "swmeshd/swmeshd.h"

/* ---- reading ---- */

/* The first thing that is wrong is what is told. */
PRINTFRR(3, 4)
static bool fail(struct security *s, bool file, const char *fmt, ...)
{
	va_list ap;
	size_t at;

	if (s->error[0])
		return false;
	at = snprintf(s->error, sizeof(s->error), "security %s: ", s->name);
	va_start(ap, fmt);
	vsnprintfrr(s->error + at, sizeof(s->error) - at, fmt, ap);
	va_end(ap);
	s->file_error = file;
	return false;
}

/* NULL, or why it is not to be read. */
static const char *file_stat_wrong(const struct stat *st, bool secret)
{
	if (!S_ISREG(st->st_mode))
		return "not a file; name one";
	if (!st->st_size)
		return "empty; put the key in it";
	if (st->st_size > KEY_FILE_MAX)
		return "larger than 64 KiB; name a file with nothing but the key";
	if (secret && st->st_mode & 007)
		return "a secret that others may read; 'chown frr:frr' and 'chmod 600' it, and replace the secret if it was seen";
	return NULL;
}

/* NULL, or why not. Never waits, whatever the path names. */
static const char *file_read(const char *path, bool secret,
			     struct security_blob *blob, char *err, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint8_t buf[KEY_FILE_MAX];
	const char *wrong = NULL;
	struct stat st;
	ssize_t n = -1;

	if (fd < 0) {
		snprintf(
			err, len, "%s; %s", safe_strerror(errno),
			errno == EACCES
				? "'chown frr:frr' it, and let user frr enter its folders"
				: "name a file that is there");
		return err;
	}
	if (fstat(fd, &st) == 0)
		wrong = file_stat_wrong(&st, secret);
	if (!wrong) {
		n = read(fd, buf, sizeof(buf));
		if (n > 0)
			security_blob_set(blob, buf, n);
		else
			wrong = "cannot be read; name another file";
	}
	close(fd);
	explicit_bzero(buf, sizeof(buf));
	return wrong;
}

static bool load_file(struct security *s, const char *what,
		      struct security_file *file, bool secret)
{
	char err[160];
	const char *wrong =
		file_read(file->path, secret, &file->blob, err, sizeof(err));

	return !wrong || fail(s, true, "%s %s: %s", what, file->path, wrong);
}

/* A secret as an editor leaves it: without the end of its line. */
static bool load_secret(struct security *s, const char *what,
			struct security_file *file)
{
	if (!load_file(s, what, file, true))
		return false;
	while (file->blob.len && (file->blob.data[file->blob.len - 1] == '\n' ||
				  file->blob.data[file->blob.len - 1] == '\r'))
		file->blob.data[--file->blob.len] = '\0';
	return file->blob.len ||
	       fail(s, true, "%s %s: empty; put the secret in it", what,
		    file->path);
}

static bool load_psk(struct security *s)
{
	char err[200];

	if (s->psk.path)
		return load_secret(s, "group-psk file", &s->psk);
	return swmesh_unseal(s->sealed, &s->psk.blob, err, sizeof(err)) ||
	       fail(s, true, "group-psk: %s", err);
}

/* ---- keys ---- */

static EVP_PKEY *load_private(struct security *s)
{
	const char *unfit;
	EVP_PKEY *key;

	if (!s->key.path) {
		fail(s, false, "no private key is named");
		return NULL;
	}
	if (!load_file(s, "key", &s->key, true))
		return NULL;
	key = key_parse_private(&s->key.blob);
	if (!key) {
		fail(s, true,
		     "key %s: no private key in PEM or DER, or one with a passphrase; convert it, 'openssl pkey' does",
		     s->key.path);
		return NULL;
	}
	unfit = key_unfit(key);
	if (unfit) {
		fail(s, true, "key %s: %s; make a new one, best of Ed25519",
		     s->key.path, unfit);
		EVP_PKEY_free(key);
		return NULL;
	}
	return key;
}

static X509 *load_cert(struct security *s, const char *what,
		       struct security_file *file)
{
	char text[80];
	const char *when;
	X509 *cert;

	if (!load_file(s, what, file, false))
		return NULL;
	cert = key_parse_cert(&file->blob);
	if (!cert) {
		fail(s, true, "%s %s: no certificate in PEM or DER; name one",
		     what, file->path);
		return NULL;
	}
	when = cert_not_now(cert, text, sizeof(text));
	if (when)
		fail(s, true,
		     "%s %s: %s; renew it and look at this router's clock",
		     what, file->path, when);
	else if (key_count_pem(&file->blob) > 1)
		fail(s, true,
		     "%s %s: holds more than one certificate or key; put each certificate in a file of its own, authorities behind 'ike pki ca'",
		     what, file->path);
	else
		return cert;
	X509_free(cert);
	return NULL;
}

/* Our certificate, and that the key is its own. */
static X509 *load_own_cert(struct security *s, EVP_PKEY *key)
{
	X509 *cert = load_cert(s, "certificate", &s->cert);

	if (!cert || X509_check_private_key(cert, key) == 1)
		return cert;
	fail(s, true,
	     "certificate %s: of another key than %s; name the two that belong together",
	     s->cert.path, s->key.path);
	X509_free(cert);
	return NULL;
}

static bool add_key(struct security *s, EVP_PKEY *key, const char *path)
{
	struct public_key *slot = &s->keys[s->n_keys];

	if (s->n_keys == KEYS_ANNOUNCED_MAX)
		return fail(
			s, false,
			"more than %u keys to announce; remove one with 'no ike raw-key announce-key'",
			KEYS_ANNOUNCED_MAX);
	if (!key_to_public(key, slot))
		return fail(
			s, true,
			"key %s: its public key is longer than %u octets; make a new one, best of Ed25519",
			path, KEY_SPKI_MAX);
	for (unsigned int i = 0; i < s->n_keys; i++)
		if (!memcmp(s->keys[i].hash, slot->hash, KEY_HASH_LEN))
			return true; /* named twice */
	s->n_keys++;
	return true;
}

/* A public key, or the one of a certificate. */
static EVP_PKEY *public_of(const struct security_blob *blob, X509 **cert)
{
	*cert = key_parse_cert(blob);
	return *cert ? X509_get_pubkey(*cert) : key_parse_public(blob);
}

static bool load_announced(struct security *s, struct security_file *file)
{
	EVP_PKEY *key;
	X509 *cert;
	bool ok;

	if (!load_file(s, "announce-key", file, false))
		return false;
	key = public_of(&file->blob, &cert);
	X509_free(cert);
	if (!key)
		return fail(
			s, true,
			"announce-key %s: no public key and no certificate in PEM or DER; make one, 'openssl pkey -pubout' does",
			file->path);
	ok = add_key(s, key, file->path);
	EVP_PKEY_free(key);
	return ok;
}

/* ---- methods ---- */

static bool load_raw(struct security *s)
{
	EVP_PKEY *key = load_private(s);
	X509 *cert = NULL;
	bool ok;

	ok = key && add_key(s, key, s->key.path);
	if (ok && s->cert.path) {
		cert = load_own_cert(s, key);
		ok = cert &&
		     (X509_self_signed(cert, 1) == 1 ||
		      fail(s, true,
			   "certificate %s: not signed by its own key; name a self-signed one, or use 'ike pki'",
			   s->cert.path));
	}
	for (unsigned int i = 0; ok && i < s->n_announce; i++)
		ok = load_announced(s, &s->announce[i]);
	X509_free(cert);
	EVP_PKEY_free(key);
	return ok;
}

static bool load_ca(struct security *s, struct security_file *file)
{
	X509 *cert = load_cert(s, "ca", file);
	bool ok;

	if (!cert)
		return false;
	ok = X509_check_ca(cert) ||
	     fail(s, true,
		  "ca %s: not a certificate of an authority (basic constraints); name the authority's own",
		  file->path);
	X509_free(cert);
	return ok;
}

static bool issued_by(X509_CRL *crl, const struct security_file *ca)
{
	X509 *cert = key_parse_cert(&ca->blob);
	EVP_PKEY *key = cert ? X509_get0_pubkey(cert) : NULL;
	bool ok = key && X509_CRL_verify(crl, key) == 1;

	X509_free(cert);
	return ok;
}

/* charon finds a list by its authority's key alone, and says nothing of one
 * without: those revoked would get in. */
static bool names_key(X509_CRL *crl)
{
	AUTHORITY_KEYID *id = X509_CRL_get_ext_d2i(
		crl, NID_authority_key_identifier, NULL, NULL);
	bool ok = id && id->keyid;

	AUTHORITY_KEYID_free(id);
	return ok;
}

static bool load_crl(struct security *s, struct security_file *file)
{
	X509_CRL *crl;
	bool ok = false, named;

	if (!load_file(s, "crl", file, false))
		return false;
	crl = key_parse_crl(&file->blob);
	if (!crl)
		return fail(
			s, true,
			"crl %s: no revocation list in PEM or DER; name one",
			file->path);
	for (unsigned int i = 0; !ok && i < s->n_ca; i++)
		ok = issued_by(crl, &s->ca[i]);
	named = names_key(crl);
	X509_CRL_free(crl);
	if (!ok)
		return fail(
			s, false,
			"crl %s: signed by none of the authorities; name its authority with 'ike pki ca'",
			file->path);
	return named ||
	       fail(s, true,
		    "crl %s: has no Authority Key Identifier, so charon would not use it; issue it with one (RFC 5280 section 5.2.1)",
		    file->path);
}

static bool load_pki(struct security *s)
{
	const char *identity = s->identity ? s->identity : s->endpoint;
	EVP_PKEY *key = load_private(s);
	X509 *cert = key ? load_own_cert(s, key) : NULL;
	bool ok = cert != NULL;

	if (ok && identity && !cert_has_identity(cert, identity))
		ok = fail(
			s, false,
			"certificate %s: has no subject alternative name %s; %s",
			s->cert.path, identity,
			s->identity
				? "name one that it has with 'ike pki identity'"
				: "that is our endpoint: have it in the certificate, or name another identity with 'ike pki identity'");
	X509_free(cert);
	EVP_PKEY_free(key);
	for (unsigned int i = 0; ok && i < s->n_ca; i++)
		ok = load_ca(s, &s->ca[i]);
	for (unsigned int i = 0; ok && i < s->n_crl; i++)
		ok = load_crl(s, &s->crl[i]);
	return ok;
}

/* By which a later run tells whether they are still the same. */
static void tag_secrets(struct security *s)
{
	const struct security_blob *const secrets[] = {&s->psk.blob,
						       &s->ppk.blob};
	static bool told;
	char err[300];

	memset(s->secret_tag, 0, sizeof(s->secret_tag));
	if (!s->psk.blob.len && !s->ppk.blob.len)
		return;
	if (swmesh_seal_tag(secrets, array_size(secrets), s->secret_tag, err,
			    sizeof(err)) ||
	    told)
		return;
	told = true;
	zlog_warn(
		"security %s: a secret that is changed while swmeshd is not running will not be noticed: %s",
		s->name, err);
}

bool security_load(struct security *s)
{
	const char *missing = security_missing(s);
	bool ok = false;

	s->error[0] = '\0';
	s->file_error = s->conflict = false;
	s->n_keys = 0;
	switch (s->method) {
	case IKE_METHOD_NONE:
		break;
	case IKE_METHOD_PSK:
		ok = load_psk(s);
		break;
	case IKE_METHOD_PKI:
		ok = load_pki(s);
		break;
	case IKE_METHOD_RAW:
		ok = load_raw(s);
		break;
	}
	if (ok && s->ppk.path)
		ok = load_secret(s, "ppk file", &s->ppk);
	if (missing)
		ok = fail(s, false, "%s", missing);
	if (!ok)
		s->n_keys = 0;
	tag_secrets(s);
	security_digest(s);
	return ok;
}

/* ---- keys of peers ---- */

bool key_file_public(const char *path, struct public_key *key)
{
	struct security_blob blob = {};
	EVP_PKEY *pkey = NULL;
	X509 *cert = NULL;
	char err[160];
	bool ok;

	if (!file_read(path, false, &blob, err, sizeof(err)))
		pkey = public_of(&blob, &cert);
	ok = pkey && key_to_public(pkey, key);
	EVP_PKEY_free(pkey);
	X509_free(cert);
	security_blob_free(&blob);
	return ok;
}
