// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses of SW-NHOPs; see swmesh_bgp_nhop_key.h. */

#include <zebra.h>

#include <ctype.h>
#include <fcntl.h>
#include <sys/random.h>

#include "lib/log.h"
#include "lib/sha256.h"

#include "bgpd/swmesh_bgp_nhop_key.h"
#include "lib/siphash.h"

#define MACHINE_ID "/etc/machine-id"
#define MACHINE_ID_LEN 32

static uint8_t key[SIPHASH_KEY_LEN];

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
static void key_of_id(const char id[MACHINE_ID_LEN])
{
	static const char label[] = "swmesh sw-nhop";
	uint8_t digest[32];
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	SHA256_Update(&ctx, label, sizeof(label) - 1);
	SHA256_Update(&ctx, id, MACHINE_ID_LEN);
	SHA256_Final(digest, &ctx);
	memcpy(key, digest, sizeof(key));
}

void swmesh_nhop_key_make(void)
{
	char id[MACHINE_ID_LEN];

	if (read_machine_id(id)) {
		key_of_id(id);
		return;
	}
	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		memset(key, 0, sizeof(key));
	zlog_warn(
		"%s has no machine id: SW-NHOPs are others after each start of bgpd, so that a restart interrupts traffic; run systemd-machine-id-setup",
		MACHINE_ID);
}

uint64_t swmesh_nhop_hash(const struct in6_addr *next_hop, bool classic,
			  bool ipv6, const uint8_t *identity, size_t len)
{
	uint8_t kind = classic | ipv6 << 1;
	struct siphash h;

	siphash_init(&h, key);
	siphash_add(&h, next_hop, sizeof(*next_hop));
	siphash_add(&h, &kind, sizeof(kind));
	siphash_add(&h, identity, len);
	return siphash_end(&h);
}

void swmesh_nhop_address(uint64_t hash, const struct prefix_ipv6 *prefix,
			 struct in6_addr *addr)
{
	memcpy(addr, &prefix->prefix, sizeof(*addr));
	for (int bit = MAX(prefix->prefixlen, 64); bit < 128; bit++) {
		uint8_t mask = 0x80 >> (bit % 8);

		if (hash & (1ULL << (127 - bit)))
			addr->s6_addr[bit / 8] |= mask;
		else
			addr->s6_addr[bit / 8] &= ~mask;
	}
}
