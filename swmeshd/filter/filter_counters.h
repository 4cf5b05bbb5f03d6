/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the filter counts. */
#ifndef SWMESH_FILTER_COUNTERS_H
#define SWMESH_FILTER_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum filter_counter {
	FILTER_UNKNOWN_SOURCE, /* encapsulated, from no AFBR of ours */
	FILTER_CLEAR,	       /* in clear, of a protected softwire */
	FILTER_CLEAR_SENT,     /* likewise, stopped on its way out */
	FILTER_SPOOFED,	       /* inner source not behind that softwire */
	FILTER_COUNTERS,
};

struct filter_count {
	uint64_t packets, bytes;
};

/* "unknown-source", "clear", "clear-sent", "spoofed": also their names in the
 * table. */
const char *filter_counter_name(enum filter_counter counter);

#endif /* SWMESH_FILTER_COUNTERS_H */
