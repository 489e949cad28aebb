/* The process around cli_main: signals, locale, no core dumps. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "cli.h"

int
main(int argc, char **argv)
{
	/* Only how characters are classed; numbers and times stay plain. */
	(void)setlocale(LC_CTYPE, "");
	(void)signal(SIGPIPE, SIG_IGN);
	/* A session's token is in memory: no core file shall hold it. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	return cli_main(argc, argv, stdout, stderr);
}
