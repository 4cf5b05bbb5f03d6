// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages to charon with FRR's formats, and words of the client. */
#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "swmeshd/charon/charon.h"
#include "swmeshd/charon/charon_text.h"

static void test_formats(void **unused)
{
	struct in6_addr addr = {.s6_addr = {0x20, 0x01, 0x0d, 0xb8}};
	char longest[1200];
	struct vici_builder b;
	struct vici_packet p;
	struct vici_section l;
	struct vici_iter it;

	vici_begin(&b, VICI_CMD_REQUEST, "x");
	swmesh_vici_sectionf(&b, "peer-%pI6", &addr);
	swmesh_vici_keyf(&b, "id", "%pI6[%u]", &addr, 47);
	swmesh_vici_listf(&b, "addrs", "%pI6", &addr);
	vici_list_start(&b, "two");
	swmesh_vici_itemf(&b, "%d", 1);
	vici_list_end(&b);
	vici_section_end(&b);
	assert_int_equal(vici_finish(&b), VICI_OK);
	assert_int_equal(vici_parse(b.buf + VICI_HEADER_LEN,
				    b.len - VICI_HEADER_LEN, &p),
			 VICI_OK);
	assert_true(
		vici_find_is(&p.msg, "peer-2001:db8::/id", "2001:db8::[47]"));
	assert_true(vici_find_list(&p.msg, "peer-2001:db8::/addrs", &l));
	it = vici_iter_of(&l);
	assert_true(vici_next(&it));
	assert_true(vici_is(&it.value, "2001:db8::"));
	assert_true(vici_find_list(&p.msg, "peer-2001:db8::/two", &l));
	it = vici_iter_of(&l);
	assert_true(vici_next(&it));
	assert_true(vici_is(&it.value, "1"));

	memset(longest, 'x', sizeof(longest));
	longest[1023] = '\0';
	swmesh_vici_keyf(&b, "fits", "%s", longest);
	assert_int_equal(vici_finish(&b), VICI_OK);
	swmesh_vici_keyf(&b, "not", "%s.", longest);
	assert_int_equal(vici_finish(&b), VICI_ERR_VALUE);
	vici_free(&b);
	vici_begin(&b, VICI_CMD_REQUEST, "x");
	swmesh_vici_sectionf(&b, "%s", longest);
	assert_int_equal(vici_finish(&b), VICI_ERR_NAME);
	vici_free(&b);
	for (unsigned int i = 0; i <= SWMESH_VICI_ERRORS; i++)
		assert_true(*swmesh_vici_error_name(i));
	for (unsigned int i = 0; i <= SWMESH_VICI_STATES; i++)
		assert_true(*swmesh_vici_state_name(i));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
