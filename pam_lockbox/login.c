/* What PAM, sshd and the kernel say about the login at hand. */
#include "login.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "lockbox/text.h"

#define PASSWD_MAX 8192 /* bytes of one entry */

static const char *
item_read(const pam_handle_t *pamh, int type)
{
	const void *item = NULL;

	if (pam_get_item(pamh, type, &item) != PAM_SUCCESS || item == NULL)
		return "";
	return item;
}

/* To the end: half a number is another number. */
static enum lb_err
number_read(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	for (;;) {
		n = read(fd, text + len, size - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return LB_ERR_IO;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len == size - 1)
			return LB_ERR_RANGE;
	}
	text[len] = '\0';
	return LB_OK;
}

/* A file of /proc/self that holds one number and nothing else. */
static int64_t
id_read(const char *path)
{
	char text[16];
	int64_t id;
	enum lb_err r;
	int fd;

	do
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return LOGIN_ID_UNKNOWN;
	r = number_read(fd, text, sizeof(text));
	(void)close(fd);
	if (r != LB_OK ||
	    lb_number_parse(text, 0, LOGIN_ID_UNSET, &id) != LB_OK)
		return LOGIN_ID_UNKNOWN;
	return id;
}

/* It makes its real uid root's before it asks: that says nothing. */
static bool
hides_its_caller(const char *service)
{
	return strcmp(service, "sudo") == 0 || strcmp(service, "sudo-i") == 0;
}

static bool
calls_for_another(const char *service)
{
	static const char *const name[] = { "su", "su-l", "sudo", "sudo-i" };

	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		if (strcmp(service, name[i]) == 0)
			return true;
	return false;
}

void
login_read(pam_handle_t *pamh, struct login *ret)
{
	struct login l = { 0 };
	const char *info = NULL;

	l.service = item_read(pamh, PAM_SERVICE);
	l.user = item_read(pamh, PAM_USER);
	l.ruser = item_read(pamh, PAM_RUSER);
	l.rhost = item_read(pamh, PAM_RHOST);
	l.tty = item_read(pamh, PAM_TTY);
	l.by_sshd = strcmp(l.service, "sshd") == 0;
	l.by_caller = calls_for_another(l.service);
	if (l.by_sshd)
		info = pam_getenv(pamh, "SSH_AUTH_INFO_0");
	l.auth_info = info == NULL ? "" : info;
	l.loginuid = id_read("/proc/self/loginuid");
	l.sessionid = id_read("/proc/self/sessionid");
	*ret = l;
}

bool
login_valid(const struct login *l)
{
	return lb_service_valid(l->service) && lb_login_valid(l->user);
}

/* Only the very same name counts: some name services ignore case. */
static int64_t
uid_find(const char *name)
{
	char buf[PASSWD_MAX];
	struct passwd pw, *found = NULL;

	if (getpwnam_r(name, &pw, buf, sizeof(buf), &found) != 0 ||
	    found == NULL || strcmp(found->pw_name, name) != 0)
		return LOGIN_ID_UNKNOWN;
	return found->pw_uid;
}

static void
subject_by_uid(int64_t uid, struct subject *ret)
{
	char buf[PASSWD_MAX];
	struct passwd pw, *found = NULL;

	if (getpwuid_r((uid_t)uid, &pw, buf, sizeof(buf), &found) != 0 ||
	    found == NULL || !lb_login_valid(found->pw_name) ||
	    lb_text_copy(ret->name, sizeof(ret->name), found->pw_name) != LB_OK)
		return;
	ret->uid = uid;
}

static void
subject_by_name(const char *name, struct subject *ret)
{
	if (!lb_login_valid(name) ||
	    lb_text_copy(ret->name, sizeof(ret->name), name) != LB_OK)
		return;
	ret->uid = uid_find(name);
}

void
login_subject(const struct login *l, struct subject *ret)
{
	struct subject s = { .uid = LOGIN_ID_UNKNOWN };
	uid_t real = getuid();

	if (!l->by_caller)
		subject_by_name(l->user, &s);
	else if (l->loginuid == LOGIN_ID_UNKNOWN)
		;
	else if (l->loginuid != LOGIN_ID_UNSET)
		subject_by_uid(l->loginuid, &s);
	else if (real == 0 &&
	    (l->ruser[0] != '\0' || hides_its_caller(l->service)))
		subject_by_name(l->ruser, &s);
	else
		subject_by_uid(real, &s);
	*ret = s;
}

/* What sshd adds for a key on a security device, up to the line's end. */
static bool
note_valid(const char *note, size_t len)
{
	static const char text[] = " signature count = ";
	size_t at = sizeof(text) - 1, n;

	if (len <= at || memcmp(note, text, at) != 0)
		return false;
	n = strspn(note + at, "0123456789");
	return n > 0 && at + n == len;
}

/* "publickey", one blank, the key's type, one blank, base64, perhaps a note,
 * line's end. */
static bool
line_proves_key(const char *line, size_t len)
{
	static const char method[] = "publickey ";
	static const char type[] = "abcdefghijklmnopqrstuvwxyz0123456789@.-";
	static const char blob[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "abcdefghijklmnopqrstuvwxyz0123456789+/=";
	size_t at = sizeof(method) - 1, n;

	if (len <= at || memcmp(line, method, at) != 0)
		return false;
	n = strspn(line + at, type);
	if (n == 0 || line[at + n] != ' ')
		return false;
	at += n + 1;
	n = strspn(line + at, blob);
	at += n;
	return n > 0 && (at == len || note_valid(line + at, len - at));
}

bool
login_key_proven(const struct login *l)
{
	const char *line = l->auth_info;

	if (!l->by_sshd)
		return false;
	while (*line != '\0') {
		size_t len = strcspn(line, "\n");

		if (line_proves_key(line, len))
			return true;
		line += len + (line[len] == '\n');
	}
	return false;
}
