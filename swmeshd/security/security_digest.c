// SPDX-License-Identifier: GPL-2.0-or-later
/* By what two `security` objects are told apart: SHA-256 over their values. */
#include <zebra.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "swmeshd/security/security.h"

/* Each value with its length, so that no two sequences look the same. */
static void mix(EVP_MD_CTX *ctx, const void *data, size_t len)
{
	uint64_t n = len;

	EVP_DigestUpdate(ctx, &n, sizeof(n));
	if (len)
		EVP_DigestUpdate(ctx, data, len);
}

static void mix_text(EVP_MD_CTX *ctx, const char *text)
{
	mix(ctx, text ? text : "", text ? strlen(text) + 1 : 0);
}

static void mix_number(EVP_MD_CTX *ctx, uint32_t n)
{
	mix(ctx, &n, sizeof(n));
}

enum digest {
	DIGEST_CONFIG, /* what is configured */
	DIGEST_IKE,    /* what charon is told of IKE */
	DIGEST_ALL,    /* what is configured and what was read */
};

static void mix_file(EVP_MD_CTX *ctx, const struct security_file *file,
		     enum digest which)
{
	if (which != DIGEST_IKE || !file->blob.data)
		mix_text(ctx, file->path);
	if (which != DIGEST_CONFIG)
		mix(ctx, file->blob.data, file->blob.len);
}

static void mix_files(EVP_MD_CTX *ctx, const struct security_file *files,
		      unsigned int n, enum digest which)
{
	mix_number(ctx, n);
	for (unsigned int i = 0; i < n; i++)
		mix_file(ctx, &files[i], which);
}

static void mix_proposals(EVP_MD_CTX *ctx, const struct security *s,
			  const char *(*proposal)(const struct security *s,
						  unsigned int n))
{
	const char *word;

	for (unsigned int i = 0; (word = proposal(s, i)); i++)
		mix_text(ctx, word);
	mix_number(ctx, 0);
}

static void mix_ike(EVP_MD_CTX *ctx, const struct security *s,
		    enum digest which)
{
	mix_number(ctx, s->method);
	mix_file(ctx, &s->psk, which);
	if (which != DIGEST_IKE || !s->psk.blob.data)
		mix_text(ctx, s->sealed);
	mix_file(ctx, &s->cert, which);
	mix_file(ctx, &s->key, which);
	mix_files(ctx, s->ca, s->n_ca, which);
	mix_files(ctx, s->crl, s->n_crl, which);
	mix_text(ctx, s->identity);
	mix_text(ctx, s->endpoint);
	mix_text(ctx, s->peer_identity);
	mix_proposals(ctx, s, security_ike_proposal);
	mix_number(ctx, s->rekey_ike);
	mix_number(ctx, s->dpd);
	mix_text(ctx, s->ppk_id);
	mix_file(ctx, &s->ppk, which);
	mix_number(ctx, s->ppk_required);
}

static void mix_rest(EVP_MD_CTX *ctx, const struct security *s,
		     enum digest which)
{
	mix_text(ctx, s->name);
	mix_files(ctx, s->announce, s->n_announce, which);
	mix_text(ctx, s->peer_keys);
	mix_number(ctx, s->protocol);
	mix_proposals(ctx, s, security_ipsec_proposal);
	mix_number(ctx, s->rekey_sa);
	mix_number(ctx, s->replay_window);
}

static void digest_of(const struct security *s, enum digest which,
		      uint8_t out[32])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	memset(out, 0, 32);
	if (ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL)) {
		mix_ike(ctx, s, which);
		if (which != DIGEST_IKE)
			mix_rest(ctx, s, which);
		EVP_DigestFinal_ex(ctx, out, NULL);
	}
	EVP_MD_CTX_free(ctx);
}

void security_digest(struct security *s)
{
	digest_of(s, DIGEST_CONFIG, s->config_digest);
	digest_of(s, DIGEST_IKE, s->ike_digest);
	digest_of(s, DIGEST_ALL, s->digest);
}

bool security_digest_works(void)
{
	/* RFC 4231 section 4.3: HMAC-SHA-256, which needs more of SHA-256 than
	 * a digest does. */
	static const char key[] = "Jefe",
			  data[] = "what do ya want for nothing?";
	static const uint8_t good[] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75,
				       0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95,
				       0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d,
				       0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9,
				       0x64, 0xec, 0x38, 0x43};
	uint8_t out[EVP_MAX_MD_SIZE] = {};

	return HMAC(EVP_sha256(), key, strlen(key), (const uint8_t *)data,
		    strlen(data), out, NULL) &&
	       !memcmp(out, good, sizeof(good));
}
