/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target: any text as the JSON that swmesh-tea encode reads.  What
 * it makes of it must survive a decode and a second encode.
 */
#include "lib/tea_json.h"
#include "tests/fuzz/fuzz.h"

static void check(const uint8_t *value, size_t len)
{
	static uint8_t again[TEA_MAX_LEN];
	char error[TEA_JSON_ERROR_LEN];
	struct json_object *json;
	struct tea tea;
	ssize_t n;

	if (tea_decode(value, len, NULL, &tea) == TEA_ACCEPT) {
		json = tea_to_json(&tea);
		n = tea_from_json(json, again, sizeof(again), error);
		if (n != (ssize_t)len || memcmp(value, again, len) != 0) {
			fprintf(stderr, "not the same again: %s\n",
				n < 0 ? error : "octets");
			abort();
		}
		json_object_put(json);
	}
	tea_free(&tea);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_tokener *tok = json_tokener_new();
	static uint8_t value[TEA_MAX_LEN];
	char error[TEA_JSON_ERROR_LEN];
	struct json_object *json;
	ssize_t len;

	json = json_tokener_parse_ex(tok, (const char *)data, (int)size);
	if (json_tokener_get_error(tok) == json_tokener_success) {
		len = tea_from_json(json, value, sizeof(value), error);
		if (len >= 0)
			check(value, (size_t)len);
		else if (strlen(error) == 0 ||
			 strlen(error) >= TEA_JSON_ERROR_LEN)
			abort();
	}
	json_object_put(json);
	json_tokener_free(tok);
	return 0;
}
