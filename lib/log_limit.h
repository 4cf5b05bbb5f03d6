/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bound on log lines that come again and again. In a minute each logging call
 * writes one line for the same object, and lines for LOG_LIMIT_OBJECTS objects
 * in all; the others are counted, and the minute ends with one line that has
 * their number and the first of them. So a fault of one object neither fills
 * the disk nor hides the next object's, whoever causes it.
 *
 * Who logs what may come more often than an operator acts calls
 *
 *     zlog_warn_limited(object, "AFBR %pIA: ...", ...)
 *
 * and its like; object is a pointer or a number that tells what it is about
 * from others, 0 where there is only one. log_limit_period() runs once a
 * minute. swmeshd and bgpd's module each have one of these, for one thread.
 */
#ifndef SWMESH_LOG_LIMIT_H
#define SWMESH_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_LIMIT_PERIOD_S 60
#define LOG_LIMIT_OBJECTS 64
#define LOG_LIMIT_TEXT_LEN 256

/* One logging call. */
struct log_limit {
	int priority; /* of syslog(3) */
	/* Of the period under way: */
	uint64_t objects[LOG_LIMIT_OBJECTS];
	unsigned int n_objects;
	unsigned int left_out;
	char text[LOG_LIMIT_TEXT_LEN]; /* the first of those */
	struct log_limit *next;
};

/* Whether this line is to be written; if not, it is counted. */
bool log_limit_pass(struct log_limit *limit, uint64_t object);

/* The minute is over. tell: writes a line. */
void log_limit_period(void (*tell)(int priority, const char *format, ...));

/* A key for an object that has no address of its own: 64 bits of FNV-1a. */
uint64_t log_limit_key(const char *text);

/* Below, for who has FRR's log.h and printfrr.h. */
#define LOG_LIMITED(priority_, object, write, format, ...)                     \
	do {                                                                   \
		static struct log_limit limit_ = {.priority = (priority_)};    \
		if (log_limit_pass(&limit_, (uint64_t)(uintptr_t)(object)))    \
			write;                                                 \
		else if (limit_.left_out == 1)                                 \
			snprintfrr(limit_.text, sizeof(limit_.text), format,   \
				   ##__VA_ARGS__);                             \
	} while (0)

#define zlog_err_limited(object, format, ...)                                  \
	LOG_LIMITED(LOG_ERR, object, zlog_err(format, ##__VA_ARGS__), format,  \
		    ##__VA_ARGS__)
#define zlog_warn_limited(object, format, ...)                                 \
	LOG_LIMITED(LOG_WARNING, object, zlog_warn(format, ##__VA_ARGS__),     \
		    format, ##__VA_ARGS__)
#define zlog_notice_limited(object, format, ...)                               \
	LOG_LIMITED(LOG_NOTICE, object, zlog_notice(format, ##__VA_ARGS__),    \
		    format, ##__VA_ARGS__)
#define zlog_info_limited(object, format, ...)                                 \
	LOG_LIMITED(LOG_INFO, object, zlog_info(format, ##__VA_ARGS__),        \
		    format, ##__VA_ARGS__)
#define flog_err_limited(ec, object, format, ...)                              \
	LOG_LIMITED(LOG_ERR, object, flog_err(ec, format, ##__VA_ARGS__),      \
		    format, ##__VA_ARGS__)
#define flog_warn_limited(ec, object, format, ...)                             \
	LOG_LIMITED(LOG_WARNING, object, flog_warn(ec, format, ##__VA_ARGS__), \
		    format, ##__VA_ARGS__)

#endif /* SWMESH_LOG_LIMIT_H */
