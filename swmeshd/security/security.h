/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `security NAME`: how softwires are protected (RFC 5619 section 4). An object
 * of this kind is made when a configuration is applied, filled with the keys
 * its files hold (security/key_files.c), and then never changed: who uses it
 * holds a reference, and a change of the configuration, or of a file that is
 * read again, makes a new one.
 */
#ifndef SWMESH_SECURITY_H
#define SWMESH_SECURITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "typesafe.h"

#include "swmeshd/security/blob.h"
#include "swmeshd/security/public_key.h"

#define SECURITY_NAME_LEN 63
/* No security has this name: it says that there is to be none. */
#define SECURITY_NONE "none"
#define SECURITY_PROPOSALS_MAX 8
#define SECURITY_FILES_MAX 16
#define SECURITY_WORD_LEN 128
#define SECURITY_ERROR_LEN 256

/* Keys that one AFBR announces at a time: the one in use and those to come. */
#define KEYS_ANNOUNCED_MAX 4

enum ike_method {
	IKE_METHOD_NONE, /* not configured: nothing comes up */
	IKE_METHOD_PSK,	 /* the group key of the mesh (S3, S10) */
	IKE_METHOD_PKI,	 /* certificates under a CA */
	IKE_METHOD_RAW,	 /* keys pinned by what BGP announces (S4, S5) */
};

enum ipsec_protocol {
	IPSEC_ESP,
	IPSEC_AH,
};

/* charon's words, as "aes256gcm16-prfsha384-x25519"; in order of preference. */
struct security_proposals {
	unsigned int n;
	char word[SECURITY_PROPOSALS_MAX][SECURITY_WORD_LEN];
};

struct security_file {
	char *path;		   /* NULL: none */
	struct security_blob blob; /* content; empty when error is set */
};

PREDECL_RBTREE_UNIQ(securities);
struct security {
	struct securities_item item;
	unsigned int refs;
	char name[SECURITY_NAME_LEN + 1];

	/* ---- as configured ---- */
	enum ike_method method;
	struct security_file psk; /* path NULL: the secret is inline */
	char *sealed;		  /* that secret, encrypted (security/seal.h) */
	struct security_file cert, key;
	unsigned int n_ca, n_crl, n_announce;
	struct security_file ca[SECURITY_FILES_MAX], crl[SECURITY_FILES_MAX];
	/* Raw key: further public keys that are announced (S5: several). */
	struct security_file announce[KEYS_ANNOUNCED_MAX];
	char *peer_keys;     /* directory of public keys of hash-only peers */
	char *identity;	     /* ours; NULL: the endpoint's address */
	char *endpoint;	     /* that address, where a certificate needs it */
	char *peer_identity; /* NULL: the peer's address; may have wildcards */

	struct security_proposals ike; /* empty: the defaults */
	enum ipsec_protocol protocol;
	struct security_proposals ipsec; /* empty: the defaults */
	uint32_t rekey_ike, rekey_sa;	 /* seconds */
	uint32_t replay_window;		 /* packets; 0: off */
	uint32_t dpd;			 /* seconds; 0: off */

	char *ppk_id; /* RFC 8784; NULL: none */
	struct security_file ppk;
	bool ppk_required;

	/* ---- as loaded (security/key_files.c) ---- */
	/* Not empty: which file cannot be used, why, and what to do. Nothing
	 * that is protected by it comes up. */
	char error[SECURITY_ERROR_LEN];
	bool file_error; /* it is a file's own fault, whatever the rest */
	bool error_told; /* in the log */
	bool conflict;	 /* the error is that it does not go with others */
	/* Ours first, then the further ones; n is 0 unless the method is raw.
	 */
	unsigned int n_keys;
	struct public_key keys[KEYS_ANNOUNCED_MAX];
	/* Digests to compare by: over all that is configured and loaded; over
	 * what concerns IKE; and over what is configured alone. */
	uint8_t digest[32], ike_digest[32], config_digest[32];
	/* Of the secrets (security/seal.h); zeros: there are none, or no key
	 * for it. No secret itself. */
	uint8_t secret_tag[32];
};

int security_cmp(const struct security *a, const struct security *b);
DECLARE_RBTREE_UNIQ(securities, struct security, item, security_cmp);

/* Frees *field and makes it a copy of text; NULL: none. */
void security_set_text(char **field, const char *text);
/* Words separated by blanks; those beyond the most there can be are left out.
 */
void security_set_proposals(struct security_proposals *proposals,
			    const char *text);

/* With defaults, one reference, and in no tree. */
struct security *security_new(const char *name);
/* Another one just like it, contents included. */
struct security *security_copy(const struct security *security);
struct security *security_ref(struct security *security);
/* Drops the reference and sets the pointer to NULL; NULL is fine. */
void security_unref(struct security **security);

/* NULL if there is none, or name is empty. No reference is taken. */
struct security *security_find(struct securities_head *all, const char *name);
/* Drops the tree's references. */
void securities_clear(struct securities_head *all);

/* All configured and loaded values are the same. NULLs are equal. */
bool security_same(const struct security *a, const struct security *b);
/* The same as configured, whatever the files hold. */
bool security_same_config(const struct security *a, const struct security *b);
/* The same IKE_SA can serve both: method, credentials, identities, proposals
 * and times of IKE are the same; ESP/AH may differ. */
bool security_same_ike(const struct security *a, const struct security *b);

/*
 * NULL when nothing is missing that IKE needs, else what (static text, with
 * the line to enter).
 */
const char *security_missing(const struct security *security);

/* "group-psk", "pki", "raw-key", "none". */
const char *ike_method_name(enum ike_method method);
/* "esp aes256gcm16", for "show"; buf is returned. */
const char *security_text(const struct security *security, char *buf,
			  size_t len);

/* The n-th proposal, defaults included; NULL after the last one. */
const char *security_ike_proposal(const struct security *security,
				  unsigned int n);
const char *security_ipsec_proposal(const struct security *security,
				    unsigned int n);

/*
 * Octets that the protection adds to a packet at most (F4): SPI, sequence
 * number, IV, padding, next header, ICV; for the worst of the proposals.
 */
unsigned int security_overhead(const struct security *security);

/*
 * Whether charon's algorithms make up this word: false with a text that says
 * which part is wrong and what there is.
 */
bool security_ike_word_ok(const char *word, char *err, size_t len);
bool security_ipsec_word_ok(enum ipsec_protocol protocol, const char *word,
			    char *err, size_t len);

/* ---- security/security_digest.c ---- */

/*
 * The digests over what is configured, and over what was loaded so far.
 * security_load() does it, too.
 */
void security_digest(struct security *security);
/* A known answer: libfrr has functions of the names of libcrypto's, and which
 * ones are called depends on how the program was linked. */
bool security_digest_works(void);

#endif /* SWMESH_SECURITY_H */
