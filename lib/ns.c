/* The namespaces of signatures: one table, both ways. */
#include "lockbox/ns.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const struct {
	enum lb_ns ns;
	const char *name;
} namespaces[] = {
	{ LB_NS_ANSWER, "lockbox-answer-v1" },
	{ LB_NS_APPROVE, "lockbox-approve-v1" },
	{ LB_NS_DENY, "lockbox-deny-v1" },
	{ LB_NS_ENDORSE, "lockbox-endorse-v1" },
	{ LB_NS_QUESTION, "lockbox-question-v1" },
	{ LB_NS_REPORT, "lockbox-report-v1" },
	{ LB_NS_REQUEST, "lockbox-request-v1" },
	{ LB_NS_REVOKE, "lockbox-revoke-v1" },
	{ LB_NS_SIGNIN, "lockbox-signin-v1" },
	{ LB_NS_TRUST, "lockbox-trust-v1" },
};

#define NAMESPACES (sizeof(namespaces) / sizeof(namespaces[0]))

const char *
lb_ns_name(enum lb_ns ns)
{
	const char *name = NULL;

	for (size_t i = 0; i < NAMESPACES; i++) {
		if (namespaces[i].ns == ns)
			name = namespaces[i].name;
	}
	assert(name != NULL);
	return name;
}

enum lb_ns
lb_ns_find(const char *name)
{
	for (size_t i = 0; i < NAMESPACES; i++) {
		if (strcmp(namespaces[i].name, name) == 0)
			return namespaces[i].ns;
	}
	return (enum lb_ns)0;
}
