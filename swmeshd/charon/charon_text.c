// SPDX-License-Identifier: GPL-2.0-or-later
/* Words of the vici client, and messages written with FRR's formats. */
#include <zebra.h>

#include "printfrr.h"

#include "swmeshd/charon/charon_text.h"

const char *swmesh_vici_state_name(enum swmesh_vici_state state)
{
	static const char *const names[SWMESH_VICI_STATES] = {
		[SWMESH_VICI_STOPPED] = "not started",
		[SWMESH_VICI_DOWN] = "down",
		[SWMESH_VICI_CONNECTING] = "connecting",
		[SWMESH_VICI_REGISTERING] = "registering",
		[SWMESH_VICI_UP] = "up",
	};

	return state < SWMESH_VICI_STATES ? names[state] : "unknown";
}

const char *swmesh_vici_error_name(enum swmesh_vici_error error)
{
	static const char *const names[SWMESH_VICI_ERRORS] = {
		[SWMESH_VICI_OK] = "done",
		[SWMESH_VICI_REFUSED] = "refused by charon",
		[SWMESH_VICI_UNKNOWN] = "unknown to charon",
		[SWMESH_VICI_LOST] = "connection to charon lost",
		[SWMESH_VICI_TIMED_OUT] = "no answer from charon",
		[SWMESH_VICI_NOT_UP] = "no connection to charon",
		[SWMESH_VICI_FULL] = "too many requests to charon wait",
		[SWMESH_VICI_BAD_REQUEST] = "the request is not well-formed",
	};

	return error < SWMESH_VICI_ERRORS ? names[error] : "unknown";
}

/* Longer than the longest name, so that the builder sees one that is too long.
 */
#define NAME_SIZE (VICI_NAME_MAX + 2)
#define VALUE_SIZE 1024

static void format_value(struct vici_builder *b, char *buf, const char *fmt,
			 va_list ap)
{
	if (vsnprintfrr(buf, VALUE_SIZE, fmt, ap) >= VALUE_SIZE)
		vici_fail(b, VICI_ERR_VALUE);
}

void swmesh_vici_sectionf(struct vici_builder *b, const char *fmt, ...)
{
	char name[NAME_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintfrr(name, sizeof(name), fmt, ap);
	va_end(ap);
	vici_section_start(b, name);
}

void swmesh_vici_keyf(struct vici_builder *b, const char *key, const char *fmt,
		      ...)
{
	char value[VALUE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	format_value(b, value, fmt, ap);
	va_end(ap);
	vici_key_value(b, key, value);
}

void swmesh_vici_itemf(struct vici_builder *b, const char *fmt, ...)
{
	char value[VALUE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	format_value(b, value, fmt, ap);
	va_end(ap);
	vici_list_item(b, value);
}

void swmesh_vici_listf(struct vici_builder *b, const char *key, const char *fmt,
		       ...)
{
	char value[VALUE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	format_value(b, value, fmt, ap);
	va_end(ap);
	vici_list_one(b, key, value);
}
