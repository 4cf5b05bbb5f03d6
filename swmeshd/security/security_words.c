// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * charon's words for algorithms, as they make up a proposal: which of them go
 * together (RFC 7296 section 3.3.3), and what each adds to a packet. Left out
 * on purpose are those that RFC 8247 and RFC 8221 want no longer used (DES,
 * 3DES, MD5, groups of fewer than 2048 bits).
 */
#include <zebra.h>

#include "swmeshd/security/security.h"

enum kind {
	KIND_CIPHER, /* needs an integrity algorithm */
	KIND_AEAD,
	KIND_INTEGRITY,
	KIND_PRF,
	KIND_GROUP, /* key exchange */
	KIND_ESN,
	KINDS,
};

#define FOR_IKE 0x1
#define FOR_ESP 0x2
#define FOR_AH 0x4
#define FOR_IPSEC (FOR_ESP | FOR_AH)
#define FOR_ALL (FOR_IKE | FOR_IPSEC)

struct word {
	const char *name;
	uint8_t kind, use;
	uint8_t iv, block, icv; /* octets in a packet */
};

/* clang-format off */
static const struct word words[] = {
	{"aes128gcm16",      KIND_AEAD, FOR_IKE | FOR_ESP, 8, 4, 16},
	{"aes192gcm16",      KIND_AEAD, FOR_IKE | FOR_ESP, 8, 4, 16},
	{"aes256gcm16",      KIND_AEAD, FOR_IKE | FOR_ESP, 8, 4, 16},
	{"aes128ccm16",      KIND_AEAD, FOR_IKE | FOR_ESP, 8, 4, 16},
	{"aes192ccm16",      KIND_AEAD, FOR_IKE | FOR_ESP, 8, 4, 16},
	{"aes256ccm16",      KIND_AEAD, FOR_IKE | FOR_ESP, 8, 4, 16},
	{"chacha20poly1305", KIND_AEAD, FOR_IKE | FOR_ESP, 8, 4, 16},
	{"aes128gmac",       KIND_AEAD, FOR_ESP, 8, 4, 16},
	{"aes192gmac",       KIND_AEAD, FOR_ESP, 8, 4, 16},
	{"aes256gmac",       KIND_AEAD, FOR_ESP, 8, 4, 16},
	{"aes128",           KIND_CIPHER, FOR_IKE | FOR_ESP, 16, 16, 0},
	{"aes192",           KIND_CIPHER, FOR_IKE | FOR_ESP, 16, 16, 0},
	{"aes256",           KIND_CIPHER, FOR_IKE | FOR_ESP, 16, 16, 0},
	{"aes128ctr",        KIND_CIPHER, FOR_IKE | FOR_ESP, 8, 4, 0},
	{"aes192ctr",        KIND_CIPHER, FOR_IKE | FOR_ESP, 8, 4, 0},
	{"aes256ctr",        KIND_CIPHER, FOR_IKE | FOR_ESP, 8, 4, 0},
	{"camellia128",      KIND_CIPHER, FOR_IKE | FOR_ESP, 16, 16, 0},
	{"camellia192",      KIND_CIPHER, FOR_IKE | FOR_ESP, 16, 16, 0},
	{"camellia256",      KIND_CIPHER, FOR_IKE | FOR_ESP, 16, 16, 0},
	{"null",             KIND_CIPHER, FOR_ESP, 0, 4, 0},
	{"sha1",             KIND_INTEGRITY, FOR_ALL, 0, 0, 12},
	{"sha256",           KIND_INTEGRITY, FOR_ALL, 0, 0, 16},
	{"sha384",           KIND_INTEGRITY, FOR_ALL, 0, 0, 24},
	{"sha512",           KIND_INTEGRITY, FOR_ALL, 0, 0, 32},
	{"aesxcbc",          KIND_INTEGRITY, FOR_ALL, 0, 0, 12},
	{"aescmac",          KIND_INTEGRITY, FOR_ALL, 0, 0, 12},
	{"prfsha1",          KIND_PRF, FOR_IKE, 0, 0, 0},
	{"prfsha256",        KIND_PRF, FOR_IKE, 0, 0, 0},
	{"prfsha384",        KIND_PRF, FOR_IKE, 0, 0, 0},
	{"prfsha512",        KIND_PRF, FOR_IKE, 0, 0, 0},
	{"prfaesxcbc",       KIND_PRF, FOR_IKE, 0, 0, 0},
	{"prfaescmac",       KIND_PRF, FOR_IKE, 0, 0, 0},
	{"x25519",           KIND_GROUP, FOR_ALL, 0, 0, 0},
	{"curve25519",       KIND_GROUP, FOR_ALL, 0, 0, 0},
	{"x448",             KIND_GROUP, FOR_ALL, 0, 0, 0},
	{"ecp256",           KIND_GROUP, FOR_ALL, 0, 0, 0},
	{"ecp384",           KIND_GROUP, FOR_ALL, 0, 0, 0},
	{"ecp521",           KIND_GROUP, FOR_ALL, 0, 0, 0},
	{"modp2048",         KIND_GROUP, FOR_ALL, 0, 0, 0},
	{"modp3072",         KIND_GROUP, FOR_ALL, 0, 0, 0},
	{"modp4096",         KIND_GROUP, FOR_ALL, 0, 0, 0},
	{"modp6144",         KIND_GROUP, FOR_ALL, 0, 0, 0},
	{"modp8192",         KIND_GROUP, FOR_ALL, 0, 0, 0},
	{"esn",              KIND_ESN, FOR_IPSEC, 0, 0, 0},
	{"noesn",            KIND_ESN, FOR_IPSEC, 0, 0, 0},
};
/* clang-format on */

static const char *const kind_names[KINDS] = {
	[KIND_CIPHER] = "cipher",
	[KIND_AEAD] = "combined cipher",
	[KIND_INTEGRITY] = "integrity algorithm",
	[KIND_PRF] = "pseudorandom function",
	[KIND_GROUP] = "key exchange",
	[KIND_ESN] = "sequence numbers",
};

static const struct word *word_find(const char *name, size_t len)
{
	for (size_t i = 0; i < array_size(words); i++)
		if (strlen(words[i].name) == len &&
		    !strncmp(words[i].name, name, len))
			return &words[i];
	return NULL;
}

/* Calls each part between the hyphens; false as soon as one is refused. */
static bool each_part(const char *proposal,
		      bool (*part)(const char *name, size_t len, void *arg),
		      void *arg)
{
	size_t len;

	for (;;) {
		len = strcspn(proposal, "-");
		if (!part(proposal, len, arg))
			return false;
		if (!proposal[len])
			return true;
		proposal += len + 1;
	}
}

/* ---- which go together ---- */

struct parsed {
	uint8_t use;
	unsigned int n[KINDS];
	char *err;
	size_t len;
};

static void name_all(uint8_t use, char *out, size_t len)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < array_size(words) && at < len; i++)
		if (words[i].use & use)
			at += snprintf(out + at, len - at, "%s%s",
				       at ? " " : "", words[i].name);
}

static const char *use_name(uint8_t use)
{
	return use == FOR_IKE ? "IKE" : use == FOR_ESP ? "ESP" : "AH";
}

static bool parse_part(const char *name, size_t len, void *arg)
{
	struct parsed *p = arg;
	const struct word *word = word_find(name, len);
	char all[512];

	if (word && word->use & p->use) {
		p->n[word->kind]++;
		return true;
	}
	name_all(p->use, all, sizeof(all));
	snprintf(p->err, p->len, "'%.*s' is no algorithm for %s; there are %s",
		 (int)MIN(len, 40), name, use_name(p->use), all);
	return false;
}

static bool lacks(struct parsed *p, enum kind kind, const char *example)
{
	snprintf(p->err, p->len, "no %s for %s; for example %s",
		 kind_names[kind], use_name(p->use), example);
	return false;
}

static bool fits(struct parsed *p)
{
	bool ike = p->use == FOR_IKE;
	const char *cipher =
		ike ? "aes256gcm16-prfsha384-x25519" : "aes256gcm16";

	if (p->use == FOR_AH)
		return p->n[KIND_INTEGRITY] ||
		       lacks(p, KIND_INTEGRITY, "sha256");
	if (!p->n[KIND_CIPHER] && !p->n[KIND_AEAD])
		return lacks(p, KIND_CIPHER, cipher);
	if (p->n[KIND_CIPHER] && p->n[KIND_AEAD]) {
		snprintf(
			p->err, p->len,
			"ciphers with and without integrity in one proposal; make two of it, separated by a blank");
		return false;
	}
	if (p->n[KIND_CIPHER] && !p->n[KIND_INTEGRITY])
		return lacks(p, KIND_INTEGRITY,
			     ike ? "aes256-sha256-x25519" : "aes256-sha256");
	if (p->n[KIND_AEAD] && p->n[KIND_INTEGRITY] && !ike) {
		snprintf(
			p->err, p->len,
			"a combined cipher has its integrity in it; leave the integrity algorithm out");
		return false;
	}
	if (ike && p->n[KIND_AEAD] && !p->n[KIND_PRF])
		return lacks(p, KIND_PRF, cipher);
	return !ike || p->n[KIND_GROUP] || lacks(p, KIND_GROUP, cipher);
}

static bool word_ok(uint8_t use, const char *word, char *err, size_t len)
{
	struct parsed p = {.use = use, .err = err, .len = len};

	if (strlen(word) >= SECURITY_WORD_LEN) {
		snprintf(err, len, "a proposal has at most %u letters",
			 SECURITY_WORD_LEN - 1);
		return false;
	}
	return each_part(word, parse_part, &p) && fits(&p);
}

bool security_ike_word_ok(const char *word, char *err, size_t len)
{
	return word_ok(FOR_IKE, word, err, len);
}

bool security_ipsec_word_ok(enum ipsec_protocol protocol, const char *word,
			    char *err, size_t len)
{
	return word_ok(protocol == IPSEC_AH ? FOR_AH : FOR_ESP, word, err, len);
}

/* ---- what they add to a packet ---- */

struct sizes {
	unsigned int iv, block, icv;
};

static bool add_sizes(const char *name, size_t len, void *arg)
{
	struct sizes *sizes = arg;
	const struct word *word = word_find(name, len);

	/* Unknown words are refused before: charon would, too. */
	if (!word)
		return true;
	sizes->iv = MAX(sizes->iv, word->iv);
	sizes->block = MAX(sizes->block, word->block);
	sizes->icv = MAX(sizes->icv, word->icv);
	return true;
}

/* RFC 4303 section 2: SPI and sequence number, IV, padding to the cipher's
 * block and to 4 octets, pad length and next header, ICV. */
static unsigned int esp_overhead(const char *proposal)
{
	struct sizes sizes = {.block = 4};

	each_part(proposal, add_sizes, &sizes);
	return 8 + sizes.iv + (sizes.block - 1) + 2 + sizes.icv;
}

/* RFC 4302 section 2: a fixed part of 12 octets and the ICV, the whole a
 * multiple of 8 octets over IPv6, of 4 over IPv4. */
static unsigned int ah_overhead(const char *proposal)
{
	struct sizes sizes = {};

	each_part(proposal, add_sizes, &sizes);
	return (12 + sizes.icv + 7) & ~7U;
}

unsigned int security_overhead(const struct security *security)
{
	unsigned int most = 0, one;
	const char *word;

	for (unsigned int i = 0; (word = security_ipsec_proposal(security, i));
	     i++) {
		one = security->protocol == IPSEC_AH ? ah_overhead(word)
						     : esp_overhead(word);
		most = MAX(most, one);
	}
	return most;
}
