// SPDX-License-Identifier: GPL-2.0-or-later
/* Secrets in the configuration, encrypted; see security/seal.h. */
#include <zebra.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "log.h"
#include "memory.h"

#include "swmeshd/security/seal.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, SEAL_PATH, "Sealing key's path");

#define PREFIX "v1:"
#define KEY_LEN 32
#define NONCE_LEN 12
#define TAG_LEN 16
#define RAW_MAX (NONCE_LEN + SEAL_SECRET_MAX + TAG_LEN)

static char *key_path;

void swmesh_seal_init(const char *key_file)
{
	XFREE(MTYPE_SEAL_PATH, key_path);
	key_path = XSTRDUP(MTYPE_SEAL_PATH, key_file);
}

void swmesh_seal_fini(void)
{
	XFREE(MTYPE_SEAL_PATH, key_path);
}

const char *swmesh_seal_file(void)
{
	return key_path ? key_path : "no file";
}

/* ---- the key ---- */

/* 1: read, 0: there is none, -1: err. */
static int key_read(uint8_t key[KEY_LEN], char *err, size_t len)
{
	int fd = key_path ? open(key_path, O_RDONLY | O_CLOEXEC) : -1;
	struct stat st;
	ssize_t n;

	if (fd < 0 && key_path && errno == ENOENT)
		return 0;
	if (fd < 0) {
		snprintf(err, len, "the sealing key %s cannot be read: %s",
			 swmesh_seal_file(),
			 key_path ? safe_strerror(errno) : "none is set");
		return -1;
	}
	n = fstat(fd, &st) ? -1 : read(fd, key, KEY_LEN);
	close(fd);
	if (n == KEY_LEN && st.st_size == KEY_LEN && !(st.st_mode & 077))
		return 1;
	explicit_bzero(key, KEY_LEN);
	snprintf(
		err, len,
		n == KEY_LEN && st.st_size == KEY_LEN
			? "the sealing key %s can be read by others; 'chmod 600' it, and take it that what it sealed is known"
			: "the sealing key %s is damaged; remove it and enter the secret again",
		key_path);
	return -1;
}

/* Written whole or not at all: linked into place when it is complete. */
static bool key_write(const uint8_t key[KEY_LEN], char *err, size_t len)
{
	char temporary[PATH_MAX];
	bool ok;
	int fd;

	snprintf(temporary, sizeof(temporary), "%s.XXXXXX", key_path);
	fd = mkstemp(temporary); /* mode 0600 */
	ok = fd >= 0 && write(fd, key, KEY_LEN) == KEY_LEN && !fsync(fd) &&
	     !link(temporary, key_path);
	if (!ok)
		snprintf(
			err, len,
			"the sealing key %s cannot be written: %s; let user frr write to its folder, or name the secret by a file",
			key_path, safe_strerror(errno));
	if (fd >= 0) {
		close(fd);
		unlink(temporary);
	}
	return ok;
}

static bool key_make(uint8_t key[KEY_LEN], char *err, size_t len)
{
	if (RAND_bytes(key, KEY_LEN) != 1) {
		snprintf(err, len, "no random numbers for a sealing key");
		return false;
	}
	return key_write(key, err, len);
}

/* ---- sealing ---- */

/* One for each purpose: what AES is given never goes into a MAC. */
static bool subkey(const uint8_t key[KEY_LEN], const char *purpose,
		   uint8_t sub[EVP_MAX_MD_SIZE])
{
	return HMAC(EVP_sha256(), key, KEY_LEN, (const uint8_t *)purpose,
		    strlen(purpose) + 1, sub, NULL) != NULL;
}

static bool make_nonce(const uint8_t key[KEY_LEN], const char *secret,
		       uint8_t nonce[NONCE_LEN])
{
	uint8_t sub[EVP_MAX_MD_SIZE], mac[EVP_MAX_MD_SIZE];
	bool ok;

	ok = subkey(key, "swmesh nonce", sub) &&
	     HMAC(EVP_sha256(), sub, SEAL_TAG_LEN, (const uint8_t *)secret,
		  strlen(secret), mac, NULL);
	if (ok)
		memcpy(nonce, mac, NONCE_LEN);
	explicit_bzero(sub, sizeof(sub));
	explicit_bzero(mac, sizeof(mac));
	return ok;
}

/* raw: nonce, ciphertext, tag. */
static bool encrypt(const uint8_t key[KEY_LEN], const char *secret,
		    size_t secret_len, uint8_t *raw)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t *body = raw + NONCE_LEN;
	int n, rest;
	bool ok;

	ok = ctx && make_nonce(key, secret, raw) &&
	     EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, raw) &&
	     EVP_EncryptUpdate(ctx, body, &n, (const uint8_t *)secret,
			       secret_len) &&
	     EVP_EncryptFinal_ex(ctx, body + n, &rest) &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_LEN,
				 body + secret_len);
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

static bool decrypt(const uint8_t key[KEY_LEN], uint8_t *raw, size_t raw_len,
		    uint8_t *secret)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	size_t body_len = raw_len - NONCE_LEN - TAG_LEN;
	int n, rest;
	bool ok;

	ok = ctx &&
	     EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, raw) &&
	     EVP_DecryptUpdate(ctx, secret, &n, raw + NONCE_LEN, body_len) &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_LEN,
				 raw + NONCE_LEN + body_len) &&
	     EVP_DecryptFinal_ex(ctx, secret + n, &rest) > 0;
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

bool swmesh_seal(const char *secret, char text[SEAL_TEXT_MAX], char *err,
		 size_t len)
{
	uint8_t key[KEY_LEN], raw[RAW_MAX];
	size_t n = strlen(secret);
	int have;
	bool ok;

	if (!n || n > SEAL_SECRET_MAX) {
		snprintf(err, len, "a secret has 1 to %u letters",
			 SEAL_SECRET_MAX);
		return false;
	}
	have = key_read(key, err, len);
	if (have < 0 || (!have && !key_make(key, err, len)))
		return false;
	ok = encrypt(key, secret, n, raw);
	explicit_bzero(key, sizeof(key));
	if (!ok) {
		snprintf(err, len, "libcrypto has no AES-256-GCM or no HMAC");
		return false;
	}
	strlcpy(text, PREFIX, SEAL_TEXT_MAX);
	EVP_EncodeBlock((uint8_t *)text + strlen(PREFIX), raw,
			NONCE_LEN + n + TAG_LEN);
	return true;
}

/* Octets of the base64 text, or -1. */
static ssize_t decode(const char *text, uint8_t raw[RAW_MAX + 3])
{
	size_t len, pad = 0;
	int n;

	if (strncmp(text, PREFIX, strlen(PREFIX)))
		return -1;
	text += strlen(PREFIX);
	len = strlen(text);
	if (!len || len % 4 || len / 4 * 3 > RAW_MAX + 2)
		return -1;
	while (pad < 2 && text[len - 1 - pad] == '=')
		pad++;
	n = EVP_DecodeBlock(raw, (const uint8_t *)text, len);
	if (n < 0 || (size_t)n <= NONCE_LEN + TAG_LEN + pad)
		return -1;
	return n - pad;
}

bool swmesh_unseal(const char *text, struct security_blob *secret, char *err,
		   size_t len)
{
	uint8_t key[KEY_LEN], raw[RAW_MAX + 3], clear[RAW_MAX];
	ssize_t n = decode(text, raw);
	int have;
	bool ok;

	if (n < 0) {
		snprintf(
			err, len,
			"the sealed secret is damaged; enter 'ike group-psk secret' again, or name a file");
		return false;
	}
	have = key_read(key, err, len);
	if (have < 0)
		return false;
	if (!have) {
		snprintf(
			err, len,
			"the sealing key %s is gone; enter 'ike group-psk secret' again, or name a file",
			swmesh_seal_file());
		return false;
	}
	ok = decrypt(key, raw, n, clear);
	explicit_bzero(key, sizeof(key));
	if (ok)
		security_blob_set(secret, clear, n - NONCE_LEN - TAG_LEN);
	else
		snprintf(
			err, len,
			"it was sealed with another key than %s, by another router perhaps; enter 'ike group-psk secret' again, or name a file",
			swmesh_seal_file());
	explicit_bzero(clear, sizeof(clear));
	return ok;
}

/* Each secret under the tag of those before it. */
bool swmesh_seal_tag(const struct security_blob *const *secrets, unsigned int n,
		     uint8_t tag[SEAL_TAG_LEN], char *err, size_t len)
{
	uint8_t key[KEY_LEN], sub[EVP_MAX_MD_SIZE], mac[EVP_MAX_MD_SIZE];
	int have = key_read(key, err, len);
	bool ok;

	if (have < 0 || (!have && !key_make(key, err, len)))
		return false;
	ok = subkey(key, "swmesh tag", sub);
	explicit_bzero(key, sizeof(key));
	for (unsigned int i = 0; ok && i < n; i++) {
		ok = HMAC(EVP_sha256(), sub, SEAL_TAG_LEN, secrets[i]->data,
			  secrets[i]->len, mac, NULL) != NULL;
		memcpy(sub, mac, SEAL_TAG_LEN);
	}
	if (ok)
		memcpy(tag, sub, SEAL_TAG_LEN);
	else
		snprintf(err, len, "libcrypto has no HMAC");
	explicit_bzero(sub, sizeof(sub));
	explicit_bzero(mac, sizeof(mac));
	return ok;
}
