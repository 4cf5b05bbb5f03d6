/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in the filter's sets, and what is to be in them. */
#ifndef SWMESH_FILTER_ELEMENTS_H
#define SWMESH_FILTER_ELEMENTS_H

#include "swmeshd/filter/filter_element.h"
#include "swmeshd/model/model.h"

/* Devices outlive their softwires by a little less, to receive what the AFBR
 * has sent on the way. */
#define FILTER_LINGER_S 4

/* Find anew what the mesh asks for, and what is to be done for it, AFBR by
 * AFBR; adopt: what was found stays. True: some is kept for FILTER_LINGER_S
 * although the mesh no longer asks for it. */
bool filter_elements_want(struct mesh *mesh, bool adopt);
/* Begin a change with what is to be done, at most max elements; returns how
 * many. */
unsigned int filter_elements_put(int family, unsigned int max);
/* The kernel has carried out what was put. False: some are left to be put. */
bool filter_elements_done(void);
/* The sets are empty, or what is in them is not known and about to be found.
 * Wants are to be found anew afterwards. */
void filter_elements_unknown(void);
void filter_elements_found(const struct filter_element *key);
void filter_elements_clear(void);
/* The kernel has all that lets in what the AFBR sends by this softwire. */
bool filter_elements_in(const struct softwire *sw);

#endif /* SWMESH_FILTER_ELEMENTS_H */
