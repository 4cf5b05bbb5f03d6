/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Leaves of a list's entries, by their names. */
#ifndef SWMESH_NB_LEAF_H
#define SWMESH_NB_LEAF_H

#include "northbound.h"

/* A leaf of a list's entry, by its name; n of them are searched. */
struct swmesh_nb_leaf {
	const char *name;
	struct yang_data *(*get)(const char *xpath, const void *entry);
};
struct yang_data *swmesh_nb_get_leaf(const struct swmesh_nb_leaf *leaves,
				     size_t n,
				     struct nb_cb_get_elem_args *args);

#endif /* SWMESH_NB_LEAF_H */
