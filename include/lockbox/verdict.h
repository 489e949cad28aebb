/* The two verdicts, for the one who rules and for the one who obeys. */
#ifndef LOCKBOX_VERDICT_H
#define LOCKBOX_VERDICT_H

/* Values that differ in many bits; compared only with == LB_VERDICT_ALLOW. */
enum lb_verdict {
	LB_VERDICT_DENY = 0x59a5c36a,
	LB_VERDICT_ALLOW = 0x265a3c95,
};

#endif
