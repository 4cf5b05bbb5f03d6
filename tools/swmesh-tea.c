/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * swmesh-tea: the BGP Tunnel Encapsulation attribute (RFC 9012) from hex to
 * JSON and back, for people who debug.  All it knows is in lib/tea.h.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hex.h"
#include "lib/tea_json.h"

/* Exit status. */
enum { EXIT_ACCEPT = 0, EXIT_WITHDRAW = 1, EXIT_UNUSABLE = 2 };

/* More than the JSON of any attribute that fits in TEA_MAX_LEN octets. */
#define INPUT_MAX (16u << 20)

#define ATTR_MAX (TEA_MAX_LEN + 4)

static const char usage[] =
	"usage: swmesh-tea decode [options] [HEX...]\n"
	"       swmesh-tea encode [options] [JSON]\n"
	"\n"
	"decode reads the value of a BGP Tunnel Encapsulation attribute (RFC 9012, path\n"
	"attribute 23) in hex, from its arguments or else from standard input, and prints\n"
	"JSON: the verdict, each tunnel and sub-TLV, and the octets to pass on. White\n"
	"space and colons are allowed between digits.\n"
	"\n"
	"encode turns such JSON back into hex. Only \"tunnels\" matters, removed ones\n"
	"included. A tunnel or sub-TLV goes by its \"type\", without one by its \"name\".\n"
	"Of a sub-TLV the fields (\"key\", \"address\"...) count and \"raw\" does not, so that\n"
	"fields can be edited; \"raw\" counts when there is no field.\n"
	"\n"
	"  -a, --attribute          the whole attribute: flags, type and length first\n"
	"  -m, --allow-martian      accept special-purpose endpoints (RFC 6890)\n"
	"  -d, --refuse-documentation\n"
	"                           refuse the documentation blocks, such as 2001:db8::/32\n"
	"  -e, --endpoint-optional  a tunnel may lack an endpoint, as on SAFI 7\n"
	"  -h, --help               this text\n"
	"\n"
	"exit status: 0 the attribute is accepted, 1 a route with it is treated as\n"
	"withdrawn, 2 the input cannot be used\n";

struct request {
	bool whole; /* --attribute */
	struct tea_opts opts;
	char *input; /* text, terminated; ours */
	size_t input_len;
};

static int unusable(const char *what)
{
	fprintf(stderr, "swmesh-tea: %s\n", what);
	return EXIT_UNUSABLE;
}

/* ---- input ---- */

static char *read_stdin(size_t *len)
{
	size_t cap = 4096, used = 0, n;
	char *text = malloc(cap), *more;

	while (text && (n = fread(text + used, 1, cap - used - 1, stdin)) > 0) {
		used += n;
		if (used + 1 < cap)
			continue;
		cap *= 2;
		more = cap <= INPUT_MAX ? realloc(text, cap) : NULL;
		if (!more)
			free(text);
		text = more;
	}
	if (!text)
		return NULL;
	text[used] = '\0';
	*len = used;
	return text;
}

/* The arguments, joined by spaces. */
static char *join(char **args, int n, size_t *len)
{
	size_t total = 1;
	char *text, *at;

	for (int i = 0; i < n; i++)
		total += strlen(args[i]) + 1;
	text = malloc(total);
	if (!text)
		return NULL;
	at = text;
	for (int i = 0; i < n; i++) {
		if (i)
			*at++ = ' ';
		at = stpcpy(at, args[i]);
	}
	*at = '\0';
	*len = (size_t)(at - text);
	return text;
}

/* ---- decode ---- */

static int print_tea(const struct tea *tea, int flags)
{
	struct json_object *json = tea_to_json(tea);

	if (flags >= 0)
		json_object_object_add(json, "flags",
				       json_object_new_int(flags));
	puts(json_object_to_json_string_ext(
		json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
			      JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(json);
	return tea->verdict == TEA_ACCEPT ? EXIT_ACCEPT : EXIT_WITHDRAW;
}

static int decode_octets(const struct request *rq, const uint8_t *octets,
			 size_t len)
{
	struct tea_attr attr;
	char text[96];
	struct tea tea;
	int status;

	if (!rq->whole) {
		tea_decode(octets, len, &rq->opts, &tea);
	} else {
		if (len < 3)
			return unusable(
				"an attribute starts with its flags, type and length; "
				"give at least 3 octets");
		if (octets[1] != TEA_ATTR_TYPE) {
			snprintf(
				text, sizeof(text),
				"this is path attribute %u, not %u; without --attribute give "
				"the value alone",
				octets[1], TEA_ATTR_TYPE);
			return unusable(text);
		}
		if (tea_attr_read(octets, len, &attr) && attr.total != len) {
			snprintf(
				text, sizeof(text),
				"the attribute ends after %zu octets, but there are %zu; give "
				"one attribute",
				attr.total, len);
			return unusable(text);
		}
		tea_decode_attr(octets, len, &rq->opts, &tea);
	}
	status = print_tea(&tea, rq->whole ? octets[0] : -1);
	tea_free(&tea);
	return status;
}

static int decode(const struct request *rq)
{
	static uint8_t octets[ATTR_MAX];
	ssize_t len = hex_decode(rq->input, rq->input_len, octets,
				 rq->whole ? ATTR_MAX : TEA_MAX_LEN);

	if (len == -2)
		return unusable("no attribute is longer than 65535 octets");
	if (len < 0)
		return unusable(
			"the input is not hex: give pairs of digits, with nothing but "
			"white space and colons between");
	return decode_octets(rq, octets, (size_t)len);
}

/* ---- encode ---- */

/* The attribute's header, with "flags" of the JSON where given. */
static ssize_t add_header(struct json_object *json, const uint8_t *value,
			  size_t len, uint8_t *attr)
{
	struct json_object *flags;
	ssize_t n;
	int given;

	if (!json_object_object_get_ex(json, "flags", &flags))
		return tea_attr_write(0, value, len, attr, ATTR_MAX);
	given = json_object_get_int(flags) & 0xff;
	n = tea_attr_write((uint8_t)given, value, len, attr, ATTR_MAX);
	if (n > 0)
		attr[0] = (uint8_t)given | (attr[0] & TEA_ATTR_EXTLEN);
	return n;
}

static int encode_json(const struct request *rq, struct json_object *json)
{
	static uint8_t value[TEA_MAX_LEN], attr[ATTR_MAX];
	static char text[2 * ATTR_MAX + 1];
	char error[TEA_JSON_ERROR_LEN], why[TEA_TEXT_LEN];
	ssize_t len = tea_from_json(json, value, sizeof(value), error), n;
	struct tea tea;
	int status = EXIT_ACCEPT;

	if (len < 0)
		return unusable(error);
	if (rq->whole) {
		n = add_header(json, value, (size_t)len, attr);
		hex_encode(attr, (size_t)n, text);
		tea_decode_attr(attr, (size_t)n, &rq->opts, &tea);
	} else {
		hex_encode(value, (size_t)len, text);
		tea_decode(value, (size_t)len, &rq->opts, &tea);
	}
	puts(text);
	if (tea.verdict == TEA_WITHDRAW) {
		fprintf(stderr,
			"swmesh-tea: who receives this treats the route as withdrawn: %s\n",
			tea_reason(&tea, why, sizeof(why)));
		status = EXIT_WITHDRAW;
	}
	tea_free(&tea);
	return status;
}

static int encode(const struct request *rq)
{
	struct json_tokener *tok = json_tokener_new();
	struct json_object *json;
	enum json_tokener_error error;
	char text[160];
	int status;

	if (!tok)
		return unusable("out of memory");
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	/* one more octet: the terminator tells the tokener that all is there */
	json = json_tokener_parse_ex(tok, rq->input, (int)rq->input_len + 1);
	error = json_tokener_get_error(tok);
	if (error != json_tokener_success) {
		snprintf(text, sizeof(text),
			 "the input is not JSON: %s at octet %zu",
			 json_tokener_error_desc(error),
			 json_tokener_get_parse_end(tok));
		status = unusable(text);
	} else {
		status = encode_json(rq, json);
	}
	json_object_put(json);
	json_tokener_free(tok);
	return status;
}

/* ---- command line ---- */

static const struct {
	const char *name;
	int (*run)(const struct request *rq);
} commands[] = {{"decode", decode}, {"encode", encode}};

/* False when the caller must leave with *status. */
static bool parse_options(int argc, char **argv, struct request *rq,
			  int *status)
{
	static const struct option options[] = {
		{"attribute", no_argument, NULL, 'a'},
		{"allow-martian", no_argument, NULL, 'm'},
		{"refuse-documentation", no_argument, NULL, 'd'},
		{"endpoint-optional", no_argument, NULL, 'e'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "amdeh", options, NULL)) != -1) {
		switch (c) {
		case 'a':
			rq->whole = true;
			break;
		case 'm':
			rq->opts.allow_martian = true;
			break;
		case 'd':
			rq->opts.refuse_documentation = true;
			break;
		case 'e':
			rq->opts.endpoint_optional = true;
			break;
		case 'h':
			fputs(usage, stdout);
			*status = EXIT_ACCEPT;
			return false;
		default:
			fputs(usage, stderr);
			*status = EXIT_UNUSABLE;
			return false;
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	struct request rq = {.opts = tea_opts_default};
	int (*run)(const struct request *rq) = NULL;
	int status;

	if (!parse_options(argc, argv, &rq, &status))
		return status;
	for (size_t i = 0;
	     optind < argc && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[optind], commands[i].name) == 0)
			run = commands[i].run;
	if (!run) {
		fputs(usage, stderr);
		return EXIT_UNUSABLE;
	}
	optind++;
	if (optind < argc)
		rq.input = join(argv + optind, argc - optind, &rq.input_len);
	else
		rq.input = read_stdin(&rq.input_len);
	if (!rq.input)
		return unusable("the input is too long");
	status = run(&rq);
	free(rq.input);
	return status;
}
