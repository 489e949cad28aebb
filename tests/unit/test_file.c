/* Trusted opening against everything a path can be; atomic replacement. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lockbox/file.h"

#define ROWS(t)  (sizeof(t) / sizeof((t)[0]))
#define MAX      1000
#define NOBODY   65534
#define STUCK_S  20 /* a call that blocks is killed after so long */
#define OLD      "the old content\n"
#define CHILD_OK 42

/* A directory of our own in /tmp; the tests run inside it. */
static char top[] = "/tmp/lockbox-file-XXXXXX";

static const char *
at(const char *name)
{
	static char path[4][512];
	static unsigned turn;
	char *p = path[turn++ % 4];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", top, name);
	return p;
}

static void
put(const char *name, mode_t mode, const char *content)
{
	int fd;

	(void)unlink(at(name));
	fd = open(at(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void
put_dir(const char *name, mode_t mode)
{
	assert_int_equal(mkdir(at(name), 0700), 0);
	assert_int_equal(chmod(at(name), mode), 0);
}

static int
group_setup(void **state)
{
	(void)state;
	(void)alarm(STUCK_S);
	return mkdtemp(top) == NULL ? -1 : 0;
}

static int
group_teardown(void **state)
{
	char command[64];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

/* All three functions say the same; and nothing is written on error. */
static void
expect_as(const char *path, uid_t owner, size_t max, enum lb_err want)
{
	struct lb_buf b = { 0 };
	int fd = -4711;

	assert_int_equal(lb_buf_adds(&b, "kept"), LB_OK);
	assert_int_equal(lb_file_open_trusted(path, owner, max, &fd), want);
	assert_int_equal(lb_file_read_trusted(path, owner, max, &b), want);
	if (want == LB_OK) {
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		assert_int_equal(close(fd), 0);
	} else {
		assert_int_equal(fd, -4711);
		assert_string_equal(b.data, "kept");
		assert_int_equal(
		    lb_file_read_secret(path, owner, max, &b), want);
		assert_string_equal(b.data, "kept");
	}
	lb_buf_clear(&b);
}

static void
expect(const char *name, enum lb_err want)
{
	expect_as(at(name), geteuid(), MAX, want);
}

static void
test_open_lets_a_plain_file_in(void **state)
{
	struct lb_buf b = { 0 };

	(void)state;
	put("plain", 0644, "one\ntwo\n");
	expect("plain", LB_OK);
	assert_int_equal(lb_buf_adds(&b, "zero\n"), LB_OK);
	assert_int_equal(
	    lb_file_read_trusted(at("plain"), geteuid(), MAX, &b), LB_OK);
	assert_string_equal(b.data, "zero\none\ntwo\n");
	lb_buf_clear(&b);
	expect_as("/etc/passwd", geteuid(), 1 << 20, LB_OK);
}

static void
test_read_empty_file(void **state)
{
	struct lb_buf b = { 0 };

	(void)state;
	put("empty", 0644, "");
	assert_int_equal(
	    lb_file_read_trusted(at("empty"), geteuid(), 0, &b), LB_OK);
	assert_non_null(b.data);
	assert_int_equal(b.len, 0);
	lb_buf_clear(&b);
}

static void
test_open_missing(void **state)
{
	(void)state;
	expect("nothing", LB_ERR_MISSING);
	expect("nodir/nothing", LB_ERR_MISSING);
}

static void
test_open_size_boundary(void **state)
{
	struct lb_buf b = { .max = 9 };

	(void)state;
	put("ten", 0600, "0123456789");
	expect_as(at("ten"), geteuid(), 10, LB_OK);
	expect_as(at("ten"), geteuid(), 9, LB_ERR_RANGE);
	expect_as(at("ten"), geteuid(), 0, LB_ERR_RANGE);
	assert_int_equal(
	    lb_file_read_trusted(at("ten"), geteuid(), 10, &b), LB_ERR_RANGE);
	assert_int_equal(b.len, 0);

	/* As large as a file can be, without a byte on the disk. */
	put("huge", 0600, "");
	assert_int_equal(truncate(at("huge"), INT64_C(1) << 40), 0);
	expect("huge", LB_ERR_RANGE);
}

/* /proc files say 0 bytes and have more: the cap holds while reading too. */
static void
test_read_more_than_stat_says(void **state)
{
	struct lb_buf b = { 0 };

	(void)state;
	assert_int_equal(
	    lb_file_read_trusted("/proc/cpuinfo", geteuid(), 1 << 20, &b),
	    LB_OK);
	assert_true(b.len > 100);
	lb_buf_clear(&b);
	assert_int_equal(
	    lb_file_read_trusted("/proc/cpuinfo", geteuid(), 10, &b),
	    LB_ERR_RANGE);
	assert_int_equal(b.len, 0);
	lb_buf_clear(&b);
}

static void
test_open_paths_that_are_refused(void **state)
{
	static const char *const bad[] = { "", "plain", "./plain", "tmp", "/",
		"//", "/.", "/..", "/etc/", "/etc/passwd/", "/etc/passwd/x",
		"/etc/./passwd", "/etc/../etc/passwd" };
	char path[600];

	(void)state;
	put("plain", 0644, OLD);
	assert_int_equal(chdir(top), 0);
	for (size_t i = 0; i < ROWS(bad); i++)
		expect_as(bad[i], geteuid(), 1 << 20, LB_ERR_UNTRUSTED);
	assert_int_equal(chdir("/"), 0);

	/* Doubled slashes mean nothing. */
	expect_as("//etc///passwd", geteuid(), 1 << 20, LB_OK);

	(void)snprintf(path, sizeof(path), "%s/%0300d", top, 0);
	expect_as(path, geteuid(), MAX, LB_ERR_UNTRUSTED);
}

static void
test_open_file_modes(void **state)
{
	static const struct {
		mode_t mode;
		enum lb_err open, secret;
	} row[] = {
		{ 0600, LB_OK, LB_OK },
		{ 0400, LB_OK, LB_OK },
		{ 0700, LB_OK, LB_OK },
		{ 0644, LB_OK, LB_ERR_UNTRUSTED },
		{ 0640, LB_OK, LB_ERR_UNTRUSTED },
		{ 0604, LB_OK, LB_ERR_UNTRUSTED },
		{ 0610, LB_OK, LB_ERR_UNTRUSTED },
		{ 0601, LB_OK, LB_ERR_UNTRUSTED },
		{ 0620, LB_ERR_UNTRUSTED, LB_ERR_UNTRUSTED },
		{ 0602, LB_ERR_UNTRUSTED, LB_ERR_UNTRUSTED },
		{ 0666, LB_ERR_UNTRUSTED, LB_ERR_UNTRUSTED },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++) {
		struct lb_buf b = { 0 };

		put("mode", row[i].mode, OLD);
		expect("mode", row[i].open);
		assert_int_equal(
		    lb_file_read_secret(at("mode"), geteuid(), MAX, &b),
		    row[i].secret);
		if (row[i].secret == LB_OK)
			assert_string_equal(b.data, OLD);
		else
			assert_null(b.data);
		lb_buf_clear(&b);
	}
}

static void
test_open_parent_modes(void **state)
{
	static const struct {
		mode_t mode;
		enum lb_err want; /* as root's directory */
	} row[] = {
		{ 0755, LB_OK },
		{ 0700, LB_OK },
		{ 0775, LB_ERR_UNTRUSTED },
		{ 0757, LB_ERR_UNTRUSTED },
		{ 0777, LB_ERR_UNTRUSTED },
		{ 01777, LB_OK },
		{ 01770, LB_OK },
	};

	(void)state;
	put_dir("p", 0755);
	put_dir("p/q", 0755);
	put("p/q/file", 0600, OLD);
	for (size_t i = 0; i < ROWS(row); i++) {
		/* Sticky helps only where root owns the directory. */
		enum lb_err want = geteuid() != 0 && (row[i].mode & S_ISVTX)
		    ? LB_ERR_UNTRUSTED
		    : row[i].want;

		assert_int_equal(chmod(at("p/q"), row[i].mode), 0);
		expect("p/q/file", want);
		assert_int_equal(chmod(at("p/q"), 0755), 0);
		assert_int_equal(chmod(at("p"), row[i].mode), 0);
		expect("p/q/file", want);
		assert_int_equal(chmod(at("p"), 0755), 0);
	}
}

static void
test_open_linked_into_shared_directory(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	put_dir("shared", 0755);
	put("shared/file", 0600, OLD);
	assert_int_equal(link(at("shared/file"), at("elsewhere")), 0);
	expect("shared/file", LB_OK);
	assert_int_equal(chmod(at("shared"), 01777), 0);
	expect("shared/file", LB_ERR_UNTRUSTED);
	expect("elsewhere", LB_OK);
	assert_int_equal(unlink(at("elsewhere")), 0);
	expect("shared/file", LB_OK);
}

static void
test_open_owners(void **state)
{
	static const struct {
		uid_t top, dir, file;
		enum lb_err as_root, as_nobody;
	} row[] = {
		{ 0, 0, 0, LB_OK, LB_OK },
		{ 0, 0, NOBODY, LB_ERR_UNTRUSTED, LB_OK },
		{ 0, NOBODY, 0, LB_ERR_UNTRUSTED, LB_OK },
		{ NOBODY, 0, 0, LB_ERR_UNTRUSTED, LB_OK },
		{ NOBODY, NOBODY, NOBODY, LB_ERR_UNTRUSTED, LB_OK },
		{ 0, 0, 1, LB_ERR_UNTRUSTED, LB_ERR_UNTRUSTED },
		{ 0, 1, 0, LB_ERR_UNTRUSTED, LB_ERR_UNTRUSTED },
		{ 1, 0, 0, LB_ERR_UNTRUSTED, LB_ERR_UNTRUSTED },
	};

	(void)state;
	if (geteuid() != 0)
		skip();
	put_dir("o", 0755);
	put_dir("o/p", 0755);
	put("o/p/file", 0644, OLD);
	for (size_t i = 0; i < ROWS(row); i++) {
		assert_int_equal(chown(at("o"), row[i].top, 0), 0);
		assert_int_equal(chown(at("o/p"), row[i].dir, 0), 0);
		assert_int_equal(chown(at("o/p/file"), row[i].file, 0), 0);
		expect_as(at("o/p/file"), 0, MAX, row[i].as_root);
		expect_as(at("o/p/file"), NOBODY, MAX, row[i].as_nobody);
	}
}

/* Whoever owns a sticky directory can still replace what is in it. */
static void
test_open_sticky_directory_of_others(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	put_dir("sticky", 01777);
	put("sticky/file", 0644, OLD);
	expect_as(at("sticky/file"), NOBODY, MAX, LB_OK);
	assert_int_equal(chown(at("sticky"), NOBODY, 0), 0);
	expect_as(at("sticky/file"), NOBODY, MAX, LB_ERR_UNTRUSTED);
	assert_int_equal(chmod(at("sticky"), 0755), 0);
	expect_as(at("sticky/file"), NOBODY, MAX, LB_OK);
}

/* The same file is let in by its own path, refused by any link to it. */
static void
test_open_symlinks(void **state)
{
	(void)state;
	put_dir("a", 0755);
	put_dir("a/b", 0755);
	put("a/b/file", 0644, OLD);
	expect("a/b/file", LB_OK);

	assert_int_equal(symlink("b", at("a/l")), 0);
	assert_int_equal(symlink("a", at("l")), 0);
	assert_int_equal(symlink("file", at("a/b/l")), 0);
	assert_int_equal(symlink(at("a/b/file"), at("a/b/absolute")), 0);
	assert_int_equal(symlink("nowhere", at("a/b/dangling")), 0);
	assert_int_equal(symlink("loop", at("a/b/loop")), 0);
	expect("l/b/file", LB_ERR_UNTRUSTED);
	expect("a/l/file", LB_ERR_UNTRUSTED);
	expect("a/b/l", LB_ERR_UNTRUSTED);
	expect("a/b/absolute", LB_ERR_UNTRUSTED);
	expect("a/b/dangling", LB_ERR_UNTRUSTED);
	expect("a/b/loop", LB_ERR_UNTRUSTED);
	expect("a/b/loop/file", LB_ERR_UNTRUSTED);
	expect_as("/proc/self/cmdline", geteuid(), MAX, LB_ERR_UNTRUSTED);
}

static void
test_open_never_blocks_on_other_kinds(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	(void)state;
	assert_int_equal(mkfifo(at("fifo"), 0600), 0);
	expect("fifo", LB_ERR_UNTRUSTED);
	expect("fifo/file", LB_ERR_UNTRUSTED);

	put_dir("directory", 0755);
	expect("directory", LB_ERR_UNTRUSTED);

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	(void)strcpy(sun.sun_path, at("socket"));
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(chmod(at("socket"), 0600), 0);
	expect("socket", LB_ERR_UNTRUSTED);
	assert_int_equal(close(fd), 0);

	/* A device of root's own mode: only its kind is wrong. */
	expect_as("/dev/null", 0, MAX, LB_ERR_UNTRUSTED);
	expect_as("/dev/full", 0, MAX, LB_ERR_UNTRUSTED);
}

/* Swap two names for ever, until killed. */
static pid_t
swapper(const char *a, const char *b)
{
	char pa[512], pb[512];
	pid_t pid;

	(void)strcpy(pa, at(a));
	(void)strcpy(pb, at(b));
	pid = fork();
	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		if (renameat2(AT_FDCWD, pa, AT_FDCWD, pb, RENAME_EXCHANGE) != 0)
			_exit(1);
	}
}

static void
child_kill(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Read name many times: what is let in is the good file, always. */
static void
race(const char *name)
{
	const char *path = at(name);
	int got = 0, refused = 0;

	for (int i = 0; i < 200000 && (got < 500 || refused < 500); i++) {
		struct lb_buf b = { 0 };
		enum lb_err r;

		r = lb_file_read_trusted(path, geteuid(), MAX, &b);
		if (r == LB_OK) {
			assert_string_equal(b.data, OLD);
			got++;
		} else {
			assert_int_equal(r, LB_ERR_UNTRUSTED);
			refused++;
		}
		lb_buf_clear(&b);
	}
	assert_true(got > 0);
	assert_true(refused > 0);
}

static void
test_open_race_of_directory_and_symlink(void **state)
{
	pid_t pid;

	(void)state;
	put_dir("good", 0755);
	put("good/file", 0644, OLD);
	put_dir("open", 0755);
	put("open/file", 0644, "evil\n");
	assert_int_equal(chmod(at("open"), 0777), 0);
	assert_int_equal(symlink("open", at("link")), 0);
	pid = swapper("good", "link");
	race("good/file");
	child_kill(pid);
}

static void
test_open_race_of_file_and_fifo(void **state)
{
	pid_t pid;

	(void)state;
	put_dir("mix", 0755);
	put("mix/file", 0644, OLD);
	assert_int_equal(mkfifo(at("mix/fifo"), 0600), 0);
	pid = swapper("mix/file", "mix/fifo");
	race("mix/file");
	child_kill(pid);
}

static void
test_open_race_of_file_and_symlink(void **state)
{
	pid_t pid;

	(void)state;
	put_dir("sym", 0755);
	put("sym/file", 0644, OLD);
	put("sym/evil", 0644, "evil\n");
	assert_int_equal(symlink("evil", at("sym/link")), 0);
	pid = swapper("sym/file", "sym/link");
	race("sym/file");
	child_kill(pid);
}

static void
test_open_leaks_no_descriptor(void **state)
{
	static const char *const names[] = { "plain", "nothing", "fifo",
		"a/l/file", "nodir/x", "huge", "directory" };
	int before = dup(0), after;

	(void)state;
	assert_int_equal(close(before), 0);
	for (size_t i = 0; i < ROWS(names); i++) {
		struct lb_buf b = { 0 };
		enum lb_err r;

		r = lb_file_read_trusted(at(names[i]), geteuid(), MAX, &b);
		assert_true(i == 0 ? r == LB_OK : r != LB_OK);
		lb_buf_clear(&b);
	}
	after = dup(0);
	assert_int_equal(close(after), 0);
	assert_int_equal(before, after);
}

/* ---- replacing ---- */

static size_t
entries(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	assert_int_equal(closedir(d), 0);
	return n - 2; /* . and .. */
}

static bool
holds(const char *path, const char *want)
{
	char got[256] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, got, sizeof(got) - 1);

	if (fd >= 0)
		(void)close(fd);
	return n == (ssize_t)strlen(want) && strcmp(got, want) == 0;
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
test_write_creates_and_replaces(void **state)
{
	mode_t mask = umask(077);

	(void)state;
	put_dir("w", 0755);
	assert_int_equal(
	    lb_file_write_atomic(at("w/f"), 0644, "new\n", 4), LB_OK);
	assert_true(holds(at("w/f"), "new\n"));
	assert_int_equal(mode_of(at("w/f")), 0644); /* whatever the umask */
	assert_int_equal(lb_file_write_atomic(at("w/f"), 0600, "", 0), LB_OK);
	assert_true(holds(at("w/f"), ""));
	assert_int_equal(mode_of(at("w/f")), 0600);
	assert_int_equal(entries(at("w")), 1);

	assert_int_equal(chdir(at("w")), 0);
	assert_int_equal(lb_file_write_atomic("g", 0600, "g", 1), LB_OK);
	assert_true(holds(at("w/g"), "g"));
	assert_int_equal(chdir("/"), 0);
	(void)umask(mask);
}

static void
test_write_replaces_a_symlink(void **state)
{
	(void)state;
	put_dir("ws", 0755);
	put("victim", 0644, OLD);
	assert_int_equal(symlink("../victim", at("ws/f")), 0);
	assert_int_equal(
	    lb_file_write_atomic(at("ws/f"), 0600, "new\n", 4), LB_OK);
	assert_true(holds(at("victim"), OLD));
	assert_true(holds(at("ws/f"), "new\n"));
	assert_int_equal(entries(at("ws")), 1);
}

static void
test_write_names_that_cannot_be(void **state)
{
	char path[5000];

	(void)state;
	put_dir("wn", 0755);
	put_dir("wn/dir", 0755);
	put("wn/dir/in", 0600, OLD);
	assert_int_equal(
	    lb_file_write_atomic(at("wn/dir/"), 0600, "x", 1), LB_ERR_IO);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(lb_file_write_atomic("", 0600, "x", 1), LB_ERR_IO);
	assert_int_equal(
	    lb_file_write_atomic(at("wn/dir"), 0600, "x", 1), LB_ERR_IO);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(
	    lb_file_write_atomic(at("wn/no/f"), 0600, "x", 1), LB_ERR_IO);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(
	    lb_file_write_atomic(at("wn/dir/in/f"), 0600, "x", 1), LB_ERR_IO);
	assert_int_equal(errno, ENOTDIR);
	(void)snprintf(path, sizeof(path), "%s/wn/%0300d", top, 0);
	assert_int_equal(lb_file_write_atomic(path, 0600, "x", 1), LB_ERR_IO);
	assert_int_equal(errno, ENAMETOOLONG);
	(void)snprintf(path, sizeof(path), "%s/wn/%04500d/f", top, 0);
	assert_int_equal(lb_file_write_atomic(path, 0600, "x", 1), LB_ERR_IO);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(entries(at("wn")), 1);
	assert_int_equal(entries(at("wn/dir")), 1);

	/* The longest name still fits, whatever the temporary one is. */
	(void)snprintf(path, sizeof(path), "%s/wn/%0255d", top, 0);
	assert_int_equal(lb_file_write_atomic(path, 0600, "x", 1), LB_OK);
	assert_true(holds(path, "x"));
}

/*
 * Run a write of len bytes over an old file in a child that something has
 * been done to.
 *
 * prepare  what is done; false: cannot be done here
 * want     the errno expected
 */
struct fault {
	bool (*prepare)(const char *dir);
	int want;
	bool new_stands; /* it failed after the rename */
};

/* Returns CHILD_OK, 77 for "cannot be done here", or the line that failed. */
static int
fault_child(const struct fault *f, const char *dir)
{
	static char bytes[65536];
	char path[512];
	enum lb_err r;

	(void)snprintf(path, sizeof(path), "%s/f", dir);
	memset(bytes, 'n', sizeof(bytes));
	if (lb_file_write_atomic(path, 0600, OLD, strlen(OLD)) != LB_OK)
		return 1;
	if (!f->prepare(dir))
		return 77;
	errno = 0;
	r = lb_file_write_atomic(path, 0644, bytes, sizeof(bytes));
	if (r != LB_ERR_IO)
		return 2;
	return errno == f->want ? CHILD_OK : errno;
}

static void
fault_run(const struct fault *f)
{
	char dir[512];
	int status;
	pid_t pid;

	(void)strcpy(dir, at("fault"));
	assert_int_equal(mkdir(dir, 0755), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fault_child(f, dir));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	(void)chmod(dir, 0755);
	if (WEXITSTATUS(status) != 77) {
		assert_int_equal(WEXITSTATUS(status), CHILD_OK);
		assert_int_equal(holds(at("fault/f"), OLD), !f->new_stands);
		assert_int_equal(
		    mode_of(at("fault/f")), f->new_stands ? 0644 : 0600);
		assert_int_equal(entries(dir), 1);
	}
	assert_int_equal(unlink(at("fault/f")), 0);
	assert_int_equal(rmdir(dir), 0);
	if (WEXITSTATUS(status) == 77)
		skip();
}

static bool
make_read_only(const char *dir)
{
	if (chmod(dir, 0555) != 0)
		return false;
	/* For root nothing is read-only. The file is root's then, which does
	 * not matter: it is the directory that is written. */
	return geteuid() != 0 || (chmod(top, 0755) == 0 && setuid(NOBODY) == 0);
}

static bool
make_small_limit(const char *dir)
{
	const struct rlimit limit = { 1000, 1000 };

	(void)dir;
	return signal(SIGXFSZ, SIG_IGN) != SIG_ERR &&
	    setrlimit(RLIMIT_FSIZE, &limit) == 0;
}

static bool
make_no_descriptors(const char *dir)
{
	int next = dup(0);
	const struct rlimit limit = { (rlim_t)next + 1, (rlim_t)next + 1 };

	(void)dir;
	(void)close(next); /* one is left: the directory's */
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/* A system call fails, always or only for one first argument. */
static bool
forbid(int call, int with_arg, int err)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)with_arg, 0,
		    (unsigned char)(with_arg < 0 ? 0 : 1)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { ROWS(filter), filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0;
}

static bool
forbid_getrandom(const char *dir)
{
	(void)dir;
	return forbid(SYS_getrandom, -1, ENOSYS);
}

static bool
forbid_write(const char *dir)
{
	(void)dir;
	return forbid(SYS_write, -1, EIO);
}

static bool
forbid_fchmod(const char *dir)
{
	(void)dir;
	return forbid(SYS_fchmod, -1, EPERM);
}

static bool
forbid_fsync(const char *dir)
{
	(void)dir;
	return forbid(SYS_fsync, -1, EIO);
}

static bool
forbid_rename(const char *dir)
{
	(void)dir;
#ifdef SYS_renameat
	if (!forbid(SYS_renameat, -1, EXDEV))
		return false;
#endif
	return forbid(SYS_renameat2, -1, EXDEV);
}

/* The directory is opened first, so it gets the lowest free descriptor. */
static bool
forbid_fsync_of_directory(const char *dir)
{
	int next = dup(0);

	(void)dir;
	(void)close(next);
	return forbid(SYS_fsync, next, EIO);
}

static void
test_write_faults(void **state)
{
	static const struct fault faults[] = {
		{ make_read_only, EACCES, false },
		{ make_small_limit, EFBIG, false },
		{ make_no_descriptors, EMFILE, false },
		{ forbid_getrandom, ENOSYS, false },
		{ forbid_write, EIO, false },
		{ forbid_fchmod, EPERM, false },
		{ forbid_fsync, EIO, false },
		{ forbid_rename, EXDEV, false },
		{ forbid_fsync_of_directory, EIO, true },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(faults); i++)
		fault_run(&faults[i]);
}

/* In a mount namespace of its own: a file system with room for too little. */
static int
full_child(const char *dir, const char *options)
{
	static char bytes[65536];
	char path[512];

	if (unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", dir, "tmpfs", 0, options) != 0)
		return 77;
	(void)snprintf(path, sizeof(path), "%s/f", dir);
	if (lb_file_write_atomic(path, 0600, OLD, strlen(OLD)) != LB_OK)
		return 1;
	if (strstr(options, "nr_inodes") != NULL) {
		/* Rename needs no inode, a new file does. */
		(void)snprintf(path, sizeof(path), "%s/other", dir);
		if (open(path, O_CREAT | O_EXCL | O_CLOEXEC, 0600) < 0)
			return 2;
		(void)snprintf(path, sizeof(path), "%s/f", dir);
	}
	if (lb_file_write_atomic(path, 0644, bytes, sizeof(bytes)) != LB_ERR_IO)
		return 3;
	if (errno != ENOSPC)
		return 4;
	if (!holds(path, OLD) || mode_of(path) != 0600)
		return 5;
	return entries(dir) <= 2 ? CHILD_OK : 6;
}

static void
test_write_full_disk(void **state)
{
	static const char *const options[] = { "size=16k",
		"size=1m,nr_inodes=3" };
	int status;
	pid_t pid;

	(void)state;
	put_dir("full", 0755);
	for (size_t i = 0; i < ROWS(options); i++) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(full_child(at("full"), options[i]));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == 77)
			skip();
		assert_int_equal(WEXITSTATUS(status), CHILD_OK);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_lets_a_plain_file_in),
		cmocka_unit_test(test_read_empty_file),
		cmocka_unit_test(test_open_missing),
		cmocka_unit_test(test_open_size_boundary),
		cmocka_unit_test(test_read_more_than_stat_says),
		cmocka_unit_test(test_open_paths_that_are_refused),
		cmocka_unit_test(test_open_file_modes),
		cmocka_unit_test(test_open_parent_modes),
		cmocka_unit_test(test_open_linked_into_shared_directory),
		cmocka_unit_test(test_open_owners),
		cmocka_unit_test(test_open_sticky_directory_of_others),
		cmocka_unit_test(test_open_symlinks),
		cmocka_unit_test(test_open_never_blocks_on_other_kinds),
		cmocka_unit_test(test_open_race_of_directory_and_symlink),
		cmocka_unit_test(test_open_race_of_file_and_fifo),
		cmocka_unit_test(test_open_race_of_file_and_symlink),
		cmocka_unit_test(test_open_leaks_no_descriptor),
		cmocka_unit_test(test_write_creates_and_replaces),
		cmocka_unit_test(test_write_replaces_a_symlink),
		cmocka_unit_test(test_write_names_that_cannot_be),
		cmocka_unit_test(test_write_faults),
		cmocka_unit_test(test_write_full_disk),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
