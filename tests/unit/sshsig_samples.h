/*
 * Signatures over "hello\n" as lockbox-approve-v1, each key with both hashes:
 * by ssh-keygen -Y sign, the security keys' through tests/tools/sk_soft.c
 * (touched and verified), the passkey's by tests/tools/passkey.py.
 */
#ifndef TEST_SSHSIG_SAMPLES_H
#define TEST_SSHSIG_SAMPLES_H

#define SAMPLE_MSG "hello\n"

/* By ssh-keygen -l. */
#define ED25519_FP    "SHA256:+PfvIZ+kzJYqlYvf9amhiOUXmIwo3Gfg/HeUDgrAZlE"
#define SK_ED25519_FP "SHA256:7KzZfDH7uYxZ+eBjstDL34hICw1u80YShi8kw3l7eoY"

static const char ed25519_key[] =
    "ssh-ed25519 "
    "AAAAC3NzaC1lZDI1NTE5AAAAIF6jjpOb8SSt9k7ETS9o7ndr2yk33DjeIkHw"
    "i899ZdlG";

static const char ed25519_sha256[] =
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgXqOOk5vxJK32TsRNL2jud2vbKT\n"
    "fcON4iQfCLz31l2UYAAAASbG9ja2JveC1hcHByb3ZlLXYxAAAAAAAAAAZzaGEyNTYAAABT\n"
    "AAAAC3NzaC1lZDI1NTE5AAAAQEMMbFkLhBPTo9N9CkvMH8dgxUyYkuIFlH1tMTkatKaNq8\n"
    "ooaZZHLqeRnQMynvtXmQQn66fYrh4InkyaoQS3nA4=\n"
    "-----END SSH SIGNATURE-----\n";

static const char ed25519_sha512[] =
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgXqOOk5vxJK32TsRNL2jud2vbKT\n"
    "fcON4iQfCLz31l2UYAAAASbG9ja2JveC1hcHByb3ZlLXYxAAAAAAAAAAZzaGE1MTIAAABT\n"
    "AAAAC3NzaC1lZDI1NTE5AAAAQOtv6oG8Zc+Y4/0nabugJFyWfu+SzU6azQwbKTuSxWQSs0\n"
    "gItoFY2GMT8waARjJxZK35dc0FZyodoYmwO0gvyAw=\n"
    "-----END SSH SIGNATURE-----\n";

static const char p256_key[] =
    "ecdsa-sha2-nistp256 "
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBP9T3iQr"
    "3/qSP3pISYF1D8uJgsVjBZWE3lSF2PYFO8ftEvPYI2BElbCBKR79VBeexlWi"
    "AoZihq1B7/6VGH3u/Zc=";

static const char p256_sha256[] =
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAAGgAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAAhuaXN0cDI1NgAAAE\n"
    "EE/1PeJCvf+pI/ekhJgXUPy4mCxWMFlYTeVIXY9gU7x+0S89gjYESVsIEpHv1UF57GVaIC\n"
    "hmKGrUHv/pUYfe79lwAAABJsb2NrYm94LWFwcHJvdmUtdjEAAAAAAAAABnNoYTI1NgAAAG\n"
    "MAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAEgAAAAgHqqu3jWoxYZKoVtQG2ybk2ZOQoe0\n"
    "3g5zOnB7Mppo3l8AAAAgd2MOGxeoMXYI+OAjDnoG2NIfoc15w9c7q3Tn6YD/8lY=\n"
    "-----END SSH SIGNATURE-----\n";

static const char p256_sha512[] =
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAAGgAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAAhuaXN0cDI1NgAAAE\n"
    "EE/1PeJCvf+pI/ekhJgXUPy4mCxWMFlYTeVIXY9gU7x+0S89gjYESVsIEpHv1UF57GVaIC\n"
    "hmKGrUHv/pUYfe79lwAAABJsb2NrYm94LWFwcHJvdmUtdjEAAAAAAAAABnNoYTUxMgAAAG\n"
    "UAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAEoAAAAhANDpsRjwCpGqF5Jw7tzi5DBNqpBX\n"
    "p3eUdjwIRzY/kK/fAAAAIQD5pZSq4Axm9PEqzRoFiYdwj/zOw6wufwvOizalPprpSQ==\n"
    "-----END SSH SIGNATURE-----\n";

static const char sk_ed25519_key[] =
    "sk-ssh-ed25519@openssh.com "
    "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAqXdMU3h8l7Ftdr"
    "YzY5mX+FpN58uMCRfpdRBRM9rBR8AAAABHNzaDo=";

static const char sk_ed25519_sha256[] =
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAAEoAAAAac2stc3NoLWVkMjU1MTlAb3BlbnNzaC5jb20AAAAgCpd0xT\n"
    "eHyXsW12tjNjmZf4Wk3ny4wJF+l1EFEz2sFHwAAAAEc3NoOgAAABJsb2NrYm94LWFwcHJv\n"
    "dmUtdjEAAAAAAAAABnNoYTI1NgAAAGcAAAAac2stc3NoLWVkMjU1MTlAb3BlbnNzaC5jb2\n"
    "0AAABAWnChMLtAVLsD9xMgZZDXwPwJqbNlymEF0fqcKI//HqM3+nyI6eEM4DZUmLiEghl3\n"
    "qZxQOo4GEJlQ0mmAZXX7CAUAAAAH\n"
    "-----END SSH SIGNATURE-----\n";

static const char sk_ed25519_sha512[] =
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAAEoAAAAac2stc3NoLWVkMjU1MTlAb3BlbnNzaC5jb20AAAAgCpd0xT\n"
    "eHyXsW12tjNjmZf4Wk3ny4wJF+l1EFEz2sFHwAAAAEc3NoOgAAABJsb2NrYm94LWFwcHJv\n"
    "dmUtdjEAAAAAAAAABnNoYTUxMgAAAGcAAAAac2stc3NoLWVkMjU1MTlAb3BlbnNzaC5jb2\n"
    "0AAABAvBjQslE/pw1ZELr3TdZT4KRySzD6KmCC1OiU2sdzWjl3zmy8Hf0X05EKxMr5tYct\n"
    "Om3W+fgTWXdXyrQuH/lwBwUAAAAH\n"
    "-----END SSH SIGNATURE-----\n";

static const char sk_p256_key[] =
    "sk-ecdsa-sha2-nistp256@openssh.com "
    "AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlz"
    "dHAyNTYAAABBBFAKThJzDlaoVnfQMp2eCVUQ0kPNEi0rt8SBiPUQA+7aN0c5"
    "YaGNNMkeeSH0sEehfIq83tl07/kiKJEX2Yv25kkAAAAEc3NoOg==";

static const char sk_p256_sha256[] =
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAAH8AAAAic2stZWNkc2Etc2hhMi1uaXN0cDI1NkBvcGVuc3NoLmNvbQ\n"
    "AAAAhuaXN0cDI1NgAAAEEEUApOEnMOVqhWd9AynZ4JVRDSQ80SLSu3xIGI9RAD7to3Rzlh\n"
    "oY00yR55IfSwR6F8irze2XTv+SIokRfZi/bmSQAAAARzc2g6AAAAEmxvY2tib3gtYXBwcm\n"
    "92ZS12MQAAAAAAAAAGc2hhMjU2AAAAeAAAACJzay1lY2RzYS1zaGEyLW5pc3RwMjU2QG9w\n"
    "ZW5zc2guY29tAAAASQAAACEAhuD9raMYDbMbSKlpKvwjpPXy9TyyDYS9Or+hkZxjGWQAAA\n"
    "AgX7U5G4Bn/3OCDfN7AAdFDXJmAerd7DelRMyfAV7dQLAFAAAABw==\n"
    "-----END SSH SIGNATURE-----\n";

static const char sk_p256_sha512[] =
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAAH8AAAAic2stZWNkc2Etc2hhMi1uaXN0cDI1NkBvcGVuc3NoLmNvbQ\n"
    "AAAAhuaXN0cDI1NgAAAEEEUApOEnMOVqhWd9AynZ4JVRDSQ80SLSu3xIGI9RAD7to3Rzlh\n"
    "oY00yR55IfSwR6F8irze2XTv+SIokRfZi/bmSQAAAARzc2g6AAAAEmxvY2tib3gtYXBwcm\n"
    "92ZS12MQAAAAAAAAAGc2hhNTEyAAAAdwAAACJzay1lY2RzYS1zaGEyLW5pc3RwMjU2QG9w\n"
    "ZW5zc2guY29tAAAASAAAACBeIKnpMHqIc4Oz5LQs6FHlGU3g1z5pmXa9q2LmbkNhjAAAAC\n"
    "ApsXYMMe5AqHsQ3DsM23sw7Tfkbd+IcG5u3LL3KJwLCAUAAAAH\n"
    "-----END SSH SIGNATURE-----\n";

static const char passkey_key[] =
    "sk-ecdsa-sha2-nistp256@openssh.com "
    "AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlz"
    "dHAyNTYAAABBBHj0iq0aumFX1LS+CAOx4WZunVWH1fqi+1DzB7JEwQZvEIeh"
    "O8VOPJgLVvART6c8wxe5NtKUJbR5pN/bvuD1R44AAAAMZG9vci5leGFtcGxl";

static const char passkey_sha256[] =
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAAIcAAAAic2stZWNkc2Etc2hhMi1uaXN0cDI1NkBvcGVuc3NoLmNvbQ\n"
    "AAAAhuaXN0cDI1NgAAAEEEePSKrRq6YVfUtL4IA7HhZm6dVYfV+qL7UPMHskTBBm8Qh6E7\n"
    "xU48mAtW8BFPpzzDF7k20pQltHmk39u+4PVHjgAAAAxkb29yLmV4YW1wbGUAAAASbG9ja2\n"
    "JveC1hcHByb3ZlLXYxAAAAAAAAAAZzaGEyNTYAAAFiAAAAK3dlYmF1dGhuLXNrLWVjZHNh\n"
    "LXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAABIAAAAIEA8hu4zrhc1C0hmRGSjJR53yV\n"
    "qA2DMrfxfzwYwbkkfVAAAAICpPVxCudg2wC0zDAyeiUZ6vVxGGH/clEoIJECevVtbbBQAA\n"
    "AAcAAAAUaHR0cHM6Ly9kb29yLmV4YW1wbGUAAADCeyJ0eXBlIjoid2ViYXV0aG4uZ2V0Ii\n"
    "wiY2hhbGxlbmdlIjoiVTFOSVUwbEhBQUFBRW14dlkydGliM2d0WVhCd2NtOTJaUzEyTVFB\n"
    "QUFBQUFBQUFHYzJoaE1qVTJBQUFBSUZpUnRiVWkxZDhJYlFfd3NSRDcyZElidFB4eFk2OD\n"
    "AwSUtHb3VoRzlyNEQiLCJvcmlnaW4iOiJodHRwczovL2Rvb3IuZXhhbXBsZSIsImNyb3Nz\n"
    "T3JpZ2luIjpmYWxzZX0AAAAA\n"
    "-----END SSH SIGNATURE-----\n";

static const char passkey_sha512[] =
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAAIcAAAAic2stZWNkc2Etc2hhMi1uaXN0cDI1NkBvcGVuc3NoLmNvbQ\n"
    "AAAAhuaXN0cDI1NgAAAEEEePSKrRq6YVfUtL4IA7HhZm6dVYfV+qL7UPMHskTBBm8Qh6E7\n"
    "xU48mAtW8BFPpzzDF7k20pQltHmk39u+4PVHjgAAAAxkb29yLmV4YW1wbGUAAAASbG9ja2\n"
    "JveC1hcHByb3ZlLXYxAAAAAAAAAAZzaGE1MTIAAAGOAAAAK3dlYmF1dGhuLXNrLWVjZHNh\n"
    "LXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAABJAAAAIC3jVA2XOOx5n/5t6wF2xd0672\n"
    "h6lWfikQK8daAQBZpBAAAAIQDsom6K38OKoTK0fKM0cZI/qDaCKSj7pw4n7Gu5MdmlAgUA\n"
    "AAAHAAAAFGh0dHBzOi8vZG9vci5leGFtcGxlAAAA7XsidHlwZSI6IndlYmF1dGhuLmdldC\n"
    "IsImNoYWxsZW5nZSI6IlUxTklVMGxIQUFBQUVteHZZMnRpYjNndFlYQndjbTkyWlMxMk1R\n"
    "QUFBQUFBQUFBR2MyaGhOVEV5QUFBQVFPZkNLNWxNV2RuUEswamxTYkhpUm1aallFV1REVD\n"
    "Jud2F5eW1kSER0X2t4LVVxdVFlM2FMQ3NnZWpiaEQ0dkxqVVVpUGxTSGoxc3hibnpqdHJ3\n"
    "QmxpayIsIm9yaWdpbiI6Imh0dHBzOi8vZG9vci5leGFtcGxlIiwiY3Jvc3NPcmlnaW4iOm\n"
    "ZhbHNlfQAAAAA=\n"
    "-----END SSH SIGNATURE-----\n";

#endif
