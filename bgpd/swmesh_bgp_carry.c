// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attribute 23 into bgpd's tables (B8).
 *
 * bgpd carries an attribute that it does not know in attr->transit and
 * announces it so.  It does know 23, in an older layout, and so _rx has given
 * the attribute a stand-in type with a mark.  Here 23 is put back, before
 * anything of bgpd's has looked: bgp_attr_parse() hands what it has collected
 * to a hash of all such octets (bgp_attr.c:3559, transit_intern()), and the
 * first thing that does is to ask for their key.  Ours is the function that is
 * asked.
 *
 * So bgpd compares, counts, dampens, leaks and announces the very octets that
 * were received, of whatever address family, and the stand-in is nowhere.
 */

#include <zebra.h>

#include <link.h>
#include <sys/uio.h>

#include "lib/hash.h"

#include "bgpd/bgpd.h"
#include "bgpd/bgp_attr.h"

#include "bgpd/swmesh_bgp.h"
#include "bgpd/swmesh_update.h"

/* bgp_attr.c:633. */
#define TRANSIT_HASH_NAME "BGP Transit Hash"

static struct hash *transits;
static unsigned int (*bgpd_key)(const void *);

/* bgp_attr_unknown() has set Partial; the mark tells whether it was before. */
static void put_back(uint8_t *attr)
{
	if ((attr[0] & UPDATE_MARK_MASK) == UPDATE_MARK)
		attr[0] &= ~TEA_ATTR_PARTIAL;
	attr[0] &= ~UPDATE_MARK_MASK;
	attr[1] = TEA_ATTR_TYPE;
}

/*
 * A transit that is in the hash has no stand-in any more: only one that has
 * just come from the wire changes, and nobody else has seen that.
 */
static unsigned int transit_key(const void *p)
{
	const struct transit *transit = p;
	size_t at = 0;
	struct tea_attr attr;

	while (tea_attr_read(transit->val + at, transit->length - at, &attr)) {
		if (update_is_marked(attr.flags, attr.type))
			put_back(transit->val + at);
		at += attr.total;
	}
	return bgpd_key(transit);
}

/* ---- finding the hash ---- */

/* Copy from anywhere; false where there is no memory. */
static bool peek(const void *from, void *to, size_t len)
{
	struct iovec local = {.iov_base = to, .iov_len = len};
	struct iovec remote = {.iov_base = (void *)from, .iov_len = len};

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) ==
	       (ssize_t)len;
}

static bool is_transit_hash(const struct hash *candidate)
{
	char name[sizeof(TRANSIT_HASH_NAME)];
	struct hash copy;

	return peek(candidate, &copy, sizeof(copy)) && copy.hash_key &&
	       copy.hash_cmp && copy.count == attr_unknown_count() &&
	       peek(copy.name, name, sizeof(name)) &&
	       !memcmp(name, TRANSIT_HASH_NAME, sizeof(name));
}

/*
 * The pointer to it is a static variable of bgpd's.  It is looked for among all
 * of the program's variables, by the name that is in the hash: there is one.
 */
static void search(const char *from, const char *to)
{
	struct hash *const *slot = (struct hash *const *)from;

	for (; (const char *)(slot + 1) <= to && !transits; slot++)
		if ((uintptr_t)*slot > 0xffff &&
		    (uintptr_t)*slot % sizeof(void *) == 0 &&
		    is_transit_hash(*slot))
			transits = *slot;
}

/* The program itself comes first; libraries follow. */
static int search_program(struct dl_phdr_info *info, size_t size, void *arg)
{
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		const char *from =
			(const char *)(info->dlpi_addr + ph->p_vaddr);

		if (ph->p_type == PT_LOAD && (ph->p_flags & PF_W))
			search((const char *)(((uintptr_t)from +
					       sizeof(void *) - 1) &
					      ~(sizeof(void *) - 1)),
			       from + ph->p_memsz);
	}
	return 1;
}

bool swmesh_carry_init(void)
{
	dl_iterate_phdr(search_program, NULL);
	if (!transits)
		return false;
	bgpd_key = transits->hash_key;
	transits->hash_key = transit_key;
	return true;
}
