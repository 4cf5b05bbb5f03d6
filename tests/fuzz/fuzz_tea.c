/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target: any octets as a Tunnel Encapsulation attribute.  Besides
 * memory errors it looks for broken promises of lib/tea.h; a broken one ends
 * in abort().  The first octet chooses the options.
 */
#include <time.h>

#include "lib/tea_json.h"
#include "tests/fuzz/fuzz.h"

enum {
	MARTIAN = 1,
	NOT_TRANSITIVE = 2,
	NO_ENDPOINT = 4,
	ALL_TYPES = 8,
	WHOLE = 16
};

/* Processor seconds for one input, sanitizers and JSON included: far more than
 * it takes, far less than anything that is not linear. */
#define SECONDS_MAX 2

static uint8_t again[TEA_MAX_LEN];

static void check_tunnel(const struct tea *tea, const struct tea_tunnel *tunnel)
{
	char text[TEA_TEXT_LEN];
	uint32_t key;

	PROMISE(!(tunnel->usable && tunnel->removed));
	PROMISE(tunnel->usable == (tunnel->why == TEA_WHY_USABLE));
	PROMISE(tunnel->wire >= tea->wire);
	PROMISE(tunnel->wire + tunnel->wire_len <= tea->wire + tea->wire_len);
	for (size_t i = 0; i < tunnel->n_subs; i++) {
		const struct tea_subtlv *sub = &tunnel->subs[i];

		PROMISE(sub->raw >= tunnel->wire);
		PROMISE(sub->raw + sub->len <= tunnel->wire + tunnel->wire_len);
	}
	for (size_t len = 0; len < sizeof(text); len += 50) {
		PROMISE(tea_tunnel_format(tunnel, text, len) == text);
		PROMISE(tea_tunnel_reason(tunnel, text, len) == text);
		PROMISE(len == 0 || strlen(text) < len);
	}
	tea_tunnel_allows(tunnel, TEA_ETHERTYPE_IPV4);
	tea_tunnel_has_color(tunnel, 1);
	tea_tunnel_gre_key(tunnel, &key);
	tea_tunnel_is_bare(tunnel);
}

/* What is passed on must be accepted whole by the next router. */
static void check_propagate(const struct tea *tea, const struct tea_opts *opts)
{
	struct tea next;

	PROMISE(tea_decode(tea->propagate, tea->propagate_len, opts, &next) ==
		TEA_ACCEPT);
	PROMISE(next.propagate_len == tea->propagate_len);
	PROMISE(tea_equal(&next, tea));
	for (size_t i = 0; i < next.n_tunnels; i++)
		PROMISE(!next.tunnels[i].removed);
	tea_free(&next);
}

static void check_encode(const struct tea *tea)
{
	ssize_t len = tea_encode(tea, again, sizeof(again));

	PROMISE(len == (ssize_t)tea->wire_len);
	PROMISE(memcmp(again, tea->wire, tea->wire_len) == 0);
	PROMISE(tea->wire_len == 0 ||
		tea_encode(tea, again, tea->wire_len - 1) == -1);
}

/* Never longer, an attribute's value again, and the same when taken again. */
static void check_identity(const struct tea *tea)
{
	static uint8_t identity[TEA_MAX_LEN];
	ssize_t len =
		tea_identity(tea->wire, tea->wire_len, identity, tea->wire_len);

	PROMISE(len > 0 && len <= (ssize_t)tea->wire_len);
	PROMISE(tea_identity(identity, len, again, len) == len);
	PROMISE(memcmp(again, identity, len) == 0);
}

/* Through the JSON text and back, octet for octet. */
static void check_json(const struct tea *tea)
{
	struct json_object *json = tea_to_json(tea), *parsed;
	char error[TEA_JSON_ERROR_LEN];
	ssize_t len;

	parsed = json_tokener_parse(json_object_to_json_string(json));
	PROMISE(parsed);
	len = tea_from_json(parsed, again, sizeof(again), error);
	PROMISE(len == (ssize_t)tea->wire_len);
	PROMISE(memcmp(again, tea->wire, tea->wire_len) == 0);
	json_object_put(parsed);
	json_object_put(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tea_opts opts = tea_opts_default;
	enum tea_verdict verdict;
	char text[TEA_TEXT_LEN];
	clock_t start = clock();
	struct tea tea;
	uint8_t how;

	if (size == 0)
		return 0;
	how = *data++;
	size--;
	opts.allow_martian = how & MARTIAN;
	opts.not_transitive = how & NOT_TRANSITIVE;
	opts.endpoint_optional = how & NO_ENDPOINT;
	if (how & ALL_TYPES)
		opts.usable = UINT64_MAX;
	verdict = how & WHOLE ? tea_decode_attr(data, size, &opts, &tea)
			      : tea_decode(data, size, &opts, &tea);

	PROMISE(verdict == tea.verdict);
	PROMISE((verdict == TEA_ACCEPT) == (tea.error == TEA_ERR_NONE));
	PROMISE(tea_reason(&tea, text, sizeof(text)) == text);
	for (size_t i = 0; i < tea.n_tunnels; i++)
		check_tunnel(&tea, &tea.tunnels[i]);
	if (verdict == TEA_ACCEPT) {
		PROMISE(tea.propagate_len > 0);
		check_propagate(&tea, &opts);
		check_encode(&tea);
		check_identity(&tea);
		check_json(&tea);
	} else {
		PROMISE(tea.propagate_len == 0);
		for (size_t i = 0; i < tea.n_tunnels; i++)
			PROMISE(!tea.tunnels[i].usable);
	}
	tea_free(&tea);
	PROMISE(clock() - start < SECONDS_MAX * CLOCKS_PER_SEC);
	return 0;
}
