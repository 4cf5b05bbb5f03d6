/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of an attribute a change of keys leaves as it is (RFC 5566, S5): bgpd's
 * module makes SW-NHOPs of it.
 */
#include "lib/tea.h"

/* In place of a TLV's authenticators, however many: "03 02 0000", itself an
 * authenticator and no longer than the shortest. */
static const uint8_t some_authenticator[2];

static void add_without_keys(struct tea_builder *b,
			     const struct tea_tunnel *tunnel)
{
	const struct tea_subtlv *key, *sub;
	bool authenticator = false;
	const uint8_t *spki;
	size_t len;

	tea_build_tunnel(b, tunnel->type);
	key = tea_tunnel_public_key(tunnel, NULL, &spki, &len);
	for (size_t i = 0; i < tunnel->n_subs; i++) {
		sub = &tunnel->subs[i];
		if (sub == key)
			key = tea_tunnel_public_key(tunnel, key, &spki, &len);
		else if (sub->type == TEA_SUB_AUTHENTICATOR &&
			 sub->state == TEA_SUB_OK)
			authenticator = true;
		else
			tea_build_raw(b, sub->type, sub->raw, sub->len);
	}
	if (authenticator)
		tea_build_raw(b, TEA_SUB_AUTHENTICATOR, some_authenticator,
			      sizeof(some_authenticator));
}

static ssize_t copy(const uint8_t *value, size_t len, uint8_t *buf)
{
	if (len)
		memcpy(buf, value, len);
	return (ssize_t)len;
}

ssize_t tea_identity(const uint8_t *value, size_t len, uint8_t *buf, size_t cap)
{
	/* Nothing but malformed framing is a reason to give up. */
	struct tea_opts opts = {.allow_martian = true,
				.endpoint_optional = true};
	struct tea_builder b;
	struct tea tea;
	ssize_t ret;

	if (cap < len)
		return -1;
	tea_build_start(&b, buf, cap);
	if (tea_decode(value, len, &opts, &tea) == TEA_ACCEPT) {
		for (size_t i = 0; i < tea.n_tunnels; i++)
			add_without_keys(&b, &tea.tunnels[i]);
		ret = tea_build_finish(&b);
	} else {
		ret = copy(value, len, buf);
	}
	tea_free(&tea);
	return ret;
}
