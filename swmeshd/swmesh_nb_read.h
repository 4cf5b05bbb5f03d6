/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A candidate or the running configuration, from YANG into a draft. */
#ifndef SWMESH_NB_READ_H
#define SWMESH_NB_READ_H

#include "yang.h"

#include "swmeshd/config/draft.h"

/* To be cleared by draft_clear(). */
void nb_draft_read(struct draft *draft, const struct lyd_node *mesh);
/* The same of the running configuration; false: it has no mesh. */
bool nb_draft_running(struct draft *draft);

#endif /* SWMESH_NB_READ_H */
