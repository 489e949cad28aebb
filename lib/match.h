/*
 * The largest set of lines in which no principal and no key stands twice.
 * Private to lib/.
 */
#ifndef LB_MATCH_H
#define LB_MATCH_H

#include <stddef.h>

#include "lockbox/sshkey.h"

#define LB_MATCH_MAX 65 /* lines: all approvers and one hook */

/*
 * One key may stand under two principals and one principal may have several
 * keys; neither counts twice. Keys are the same when their public points are,
 * whatever their type and application say.
 *
 * line  count pointers, at most LB_MATCH_MAX
 * ret   room for count pointers: the lines of one largest set
 */
size_t lb_match(const struct lb_pinned *const *line, size_t count,
    const struct lb_pinned **ret);

#endif
