#!/usr/bin/python3
"""What the module's file may contain: libraries, names, memory, code words.

usage: check_file.py MODULE SOURCE-DIRECTORY
"""

import re
import subprocess
import sys
from pathlib import Path

LIBRARIES = {'libpam.so.0', 'libc.so.6'}
HOOKS = {'pam_sm_' + name for name in (
    'acct_mgmt', 'authenticate', 'chauthtok', 'close_session',
    'open_session', 'setcred')}

# Inside sshd and sudo, as root: no environment, no signals, no threads, no
# stdio on files, no locale, no way out but return, no log that can block, no
# libpam helper that logs or prompts by itself.
BANNED = set('''
    getenv secure_getenv setenv putenv unsetenv clearenv environ __environ
    signal sigaction sigprocmask pthread_sigmask sigwait alarm setitimer
    timer_create raise
    pthread_create clone clone3 fork vfork execve execv execvp posix_spawn
    system popen dlopen dlsym
    exit _exit _Exit quick_exit atexit on_exit at_quick_exit __cxa_atexit
    fopen fdopen freopen fputs fputc puts printf __printf_chk fprintf
    __fprintf_chk vfprintf __vfprintf_chk perror fwrite fread getline
    setlocale localeconv strerror strerror_l nl_langinfo
    syslog vsyslog openlog closelog __syslog_chk __vsyslog_chk
    localtime localtime_r mktime tzset strftime ctime
    getpwnam getpwuid getgrnam getaddrinfo gethostbyname
    umask chdir setuid seteuid setgid setrlimit prctl
    gets strcpy strcat sprintf vsprintf __sprintf_chk __strcpy_chk
    __strcat_chk strtok atoi atol mktemp tmpnam alloca
    sleep usleep nanosleep select
    pam_get_user pam_prompt pam_vprompt pam_syslog pam_vsyslog pam_set_data
    pam_get_data pam_set_item pam_putenv pam_get_authtok
'''.split())

LINES_MAX = 2000


def output(*command):
    return subprocess.run(command, check=True, capture_output=True,
                          text=True).stdout


def names(*options):
    return {line.split()[-1].split('@')[0]
            for line in output('nm', '-D', *options).splitlines()}


def section_size(module, name):
    for line in output('readelf', '-SW', module).splitlines():
        m = re.match(r'\s*\[\s*\d+\]\s+(\S+)\s+\S+\s+\S+\s+\S+\s+(\S+)', line)
        if m and m.group(1) == name:
            return int(m.group(2), 16)
    return 0


def main():
    module, source = sys.argv[1], Path(sys.argv[2])
    bad = []

    def want(ok, what):
        if not ok:
            bad.append(what)

    dynamic = output('readelf', '-dW', module)
    needed = set(re.findall(r'\(NEEDED\).*\[(.*)\]', dynamic))
    if any('san' in name for name in needed):
        print('skipped: built with a sanitizer')
        return 77
    want(needed == LIBRARIES, f'libraries {needed}')
    want('TEXTREL' not in dynamic, 'text relocations')
    want('NOW' in dynamic, 'not bound at load')
    headers = output('readelf', '-lW', module)
    want('GNU_RELRO' in headers, 'no relro')
    want(re.search(r'GNU_STACK.*RW ', headers), 'executable stack')

    defined = names('--defined-only', module)
    listed = set(re.findall(r'\bpam_sm_\w+',
                            (source / 'pam_lockbox.map').read_text()))
    want(defined == HOOKS, f'defined {defined ^ HOOKS}')
    want(listed == HOOKS, f'map {listed ^ HOOKS}')
    undefined = names('--undefined-only', module)
    want('pam_get_item' in undefined, 'pam_get_item not seen: is nm right?')
    want(not undefined & BANNED, f'banned {undefined & BANNED}')

    # The compiler's own start files have a byte and a pointer.
    want(section_size(module, '.data') <= 8, 'writable data')
    want(section_size(module, '.bss') <= 8, 'writable bss')

    lines = [line for path in sorted(source.glob('*.c'))
             for line in path.read_text().splitlines()]
    want(len(lines) <= LINES_MAX, f'{len(lines)} lines')
    for word in ('PAM_SUCCESS', 'PAM_IGNORE'):
        given = [line for line in lines
                 if re.search(r'(return|=) *' + word, line)
                 and not re.search(r'[!=]= *' + word, line)]
        want(len(given) == 1, f'{word} is given on {len(given)} lines')

    for what in bad:
        print(f'{module}: {what}')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
