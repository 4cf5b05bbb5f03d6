/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the printers of "show" have in common: the JSON that was made for the
 * command is read back, so that text and JSON cannot differ.
 */
#ifndef SWMESH_SHOW_READ_H
#define SWMESH_SHOW_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;
struct ttable;
struct vty;

/* A member by its name; "", 0, false, NULL when there is none. */
const char *show_str(struct json_object *obj, const char *key);
int64_t show_num(struct json_object *obj, const char *key);
bool show_flag(struct json_object *obj, const char *key);
struct json_object *show_member(struct json_object *obj, const char *key);
/* Of a member that is an array: how many elements, and the i-th. */
size_t show_len(struct json_object *obj, const char *key);
struct json_object *show_at(struct json_object *obj, const char *key, size_t i);

/* "-" for an empty text. */
const char *show_or_dash(const char *text);
/* "00:12:41", "3d00:12:41"; buf is returned. */
const char *show_interval(int64_t seconds, char *buf, size_t len);
/* Prints and frees the table; its first row is the heading. */
void show_table(struct vty *vty, struct ttable *tt);

/* Print what a command made, as JSON or by its printer, and free it. */
int swmesh_show_output(struct vty *vty, struct json_object *o, bool json,
		       void (*print)(struct vty *vty, struct json_object *o));

#endif /* SWMESH_SHOW_READ_H */
