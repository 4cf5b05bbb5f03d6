/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What display and operational data share. */
#ifndef SWMESH_SHOW_H
#define SWMESH_SHOW_H

#include "swmeshd/model/model.h"

/* All of them in order of address; the array is the caller's, MTYPE_TMP. */
struct softwire **swmesh_show_softwires(size_t *n);
struct afbr **swmesh_show_afbrs(size_t *n);

/* Paths whose packets go by this softwire. */
uint32_t swmesh_show_routes(const struct softwire *sw);

struct vty;
struct json_object;

/* swmesh_show_security.c */
/* What a softwire's object tells of its protection. */
void swmesh_show_add_security(struct json_object *o, const struct softwire *sw);
/* A key's hash in hexadecimal, as sha1sum(1) prints it; buf is returned. */
#define SHOW_HASH_LEN (2 * KEY_HASH_LEN + 1)
char *swmesh_show_hash(const uint8_t hash[KEY_HASH_LEN], char *buf);
void swmesh_show_security_init(void);

/* swmesh_show_text.c, swmesh_show_security_text.c: what each command's JSON
 * says, for people. */
void swmesh_print_security(struct vty *vty, struct json_object *o);
void swmesh_print_security_detail(struct vty *vty, struct json_object *o);
void swmesh_print_softwires(struct vty *vty, struct json_object *o);
void swmesh_print_detail(struct vty *vty, struct json_object *o);
void swmesh_print_afbrs(struct vty *vty, struct json_object *o);
void swmesh_print_encap_sets(struct vty *vty, struct json_object *o);

/* The commands. */
void swmesh_show_init(void);

#endif /* SWMESH_SHOW_H */
