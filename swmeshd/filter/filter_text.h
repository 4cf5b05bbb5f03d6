/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The filter's rules, in nft's words. */
#ifndef SWMESH_FILTER_TEXT_H
#define SWMESH_FILTER_TEXT_H

#include "swmeshd/filter/filter_element.h"
#include "swmeshd/model/model.h"

/* Commands for nft; grows up to a bound, then `full` and nothing is added. */
struct filter_text {
	char *data; /* NUL-terminated; NULL: empty */
	size_t len, cap;
	bool full;
};

void filter_text_free(struct filter_text *text);

/* What the rules depend on; compared as memory. */
struct filter_shape {
	struct ipaddr source;
	uint32_t protected; /* bits, by index in encap_protocols[]: what never
			     * is in clear */
	enum anti_spoof anti_spoof;
	bool log;
	uint32_t log_rate; /* lines a minute */
};

/* Remove the table, whether it is there or not. */
void filter_text_remove(struct filter_text *text);
/* The table with counters and sets, which stay as they are if they are there;
 * no rules. */
void filter_text_sets(struct filter_text *text, int family);
/* The whole, in one transaction whose size does not depend on the number of
 * AFBRs: counters and sets as above, and rules in the place of those that are
 * there. */
void filter_text_table(struct filter_text *text,
		       const struct filter_shape *shape);

#endif /* SWMESH_FILTER_TEXT_H */
