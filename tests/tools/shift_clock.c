/*
 * A wall clock that is wrong, for LD_PRELOAD in tests: SHIFT_CLOCK seconds are
 * added to CLOCK_REALTIME. Read once, before main() clears the environment.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t id, struct timespec *ret)
    __attribute__((visibility("default")));

static time_t shift;

__attribute__((constructor)) static void
shift_read(void)
{
	const char *s = getenv("SHIFT_CLOCK");

	if (s != NULL)
		shift = (time_t)strtol(s, NULL, 10);
}

int
clock_gettime(clockid_t id, struct timespec *ret)
{
	static int (*real)(clockid_t, struct timespec *);
	int r;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	r = real(id, ret);
	if (r == 0 && id == CLOCK_REALTIME)
		ret->tv_sec += shift;
	return r;
}
