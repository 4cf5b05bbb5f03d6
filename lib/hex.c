/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Octets as hexadecimal text.
 */
#include "lib/hex.h"

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int is_separator(char c)
{
	return c == ':' || c == ' ' || (c >= '\t' && c <= '\r');
}

ssize_t hex_decode(const char *text, size_t text_len, uint8_t *buf, size_t cap)
{
	size_t digits = 0;
	int d, high = 0;

	for (size_t i = 0; i < text_len; i++) {
		if (is_separator(text[i]))
			continue;
		d = hex_digit(text[i]);
		if (d < 0)
			return -1;
		if (digits % 2 == 0)
			high = d;
		else if (digits / 2 >= cap)
			return -2;
		else
			buf[digits / 2] = (uint8_t)(high << 4 | d);
		digits++;
	}
	return digits % 2 == 0 ? (ssize_t)(digits / 2) : -1;
}

void hex_encode(const uint8_t *octets, size_t len, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*text++ = digits[octets[i] >> 4];
		*text++ = digits[octets[i] & 0xf];
	}
	*text = '\0';
}
