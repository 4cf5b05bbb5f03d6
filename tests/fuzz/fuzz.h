/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the libFuzzer targets have in common. */
#ifndef SWMESH_FUZZ_H
#define SWMESH_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer calls it for each input; it has to return 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PROMISE(what)                                                          \
	do {                                                                   \
		if (!(what)) {                                                 \
			fprintf(stderr, "line %d: not so: %s\n", __LINE__,     \
				#what);                                        \
			abort();                                               \
		}                                                              \
	} while (0)

#endif /* SWMESH_FUZZ_H */
