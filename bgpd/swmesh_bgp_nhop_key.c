// SPDX-License-Identifier: GPL-2.0-or-later
/* The key of SW-NHOPs; see swmesh_bgp_nhop_key.h. */

#include <zebra.h>

#include <ctype.h>
#include <fcntl.h>
#include <sys/random.h>

#include "lib/log.h"
#include "lib/sha256.h"

#include "bgpd/swmesh_bgp_nhop_key.h"

#define MACHINE_ID "/etc/machine-id"
#define MACHINE_ID_LEN 32

bool swmesh_machine_id_valid(const char *text, size_t len)
{
	if (len == MACHINE_ID_LEN + 1 && text[MACHINE_ID_LEN] == '\n')
		len--;
	if (len != MACHINE_ID_LEN)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isxdigit((unsigned char)text[i]))
			return false;
	return true;
}

static bool read_machine_id(char id[MACHINE_ID_LEN])
{
	char text[MACHINE_ID_LEN + 2];
	int fd = open(MACHINE_ID, O_RDONLY | O_CLOEXEC);
	ssize_t len = -1;

	if (fd >= 0) {
		len = read(fd, text, sizeof(text));
		close(fd);
	}
	if (len < 0 || !swmesh_machine_id_valid(text, len))
		return false;
	memcpy(id, text, MACHINE_ID_LEN);
	return true;
}

/* As it was when the first release was made: the address has to stay. */
static void key_of_id(const char id[MACHINE_ID_LEN],
		      uint8_t key[SIPHASH_KEY_LEN])
{
	static const char label[] = "swmesh sw-nhop";
	uint8_t digest[32];
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	SHA256_Update(&ctx, label, sizeof(label) - 1);
	SHA256_Update(&ctx, id, MACHINE_ID_LEN);
	SHA256_Final(digest, &ctx);
	memcpy(key, digest, SIPHASH_KEY_LEN);
}

void swmesh_nhop_key_make(uint8_t key[SIPHASH_KEY_LEN])
{
	char id[MACHINE_ID_LEN];

	if (read_machine_id(id)) {
		key_of_id(id, key);
		return;
	}
	if (getrandom(key, SIPHASH_KEY_LEN, 0) != SIPHASH_KEY_LEN)
		memset(key, 0, SIPHASH_KEY_LEN);
	zlog_warn(
		"%s has no machine id: SW-NHOPs are others after each start of bgpd, so that a restart interrupts traffic; run systemd-machine-id-setup",
		MACHINE_ID);
}
