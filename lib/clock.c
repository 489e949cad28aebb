/* Instants and spans in their one spelling, and the two clocks. */
#include "lockbox/clock.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lockbox/text.h"

#define DAY      INT64_C(86400)
#define HOUR     INT64_C(3600)
#define MINUTE   INT64_C(60)
#define SPAN_MAX (400 * DAY)

/*
 * Days from 1970-01-01 to a day of the Gregorian calendar, in years that
 * begin in March, so that the leap day comes last.
 */
static int64_t
days_from_date(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t m = month <= 2 ? month + 9 : month - 3;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day -
	    1 - 719468;
}

static int64_t
days_of_month(int64_t year, int64_t month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* len digits; the caller has checked that they are digits. */
static int64_t
digits(const char *s, size_t len)
{
	int64_t n = 0;

	for (size_t i = 0; i < len; i++)
		n = n * 10 + (s[i] - '0');
	return n;
}

enum lb_err
lb_time_parse(const char *s, int64_t *ret)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
	int64_t year, month, day, hour, minute, second, at;

	if (strlen(s) != LB_TIME_LEN)
		return LB_ERR_FORMAT;
	for (size_t i = 0; i < LB_TIME_LEN; i++) {
		if (shape[i] == 'd' ? s[i] < '0' || s[i] > '9'
				    : s[i] != shape[i])
			return LB_ERR_FORMAT;
	}
	year = digits(s, 4);
	month = digits(s + 5, 2);
	day = digits(s + 8, 2);
	hour = digits(s + 11, 2);
	minute = digits(s + 14, 2);
	second = digits(s + 17, 2);
	if (month < 1 || month > 12 || day < 1 ||
	    day > days_of_month(year, month) || hour > 23 || minute > 59 ||
	    second > 59)
		return LB_ERR_FORMAT;
	/* Also keeps the year positive for days_from_date. */
	if (year < 2000 || year > 2099)
		return LB_ERR_RANGE;

	at = days_from_date(year, month, day) * DAY + hour * HOUR +
	    minute * MINUTE + second;
	if (at < LB_TIME_MIN || at > LB_TIME_MAX)
		return LB_ERR_RANGE;
	*ret = at;
	return LB_OK;
}

/* Not gmtime_r, which reads TZ and opens the zone's file. */
void
lb_time_format(int64_t at, char ret[static LB_TIME_LEN + 1])
{
	int64_t year, month = 1, day, second;
	int n;

	assert(at >= LB_TIME_MIN && at <= LB_TIME_MAX);
	day = at / DAY;
	second = at % DAY;
	year = 1970 + day / 366; /* never too late, so stepped on */
	while (days_from_date(year + 1, 1, 1) <= day)
		year++;
	day -= days_from_date(year, 1, 1);
	for (; day >= days_of_month(year, month); month++)
		day -= days_of_month(year, month);

	n = snprintf(ret, LB_TIME_LEN + 1,
	    "%04" PRId64 "-%02" PRId64 "-%02" PRId64 "T%02" PRId64 ":%02" PRId64
	    ":%02" PRId64 "Z",
	    year, month, day + 1, second / HOUR, second % HOUR / MINUTE,
	    second % MINUTE);
	assert(n == LB_TIME_LEN);
}

/* Seconds of a unit, or 0. */
static int64_t
unit_seconds(char c)
{
	switch (c) {
	case 'd':
		return DAY;
	case 'h':
		return HOUR;
	case 'm':
		return MINUTE;
	case 's':
		return 1;
	default:
		return 0;
	}
}

enum lb_err
lb_span_parse(const char *s, int64_t *ret_seconds)
{
	int64_t last = INT64_MAX; /* units get smaller, each at most once */
	int64_t total = 0;
	char number[16];
	enum lb_err r;

	if (*s == '\0')
		return LB_ERR_FORMAT;
	while (*s != '\0') {
		size_t len = strspn(s, "0123456789");
		bool plain = last == INT64_MAX && s[len] == '\0';
		int64_t unit = plain ? 1 : unit_seconds(s[len]);
		int64_t n;

		if (len == 0 || unit == 0 || unit >= last)
			return LB_ERR_FORMAT;
		if (len >= sizeof(number))
			return LB_ERR_RANGE;
		memcpy(number, s, len);
		number[len] = '\0';
		r = lb_number_parse(number, 0, SPAN_MAX, &n);
		if (r != LB_OK)
			return r;
		total += n * unit;
		last = unit;
		s += plain ? len : len + 1;
	}
	if (total < 1 || total > SPAN_MAX)
		return LB_ERR_RANGE;
	*ret_seconds = total;
	return LB_OK;
}

void
lb_span_format(int64_t seconds, char *ret, size_t ret_size)
{
	static const char units[] = "dhms";
	int64_t left = seconds < 0 ? 0 : seconds;
	size_t n = 0;

	assert(ret_size >= 32);
	for (const char *u = units; *u != '\0'; u++) {
		int64_t count = left / unit_seconds(*u);

		left -= count * unit_seconds(*u);
		/* Nothing at all is "0s". */
		if (count == 0 && !(*u == 's' && n == 0))
			continue;
		n += (size_t)snprintf(
		    ret + n, ret_size - n, "%" PRId64 "%c", count, *u);
	}
}

static struct timespec
clock_read(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) != 0)
		abort();
	return ts;
}

int64_t
lb_clock_now(void)
{
	return clock_read(CLOCK_REALTIME).tv_sec;
}

int64_t
lb_clock_boottime_ms(void)
{
	struct timespec ts = clock_read(CLOCK_BOOTTIME);

	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
