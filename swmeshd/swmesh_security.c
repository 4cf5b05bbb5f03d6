// SPDX-License-Identifier: GPL-2.0-or-later
/* The `security` object: life, comparison and text; see swmesh_security.h. */
#include <zebra.h>

#include "memory.h"

#include "swmeshd/swmesh_keys.h"
#include "swmeshd/swmesh_security.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, SECURITY, "Security");

#define REKEY_IKE_DEFAULT (4 * 3600)
#define REKEY_SA_DEFAULT 3600
#define REPLAY_WINDOW_DEFAULT 32
#define DPD_DEFAULT 30

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
	security_unload(s);
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

/* The most that any of the algorithms needs. */
#define ESP_OVERHEAD (8 + 16 + 15 + 2 + 32)
#define AH_OVERHEAD (12 + 32)

unsigned int security_overhead(const struct security *security)
{
	return security->protocol == IPSEC_AH ? AH_OVERHEAD : ESP_OVERHEAD;
}
