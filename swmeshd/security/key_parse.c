// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys and certificates in octets; see security/key_parse.h. */
#include <zebra.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "swmeshd/security/key_parse.h"

#define RSA_BITS_MIN 2048

/* A daemon has nobody to ask for a passphrase, whatever the file holds. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	return -1;
}

static BIO *bio_of(const struct security_blob *blob)
{
	if (!blob->data || blob->len > KEY_FILE_MAX)
		return NULL;
	return BIO_new_mem_buf(blob->data, blob->len);
}

/* out, which is NULL: the blob as PEM, or else as DER. The functions differ in
 * their types. */
#define PARSE(out, blob, read_pem, read_der)                                   \
	do {                                                                   \
		BIO *bio = bio_of(blob);                                       \
                                                                               \
		if (bio)                                                       \
			out = read_pem(bio, NULL, no_passphrase, NULL);        \
		BIO_free(bio);                                                 \
		bio = out ? NULL : bio_of(blob);                               \
		if (bio)                                                       \
			out = read_der(bio, NULL);                             \
		BIO_free(bio);                                                 \
		ERR_clear_error();                                             \
	} while (0)

EVP_PKEY *key_parse_private(const struct security_blob *blob)
{
	EVP_PKEY *key = NULL;

	PARSE(key, blob, PEM_read_bio_PrivateKey, d2i_PrivateKey_bio);
	return key;
}

EVP_PKEY *key_parse_public(const struct security_blob *blob)
{
	EVP_PKEY *key = NULL;

	PARSE(key, blob, PEM_read_bio_PUBKEY, d2i_PUBKEY_bio);
	return key;
}

X509 *key_parse_cert(const struct security_blob *blob)
{
	X509 *cert = NULL;

	PARSE(cert, blob, PEM_read_bio_X509, d2i_X509_bio);
	return cert;
}

X509_CRL *key_parse_crl(const struct security_blob *blob)
{
	X509_CRL *crl = NULL;

	PARSE(crl, blob, PEM_read_bio_X509_CRL, d2i_X509_CRL_bio);
	return crl;
}

unsigned int key_count_pem(const struct security_blob *blob)
{
	static const char begin[] = "-----BEGIN ";
	const uint8_t *at = blob->data, *end = at + blob->len;
	unsigned int n = 0;

	while (at && (at = memmem(at, end - at, begin, strlen(begin)))) {
		n++;
		at += strlen(begin);
	}
	return n;
}

const char *key_unfit(EVP_PKEY *key)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_ED25519:
	case EVP_PKEY_ED448:
	case EVP_PKEY_EC:
		return NULL;
	case EVP_PKEY_RSA:
		return EVP_PKEY_get_bits(key) >= RSA_BITS_MIN
			       ? NULL
			       : "RSA with fewer than 2048 bits";
	}
	return "neither Ed25519, Ed448, ECDSA nor RSA";
}

bool key_to_public(EVP_PKEY *key, struct public_key *out)
{
	int len = i2d_PUBKEY(key, NULL);
	uint8_t *at = out->spki;

	if (len <= 0 || len > KEY_SPKI_MAX)
		return false;
	out->len = i2d_PUBKEY(key, &at);
	key_hash(out->spki, out->len, out->hash);
	return true;
}

static void time_text(const ASN1_TIME *t, char *buf, size_t len)
{
	struct tm tm;

	buf[0] = '\0';
	if (ASN1_TIME_to_tm(t, &tm) == 1)
		strftime(buf, len, "%Y-%m-%d %H:%M:%S UTC", &tm);
}

const char *cert_not_now(X509 *cert, char *buf, size_t len)
{
	const ASN1_TIME *after = X509_get0_notAfter(cert),
			*before = X509_get0_notBefore(cert);
	char text[32];

	if (X509_cmp_current_time(before) > 0) {
		time_text(before, text, sizeof(text));
		snprintf(buf, len, "not valid before %s", text);
		return buf;
	}
	if (X509_cmp_current_time(after) > 0)
		return NULL;
	time_text(after, text, sizeof(text));
	snprintf(buf, len, "expired on %s", text);
	return buf;
}

bool cert_has_identity(X509 *cert, const char *identity)
{
	uint8_t addr[16];

	if (inet_pton(AF_INET, identity, addr) == 1 ||
	    inet_pton(AF_INET6, identity, addr) == 1)
		return X509_check_ip_asc(cert, identity, 0) == 1;
	if (strchr(identity, '='))
		return true;
	if (strchr(identity, '@') && identity[0] != '@')
		return X509_check_email(cert, identity, 0,
					X509_CHECK_FLAG_NEVER_CHECK_SUBJECT) ==
		       1;
	/* As strongSwan writes a name that is to be taken as one. */
	if (identity[0] == '@')
		identity++;
	return X509_check_host(cert, identity, 0,
			       X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
				       X509_CHECK_FLAG_NO_WILDCARDS,
			       NULL) == 1;
}
