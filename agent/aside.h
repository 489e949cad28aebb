/* Files that cannot be read are kept for whoever looks into it. */
#ifndef LOCKBOX_AGENT_ASIDE_H
#define LOCKBOX_AGENT_ASIDE_H

/* Rename path to "PATH.unreadable", and say so; nothing if that cannot be. */
void aside_set(const char *path);

#endif
