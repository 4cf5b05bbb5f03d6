// SPDX-License-Identifier: GPL-2.0-or-later
/* Leaves by their names; see swmesh_nb_leaf.h. */
#include <zebra.h>

#include "swmeshd/swmesh_nb_leaf.h"

struct yang_data *swmesh_nb_get_leaf(const struct swmesh_nb_leaf *leaves,
				     size_t n, struct nb_cb_get_elem_args *args)
{
	const char *name = strrchr(args->xpath, '/');

	for (size_t i = 0; name && i < n; i++)
		if (!strcmp(leaves[i].name, name + 1))
			return leaves[i].get(args->xpath, args->list_entry);
	return NULL;
}
