// SPDX-License-Identifier: GPL-2.0-or-later
/* What the filter counts; see filter_counters.h. */
#include <zebra.h>

#include "swmeshd/filter/filter_counters.h"

static const char *const counter_names[FILTER_COUNTERS] = {
	[FILTER_UNKNOWN_SOURCE] = "unknown-source",
	[FILTER_CLEAR] = "clear",
	[FILTER_CLEAR_SENT] = "clear-sent",
	[FILTER_SPOOFED] = "spoofed",
};

const char *filter_counter_name(enum filter_counter counter)
{
	return counter_names[counter];
}
