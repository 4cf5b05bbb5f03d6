// SPDX-License-Identifier: GPL-2.0-or-later
/* The `security` object: life, comparison and text; see security/security.h. */
#include <zebra.h>

#include "memory.h"

#include "swmeshd/security/security.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, SECURITY, "Security");
DEFINE_MTYPE_STATIC(SWMESHD, SECURITY_TEXT, "Security's text");

#define REKEY_IKE_DEFAULT (4 * 3600)
#define REKEY_SA_DEFAULT 3600
#define REPLAY_WINDOW_DEFAULT 32
#define DPD_DEFAULT 30

/* ---- life ---- */

void security_set_text(char **field, const char *text)
{
	XFREE(MTYPE_SECURITY_TEXT, *field);
	if (text)
		*field = XSTRDUP(MTYPE_SECURITY_TEXT, text);
}

static void each_file(struct security *s, void (*each)(struct security_file *))
{
	each(&s->psk);
	each(&s->cert);
	each(&s->key);
	each(&s->ppk);
	for (unsigned int i = 0; i < s->n_ca; i++)
		each(&s->ca[i]);
	for (unsigned int i = 0; i < s->n_crl; i++)
		each(&s->crl[i]);
	for (unsigned int i = 0; i < s->n_announce; i++)
		each(&s->announce[i]);
}

static void file_free(struct security_file *file)
{
	XFREE(MTYPE_SECURITY_TEXT, file->path);
	security_blob_free(&file->blob);
}

static void unload(struct security *s)
{
	each_file(s, file_free);
	XFREE(MTYPE_SECURITY_TEXT, s->sealed);
	XFREE(MTYPE_SECURITY_TEXT, s->peer_keys);
	XFREE(MTYPE_SECURITY_TEXT, s->identity);
	XFREE(MTYPE_SECURITY_TEXT, s->endpoint);
	XFREE(MTYPE_SECURITY_TEXT, s->peer_identity);
	XFREE(MTYPE_SECURITY_TEXT, s->ppk_id);
}

static void text_copy(char **field)
{
	if (*field)
		*field = XSTRDUP(MTYPE_SECURITY_TEXT, *field);
}

static void file_copy(struct security_file *file)
{
	struct security_blob from = file->blob;

	text_copy(&file->path);
	memset(&file->blob, 0, sizeof(file->blob));
	if (from.data)
		security_blob_set(&file->blob, from.data, from.len);
}

/* After a copy of the struct: texts and contents of its own. */
static void own(struct security *s)
{
	each_file(s, file_copy);
	text_copy(&s->sealed);
	text_copy(&s->peer_keys);
	text_copy(&s->identity);
	text_copy(&s->endpoint);
	text_copy(&s->peer_identity);
	text_copy(&s->ppk_id);
}

int security_cmp(const struct security *a, const struct security *b)
{
	return strcmp(a->name, b->name);
}

struct security *security_new(const char *name)
{
	struct security *s = XCALLOC(MTYPE_SECURITY, sizeof(*s));

	strlcpy(s->name, name, sizeof(s->name));
	s->refs = 1;
	s->rekey_ike = REKEY_IKE_DEFAULT;
	s->rekey_sa = REKEY_SA_DEFAULT;
	s->replay_window = REPLAY_WINDOW_DEFAULT;
	s->dpd = DPD_DEFAULT;
	return s;
}

struct security *security_copy(const struct security *security)
{
	struct security *s = XCALLOC(MTYPE_SECURITY, sizeof(*s));

	*s = *security;
	s->refs = 1;
	own(s);
	return s;
}

struct security *security_ref(struct security *security)
{
	security->refs++;
	return security;
}

void security_unref(struct security **security)
{
	struct security *s = *security;

	*security = NULL;
	if (!s || --s->refs)
		return;
	unload(s);
	XFREE(MTYPE_SECURITY, s);
}

struct security *security_find(struct securities_head *all, const char *name)
{
	struct security ref = {};

	strlcpy(ref.name, name, sizeof(ref.name));
	return securities_find(all, &ref);
}

void securities_clear(struct securities_head *all)
{
	struct security *s;

	while ((s = securities_pop(all)))
		security_unref(&s);
}

bool security_same(const struct security *a, const struct security *b)
{
	if (!a || !b)
		return a == b;
	return a == b ||
	       (!strcmp(a->name, b->name) && !strcmp(a->error, b->error) &&
		!memcmp(a->digest, b->digest, sizeof(a->digest)));
}

bool security_same_config(const struct security *a, const struct security *b)
{
	return !memcmp(a->config_digest, b->config_digest,
		       sizeof(a->config_digest));
}

bool security_same_ike(const struct security *a, const struct security *b)
{
	return a == b ||
	       !memcmp(a->ike_digest, b->ike_digest, sizeof(a->ike_digest));
}

const char *security_missing(const struct security *s)
{
	if (s->method == IKE_METHOD_NONE)
		return "it has no method yet; enter 'ike group-psk', 'ike pki certificate' or 'ike raw-key key' under it first";
	if (s->method == IKE_METHOD_PKI && !s->n_ca)
		return "pki has no authority to trust; enter 'ike pki ca FILE' under it first";
	if (!s->ppk_id != !s->ppk.path)
		return "ppk needs an id and a file; enter 'ppk id ID file FILE' under it first";
	return NULL;
}

const char *ike_method_name(enum ike_method method)
{
	switch (method) {
	case IKE_METHOD_NONE:
		return "none";
	case IKE_METHOD_PSK:
		return "group-psk";
	case IKE_METHOD_PKI:
		return "pki";
	case IKE_METHOD_RAW:
		return "raw-key";
	}
	return "unknown";
}

void security_set_proposals(struct security_proposals *proposals,
			    const char *text)
{
	size_t len;

	memset(proposals, 0, sizeof(*proposals));
	while (*text && proposals->n < SECURITY_PROPOSALS_MAX) {
		len = strcspn(text, " ");
		strlcpy(proposals->word[proposals->n++], text,
			MIN(len + 1, (size_t)SECURITY_WORD_LEN));
		text += len;
		text += strspn(text, " ");
	}
}

/* The second for peers whose charon has no AES-GCM or no x25519. */
static const char *const ike_defaults[] = {
	"aes256gcm16-prfsha384-x25519",
	"aes256-sha384-ecp384-ecp256-modp3072",
};
static const char *const esp_defaults[] = {"aes256gcm16"};
static const char *const ah_defaults[] = {"sha256"};

static const char *proposal(const struct security_proposals *configured,
			    const char *const *defaults, unsigned int n_default,
			    unsigned int n)
{
	if (configured->n)
		return n < configured->n ? configured->word[n] : NULL;
	return n < n_default ? defaults[n] : NULL;
}

const char *security_ike_proposal(const struct security *security,
				  unsigned int n)
{
	return proposal(&security->ike, ike_defaults, array_size(ike_defaults),
			n);
}

const char *security_ipsec_proposal(const struct security *security,
				    unsigned int n)
{
	if (security->protocol == IPSEC_AH)
		return proposal(&security->ipsec, ah_defaults,
				array_size(ah_defaults), n);
	return proposal(&security->ipsec, esp_defaults,
			array_size(esp_defaults), n);
}

const char *security_text(const struct security *security, char *buf,
			  size_t len)
{
	const char *word;
	size_t at;

	at = snprintf(buf, len, "%s",
		      security->protocol == IPSEC_AH ? "ah" : "esp");
	for (unsigned int i = 0;
	     at < len && (word = security_ipsec_proposal(security, i)); i++)
		at += snprintf(buf + at, len - at, " %s", word);
	return buf;
}
