/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What display and operational data share. */
#ifndef SWMESH_SHOW_H
#define SWMESH_SHOW_H

#include "swmeshd/swmesh_model.h"

/* All of them in order of address; the array is the caller's, MTYPE_TMP. */
struct softwire **swmesh_show_softwires(size_t *n);
struct afbr **swmesh_show_afbrs(size_t *n);

/* Paths whose packets go by this softwire. */
uint32_t swmesh_show_routes(const struct softwire *sw);

/* swmesh_show_text.c: what each command's JSON says, for people. */
struct vty;
struct json_object;
void swmesh_print_softwires(struct vty *vty, struct json_object *o);
void swmesh_print_detail(struct vty *vty, struct json_object *o);
void swmesh_print_afbrs(struct vty *vty, struct json_object *o);
void swmesh_print_encap_sets(struct vty *vty, struct json_object *o);

#endif /* SWMESH_SHOW_H */
