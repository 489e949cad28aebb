/* Reads files of trust documents. */
#include "trust_file.h"

#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "output.h"
#include "trust_words.h"

void
trust_file_clear(struct trust_file *t)
{
	lb_bundle_free(t->bundle);
	lb_buf_clear(&t->text);
	free(t->paper);
	*t = (struct trust_file){ 0 };
}

static int
trust_file_split(const struct cli *cli, const char *path, struct trust_file *t)
{
	enum lb_err r;

	r = lb_bundle_split(t->text.data, t->text.len, &t->bundle);
	if (r != LB_OK || t->bundle->count == 0)
		return out_fail(cli, ENDING_FAILED,
		    "'%s' holds no documents with their signatures: %s", path,
		    lb_err_text(r != LB_OK ? r : LB_ERR_FORMAT));
	for (size_t i = 0; i < t->bundle->count; i++)
		if (t->bundle->part[i].type != &lb_trust_type)
			return out_fail(cli, ENDING_FAILED,
			    "'%s' holds something else than trust documents",
			    path);
	t->last = &t->bundle->part[t->bundle->count - 1];
	r = lb_trust_paper_parse(t->last->doc.text, t->last->doc.len, t->paper);
	if (r != LB_OK)
		return out_fail(cli, ENDING_FAILED,
		    "'%s' is not a trust document: %s", path, lb_err_text(r));
	return ENDING_DONE;
}

int
trust_file_load(const struct cli *cli, const char *path, struct trust_file *ret)
{
	struct trust_file t = { .paper = calloc(1, sizeof(*t.paper)) };
	enum lb_err r;
	int rv;

	if (t.paper == NULL)
		return out_fail(cli, ENDING_FAILED, "out of memory");
	r = files_read(path, LB_BUNDLE_MAX, &t.text);
	if (r != LB_OK)
		rv = out_fail(
		    cli, ENDING_FAILED, "read '%s': %s", path, files_why(r));
	else
		rv = trust_file_split(cli, path, &t);
	if (rv == ENDING_DONE)
		*ret = t;
	else
		trust_file_clear(&t);
	return rv;
}

const char *
trust_file_why(enum lb_err r)
{
	switch (r) {
	case LB_ERR_STATE:
		return "its owners or approvers cannot reach the threshold with "
		       "the keys, pages and 'require' it names";
	case LB_ERR_UNSUPPORTED:
		return "it names a kind of key that this build cannot check";
	case LB_ERR_RANGE:
		return "a number or a name in it is out of range";
	case LB_ERR_FORMAT:
		return "a line is missing or not in its one spelling (tenant, "
		       "a broker and an approver are needed; delegates need "
		       "an end)";
	default:
		return lb_err_text(r);
	}
}

static json_t *
lines_json(const char *text)
{
	json_t *list = json_array();
	const char *end;

	for (; text != NULL && (end = strchr(text, '\n')) != NULL;
	     text = end + 1)
		(void)json_array_append_new(
		    list, json_stringn(text, (size_t)(end - text)));
	return list;
}

int
trust_file_diff(const struct cli *cli, FILE *f, const struct lb_trust_paper *a,
    const struct lb_trust_paper *b)
{
	struct lb_buf words = { 0 };
	int rv = ENDING_DONE;

	if (trust_words_diff(a, b, &words) != LB_OK)
		rv = out_fail(cli, ENDING_FAILED, "out of memory");
	else if (cli->json && f == cli->out)
		rv = out_json(
		    cli, json_pack("{s:o}", "changes", lines_json(words.data)));
	else if (words.len == 0)
		out_line(f, "nothing changes");
	else
		out_document(f, "", words.data, words.len);
	lb_buf_clear(&words);
	return rv;
}

const struct lb_pinned *
trust_file_owner(const struct lb_trust *t, const struct lb_sshkey *key)
{
	for (size_t i = 0; t != NULL && i < t->approver.count; i++)
		if ((t->approver.item[i].namespaces & LB_NS_TRUST) != 0 &&
		    lb_sshkey_equal(&t->approver.item[i].key, key))
			return &t->approver.item[i];
	return NULL;
}

int
trust_file_write(
    const struct cli *cli, const struct lb_trust_paper *paper, const char *path)
{
	struct lb_buf text = { 0 };
	struct lb_trust *t = NULL;
	int rv = ENDING_FAILED;
	enum lb_err r;

	if ((r = lb_doc_write(&lb_trust_type, paper, &text)) != LB_OK ||
	    (r = lb_trust_parse(text.data, text.len, &t)) != LB_OK)
		out_fail(cli, rv, "this is no valid trust document: %s",
		    trust_file_why(r));
	else if ((r = files_write(cli, path, text.data, text.len)) != LB_OK)
		out_fail(cli, rv, "write '%s': %s",
		    path != NULL ? path : "standard output", files_why(r));
	else
		rv = ENDING_DONE;
	lb_trust_free(t);
	lb_buf_clear(&text);
	return rv;
}

void
trust_file_hint(const struct cli *cli, const char *from, const char *output)
{
	const char *file = output != NULL ? output : "FILE";

	out_hint(cli,
	    "the owners in %s sign it, one by one at the broker: lockbox trust "
	    "propose %s; or in the file: lockbox trust sign %s --pin %s",
	    from, file, file, from);
}
