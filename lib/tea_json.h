/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Tunnel Encapsulation attribute as JSON, both ways.
 *
 *	{"verdict": "accept", "reason": null, "propagate": "0002...",
 *	 "tunnels": [{"type": 2, "name": "gre", "usable": true, "reason": null,
 *	   "removed": false,
 *	   "subtlvs": [{"type": 1, "name": "encapsulation", "state": "ok",
 *	     "key": 100, "raw": "00000064"}]}]}
 *
 * Going back to octets, only `tunnels` matters.  Of a sub-TLV the fields count
 * when there is at least one, so that they can be edited; `raw` counts when
 * there is none, as in sub-TLVs that are unknown or malformed.
 */
#ifndef SWMESH_TEA_JSON_H
#define SWMESH_TEA_JSON_H

#include <json-c/json.h>

#include "lib/tea.h"

/* Never NULL but for lack of memory; the caller puts it. */
struct json_object *tea_to_json(const struct tea *tea);

#define TEA_JSON_ERROR_LEN 192

/* Write the attribute's value to buf.  Returns octets written, or -1 and in
 * error which object, what is wrong with it and what to do. */
ssize_t tea_from_json(struct json_object *json, uint8_t *buf, size_t cap,
		      char error[TEA_JSON_ERROR_LEN]);

#endif /* SWMESH_TEA_JSON_H */
