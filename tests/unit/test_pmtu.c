// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which ICMP messages lower a softwire's MTU, and which do not: those that
 * quote no packet of ours, and those that are cut off anywhere.
 */
#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "checksum.h"
#include "privs.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/model/model.h"
#include "swmeshd/kernel/pmtu.h"
#include "swmeshd/swmeshd.h"

DEFINE_MGROUP(SWMESHD, "swmeshd PMTU test");
struct debug swmesh_dbg_events = {0, "events"};
struct thread_master *master;
struct zebra_privs_t swmesh_privs;
struct mesh *swmesh;

/* The one SA by which we send GRE to the AFBR. */
#define SPI 0xc0010203
static uint8_t sa_protocol;

static bool sends(const struct softwire *sw, uint8_t protocol, uint32_t spi)
{
	return sw->tunnel.type == TEA_TYPE_GRE && protocol == sa_protocol &&
	       spi == SPI;
}

static const struct mesh_ops ops = {.sa_sends = sends};

/* RFC 4443 section 3.2: type 2, code 0, checksum, MTU 1400; then what we sent
 * (RFC 8200, RFC 2890): 2001:db8:c::1 to 2001:db8:c::2, GRE with key 200. */
static const uint8_t good[] = {
	2,    0,    0x12, 0x34, 0, 0,	 0x05, 0x78, /* ICMPv6 */
	0x60, 0,    0,	  0,	0, 8,	 47,   64,   /* IPv6 */
	0x20, 0x01, 0x0d, 0xb8, 0, 0x0c, 0,    0,    /* source */
	0,    0,    0,	  0,	0, 0,	 0,    1,    /* */
	0x20, 0x01, 0x0d, 0xb8, 0, 0x0c, 0,    0,    /* destination */
	0,    0,    0,	  0,	0, 0,	 0,    2,    /* */
	0x20, 0,    0x08, 0,	0, 0,	 0,    200,  /* GRE */
};
#define AT_MTU 4
#define AT_NEXT_HEADER 14
#define AT_SOURCE_END 31
#define AT_DEST_END 47
#define AT_GRE 48
#define AT_KEY_END 55

static struct mesh mesh;
static struct afbr afbr;
static struct softwire gre;

static int setup(void **state)
{
	memset(&mesh, 0, sizeof(mesh));
	mesh.ops = &ops;
	memset(&afbr, 0, sizeof(afbr));
	memset(&gre, 0, sizeof(gre));
	afbr_table_init(&mesh.afbrs);
	assert_int_equal(str2ipaddr("2001:db8:c::1", &mesh.local_source), 0);
	assert_int_equal(str2ipaddr("2001:db8:c::2", &afbr.addr), 0);
	afbr_table_add(&mesh.afbrs, &afbr);
	afbr_softwires_init(&afbr.softwires);
	afbr_softwires_add_tail(&afbr.softwires, &gre);
	gre.afbr = &afbr;
	afbr.mesh = &mesh;
	gre.tunnel.type = TEA_TYPE_GRE;
	gre.tunnel.has_key = true;
	gre.tunnel.key = 100;
	gre.peer_has = true;
	gre.has_okey = true;
	gre.okey = 200;
	return 0;
}

static int teardown(void **state)
{
	afbr_softwires_del(&afbr.softwires, &gre);
	afbr_table_del(&mesh.afbrs, &afbr);
	afbr_table_fini(&mesh.afbrs);
	return 0;
}

/* From memory of exactly that size, so that a sanitizer sees a read beyond. */
static struct softwire *parse(const uint8_t *msg, size_t len, uint32_t *mtu)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct softwire *sw;

	memcpy(copy, msg, len);
	sw = swmesh_pmtu_parse(&mesh, copy, len, mtu);
	free(copy);
	return sw;
}

/* The good message with one octet changed. */
static struct softwire *parse_with(size_t at, uint8_t octet)
{
	uint8_t msg[sizeof(good)];
	uint32_t mtu;

	memcpy(msg, good, sizeof(msg));
	msg[at] = octet;
	return parse(msg, sizeof(msg), &mtu);
}

static void test_accepted(void **state)
{
	uint32_t mtu;

	assert_ptr_equal(parse(good, sizeof(good), &mtu), &gre);
	assert_int_equal(mtu, 1400);
}

/* RFC 8201 section 4: nothing lowers it below what every link has. */
static void test_minimum(void **state)
{
	uint8_t msg[sizeof(good)];
	uint32_t mtu;

	memcpy(msg, good, sizeof(msg));
	memset(msg + AT_MTU, 0, 4);
	assert_ptr_equal(parse(msg, sizeof(msg), &mtu), &gre);
	assert_int_equal(mtu, 1280);
}

static void test_not_ours(void **state)
{
	assert_null(parse_with(0, 1)); /* destination unreachable */
	assert_null(parse_with(AT_NEXT_HEADER, 41));
	assert_null(parse_with(AT_SOURCE_END, 9));
	assert_null(parse_with(AT_DEST_END, 9));
	assert_null(parse_with(AT_GRE, 0));	  /* no key */
	assert_null(parse_with(AT_KEY_END, 100)); /* the one we receive with */
	gre.peer_has = false;
	assert_null(parse_with(0, 2));
}

/* With one key for both directions, too: the kernel learns, the device has to
 * follow all the same. */
static void test_equal_keys(void **state)
{
	gre.tunnel.key = 200;
	assert_ptr_equal(parse_with(0, 2), &gre);
}

/* IPv4 and IPv6 in IPv6; nothing else is of it. */
static void test_ip_in_ip(void **state)
{
	gre.tunnel.type = TEA_TYPE_IPIP;
	gre.tunnel.has_key = gre.has_okey = false;
	assert_ptr_equal(parse_with(AT_NEXT_HEADER, IPPROTO_IPIP), &gre);
	assert_ptr_equal(parse_with(AT_NEXT_HEADER, IPPROTO_IPV6), &gre);
	assert_null(parse_with(AT_NEXT_HEADER, IPPROTO_GRE));
	assert_null(parse_with(AT_NEXT_HEADER, IPPROTO_ESP));
}

/* Nothing in clear is sent by it, so nobody can have met such a packet; ESP and
 * AH by our SA count (RFC 4303 section 2, RFC 4302 section 2). */
static void test_protected(void **state)
{
	static struct security security;
	uint8_t msg[sizeof(good)];
	uint32_t mtu;

	gre.security = &security;
	assert_null(parse_with(0, 2));

	memcpy(msg, good, sizeof(msg));
	for (int ah = 0; ah < 2; ah++) {
		sa_protocol = ah ? IPPROTO_AH : IPPROTO_ESP;
		msg[AT_NEXT_HEADER] = sa_protocol;
		memset(msg + AT_GRE, 0, 8);
		memcpy(msg + AT_GRE + (ah ? 4 : 0), "\xc0\x01\x02\x03", 4);
		assert_ptr_equal(parse(msg, sizeof(msg), &mtu), &gre);
		assert_int_equal(mtu, 1400);
		assert_null(parse(msg, AT_GRE + (ah ? 7 : 3), &mtu));
		msg[AT_NEXT_HEADER] = ah ? IPPROTO_ESP : IPPROTO_AH;
		assert_null(parse(msg, sizeof(msg), &mtu));
		msg[AT_NEXT_HEADER] = sa_protocol;
		msg[AT_GRE + (ah ? 7 : 3)]++;
		assert_null(parse(msg, sizeof(msg), &mtu));
		msg[AT_GRE + (ah ? 7 : 3)]--;
		gre.security = NULL;
		assert_null(parse(msg, sizeof(msg), &mtu));
		gre.security = &security;
	}
	gre.security = NULL;
}

/* The key comes after the checksum, where there is one (RFC 2890). */
static void test_checksum(void **state)
{
	uint8_t msg[sizeof(good) + 4];
	uint32_t mtu;

	memcpy(msg, good, sizeof(good));
	msg[AT_GRE] = 0xa0;
	memset(msg + AT_GRE + 4, 0, 4);
	memcpy(msg + AT_GRE + 8, good + AT_GRE + 4, 4);
	assert_ptr_equal(parse(msg, sizeof(msg), &mtu), &gre);
	assert_null(parse(msg, sizeof(msg) - 1, &mtu));
}

static void test_cut_off(void **state)
{
	uint32_t mtu;

	for (size_t len = 0; len < sizeof(good); len++)
		assert_null(parse(good, len, &mtu));
}

/* ---- over an IPv4 core ---- */

/* From a router; type 3, code 4, checksum, MTU 600 (RFC 1191); then what we
 * sent: 192.0.2.1 to 192.0.2.2, GRE with key 200. */
static const uint8_t good4[] = {
	0x45, 0, 0,    56,   0,	  0, 0,	   0,	64, 1,	0,    0,
	10,   0, 0,    9,					    /* router */
	192,  0, 2,    1,    3,	  4, 0,	   0,	0,  0,	0x02, 0x58, /* ICMP */
	0x45, 0, 0x05, 0,    0,	  0, 0x40, 0,	64, 47, 0,    0,    /* IPv4 */
	192,  0, 2,    1,    192, 0, 2,	   2,			    /* */
	0x20, 0, 0x86, 0xdd, 0,	  0, 0,	   200,			    /* GRE */
};
#define AT4_ICMP 20
#define AT4_CHECKSUM 22
#define AT4_MTU 26
#define AT4_QUOTED 28
#define AT4_SOURCE_END 43
#define AT4_DEST_END 47
#define AT4_KEY_END 55

static int setup4(void **state)
{
	setup(state);
	assert_int_equal(str2ipaddr("192.0.2.1", &mesh.local_source), 0);
	afbr_table_del(&mesh.afbrs, &afbr);
	assert_int_equal(str2ipaddr("192.0.2.2", &afbr.addr), 0);
	afbr_table_add(&mesh.afbrs, &afbr);
	return 0;
}

/* The first `len` octets of the good message with one octet changed, and the
 * checksum right; from memory of exactly that size. */
static struct softwire *parse4(size_t at, uint8_t octet, size_t len,
			       uint32_t *mtu)
{
	uint8_t *msg = malloc(len ? len : 1);
	struct softwire *sw;
	uint16_t sum;

	memcpy(msg, good4, len);
	if (at < len)
		msg[at] = octet;
	if (len >= AT4_CHECKSUM + sizeof(sum)) {
		sum = in_cksum(msg + AT4_ICMP, len - AT4_ICMP);
		memcpy(msg + AT4_CHECKSUM, &sum, sizeof(sum));
		if (at == AT4_CHECKSUM)
			msg[at] ^= octet;
	}
	sw = swmesh_pmtu_parse4(&mesh, msg, len, mtu);
	free(msg);
	return sw;
}

static void test_ipv4(void **state)
{
	const size_t all = sizeof(good4);
	uint32_t mtu;

	assert_ptr_equal(parse4(0, good4[0], all, &mtu), &gre);
	assert_int_equal(mtu, 600);
	/* The least that counts; none is told. */
	assert_ptr_equal(parse4(AT4_MTU, 0, all, &mtu), &gre);
	assert_int_equal(mtu, 552);
	assert_ptr_equal(parse4(AT4_MTU, 0x05, all, &mtu), &gre);
	assert_int_equal(mtu, 0x0558);
	for (size_t len = 0; len < all; len++)
		assert_null(parse4(0, good4[0], len, &mtu));
	assert_null(parse4(AT4_CHECKSUM, 1, all, &mtu));
	assert_null(parse4(AT4_ICMP, 11, all, &mtu));	 /* time exceeded */
	assert_null(parse4(AT4_ICMP + 1, 3, all, &mtu)); /* port */
	assert_null(parse4(AT4_SOURCE_END, 9, all, &mtu));
	assert_null(parse4(AT4_DEST_END, 9, all, &mtu));
	assert_null(parse4(AT4_KEY_END, 100, all, &mtu));
	/* Header lengths that are none, or lead beyond the end. */
	assert_null(parse4(0, 0x44, all, &mtu));
	assert_null(parse4(AT4_QUOTED, 0x44, all, &mtu));
	assert_null(parse4(AT4_QUOTED, 0x4f, all, &mtu));
}

/* What was learned counts where it is the smaller one. */
static void test_path_mtu(void **state)
{
	afbr.path.mtu = 1500;
	assert_int_equal(softwire_mtu(&gre), 1500 - 48);
	gre.core_mtu = 1400;
	assert_int_equal(softwire_mtu(&gre), 1400 - 48);
	afbr.path.mtu = 1300;
	assert_int_equal(softwire_path_mtu(&gre), 1300);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_accepted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_minimum, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ip_in_ip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_protected, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_equal_keys, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_checksum, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_off, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ipv4, setup4, teardown),
		cmocka_unit_test_setup_teardown(test_path_mtu, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
