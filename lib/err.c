/* The phrase for each error, for the caller that logs. */
#include "lockbox/err.h"

const char *
lb_err_text(enum lb_err r)
{
	switch (r) {
	case LB_OK:
		return "no error";
	case LB_ERR_FORMAT:
		return "wrong format";
	case LB_ERR_RANGE:
		return "out of range";
	case LB_ERR_MEMORY:
		return "out of memory";
	case LB_ERR_IO:
		return "system call failed";
	case LB_ERR_MISSING:
		return "not found";
	case LB_ERR_UNTRUSTED:
		return "could have been written by others";
	case LB_ERR_SIGNATURE:
		return "wrong signature";
	case LB_ERR_UNSUPPORTED:
		return "not supported";
	case LB_ERR_TIMEOUT:
		return "timed out";
	case LB_ERR_PEER:
		return "wrong answer from the other side";
	case LB_ERR_UNREACHABLE:
		return "not reachable";
	case LB_ERR_STATE:
		return "not possible in this state";
	case LB_ERR_CONFLICT:
		return "conflict";
	case LB_ERR_FORBIDDEN:
		return "not permitted";
	case LB_ERR_STORE:
		return "database error";
	case LB_ERR_LIMIT:
		return "too many";
	}
	return "unknown error";
}
