/* What can go wrong: one word per cause some caller acts on differently. */
#ifndef LOCKBOX_ERR_H
#define LOCKBOX_ERR_H

#define LB_MUST_CHECK __attribute__((warn_unused_result))
#define LB_EXPORT     __attribute__((visibility("default")))

/*
 * LB_OK is 0, every error is negative. Errors carry no text: the caller that
 * logs adds the phrase. LB_ERR_IO leaves errno set.
 */
enum lb_err {
	LB_OK = 0,
	LB_ERR_FORMAT = -1,  /* bytes that are not in their one spelling */
	LB_ERR_RANGE = -2,   /* well formed, but too long, too many, too far */
	LB_ERR_MEMORY = -3,  /* out of memory */
	LB_ERR_IO = -4,      /* a system call failed: see errno */
	LB_ERR_MISSING = -5, /* no such file, row or object */
	LB_ERR_UNTRUSTED = -6,    /* a file that others could have written */
	LB_ERR_SIGNATURE = -7,    /* a signature that does not verify */
	LB_ERR_UNSUPPORTED = -8,  /* a kind that this build cannot check */
	LB_ERR_TIMEOUT = -9,      /* the deadline passed */
	LB_ERR_PEER = -10,        /* the other side is wrong, gone or lying */
	LB_ERR_UNREACHABLE = -11, /* nobody there: no socket, no route */
	LB_ERR_STATE = -12,     /* not possible in the object's present state */
	LB_ERR_CONFLICT = -13,  /* somebody else was faster, or it exists */
	LB_ERR_FORBIDDEN = -14, /* known, and may not */
	LB_ERR_STORE = -15,     /* the database failed or contradicts itself */
	LB_ERR_LIMIT = -16,     /* too many of them just now: try later */
};

/* A stable lower-case phrase such as "wrong format"; never NULL. */
const char *lb_err_text(enum lb_err r);

#endif
