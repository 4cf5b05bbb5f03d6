// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an encap-set compiles to when its tunnels are protected (RFC 5566, S4):
 * the hashes in every TLV that asks for IPsec, the keys once, and RFC 5566's
 * own tunnel types when they are asked for.
 */
#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "memory.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/model/encap_set.h"
#include "swmeshd/security/key_files.h"
#include "swmeshd/swmeshd.h"

DEFINE_MGROUP(SWMESHD, "swmeshd encap-set test");
struct debug swmesh_dbg_events = {0, "events"};

static struct encap_sets_head sets;
static struct securities_head securities;
static struct encap_set *edge;
static struct ipaddr endpoint;

/* A security that announces n keys of len octets each. */
static struct security *add_security(const char *name, unsigned int n,
				     uint16_t len)
{
	struct security *s = security_new(name);

	s->method = n ? IKE_METHOD_RAW : IKE_METHOD_PSK;
	s->n_keys = n;
	for (unsigned int i = 0; i < n; i++) {
		s->keys[i].len = len;
		memset(s->keys[i].spki, 'a' + i, len);
		key_hash(s->keys[i].spki, len, s->keys[i].hash);
	}
	securities_add(&securities, s);
	return s;
}

static struct encap_tunnel *add_tunnel(uint16_t preference, uint16_t type,
				       uint32_t key, const char *security)
{
	struct encap_tunnel *et = encap_tunnel_get(edge, preference);

	et->tunnel.type = type;
	et->tunnel.has_key = key != 0;
	et->tunnel.key = key;
	strlcpy(et->security, security, sizeof(et->security));
	return et;
}

static int setup(void **state)
{
	encap_sets_init(&sets);
	securities_init(&securities);
	edge = encap_set_get(&sets, "EDGE");
	edge->payload = PAYLOAD_IPV4;
	return str2ipaddr("2001:db8:c::1", &endpoint);
}

static int teardown(void **state)
{
	encap_set_del(&sets, edge);
	encap_sets_fini(&sets);
	securities_clear(&securities);
	securities_fini(&securities);
	return 0;
}

static uint8_t octets[ENCAP_TEA_MAX];

static struct tea compile(void)
{
	struct tea_opts opts = {};
	struct tea tea;
	ssize_t len;

	len = encap_set_compile(edge, &securities, &endpoint, octets,
				sizeof(octets));
	assert_true(len > 0);
	assert_int_equal(tea_decode(octets, len, &opts, &tea), TEA_ACCEPT);
	return tea;
}

static unsigned int authenticators(const struct tea_tunnel *tunnel,
				   const struct security *s)
{
	const struct tea_subtlv *sub = NULL;
	unsigned int n = 0;

	while ((sub = tea_tunnel_next(tunnel, TEA_SUB_AUTHENTICATOR, sub))) {
		assert_int_equal(sub->u.auth.type, TEA_AUTH_SHA1);
		assert_int_equal(sub->u.auth.len, KEY_HASH_LEN);
		assert_memory_equal(sub->u.auth.value, s->keys[n].hash,
				    KEY_HASH_LEN);
		n++;
	}
	return n;
}

static unsigned int public_keys(const struct tea_tunnel *tunnel,
				const struct security *s)
{
	const struct tea_subtlv *sub = NULL;
	const uint8_t *spki;
	unsigned int n = 0;
	size_t len;

	while ((sub = tea_tunnel_public_key(tunnel, sub, &spki, &len))) {
		assert_int_equal(len, s->keys[n].len);
		assert_memory_equal(spki, s->keys[n].spki, len);
		n++;
	}
	return n;
}

static void test_keys(void **state)
{
	struct security *s = add_security("CORE", 2, 44);
	struct tea tea;

	strlcpy(edge->security, "CORE", sizeof(edge->security));
	add_tunnel(10, TEA_TYPE_GRE, 100, "");
	add_tunnel(20, TEA_TYPE_IPIP, 0, "");
	tea = compile();
	assert_int_equal(tea.n_tunnels, 2);
	assert_int_equal(authenticators(&tea.tunnels[0], s), 2);
	assert_int_equal(authenticators(&tea.tunnels[1], s), 2);
	assert_int_equal(public_keys(&tea.tunnels[0], s), 2);
	assert_int_equal(public_keys(&tea.tunnels[1], s), 0);
	tea_free(&tea);
}

static void test_one_tunnel_alone(void **state)
{
	struct security *s = add_security("CORE", 1, 44);
	struct tea tea;

	/* Its own security, and none within a set that has one. */
	add_tunnel(10, TEA_TYPE_GRE, 0, "");
	add_tunnel(20, TEA_TYPE_IPIP, 0, "CORE");
	tea = compile();
	assert_int_equal(authenticators(&tea.tunnels[0], s), 0);
	assert_int_equal(public_keys(&tea.tunnels[0], s), 0);
	assert_int_equal(authenticators(&tea.tunnels[1], s), 1);
	assert_int_equal(public_keys(&tea.tunnels[1], s), 1);
	tea_free(&tea);
	strlcpy(edge->security, "CORE", sizeof(edge->security));
	add_tunnel(10, TEA_TYPE_GRE, 0, SECURITY_NONE);
	tea = compile();
	assert_int_equal(authenticators(&tea.tunnels[0], s), 0);
	assert_int_equal(authenticators(&tea.tunnels[1], s), 1);
	tea_free(&tea);
}

/* Without keys to announce, our own sub-TLV says that the tunnel is protected:
 * with a group key, and with a name that is not there. What has keys has their
 * hashes instead, and what is not protected neither. */
static void test_no_keys(void **state)
{
	struct security *s = add_security("CORE", 0, 0);
	struct tea tea;

	add_security("KEYS", 1, 44);
	add_tunnel(10, TEA_TYPE_GRE, 0, "CORE");
	add_tunnel(20, TEA_TYPE_IPIP, 0, "GONE");
	add_tunnel(30, TEA_TYPE_GRE, 1, "KEYS");
	add_tunnel(40, TEA_TYPE_GRE, 2, "");
	tea = compile();
	assert_int_equal(tea.n_tunnels, 4);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(authenticators(&tea.tunnels[i], s), 0);
		assert_int_equal(public_keys(&tea.tunnels[i], s), 0);
		assert_true(tea_tunnel_is_protected(&tea.tunnels[i]));
	}
	assert_false(tea_tunnel_is_protected(&tea.tunnels[2]));
	assert_false(tea_tunnel_is_protected(&tea.tunnels[3]));
	tea_free(&tea);
}

/* Types 4 and 5 stand for IP in IP inside ESP, and are sent on request only. */
static void test_rfc5566(void **state)
{
	static const uint16_t types[] = {TEA_TYPE_GRE, TEA_TYPE_IPIP,
					 TEA_TYPE_IPIP_IPSEC,
					 TEA_TYPE_IPSEC_TUNNEL};
	struct security *s = add_security("CORE", 1, 44);
	struct tea tea;

	strlcpy(edge->security, "CORE", sizeof(edge->security));
	add_tunnel(10, TEA_TYPE_GRE, 0, "");
	add_tunnel(20, TEA_TYPE_IPIP, 0, "");
	edge->rfc5566 = true;
	tea = compile();
	assert_int_equal(tea.n_tunnels, array_size(types));
	for (size_t i = 0; i < array_size(types); i++) {
		assert_int_equal(tea.tunnels[i].type, types[i]);
		assert_int_equal(authenticators(&tea.tunnels[i], s), 1);
		assert_int_equal(public_keys(&tea.tunnels[i], s), i == 0);
	}
	tea_free(&tea);
	edge->rfc5566 = false;
	tea = compile();
	assert_int_equal(tea.n_tunnels, 2);
	tea_free(&tea);
	/* Not of what is not protected. */
	edge->rfc5566 = true;
	edge->security[0] = '\0';
	tea = compile();
	assert_int_equal(tea.n_tunnels, 2);
	tea_free(&tea);
}

/* Four of the longest keys and all that can be announced still fit into what
 * bgpd's module takes; less room is told, and nothing written past it. */
static void test_length(void **state)
{
	uint8_t small[600];
	struct tea tea;

	add_security("CORE", KEYS_ANNOUNCED_MAX, KEY_SPKI_MAX);
	strlcpy(edge->security, "CORE", sizeof(edge->security));
	edge->rfc5566 = true;
	edge->payload |= PAYLOAD_IPV6;
	for (unsigned int i = 1; i < LOCAL_TUNNELS_MAX; i++)
		add_tunnel(i, TEA_TYPE_GRE, i, "");
	add_tunnel(LOCAL_TUNNELS_MAX, TEA_TYPE_IPIP, 0, "");
	tea = compile();
	assert_int_equal(tea.n_tunnels, LOCAL_TUNNELS_MAX + 2);
	tea_free(&tea);
	for (size_t cap = 0; cap < sizeof(small); cap++)
		assert_int_equal(encap_set_compile(edge, &securities, &endpoint,
						   small, cap),
				 -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_tunnel_alone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_no_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rfc5566, setup, teardown),
		cmocka_unit_test_setup_teardown(test_length, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
