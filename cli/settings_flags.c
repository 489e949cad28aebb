/* Flags that say which broker, who, and which key. */
#include "settings_flags.h"

#include <string.h>

#include "output.h"

/* A path from a flag, made absolute so that it holds from everywhere. */
static int
path_set(const struct cli *cli, const char *value, const char *name,
    char ret[static PATH_MAX])
{
	if (value == NULL)
		return ENDING_DONE;
	if (settings_absolute(value, ret) != LB_OK)
		return out_fail(cli, ENDING_USAGE, "--%s is too long", name);
	return ENDING_DONE;
}

int
settings_flags_apply(
    const struct cli *cli, const struct settings_flags *o, struct settings *s)
{
	char url[SETTINGS_URL_MAX + 1];
	int rv;

	if (o->url != NULL) {
		if (settings_url(o->url, url) != LB_OK)
			return out_fail(cli, ENDING_USAGE,
			    "--url is https://HOST[:PORT], not '%s'", o->url);
		/* Another broker has another name: learnt anew. */
		if (strcmp(url, s->url) != 0)
			s->broker[0] = '\0';
		memcpy(s->url, url, sizeof(url));
	}
	if (o->as != NULL &&
	    (!lb_principal_valid(o->as) ||
		lb_text_copy(s->principal, sizeof(s->principal), o->as) !=
		    LB_OK))
		return out_fail(cli, ENDING_USAGE,
		    "'%s' is no principal such as anna@acme.example", o->as);
	if ((rv = path_set(cli, o->ca, "ca", s->ca)) != ENDING_DONE ||
	    (rv = path_set(cli, o->key, "key", s->key)) != ENDING_DONE ||
	    (rv = path_set(cli, o->trust, "trust", s->trust)) != ENDING_DONE)
		return rv;
	return ENDING_DONE;
}

int
settings_flags_check(const struct cli *cli, const struct settings *s)
{
	int rv;

	if (s->url[0] != '\0' && s->principal[0] != '\0' && s->key[0] != '\0')
		return ENDING_DONE;
	rv = out_fail(cli, ENDING_USAGE,
	    "the first time --url, --as and --key are needed");
	out_hint(cli,
	    "lockbox signin --url https://broker.example "
	    "--ca ca.pem --as you@example --key "
	    "~/.ssh/id_ed25519");
	return rv;
}

int
settings_flags_keep(struct cli *cli, const struct settings_flags *o,
    const struct settings *used)
{
	struct settings kept;
	int rv;

	if ((rv = settings_load_file(cli, &kept)) != ENDING_DONE ||
	    (rv = settings_flags_apply(cli, o, &kept)) != ENDING_DONE)
		return rv;
	if (kept.url[0] == '\0')
		memcpy(kept.url, used->url, sizeof(kept.url));
	if (strcmp(kept.url, used->url) == 0)
		memcpy(kept.broker, used->broker, sizeof(kept.broker));
	return settings_save(cli, &kept);
}
