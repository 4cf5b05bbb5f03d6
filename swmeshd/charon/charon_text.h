/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of the vici client, and messages written with FRR's formats. */
#ifndef SWMESH_CHARON_TEXT_H
#define SWMESH_CHARON_TEXT_H

#include "compiler.h"

#include "swmeshd/charon/charon_types.h"

/* Never NULL. */
const char *swmesh_vici_state_name(enum swmesh_vici_state state);
const char *swmesh_vici_error_name(enum swmesh_vici_error error);

/* ---- helpers for requests: FRR's formats (%pIA, %pFX, ...) ---- */

/* Not for secrets: the text passes through memory that is not wiped. Cut off
 * (an error of the builder) over VICI_NAME_MAX for a name, 1023 for a value. */
void swmesh_vici_sectionf(struct vici_builder *b, const char *fmt, ...)
	PRINTFRR(2, 3);
void swmesh_vici_keyf(struct vici_builder *b, const char *key, const char *fmt,
		      ...) PRINTFRR(3, 4);
void swmesh_vici_itemf(struct vici_builder *b, const char *fmt, ...)
	PRINTFRR(2, 3);
/* key = [text] */
void swmesh_vici_listf(struct vici_builder *b, const char *key, const char *fmt,
		       ...) PRINTFRR(3, 4);

#endif /* SWMESH_CHARON_TEXT_H */
