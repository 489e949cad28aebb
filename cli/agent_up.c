/* Looks whether the host's agent listens. */
#include "agent_up.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lockbox/text.h"

bool
agent_up(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	bool up;

	if (fd < 0 ||
	    lb_text_copy(a.sun_path, sizeof(a.sun_path), path) != LB_OK)
		return true; /* not known: leave it alone */
	up = connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
	(void)close(fd); /* nothing was sent */
	return up;
}
