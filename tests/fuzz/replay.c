/*
 * Runs a fuzz target without libFuzzer: every seed, then mutations of the
 * seeds, each made from its number alone, so that any one can be had again.
 *
 *   fuzz_NAME SEEDS [FIRST [COUNT]]
 *
 * When the target dies, its input is left in ./crash-input.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#define SEEDS_MAX 1024
#define INPUT_MAX (256 * 1024) /* bytes of a seed, and of a mutation */
#define COUNT     8192         /* mutations, unless told */
#define CHANGES   4            /* at most, in one mutation */

struct seed {
	uint8_t *bytes;
	size_t len;
};

/* One input in the making, and the generator that drives it. */
struct input {
	uint8_t bytes[INPUT_MAX];
	size_t len;
	uint64_t random;
};

static struct seed seeds[SEEDS_MAX];
static size_t seed_count;

/* Where the target stands, for died(). */
static const uint8_t *now_bytes;
static size_t now_len;

/* SplitMix64, by Sebastiano Vigna, in the public domain. */
static uint64_t
random_next(struct input *in)
{
	uint64_t z = in->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* 0..n-1; 0 for n 0. */
static size_t
random_below(struct input *in, size_t n)
{
	return n == 0 ? 0 : (size_t)(random_next(in) % n);
}

/* Replace cut bytes at pos by len others, as far as they fit. */
static void
input_splice(
    struct input *in, size_t pos, size_t cut, const uint8_t *bytes, size_t len)
{
	size_t tail = in->len - pos - cut;

	if (len > INPUT_MAX - pos - tail)
		return;
	memmove(in->bytes + pos + len, in->bytes + pos + cut, tail);
	memmove(in->bytes + pos, bytes, len);
	in->len = pos + len + tail;
}

/* The line that holds pos, with its newline. */
static size_t
line_at(const struct input *in, size_t pos, size_t *ret_len)
{
	const uint8_t *end;
	size_t start = pos;

	while (start > 0 && in->bytes[start - 1] != '\n')
		start--;
	end = memchr(in->bytes + start, '\n', in->len - start);
	*ret_len = end == NULL ? in->len - start
			       : (size_t)(end - in->bytes) + 1 - start;
	return start;
}

static void
change_byte(struct input *in, size_t pos)
{
	static const uint8_t odd[] = { 0, 1, 0x7f, 0x80, 0xff, '\n', '\r', ' ',
		'\t', '"', '=', ':', '-', '0', '9', 'A', 'z', 0xc3, 0xe2 };

	if (in->len == 0)
		return;
	if (random_below(in, 2) == 0)
		in->bytes[pos] ^= (uint8_t)(1u << random_below(in, 8));
	else
		in->bytes[pos] = odd[random_below(in, sizeof(odd))];
}

/* Cut out, double, or copy elsewhere a stretch or a whole line. */
static void
change_stretch(struct input *in, size_t pos, size_t len)
{
	static uint8_t copy[INPUT_MAX];
	size_t to = random_below(in, in->len + 1);

	memcpy(copy, in->bytes + pos, len);
	switch (random_below(in, 4)) {
	case 0:
		input_splice(in, pos, len, copy, 0);
		break;
	case 1:
		input_splice(in, pos, 0, copy, len);
		break;
	case 2:
		input_splice(in, to, 0, copy, len);
		break;
	default: /* move */
		input_splice(in, pos, len, copy, 0);
		if (to <= in->len)
			input_splice(in, to, 0, copy, len);
		break;
	}
}

/* A stretch of another seed, in place of or between what is there. */
static void
change_cross(struct input *in, size_t pos, size_t len)
{
	const struct seed *other = &seeds[random_below(in, seed_count)];
	size_t from = random_below(in, other->len);
	size_t n = random_below(in, other->len - from + 1);

	input_splice(in, pos, random_below(in, 2) == 0 ? 0 : len,
	    other->bytes + from, n);
}

static void
change(struct input *in)
{
	size_t pos = random_below(in, in->len);
	size_t len = random_below(in, in->len - pos);
	uint8_t byte = (uint8_t)random_next(in);

	if (random_below(in, 2) == 0)
		len = len % 32;
	switch (random_below(in, 8)) {
	case 0:
	case 1:
	case 2:
		change_byte(in, pos);
		break;
	case 3:
		input_splice(in, pos, 0, &byte, 1);
		break;
	case 4:
		in->len = pos;
		break;
	case 5:
		change_stretch(in, pos, len);
		break;
	case 6:
		pos = line_at(in, pos, &len);
		change_stretch(in, pos, len);
		break;
	default:
		change_cross(in, pos, len);
		break;
	}
}

/* Called where anything may be broken: only write what is there. */
static void
died(void)
{
	static const char text[] = "replay: input left in ./crash-input\n";
	int fd =
	    open("crash-input", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd >= 0 && write(fd, now_bytes, now_len) == (ssize_t)now_len)
		(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
}

static void
died_by_signal(int sig)
{
	died();
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
}

/* Sanitizers end the process in their own way. */
void __sanitizer_set_death_callback(void (*callback)(void))
    __attribute__((weak));

static void
watch_death(void)
{
	if (__sanitizer_set_death_callback != NULL) {
		__sanitizer_set_death_callback(died);
		return;
	}
	(void)signal(SIGABRT, died_by_signal);
	(void)signal(SIGSEGV, died_by_signal);
	(void)signal(SIGBUS, died_by_signal);
	(void)signal(SIGFPE, died_by_signal);
	(void)signal(SIGILL, died_by_signal);
	(void)signal(SIGALRM, died_by_signal); /* stuck */
}

/* From memory of exactly that size, so that reading past it shows. */
static void
run(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);

	if (copy == NULL)
		abort();
	if (len > 0)
		memcpy(copy, bytes, len);
	now_bytes = bytes;
	now_len = len;
	(void)alarm(20);
	if (LLVMFuzzerTestOneInput(copy, len) != 0 ||
	    (len > 0 && memcmp(copy, bytes, len) != 0))
		abort();
	(void)alarm(0);
	free(copy);
}

static int
seed_load(const char *dir, const char *name)
{
	struct seed *s = &seeds[seed_count];
	char path[4096];
	struct stat st;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0 ||
	    fstat(fd, &st) != 0 || st.st_size >= INPUT_MAX)
		return -1;
	s->len = (size_t)st.st_size;
	s->bytes = malloc(s->len + 1);
	if (s->bytes == NULL || read(fd, s->bytes, s->len) != st.st_size)
		return -1;
	(void)close(fd);
	seed_count++;
	return 0;
}

static int
seeds_load(const char *dir)
{
	struct dirent **names;
	int n = scandir(dir, &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.' && seed_count < SEEDS_MAX &&
		    seed_load(dir, names[i]->d_name) != 0) {
			perror(names[i]->d_name);
			return -1;
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	if (seed_count == 0)
		(void)fprintf(stderr, "replay: no seeds in '%s'\n", dir);
	return seed_count == 0 ? -1 : 0;
}

static void
mutation(uint64_t number)
{
	static struct input in;
	const struct seed *from;

	in.random = number;
	from = &seeds[random_below(&in, seed_count)];
	memcpy(in.bytes, from->bytes, from->len);
	in.len = from->len;
	for (size_t i = random_below(&in, CHANGES) + 1; i > 0; i--)
		change(&in);
	run(in.bytes, in.len);
}

int
main(int argc, char **argv)
{
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	uint64_t count = argc > 3 ? strtoull(argv[3], NULL, 10) : COUNT;

	if (argc < 2 || seeds_load(argv[1]) != 0)
		return 2;
	watch_death();
	for (size_t i = 0; i < seed_count; i++)
		run(seeds[i].bytes, seeds[i].len);
	for (uint64_t i = first; i < first + count; i++)
		mutation(i);
	for (size_t i = 0; i < seed_count; i++)
		free(seeds[i].bytes);
	(void)printf("%zu seeds, %llu mutations\n", seed_count,
	    (unsigned long long)count);
	return 0;
}
