// SPDX-License-Identifier: GPL-2.0-or-later
/* What the commands have in common; see swmesh_cli_util.h. */
#include <zebra.h>

#include "printfrr.h"
#include "vty.h"

#include "swmeshd/model/encap_set.h"
#include "swmeshd/swmesh_cli_util.h"

int swmesh_cli_refuse(struct vty *vty, const char *fmt, ...)
{
	char text[1280];
	va_list ap;

	va_start(ap, fmt);
	vsnprintfrr(text, sizeof(text), fmt, ap);
	va_end(ap);
	vty_out(vty, "%% Configuration failed.\n\nError description: %s\n",
		text);
	return CMD_WARNING_CONFIG_FAILED;
}

bool swmesh_cli_name_ok(const char *name)
{
	size_t len = strlen(name);

	return len && len <= ENCAP_NAME_LEN &&
	       strspn(name,
		      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		      "0123456789_.:-") == len;
}
