// SPDX-License-Identifier: GPL-2.0-or-later
/* A bound on repeated log lines; see log_limit.h. */
#include <stddef.h>

#include "lib/log_limit.h"

/* Those that have written something in the period under way. */
static struct log_limit *active;

static bool known(const struct log_limit *limit, uint64_t object)
{
	for (unsigned int i = 0; i < limit->n_objects; i++)
		if (limit->objects[i] == object)
			return true;
	return false;
}

bool log_limit_pass(struct log_limit *limit, uint64_t object)
{
	if (!known(limit, object) && limit->n_objects < LOG_LIMIT_OBJECTS) {
		if (!limit->n_objects) {
			limit->next = active;
			active = limit;
		}
		limit->objects[limit->n_objects++] = object;
		return true;
	}
	if (limit->left_out < UINT32_MAX)
		limit->left_out++;
	return false;
}

void log_limit_period(void (*tell)(int priority, const char *format, ...))
{
	struct log_limit *limit;

	while ((limit = active)) {
		active = limit->next;
		if (limit->left_out)
			tell(limit->priority,
			     "left out in the last %d s: %u more like: %s",
			     LOG_LIMIT_PERIOD_S, limit->left_out, limit->text);
		limit->n_objects = 0;
		limit->left_out = 0;
		limit->text[0] = '\0';
		limit->next = NULL;
	}
}

uint64_t log_limit_key(const char *text)
{
	uint64_t key = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++)
		key = (key ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	return key;
}
