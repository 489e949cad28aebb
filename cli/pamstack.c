/* Follows PAM's includes and looks for our place in a service's stack. */
#include "pamstack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lockbox/text.h"

#define BLANKS " \t"
#define OURS   "pam_lockbox.so"

/* A walk through files; frames below it share the rest. */
struct walk {
	pamstack_read read;
	void *arg;
	struct pamstack *stack;
	char *what;
	size_t depth;
};

/* Where we are, and which lines count there. */
struct frame {
	const char *file;
	unsigned int number;
	const char *only; /* a type, or NULL: all */
	bool substack;
};

static enum lb_err walk_file(struct walk *w, const struct frame *f);

static enum lb_err
fail(struct walk *w, const struct frame *f, enum lb_err r, const char *why)
{
	(void)snprintf(w->what, PAMSTACK_WHAT_MAX, "/etc/pam.d/%s:%u: %s",
	    f->file, f->number, why);
	return r;
}

/* The next word; "[...]" is one. NULL at the end of the line. */
static char *
word_take(char **s)
{
	char *word = *s + strspn(*s, BLANKS), *end;

	if (*word == '\0')
		return NULL;
	if (*word == '[') {
		end = strchr(word, ']');
		while (end != NULL && end[-1] == '\\')
			end = strchr(end + 1, ']');
		if (end == NULL)
			return NULL;
		end++;
	} else {
		end = word + strcspn(word, BLANKS);
	}
	*s = *end != '\0' ? end + 1 : end;
	*end = '\0';
	return word;
}

static bool
type_known(const char *type)
{
	static const char *const types[] = { "account", "auth", "password",
		"session", NULL };

	for (size_t i = 0; types[i] != NULL; i++)
		if (strcasecmp(types[i], type) == 0)
			return true;
	return false;
}

static enum lb_err
line_add(struct walk *w, const struct frame *f, const char *type,
    const char *control, const char *module, const char *args)
{
	struct pam_line *l;

	if (w->stack->count == PAMSTACK_LINES_MAX)
		return fail(w, f, LB_ERR_RANGE, "too many lines");
	l = &w->stack->line[w->stack->count];
	*l = (struct pam_line){ .number = f->number, .substack = f->substack };
	if (*type == '-') {
		l->silent = true;
		type++;
	}
	args += strspn(args, BLANKS);
	if (lb_text_copy(l->file, sizeof(l->file), f->file) != LB_OK ||
	    lb_text_copy(l->type, sizeof(l->type), type) != LB_OK ||
	    lb_text_copy(l->control, sizeof(l->control), control) != LB_OK ||
	    lb_text_copy(l->module, sizeof(l->module), module) != LB_OK ||
	    lb_text_copy(l->args, sizeof(l->args), args) != LB_OK)
		return fail(w, f, LB_ERR_RANGE, "a word is too long");
	w->stack->count++;
	return LB_OK;
}

static enum lb_err
include(struct walk *w, const struct frame *f, const char *name,
    const char *only, bool substack)
{
	const struct frame below = {
		.file = name, .only = only, .substack = substack || f->substack
	};
	enum lb_err r;

	if (w->depth == PAMSTACK_DEPTH_MAX)
		return fail(w, f, LB_ERR_RANGE, "includes are too deep");
	w->depth++;
	r = walk_file(w, &below);
	w->depth--;
	if (r == LB_ERR_MISSING)
		return fail(w, f, LB_ERR_FORMAT, "includes what is not there");
	return r;
}

static enum lb_err
walk_line(struct walk *w, const struct frame *f, char *text)
{
	const char *type, *bare, *control, *module;

	if ((type = word_take(&text)) == NULL)
		return LB_OK;
	if (strcmp(type, "@include") == 0) {
		module = word_take(&text);
		return module != NULL ? include(w, f, module, f->only, false)
				      : fail(w, f, LB_ERR_FORMAT, "no file");
	}
	bare = type + (*type == '-');
	control = word_take(&text);
	module = control != NULL ? word_take(&text) : NULL;
	if (module == NULL || !type_known(bare))
		return fail(w, f, LB_ERR_FORMAT, "not a line of PAM's");
	if (f->only != NULL && strcasecmp(f->only, bare) != 0)
		return LB_OK;
	if (strcasecmp(control, "include") == 0)
		return include(w, f, module, bare, false);
	if (strcasecmp(control, "substack") == 0)
		return include(w, f, module, bare, true);
	return line_add(w, f, type, control, module, text);
}

/* Join lines that end in "\", drop comments. */
static char *
line_take(char **text, unsigned int *number)
{
	char *start = *text, *to = start, *from = start;

	if (*from == '\0')
		return NULL;
	for (;;) {
		size_t len = strcspn(from, "\n");
		bool more =
		    len > 0 && from[len - 1] == '\\' && from[len] == '\n';

		memmove(to, from, len);
		to += len;
		from += len + (from[len] == '\n');
		(*number)++;
		if (!more)
			break;
		to[-1] = ' ';
	}
	*text = from;
	if (to != from)
		*to = '\0';
	start[strcspn(start, "#")] = '\0';
	return start;
}

static enum lb_err
walk_file(struct walk *w, const struct frame *f)
{
	struct lb_buf b = { .max = PAMSTACK_FILE_MAX };
	struct frame at = *f;
	char *text, *line;
	enum lb_err r;

	/* The last byte may be needed for a NUL: see line_take. */
	if ((r = w->read(w->arg, f->file, &b)) == LB_OK)
		r = lb_buf_adds(&b, "\n");
	text = b.data;
	while (r == LB_OK && (line = line_take(&text, &at.number)) != NULL)
		r = walk_line(w, &at, line);
	lb_buf_clear(&b);
	return r;
}

enum lb_err
pamstack_load(pamstack_read read, void *arg, const char *service,
    struct pamstack *ret, char *ret_what)
{
	const struct frame top = { .file = service };
	struct walk w = { .read = read, .arg = arg, .what = ret_what };
	enum lb_err r = LB_ERR_MEMORY;

	ret_what[0] = '\0';
	if ((w.stack = calloc(1, sizeof(*w.stack))) != NULL)
		r = walk_file(&w, &top);
	if (r == LB_OK)
		*ret = *w.stack;
	free(w.stack);
	return r;
}

/* Is that the module's name, wherever it lies? */
static bool
module_is(const struct pam_line *l, const char *name)
{
	const char *slash = strrchr(l->module, '/');

	return strcmp(slash != NULL ? slash + 1 : l->module, name) == 0;
}

static bool
type_is(const struct pam_line *l, const char *type)
{
	return strcasecmp(l->type, type) == 0;
}

const struct pam_line *
pamstack_ours(const struct pamstack *s, const char *type)
{
	for (size_t i = 0; i < s->count; i++)
		if (type_is(&s->line[i], type) && module_is(&s->line[i], OURS))
			return &s->line[i];
	return NULL;
}

const char *
pamstack_account_fault(const struct pamstack *s)
{
	const struct pam_line *ours = pamstack_ours(s, "account");

	if (ours == NULL)
		return "has no account line of " OURS
		       ": lockbox does not guard it";
	for (const struct pam_line *l = s->line; l != ours; l++)
		if (type_is(l, "account"))
			return "runs another account line before ours: it could "
			       "end the stack";
	if (strcasecmp(ours->control, "requisite") != 0)
		return "has our account line, but not as requisite";
	if (ours->substack)
		return "has our account line in a substack: it must be the "
		       "service's own";
	return NULL;
}

const char *
pamstack_session_fault(const struct pamstack *s)
{
	const struct pam_line *ours = pamstack_ours(s, "session");
	bool loginuid = false;

	if (ours == NULL)
		return "has no session line of " OURS
		       ": no login can be registered";
	if (strcasecmp(ours->control, "requisite") != 0 &&
	    strcasecmp(ours->control, "required") != 0)
		return "has our session line, but not as requisite";
	for (const struct pam_line *l = s->line; l != ours; l++) {
		if (!type_is(l, "session"))
			continue;
		if (module_is(l, "pam_env.so"))
			return "runs pam_env before our session line: users "
			       "could forge their key";
		loginuid |= module_is(l, "pam_loginuid.so");
	}
	return loginuid ? NULL
			: "runs our session line without pam_loginuid before "
			  "it: there is no session id to register";
}
