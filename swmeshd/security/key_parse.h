/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys and certificates in octets, by libcrypto: PEM or DER
 * (security/key_files.c). */
#ifndef SWMESH_KEYS_PARSE_H
#define SWMESH_KEYS_PARSE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "swmeshd/security/blob.h"
#include "swmeshd/security/public_key.h"

/* Each NULL if the octets are not that; to be freed with libcrypto's own. */
EVP_PKEY *key_parse_private(const struct security_blob *blob);
EVP_PKEY *key_parse_public(const struct security_blob *blob);
X509 *key_parse_cert(const struct security_blob *blob);
X509_CRL *key_parse_crl(const struct security_blob *blob);

/* PEM blocks in it; 0: it is DER, or nothing. */
unsigned int key_count_pem(const struct security_blob *blob);

/* NULL if IKE can sign with such a key, else why not (static text). */
const char *key_unfit(EVP_PKEY *key);

/* False if it is longer than KEY_SPKI_MAX. */
bool key_to_public(EVP_PKEY *key, struct public_key *out);

/*
 * NULL if the certificate is valid now, else "expired on ..." or "not valid
 * before ..."; buf is returned.
 */
const char *cert_not_now(X509 *cert, char *buf, size_t len);

/* Whether IKE will find this identity in the certificate (RFC 4945 section 3):
 * an address, a domain name or an e-mail address as subject alternative name.
 * Distinguished names are not looked at. */
bool cert_has_identity(X509 *cert, const char *identity);

#endif /* SWMESH_KEYS_PARSE_H */
