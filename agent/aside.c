/* Setting files aside. */
#include "aside.h"

#include <stdio.h>

#include "config.h"
#include "journal.h"

void
aside_set(const char *path)
{
	char bad[CONFIG_PATH + 32];

	(void)snprintf(bad, sizeof(bad), "%s.unreadable", path);
	if (rename(path, bad) == 0)
		journal(LOG_WARNING, "set '%s' aside as '%s'", path, bad);
}
