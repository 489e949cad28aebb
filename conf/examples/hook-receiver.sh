#!/bin/sh
# A customer's own system that approves by a rule: a CGI script (RFC 3875) that takes the webhook
# "request.pending_approval", scheme v1a. Needs curl, jq, openssl, ssh-keygen. /etc/lockbox/hook.conf sets
# url, ca (file), broker (name), principal and key (of the hook line in the trust document), webhook_key
# (whpk_...), tenant, and hosts ('["db1","db2"]').
set -eu
. "${LOCKBOX_HOOK_CONF:-/etc/lockbox/hook.conf}"
umask 077 && dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir"
answer() { printf 'Status: %s\r\n\r\n' "$1" && exit 0; }
api() { curl -sSf --max-time 20 --cacert "$ca" -H @headers "$@"; }
sign() { ssh-keygen -q -Y sign -f "$key" -n "lockbox-$1-v1" <"$2" 2>/dev/null >"$2.sig"; }
# 1. Is it from the broker, and of now? What is signed: id.timestamp.body
cat >body && at=${HTTP_WEBHOOK_TIMESTAMP-} && age=$(($(date +%s) - $(printf '0%s' "$at" | tr -cd 0-9 | sed 's/^0*\(.\)/\1/')))
{ printf '%s.%s.' "${HTTP_WEBHOOK_ID-}" "$at" && cat body; } >said
{ printf '\060\052\060\005\006\003\053\145\160\003\041\000' && printf %s "${webhook_key#whpk_}" | base64 -d; } >pub
for one in ${HTTP_WEBHOOK_SIGNATURE-}; do
	printf %s "${one#v1a,}" | base64 -d >sig 2>/dev/null || continue
	openssl pkeyutl -verify -pubin -keyform DER -inkey pub -rawin -in said -sigfile sig >/dev/null 2>&1 && good=1
done
[ "${good-}" ] && [ "$age" -ge -300 ] && [ "$age" -le 300 ] || answer '401 Unauthorized'
[ "$(jq -r .type body)" = request.pending_approval ] && id=$(jq -r .data.request.id body) || answer '204 No Content'
# 2. Sign in with the hook's key; read what is asked for, and the text that would be signed.
echo 'Content-Type: application/json' >headers
printf 'lockbox-signin-v1\nbroker: %s\nprincipal: %s\nnonce: %s\ntime: %s\n' "$broker" "$principal" \
	"$(api -d '{}' "$url/v1/signin/nonce" | jq -r .nonce)" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >signin && sign signin signin
jq -n --rawfile text signin --rawfile signature signin.sig '{$text, $signature}' >call
api -d @call "$url/v1/signin" | jq -r '"Authorization: Bearer " + .token' >>headers
api "$url/v1/requests/$id" >request
[ "$(jq -r .state request)" = pending_approval ] || answer '204 No Content'
api -d '{}' "$url/v1/requests/$id/draft" >draft
jq -j .text draft >grant
# 3. The rule, over that very text (each line's name and its values). Who is not let in here decides by hand.
jq -Rse --arg tenant "$tenant" --argjson hosts "$hosts" '[split("\n")[1:-1][] | split(": ") | {name: .[0],
	value: .[1:] | join(": ")}] | group_by(.name) | map({(.[0].name): map(.value)}) | add | .tenant == [$tenant]
	and .host - $hosts == [] and .login == ["deploy"] and .service == ["sshd"] and .ticket != null and
	([."not-after"[0], ."not-before"[0]] | map(fromdate) | .[0] - .[1] <= 7260)' grant >/dev/null || answer '204 No Content'
# 4. Sign it, and hand it back.
sign approve grant && cat grant grant.sig >bundle && sed -i 's|application/json|text/plain|' headers
api --data-binary @bundle "$url/v1/hook" >/dev/null && answer '204 No Content'
