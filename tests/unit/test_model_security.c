// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The model's protected softwires: order of things, what AFBRs announce of
 * their keys, and that nothing is sent before it is protected (S5, S6, S9).
 */
#include "tests/unit/model_scenery.h"

#include "swmeshd/security/key_files.h"
#include "swmeshd/model/select.h"

#define PEER "2001:db8:c::2"
#define KEY_A "the first public key"
#define KEY_B "the second public key"

static const struct tlv plain[] = {{TEA_TYPE_GRE, 200, PEER}, {0}};

static void protect(const char *name)
{
	if (!security_find(&mesh.securities, name))
		securities_add(&mesh.securities, security_new(name));
	strlcpy(encap_set_get(&mesh.sets, "EDGE")->security, name,
		SECURITY_NAME_LEN + 1);
	mesh_config_changed(&mesh);
	mesh_run(&mesh);
}

/* Guard, device, SA, route: each only when the one before is there. */
static void test_order(void **state)
{
	struct demand *demand;
	struct softwire *sw;

	protect("CORE");
	guard_ok = false;
	demand = ask(1, PEER, plain);
	path(PEER, true, false, 1500);
	sw = softwire(PEER, TEA_TYPE_GRE, 100);
	assert_int_equal(sw->state, SOFTWIRE_FAILING);
	assert_string_equal(sw->error, "no guard");
	assert_int_equal(devices, 0);

	guard_ok = true;
	device_ready = false;
	softwire_event(sw, SOFTWIRE_EV_RETRY, NULL);
	assert_int_equal(sw->state, SOFTWIRE_WAIT_DEVICE);
	assert_int_equal(devices, 1);
	assert_int_equal(sas, 0);

	softwire_event(sw, SOFTWIRE_EV_DEVICE_READY, NULL);
	assert_int_equal(sw->state, SOFTWIRE_WAIT_SA);
	assert_int_equal(sas, 1);
	mesh_run(&mesh);
	assert_null(demand->via);
	assert_non_null(strstr(demand->reason, "IKE is setting up"));

	softwire_event(sw, SOFTWIRE_EV_SA_FAILED, "wrong group key");
	mesh_run(&mesh);
	assert_null(demand->via);
	assert_non_null(strstr(demand->reason, "wrong group key"));

	softwire_event(sw, SOFTWIRE_EV_SA_READY, NULL);
	mesh_run(&mesh);
	assert_ptr_equal(demand->via, sw);
	assert_string_equal(sw->error, "");
}

/* A device is made anew while the backend has nothing new to tell: the softwire
 * goes on showing why it waits. */
static void test_reason_stays(void **state)
{
	char text[MESH_REASON_LEN];
	struct softwire *sw;

	protect("CORE");
	ask(1, PEER, plain);
	path(PEER, true, false, 1500);
	sw = softwire(PEER, TEA_TYPE_GRE, 100);
	sa_error = "charon does not answer";
	softwire_event(sw, SOFTWIRE_EV_SA_FAILED, sa_error);
	softwire_event(sw, SOFTWIRE_EV_DEVICE_LOST, "someone deleted it");
	assert_int_equal(sw->state, SOFTWIRE_WAIT_SA);
	assert_string_equal(softwire_reason(sw, text, sizeof(text)), sa_error);
}

static void test_lost(void **state)
{
	struct demand *demand;
	struct softwire *sw;

	protect("CORE");
	sa_ready = true;
	demand = ask(1, PEER, plain);
	path(PEER, true, false, 1500);
	sw = softwire(PEER, TEA_TYPE_GRE, 100);
	assert_ptr_equal(demand->via, sw);
	softwire_event(sw, SOFTWIRE_EV_SA_LOST, "the kernel lost it");
	mesh_run(&mesh);
	assert_null(demand->via);
	assert_null(last_route);
	softwire_event(sw, SOFTWIRE_EV_SA_READY, NULL);
	mesh_run(&mesh);
	assert_ptr_equal(demand->via, sw);
	demand_del(demand);
	mesh_run(&mesh);
	assert_true(sa_releases >= 2); /* gre and ip-in-ip */
}

/* What was in clear goes down at once when it is to be protected. */
static void test_becomes_protected(void **state)
{
	struct demand *demand = ask(1, PEER, plain);
	struct softwire *sw;
	unsigned int before;

	path(PEER, true, false, 1500);
	sw = softwire(PEER, TEA_TYPE_GRE, 100);
	assert_ptr_equal(demand->via, sw);
	before = guards;
	protect("CORE");
	assert_true(guards > before);
	assert_int_equal(sw->state, SOFTWIRE_WAIT_SA);
	assert_null(demand->via);
}

/* A security that is not there must not mean no security. */
static void test_unknown_security(void **state)
{
	struct demand *demand = ask(1, PEER, plain);

	path(PEER, true, false, 1500);
	strlcpy(encap_set_get(&mesh.sets, "EDGE")->security, "NOWHERE",
		SECURITY_NAME_LEN + 1);
	mesh_config_changed(&mesh);
	mesh_run(&mesh);
	assert_null(softwire(PEER, TEA_TYPE_GRE, 100));
	assert_null(demand->via);
}

/* S6: who asks for IPsec gets nothing in clear. */
static void test_asks_for_ipsec(void **state)
{
	static const struct tlv auth[] = {
		{TEA_TYPE_GRE, 200, PEER, 0, KEY_A, true}, {0}};
	static const struct tlv type5[] = {{TEA_TYPE_IPIP_IPSEC, 0, PEER}, {0}};
	struct demand *demand = ask(1, PEER, auth);

	path(PEER, true, false, 1500);
	assert_null(demand->via);
	assert_non_null(strstr(demand->reason, "asks for IPsec"));
	demand = ask(2, PEER, type5);
	assert_null(demand->via);
	assert_non_null(strstr(demand->reason, "asks for IPsec"));
	protect("CORE");
	softwire_event(softwire(PEER, TEA_TYPE_IPIP, 0), SOFTWIRE_EV_SA_READY,
		       NULL);
	mesh_run(&mesh);
	assert_ptr_equal(demand->via, softwire(PEER, TEA_TYPE_IPIP, 0));
	assert_int_equal(demand->via_type, TEA_TYPE_IPIP_IPSEC);
}

/* S6: likewise where an AFBR without keys says that it is protected. Our tunnel
 * does not come up without security, and does when the AFBR takes it in clear.
 */
static void test_protected_by_group_key(void **state)
{
	static const struct tlv marked[] = {
		{TEA_TYPE_GRE, 200, PEER, .protected = true},
		{TEA_TYPE_IPIP, 0, PEER, .protected = true},
		{0}};
	static const struct tlv half[] = {
		{TEA_TYPE_GRE, 200, PEER, .protected = true},
		{TEA_TYPE_IPIP, 0, PEER},
		{0}};
	struct demand *demand = ask(1, PEER, marked);
	struct softwire *gre, *ipip;
	char text[MESH_REASON_LEN];

	path(PEER, true, false, 1500);
	gre = softwire(PEER, TEA_TYPE_GRE, 100);
	ipip = softwire(PEER, TEA_TYPE_IPIP, 0);
	assert_null(demand->via);
	assert_non_null(strstr(demand->reason, "asks for IPsec"));
	assert_int_equal(gre->state, SOFTWIRE_WAIT_SA);
	assert_int_equal(ipip->state, SOFTWIRE_WAIT_SA);
	softwire_reason(gre, text, sizeof(text));
	assert_non_null(strstr(text, "asks for IPsec"));

	ask(1, PEER, half);
	assert_int_equal(gre->state, SOFTWIRE_WAIT_SA);
	assert_int_equal(ipip->state, SOFTWIRE_UP);
	assert_ptr_equal(demand->via, ipip);

	/* It asks for IPsec while we send in clear: that ends at once. */
	ask(1, PEER, marked);
	assert_int_equal(ipip->state, SOFTWIRE_WAIT_SA);
	assert_null(demand->via);

	sa_ready = true;
	protect("CORE");
	assert_int_equal(gre->state, SOFTWIRE_UP);
	assert_ptr_equal(demand->via, gre);

	/* The operator's accident: the line 'security' is lost. */
	encap_set_get(&mesh.sets, "EDGE")->security[0] = '\0';
	mesh_config_changed(&mesh);
	mesh_run(&mesh);
	assert_int_equal(gre->state, SOFTWIRE_WAIT_SA);
	assert_null(demand->via);
}

static void unprotect(bool meant)
{
	struct encap_set *edge = encap_set_get(&mesh.sets, "EDGE");

	edge->security[0] = '\0';
	edge->clear = meant;
	mesh_config_changed(&mesh);
	mesh_run(&mesh);
}

/* S6: an AFBR whose announcement does not tell (an older swmesh with a group
 * key): that it was protected counts, until the operator says 'none'. */
static void test_protected_before(void **state)
{
	struct demand *demand;
	struct softwire *sw;

	protect("CORE");
	demand = ask(1, PEER, plain);
	path(PEER, true, false, 1500);
	sw = softwire(PEER, TEA_TYPE_GRE, 100);

	/* No SA was ever up: nothing is known of it. */
	unprotect(false);
	assert_ptr_equal(demand->via, sw);

	sa_ready = true;
	protect("CORE");
	assert_ptr_equal(demand->via, sw);
	unprotect(false);
	assert_int_equal(sw->state, SOFTWIRE_WAIT_SA);
	assert_null(demand->via);
	assert_non_null(strstr(demand->reason, "was protected before"));

	unprotect(true);
	assert_int_equal(sw->state, SOFTWIRE_UP);
	assert_ptr_equal(demand->via, sw);
}

/* GRE that says it wants IPsec. */
static const struct tlv marked_gre[] = {
	{TEA_TYPE_GRE, 200, PEER, .protected = true},
	{0}};

/* An AFBR that has once announced it tells by that when it wants it no more. */
static void test_protected_before_and_says_so(void **state)
{
	struct demand *demand;

	protect("CORE");
	sa_ready = true;
	demand = ask(1, PEER, plain);
	path(PEER, true, false, 1500);
	ask(1, PEER, marked_gre);
	unprotect(false);
	assert_non_null(strstr(demand->reason, "asks for IPsec"));
	protect("CORE");
	ask(1, PEER, plain);
	assert_non_null(demand->via);
	unprotect(false);
	assert_non_null(demand->via);
}

/* ... also where its first announcement, from before it had its own line
 * `security`, lingers beside that one while the first SA comes up. */
static void test_says_so_beside_the_first(void **state)
{
	struct demand *demand;

	protect("CORE");
	sa_ready = true;
	demand = ask(1, PEER, plain);
	path(PEER, true, false, 1500);
	assert_non_null(demand->via);
	ask(2, PEER, marked_gre);
	ask(2, PEER, plain);
	unprotect(false);
	assert_non_null(demand->via);
}

/* The filter, which is brought about later and by itself, is told of a softwire
 * that is up and stays so while its security and what it sends with change. */
static void test_filter_is_told(void **state)
{
	static const struct tlv other_key[] = {{TEA_TYPE_GRE, 201, PEER}, {0}};
	struct softwire *sw;
	unsigned int before;

	ask(1, PEER, plain);
	path(PEER, true, false, 1500);
	sw = softwire(PEER, TEA_TYPE_GRE, 100);
	sa_ready = true;
	before = softwire_changes;
	protect("CORE");
	assert_int_equal(sw->state, SOFTWIRE_UP);
	assert_true(softwire_changes > before);

	before = softwire_changes;
	unprotect(true);
	assert_int_equal(sw->state, SOFTWIRE_UP);
	assert_true(softwire_changes > before);

	before = softwire_changes;
	ask(1, PEER, other_key);
	assert_int_equal(sw->state, SOFTWIRE_UP);
	assert_true(softwire_changes > before);
}

/* peer policy protected: a tunnel without security is as good as none. */
static void test_protected_only(void **state)
{
	struct encap_set *edge = encap_set_get(&mesh.sets, "EDGE");
	struct demand *demand = ask(1, PEER, plain);
	struct ipaddr source = mesh.config.source;
	uint8_t buf[ENCAP_TEA_MAX];

	path(PEER, true, false, 1500);
	assert_non_null(demand->via);
	edge->protected_only = true;
	unprotect(true);
	assert_null(demand->via);
	assert_null(softwire(PEER, TEA_TYPE_GRE, 100));
	assert_int_equal(devices, 0);
	assert_non_null(strstr(encap_set_missing(edge), "peer policy"));

	strlcpy(encap_tunnel_get(edge, 10)->security, "CORE",
		SECURITY_NAME_LEN + 1);
	securities_add(&mesh.securities, security_new("CORE"));
	sa_ready = true;
	mesh_config_changed(&mesh);
	mesh_run(&mesh);
	assert_ptr_equal(demand->via, softwire(PEER, TEA_TYPE_GRE, 100));
	assert_null(softwire(PEER, TEA_TYPE_IPIP, 0));
	assert_null(encap_set_missing(edge));
	assert_true(encap_set_compile(edge, &mesh.securities, &source, buf,
				      sizeof(buf)) > 0);
	assert_int_equal(buf[1], TEA_TYPE_GRE);
	assert_int_equal(buf[2] << 8 | buf[3],
			 encap_set_compile(edge, &mesh.securities, &source, buf,
					   sizeof(buf)) -
				 4); /* one TLV */
}

/* S5: a key counts where its hash is announced, and no longer. */
static void test_keys(void **state)
{
	static const struct tlv one[] = {
		{TEA_TYPE_GRE, 200, PEER, 0, KEY_A, true},
		{TEA_TYPE_IPIP, 0, PEER, 0, KEY_A, false},
		{0}};
	static const struct tlv both[] = {
		{TEA_TYPE_GRE, 200, PEER, 0, KEY_A, true},
		{TEA_TYPE_IPIP, 0, PEER, 0, KEY_B, true},
		{0}};
	static const struct tlv other[] = {
		{TEA_TYPE_GRE, 200, PEER, 0, KEY_B, false}, {0}};
	struct afbr *afbr;
	uint8_t hash[KEY_HASH_LEN];

	protect("CORE");
	ask(1, PEER, one);
	afbr = path(PEER, true, false, 1500);
	key_hash((const uint8_t *)KEY_A, strlen(KEY_A), hash);
	assert_int_equal(afbr->auth.n, 1);
	assert_memory_equal(afbr->auth.keys[0]->hash, hash, sizeof(hash));
	assert_int_equal(afbr->auth.keys[0]->len, strlen(KEY_A));

	sas = 0;
	ask(1, PEER, both);
	assert_int_equal(afbr->auth.n, 2);
	assert_true(sas > 0); /* the IKE backend is told */

	ask(1, PEER, other);
	assert_int_equal(afbr->auth.n, 1);
	assert_int_equal(afbr->auth.keys[0]->len, 0);
}

/* S5: an AFBR that changes its keys is told to the IKE backend; nothing of its
 * softwire, its device or its route goes in between. */
static void test_rotation(void **state)
{
	static const struct tlv steps[][3] = {
		{{TEA_TYPE_GRE, 200, PEER, 0, KEY_A, true}, {0}},
		{{TEA_TYPE_GRE, 200, PEER, 0, KEY_A, true},
		 {TEA_TYPE_GRE, 200, PEER, 0, KEY_B, true},
		 {0}},
		{{TEA_TYPE_GRE, 200, PEER, 0, KEY_B, true}, {0}},
	};
	struct demand *demand;
	struct softwire *sw;

	protect("CORE");
	sa_ready = true;
	demand = ask(1, PEER, steps[0]);
	path(PEER, true, false, 1500);
	sw = softwire(PEER, TEA_TYPE_GRE, 100);
	assert_ptr_equal(demand->via, sw);
	for (size_t i = 1; i < array_size(steps); i++) {
		sas = 0;
		assert_ptr_equal(ask(1, PEER, steps[i]), demand);
		assert_true(sas > 0);
		assert_ptr_equal(demand->via, sw);
		assert_ptr_equal(last_route, sw);
		assert_int_equal(sw->state, SOFTWIRE_UP);
		assert_int_equal(sw->changes, 1);
	}
	assert_int_equal(tracked, 1); /* nor has the AFBR gone meanwhile */
	assert_int_equal(releases, 0);
	assert_int_equal(route_releases, 0);
}

/* IP in IP: a protocol for each family that both ends announce (S7). */
static void test_protocols(void **state)
{
	static const struct tlv both[] = {{TEA_TYPE_IPIP, 0, PEER, 0}, {0}};
	static const struct tlv six[] = {
		{TEA_TYPE_IPIP, 0, PEER, TEA_ETHERTYPE_IPV6}, {0}};
	uint8_t protocols[SOFTWIRE_PROTOCOLS_MAX];
	struct softwire *sw;

	encap_set_get(&mesh.sets, "EDGE")->payload =
		PAYLOAD_IPV4 | PAYLOAD_IPV6;
	protect("CORE");
	ask(1, PEER, both);
	path(PEER, true, false, 1500);
	sw = softwire(PEER, TEA_TYPE_IPIP, 0);
	assert_int_equal(softwire_protocols(sw, protocols), 2);
	assert_int_equal(protocols[0], IPPROTO_IPIP);
	assert_int_equal(protocols[1], IPPROTO_IPV6);
	ask(1, PEER, six);
	assert_int_equal(softwire_protocols(sw, protocols), 1);
	assert_int_equal(protocols[0], IPPROTO_IPV6);
	sw = softwire(PEER, TEA_TYPE_GRE, 100);
	assert_int_equal(softwire_protocols(sw, protocols), 1);
	assert_int_equal(protocols[0], IPPROTO_GRE);
	/* The AFBR does not have it: no SA is asked for. */
	assert_int_equal(sw->state, SOFTWIRE_WAIT_SA);
	assert_non_null(strstr(sw->error, "does not announce"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order),
		TEST(test_reason_stays),
		TEST(test_lost),
		TEST(test_becomes_protected),
		TEST(test_unknown_security),
		TEST(test_protected_by_group_key),
		TEST(test_protected_before),
		TEST(test_protected_before_and_says_so),
		TEST(test_says_so_beside_the_first),
		TEST(test_filter_is_told),
		TEST(test_protected_only),
		TEST(test_asks_for_ipsec),
		TEST(test_keys),
		TEST(test_rotation),
		TEST(test_protocols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
