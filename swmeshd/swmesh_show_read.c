// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading "show"'s JSON back, and printing it; see swmesh_show_read.h. */
#include <zebra.h>

#include "command.h"
#include "json.h"
#include "termtable.h"

#include "swmeshd/swmesh_show_read.h"

const char *show_str(json_object *obj, const char *key)
{
	json_object *value;

	return json_object_object_get_ex(obj, key, &value)
		       ? json_object_get_string(value)
		       : "";
}

int64_t show_num(json_object *obj, const char *key)
{
	json_object *value;

	return json_object_object_get_ex(obj, key, &value)
		       ? json_object_get_int64(value)
		       : 0;
}

bool show_flag(json_object *obj, const char *key)
{
	json_object *value;

	return json_object_object_get_ex(obj, key, &value) &&
	       json_object_get_boolean(value);
}

json_object *show_member(json_object *obj, const char *key)
{
	json_object *value;

	return json_object_object_get_ex(obj, key, &value) ? value : NULL;
}

size_t show_len(json_object *obj, const char *key)
{
	json_object *a = show_member(obj, key);

	return a ? json_object_array_length(a) : 0;
}

json_object *show_at(json_object *obj, const char *key, size_t i)
{
	return json_object_array_get_idx(show_member(obj, key), i);
}

const char *show_or_dash(const char *text)
{
	return text[0] ? text : "-";
}

const char *show_interval(int64_t seconds, char *buf, size_t len)
{
	int64_t days = seconds / 86400;

	if (days)
		snprintf(buf, len, "%" PRId64 "d%02d:%02d:%02d", days,
			 (int)(seconds / 3600 % 24), (int)(seconds / 60 % 60),
			 (int)(seconds % 60));
	else
		snprintf(buf, len, "%02d:%02d:%02d", (int)(seconds / 3600),
			 (int)(seconds / 60 % 60), (int)(seconds % 60));
	return buf;
}

void show_table(struct vty *vty, struct ttable *tt)
{
	char *out;

	tt->style.cell.rpad = 2;
	tt->style.corner = ' ';
	ttable_restyle(tt);
	ttable_rowseps(tt, 0, BOTTOM, true, '-');
	out = ttable_dump(tt, "\n");
	vty_out(vty, "%s\n", out);
	XFREE(MTYPE_TMP, out);
	ttable_del(tt);
}

int swmesh_show_output(struct vty *vty, json_object *o, bool json,
		       void (*print)(struct vty *vty, json_object *o))
{
	if (json)
		vty_out(vty, "%s\n",
			json_object_to_json_string_ext(
				o, JSON_C_TO_STRING_PRETTY |
					   JSON_C_TO_STRING_NOSLASHESCAPE));
	else
		print(vty, o);
	json_object_free(o);
	return CMD_SUCCESS;
}
