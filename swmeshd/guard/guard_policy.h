/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drop policies in the kernel (S9: nothing leaves or enters in clear). */
#ifndef SWMESH_GUARD_POLICY_H
#define SWMESH_GUARD_POLICY_H

#include "ipaddr.h"

/* A drop policy, towards and from everybody. */
struct xfrm_guard_id {
	struct ipaddr source;
	uint8_t protocol;
};

/* Far more than a mesh has: three protocols on an endpoint or two. */
#define XFRM_GUARDS_MAX 64

/*
 * Drop what leaves `source` with this protocol, or comes to it, and is not
 * covered by an SA. At once, or false with a text. Idempotent. From now on it
 * is put back if somebody else removes it.
 */
bool swmesh_xfrm_guard(const struct ipaddr *source, uint8_t protocol, char *err,
		       size_t len);
bool swmesh_xfrm_guarded(const struct ipaddr *source, uint8_t protocol);
/* Remove all guards but these, those of earlier runs included. */
void swmesh_xfrm_guard_only(const struct xfrm_guard_id *keep, unsigned int n);
/* Guards that are in the kernel, of whatever run; how many, at most cap. */
unsigned int swmesh_xfrm_guards(struct xfrm_guard_id *ids, unsigned int cap);

/* struct xfrm_ops: put back what somebody has removed. */
void swmesh_xfrm_guard_look(void);
/* They stay in the kernel. */
void swmesh_xfrm_guard_stop(void);

#endif /* SWMESH_GUARD_POLICY_H */
