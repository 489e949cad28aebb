/*
 * Clocks that are wrong, for LD_PRELOAD in tests. SHIFT_CLOCK seconds are
 * added to CLOCK_REALTIME from the start. CLOCK_STEPS names a file of two
 * 64-bit numbers, mapped once: seconds to add from now on to CLOCK_REALTIME
 * and to CLOCK_BOOTTIME. Both are read before main() clears the environment.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *ret)
    __attribute__((visibility("default")));

struct steps {
	_Atomic int64_t wall, boot;
};

static time_t shift;
static struct steps none, *steps = &none;

static void
steps_map(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *at;

	if (fd < 0)
		abort();
	at = mmap(NULL, sizeof(*steps), PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		abort();
	(void)close(fd); /* it stays mapped */
	steps = at;
}

__attribute__((constructor)) static void
shift_read(void)
{
	const char *s = getenv("SHIFT_CLOCK");

	if (s != NULL)
		shift = (time_t)strtol(s, NULL, 10);
	if ((s = getenv("CLOCK_STEPS")) != NULL)
		steps_map(s);
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
		ret->tv_sec += shift + (time_t)atomic_load(&steps->wall);
	if (r == 0 && id == CLOCK_BOOTTIME)
		ret->tv_sec += (time_t)atomic_load(&steps->boot);
	return r;
}
