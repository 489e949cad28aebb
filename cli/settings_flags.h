/*
 * Flags that say which broker, who, and which key: laid over the
 * configuration, and kept there.
 */
#ifndef LOCKBOX_CLI_SETTINGS_FLAGS_H
#define LOCKBOX_CLI_SETTINGS_FLAGS_H

#include "flags.h"
#include "settings.h"

/* A part of the options of a command; NULL: not given. */
struct settings_flags {
	const char *url, *ca, *as, *key, *trust;
};

#define SETTINGS_FLAGS(at)                                                     \
	{ "url", 0, FLAG_TEXT, (at) + offsetof(struct settings_flags, url),    \
		"URL", "the broker: https://HOST[:PORT]" },                    \
	    { "ca", 0, FLAG_TEXT, (at) + offsetof(struct settings_flags, ca),  \
		    "FILE",                                                    \
		    "PEM of the authority that signed the broker's "           \
		    "certificate" },                                           \
	    { "as", 0, FLAG_TEXT, (at) + offsetof(struct settings_flags, as),  \
		    "PRINCIPAL", "who you are" },                              \
	    { "key", 0, FLAG_TEXT,                                             \
		    (at) + offsetof(struct settings_flags, key), "FILE",       \
		    "private key, or .pub of one in ssh-agent" },              \
	{                                                                      \
		"trust", 0, FLAG_TEXT,                                         \
		    (at) + offsetof(struct settings_flags, trust), "FILE",     \
		    "your own copy of your trust document (customers)"         \
	}

/* Lay what was given over s. An enum ending, as all below. */
int settings_flags_apply(
    const struct cli *cli, const struct settings_flags *o, struct settings *s);

/* Is known which broker, who, and which key? Says how to give them. */
int settings_flags_check(const struct cli *cli, const struct settings *s);

/*
 * Keep what was learnt: flags, and the broker's name. LOCKBOX_ADDR is for now
 * only, unless no address was known.
 */
int settings_flags_keep(struct cli *cli, const struct settings_flags *o,
    const struct settings *used);

#endif
