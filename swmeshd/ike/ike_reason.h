/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why IKE failed: charon's log lines, the only place where it says so, turned
 * into words that tell what to do.
 */
#ifndef SWMESH_IKE_REASON_H
#define SWMESH_IKE_REASON_H

#include "swmeshd/security/security.h"

/* How soon it makes sense to try again. */
enum ike_retry {
	IKE_RETRY_LATER, /* somebody has to change something first */
	IKE_RETRY_SOON,	 /* the other end may not be ready yet */
};

struct ike_reason {
	const char *phrase; /* in charon's line */
	enum ike_retry retry;
	/* A mere consequence: it does not replace another reason. */
	bool vague;
	/* The attempt is over: no need to wait for charon to say so. */
	bool final;
	/* Another PPK (RFC 8784) would look just the same. */
	bool ppk;
	const char *text;
	const char *raw; /* instead of text, if the method is raw; or NULL */
};

/* NULL: the line tells of no failure. */
const struct ike_reason *ike_reason_find(const char *line);
const char *ike_reason_text(const struct ike_reason *reason,
			    enum ike_method method);
/* All of them, for tests; ends with a phrase of NULL. */
extern const struct ike_reason ike_reasons[];

#endif /* SWMESH_IKE_REASON_H */
