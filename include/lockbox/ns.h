/* Namespaces: what a signature means, so that no verb stands in the text. */
#ifndef LOCKBOX_NS_H
#define LOCKBOX_NS_H

/* Bits, so that a pinned line's "namespaces=" is a set. */
enum lb_ns {
	LB_NS_ANSWER = 1 << 0,  /* lockbox-answer-v1: broker, over an answer */
	LB_NS_APPROVE = 1 << 1, /* lockbox-approve-v1: over a grant */
	LB_NS_DENY = 1 << 2,    /* lockbox-deny-v1: over a request */
	LB_NS_ENDORSE = 1 << 3, /* lockbox-endorse-v1: over a request */
	LB_NS_QUESTION =
	    1 << 4,             /* lockbox-question-v1: host, over a question */
	LB_NS_REPORT = 1 << 5,  /* lockbox-report-v1: host, over a report */
	LB_NS_REQUEST = 1 << 6, /* lockbox-request-v1: over a request */
	LB_NS_REVOKE = 1 << 7,  /* lockbox-revoke-v1: over a grant */
	LB_NS_SIGNIN = 1 << 8,  /* lockbox-signin-v1: over a sign-in */
	LB_NS_TRUST = 1 << 9,   /* lockbox-trust-v1: over a trust document */
};

/* The namespace as it stands in a signature; asserts that ns is one bit. */
const char *lb_ns_name(enum lb_ns ns);

/* 0 when there is no such namespace. */
enum lb_ns lb_ns_find(const char *name);

#endif
