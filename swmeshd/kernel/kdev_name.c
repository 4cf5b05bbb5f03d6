// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of tunnel devices; see kernel/kdev_name.h. */
#include <zebra.h>

#include <ctype.h>

#include "swmeshd/kernel/kdev_name.h"

#define PREFIX "sw"

typedef uint8_t number_set[KDEV_NAME_MAX / 8 + 1];

static number_set ours, foreign;
/* All numbers below are in use. */
static unsigned int lowest = 1;

static bool is_in(const number_set set, unsigned int n)
{
	return set[n / 8] & (1u << (n % 8));
}

static unsigned int next_free(void)
{
	for (unsigned int n = lowest; n <= KDEV_NAME_MAX; n++)
		if (!is_in(ours, n) && !is_in(foreign, n))
			return n;
	return 0;
}

unsigned int kdev_name_choose(void)
{
	unsigned int n = next_free();

	if (!n) {
		memset(foreign, 0, sizeof(foreign));
		lowest = 1;
		n = next_free();
	}
	lowest = n ? n : KDEV_NAME_MAX + 1;
	return n;
}

const char *kdev_name_text(unsigned int n, char *buf, size_t len)
{
	snprintf(buf, len, PREFIX "%u", n);
	return buf;
}

unsigned int kdev_name_number(const char *name)
{
	unsigned long n;
	char *end;

	if (strncmp(name, PREFIX, strlen(PREFIX)))
		return 0;
	name += strlen(PREFIX);
	if (!isdigit((unsigned char)*name) || *name == '0')
		return 0;
	n = strtoul(name, &end, 10);
	return *end || n > KDEV_NAME_MAX ? 0 : n;
}

void kdev_name_take(unsigned int n)
{
	if (n)
		ours[n / 8] |= 1u << (n % 8);
}

void kdev_name_release(unsigned int n)
{
	if (!n)
		return;
	ours[n / 8] &= ~(1u << (n % 8));
	lowest = MIN(lowest, n);
}

void kdev_name_foreign(unsigned int n)
{
	if (n)
		foreign[n / 8] |= 1u << (n % 8);
}
