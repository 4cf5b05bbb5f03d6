/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of an attribute a change of keys leaves as it is (RFC 5566, S5).
 */
#include "tests/unit/tea_test.h"

/* Authenticators and public keys, as sub-TLVs. */
#define AUTH_A "03 16 0001 " SHA_A
#define AUTH_B "03 16 0001 " SHA_B
#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa "
#define SHA_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb "
#define KEY_A "fd 0006 5357504b 0a0a "
#define KEY_B "fd 0007 5357504b 0b0b0b "
/* Type 253 of somebody else. */
#define NOT_OURS "fd 0006 5357504c 0a0a "
#define SOME "03 02 0000 "
#define GRE_KEY "01 04 00000064 "
#define COLOR "04 08 030b 0000 00000007 "

static struct octets join(struct octets a, struct octets b)
{
	memcpy(a.at + a.len, b.at, b.len);
	a.len += b.len;
	return a;
}

static struct octets identity_of(struct octets value)
{
	struct octets got;
	ssize_t len;

	len = tea_identity(value.at, value.len, got.at, value.len);
	assert_in_range(len, 0, value.len);
	got.len = (size_t)len;
	return got;
}

static void assert_same(struct octets a, struct octets b)
{
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.at, b.at, a.len);
}

/* The identity of one GRE TLV is that TLV with other sub-TLVs. */
static void assert_becomes(const char *subs, const char *want)
{
	struct octets got = identity_of(tlv_of(TEA_TYPE_GRE, subs));

	assert_same(got, tlv_of(TEA_TYPE_GRE, want));
	assert_same(identity_of(got), got); /* taken again: itself */
}

static void test_no_keys(void **state)
{
	(void)state;
	assert_becomes(EP_IPV6, EP_IPV6);
	assert_becomes(EP_IPV6 GRE_KEY COLOR "c8 0002 0102",
		       EP_IPV6 GRE_KEY COLOR "c8 0002 0102");
	/* Unknown tunnel types, too. */
	assert_same(identity_of(tlv_of(999, "c8 0001 07 01 01 02")),
		    tlv_of(999, "c8 0001 07 01 01 02"));
}

/* Whatever the values, their number and their order. */
static void test_rotation(void **state)
{
	(void)state;
	assert_becomes(EP_IPV6 AUTH_A, EP_IPV6 SOME);
	assert_becomes(EP_IPV6 AUTH_B, EP_IPV6 SOME);
	assert_becomes(EP_IPV6 AUTH_A KEY_A, EP_IPV6 SOME);
	assert_becomes(EP_IPV6 AUTH_A AUTH_B KEY_A KEY_B, EP_IPV6 SOME);
	assert_becomes(AUTH_B KEY_A EP_IPV6 AUTH_A KEY_B, EP_IPV6 SOME);
	assert_becomes(EP_IPV6 AUTH_A KEY_A COLOR GRE_KEY,
		       EP_IPV6 COLOR GRE_KEY SOME);
	/* A type of authenticator to come. */
	assert_becomes(EP_IPV6 "03 03 0002 ff", EP_IPV6 SOME);
	/* A key alone protects nothing. */
	assert_becomes(EP_IPV6 KEY_A, EP_IPV6);
}

/* What else is said makes a difference. */
static void test_differences(void **state)
{
	struct octets plain, protected;

	(void)state;
	plain = identity_of(tlv_of(TEA_TYPE_GRE, EP_IPV6));
	protected = identity_of(tlv_of(TEA_TYPE_GRE, EP_IPV6 AUTH_A));
	assert_int_not_equal(plain.len, protected.len);
	/* A malformed authenticator asks for no protection (section 13). */
	assert_becomes(EP_IPV6 "03 00", EP_IPV6 "03 00");
	assert_becomes(EP_IPV6 "03 01 00", EP_IPV6 "03 01 00");
	assert_becomes(EP_IPV6 "03 01 00" AUTH_A, EP_IPV6 "03 01 00" SOME);
	assert_becomes(EP_IPV6 NOT_OURS, EP_IPV6 NOT_OURS);
	assert_becomes(EP_IPV6 "fd 0004 5357504b", EP_IPV6 "fd 0004 5357504b");
}

/* Each TLV by itself: protected and not protected never mix. */
static void test_several_tlvs(void **state)
{
	struct octets gre = tlv_of(TEA_TYPE_GRE, EP_IPV6 AUTH_A KEY_A);
	struct octets ipip = tlv_of(TEA_TYPE_IPIP, EP_IPV6);
	struct octets gre_plain = tlv_of(TEA_TYPE_GRE, EP_IPV6);
	struct octets ipip_auth = tlv_of(TEA_TYPE_IPIP, EP_IPV6 AUTH_B);

	(void)state;
	assert_same(identity_of(join(gre, ipip)),
		    join(tlv_of(TEA_TYPE_GRE, EP_IPV6 SOME), ipip));
	assert_same(identity_of(join(gre_plain, ipip_auth)),
		    join(gre_plain, tlv_of(TEA_TYPE_IPIP, EP_IPV6 SOME)));
	assert_same(identity_of(join(gre, ipip_auth)),
		    join(tlv_of(TEA_TYPE_GRE, EP_IPV6 SOME),
			 tlv_of(TEA_TYPE_IPIP, EP_IPV6 SOME)));
}

/* The smallest buffer that may be given, and one octet less. */
static void test_room(void **state)
{
	struct octets value = tlv_of(TEA_TYPE_GRE, EP_IPV6 GRE_KEY);
	uint8_t buf[64];

	(void)state;
	assert_int_equal(tea_identity(value.at, value.len, buf, value.len),
			 value.len);
	assert_int_equal(tea_identity(value.at, value.len, buf, value.len - 1),
			 -1);
	/* Not longer, though the authenticator is as short as can be. */
	value = tlv_of(TEA_TYPE_GRE, EP_IPV6 SOME);
	assert_int_equal(tea_identity(value.at, value.len, buf, value.len),
			 value.len);
}

/* What is refused is not looked into. */
static void test_not_accepted(void **state)
{
	struct octets broken = octets_of("0002 0031 " EP_IPV6 AUTH_A);

	(void)state;
	assert_same(identity_of(broken), broken);
	assert_int_equal(tea_identity(NULL, 0, NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_keys),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_several_tlvs),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_not_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
