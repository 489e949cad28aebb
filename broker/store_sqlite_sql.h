/* Every statement of the SQLite back end. Included several times. */

SQL(PERSON_GET,
    "SELECT principal, version, roles, active, mail FROM person "
    "WHERE principal = ?1")
SQL(PERSON_OF_KEY,
    "SELECT p.principal, p.version, p.roles, p.active, p.mail "
    "FROM person_key k JOIN person p USING (principal) "
    "WHERE k.key_fp = ?1")
SQL(PERSON_LIST,
    "SELECT principal, version, roles, active, mail FROM person "
    "WHERE principal > ?1 ORDER BY principal")
SQL(PERSON_KEYS,
    "SELECT key FROM person_key WHERE principal = ?1 "
    "ORDER BY place")

#define TENANT_COLS                                                            \
	"name, version, endorse_ttl, approve_ttl, grant_ttl, endorsement, "    \
	"created_at "
SQL(TENANT_GET, "SELECT " TENANT_COLS "FROM tenant WHERE name = ?1")
SQL(TENANT_LIST,
    "SELECT " TENANT_COLS "FROM tenant WHERE name > ?1 "
    "ORDER BY name")
SQL(TRUST_LIST,
    "SELECT tenant, serial, sha256, bundle, added_at FROM trust "
    "WHERE tenant = ?1 AND serial > ?2 ORDER BY serial")
SQL(PROPOSAL_GET,
    "SELECT p.tenant, p.version, p.serial, p.sha256, p.proposed_by, p.proposed_at, p.text, "
    "s.key_fp, s.principal, s.signature, s.at "
    "FROM proposal p JOIN proposal_signature s USING (tenant) "
    "WHERE p.tenant = ?1 ORDER BY s.place")

#define CONTACT_COLS "tenant, principal, version, mail, links, language "
SQL(CONTACT_GET,
    "SELECT " CONTACT_COLS "FROM contact WHERE tenant = ?1 AND "
    "principal = ?2")
SQL(CONTACT_LIST,
    "SELECT " CONTACT_COLS "FROM contact WHERE tenant = ?1 "
    "ORDER BY principal")

#define INVITATION_COLS                                                        \
	"tenant, principal, version, id, owner, invited_by, invited_at, "      \
	"expires_at, salt, wrong_codes "
SQL(INVITATION_GET,
    "SELECT " INVITATION_COLS "FROM invitation WHERE tenant = ?1 AND "
    "principal = ?2")
SQL(INVITATION_OF_ID, "SELECT " INVITATION_COLS "FROM invitation WHERE id = ?1")
SQL(INVITATION_LIST,
    "SELECT " INVITATION_COLS "FROM invitation WHERE tenant = ?1 "
    "ORDER BY principal")

#define CANDIDATE_COLS                                                         \
	"tenant, key_fp, id, principal, key, label, origin, owner, "           \
	"invited_by, added_at "
SQL(CANDIDATE_OF_ID, "SELECT " CANDIDATE_COLS "FROM candidate WHERE id = ?1")
SQL(CANDIDATE_LIST,
    "SELECT " CANDIDATE_COLS "FROM candidate WHERE tenant = ?1 "
    "ORDER BY added_at, id")

#define HOST_COLS                                                              \
	"tenant, name, version, enrolled, salt, invited_until, wrong_macs, "   \
	"key, key_fp, machine_id, enrolled_at, last_seen_at "
SQL(HOST_GET, "SELECT " HOST_COLS "FROM host WHERE tenant = ?1 AND name = ?2")
SQL(HOST_OF_KEY,
    "SELECT " HOST_COLS "FROM host "
    "WHERE key_fp = ?1 AND key_fp <> ''")
SQL(HOST_LIST,
    "SELECT " HOST_COLS "FROM host WHERE name > ?1 "
    "ORDER BY name, tenant")
SQL(HOST_NAMED,
    "SELECT " HOST_COLS "FROM host WHERE name = ?1 "
    "ORDER BY tenant")

#define REQUEST_COLS                                                           \
	"tenant, id, version, sha256, engineer, text, signature, state, "      \
	"created_at, lapses_at, not_before, not_after, scope, endorsed_at, "   \
	"endorsed_by, endorsement, denied_at, denied_by, denial, "             \
	"denial_reason, draft, grant_sha256 "
#define OLDER   "(created_at, sha256) < (?1, ?2) "
#define NEWEST  "ORDER BY created_at DESC, sha256 DESC"
#define TENANTS "tenant IN (?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
SQL(REQUEST_GET, "SELECT " REQUEST_COLS "FROM request WHERE id = ?1")
SQL(REQUEST_OF_SHA, "SELECT " REQUEST_COLS "FROM request WHERE sha256 = ?1")
SQL(REQUEST_LIST, "SELECT " REQUEST_COLS "FROM request WHERE " OLDER NEWEST)
SQL(REQUEST_TENANT,
    "SELECT " REQUEST_COLS "FROM request "
    "WHERE tenant = ?3 AND " OLDER NEWEST)
SQL(REQUEST_TENANTS,
    "SELECT " REQUEST_COLS "FROM request WHERE " TENANTS "AND " OLDER NEWEST)
SQL(REQUEST_ENGINEER,
    "SELECT " REQUEST_COLS "FROM request "
    "WHERE engineer = ?3 AND " OLDER NEWEST)
SQL(REQUEST_OPEN,
    "SELECT " REQUEST_COLS "FROM request "
    "WHERE engineer = ?1 AND scope = ?2 AND state IN "
    "('pending_endorsement', 'pending_approval')")
SQL(REQUEST_AT_DOOR,
    "SELECT " REQUEST_COLS "FROM request WHERE "
    "(tenant, id) IN (SELECT tenant, id FROM request_door "
    "WHERE tenant = ?1 AND host = ?2 AND login = ?3 "
    "ORDER BY created_at DESC, id DESC LIMIT 16) "
    "ORDER BY created_at DESC, id DESC")
SQL(REQUEST_DUE,
    "SELECT " REQUEST_COLS "FROM request "
    "WHERE due_at > 0 AND due_at <= ?1 ORDER BY due_at LIMIT 256")

SQL(APPROVAL_LIST,
    "SELECT tenant, grant_sha256, principal, key_fp, "
    "signature, at FROM approval WHERE tenant = ?1 AND "
    "grant_sha256 = ?2 ORDER BY at, principal")

#define GRANT_COLS                                                             \
	"tenant, sha256, version, request_id, engineer, bundle, text_len, "    \
	"state, created_at, closed_at, closed_by, closing, closing_reason, "   \
	"killing "
SQL(GRANT_GET, "SELECT " GRANT_COLS "FROM grant_ WHERE sha256 = ?1")
SQL(GRANT_LIST, "SELECT " GRANT_COLS "FROM grant_ WHERE " OLDER NEWEST)
SQL(GRANT_TENANT,
    "SELECT " GRANT_COLS "FROM grant_ "
    "WHERE tenant = ?3 AND " OLDER NEWEST)
SQL(GRANT_TENANTS,
    "SELECT " GRANT_COLS "FROM grant_ WHERE " TENANTS "AND " OLDER NEWEST)
SQL(GRANT_ENGINEER,
    "SELECT " GRANT_COLS "FROM grant_ "
    "WHERE engineer = ?3 AND " OLDER NEWEST)
SQL(GRANT_AT_DOOR,
    "SELECT g.tenant, g.sha256, g.version, g.request_id, "
    "g.engineer, g.bundle, g.text_len, g.state, g.created_at, "
    "g.closed_at, g.closed_by, g.closing, g.closing_reason, "
    "g.killing FROM grant_door d CROSS JOIN grant_ g "
    "ON g.tenant = d.tenant AND g.sha256 = d.sha256 "
    "WHERE d.tenant = ?1 AND d.host = ?2 AND d.login = ?3 "
    "AND d.not_after > ?4 "
    "ORDER BY d.not_after DESC, d.sha256 DESC")

SQL(SESSION_GET,
    "SELECT hash, principal, key_fp, nonce, created_at, "
    "expires_at, ended, sign_in FROM session WHERE hash = ?1")
#define SIGNIN_KEY_COLS "tenant, principal, key, label, created_at, used_at "
SQL(SIGNIN_KEY_GET,
    "SELECT " SIGNIN_KEY_COLS "FROM signin_key WHERE key_fp = ?1")
SQL(SIGNIN_KEY_LIST,
    "SELECT " SIGNIN_KEY_COLS "FROM signin_key "
    "WHERE tenant = ?1 AND principal = ?2 ORDER BY key_fp")
#define BROWSER_COLS                                                           \
	"code_hash, poll_hash, version, nonce, address, agent, created_at, "   \
	"expires_at, principal, key_fp, over "
SQL(BROWSER_OF_CODE,
    "SELECT " BROWSER_COLS "FROM browser_signin WHERE code_hash = ?1")
SQL(BROWSER_OF_POLL,
    "SELECT " BROWSER_COLS "FROM browser_signin WHERE poll_hash = ?1")
SQL(IDEM_GET,
    "SELECT principal, key, body, arg, at FROM idem "
    "WHERE principal = ?1 AND key = ?2")
SQL(INTAKE_GET,
    "SELECT sequence FROM intake WHERE tenant = ?1 AND "
    "host = ?2 AND key_fp = ?3")
#define STAY_COLS                                                              \
	"id, tenant, host, session, login, service, rhost, engineer, "         \
	"grant_sha256, opened_at, ends_at, ended_at, cause "
#define STAY_OLDER  "(opened_at < ?1 OR (opened_at = ?1 AND id < ?2)) "
#define STAY_NEWEST "ORDER BY opened_at DESC, id DESC"
SQL(STAY_GET, "SELECT " STAY_COLS "FROM stay WHERE id = ?1")
#define STAY "SELECT " STAY_COLS "FROM stay WHERE " STAY_OLDER
SQL(STAY_LIST, STAY STAY_NEWEST)
SQL(STAY_TENANT, STAY "AND tenant = ?3 " STAY_NEWEST)
SQL(STAY_TENANTS, STAY "AND " TENANTS STAY_NEWEST)
SQL(STAY_ENGINEER, STAY "AND engineer = ?3 " STAY_NEWEST)
SQL(STAY_LIVE_LIST, STAY "AND ended_at = 0 " STAY_NEWEST)
SQL(STAY_LIVE_TENANT, STAY "AND ended_at = 0 AND tenant = ?3 " STAY_NEWEST)
SQL(STAY_LIVE_TENANTS, STAY "AND ended_at = 0 AND " TENANTS STAY_NEWEST)
SQL(STAY_LIVE_ENGINEER, STAY "AND ended_at = 0 AND engineer = ?3 " STAY_NEWEST)
SQL(EVENT_LIST,
    "SELECT number, text FROM event WHERE number < ?1 "
    "ORDER BY number DESC")
SQL(EVENT_TENANT,
    "SELECT sequence, text FROM event WHERE tenant = ?2 AND "
    "sequence < ?1 ORDER BY sequence DESC")
SQL(EVENT_LATEST, "SELECT coalesce(max(at), 0) FROM event")

#define NOTICE_COLS                                                            \
	"id, tenant, kind, actor, request_id, at, due_at, ends_at, data "
SQL(NOTICE_GET, "SELECT " NOTICE_COLS "FROM notice WHERE id = ?1")
SQL(NOTICE_DUE,
    "SELECT " NOTICE_COLS "FROM notice "
    "WHERE due_at > 0 AND due_at <= ?1 ORDER BY due_at, number LIMIT 64")
#define DELIVERY_COLS                                                                \
	"number, id, tenant, notice_id, kind, request_id, channel, receiver, line, " \
	"staff, gathers, state, attempts, due_at, ends_at, created_at, "             \
	"done_at, batch, code, status "
#define DELIVERY       "SELECT " DELIVERY_COLS "FROM delivery "
#define DELIVERY_OLDER "number < ?1 AND (?2 = '' OR state = ?2) "
SQL(DELIVERY_GET, DELIVERY "WHERE id = ?1")
SQL(DELIVERY_LIST, DELIVERY "WHERE " DELIVERY_OLDER "ORDER BY number DESC")
SQL(DELIVERY_TENANTS,
    DELIVERY "WHERE " TENANTS "AND " DELIVERY_OLDER "ORDER BY number DESC")
SQL(DELIVERY_REQUEST,
    DELIVERY "WHERE request_id = ?3 AND " DELIVERY_OLDER "ORDER BY number DESC")
SQL(DELIVERY_RECEIVER,
    DELIVERY "WHERE receiver = ?3 AND " DELIVERY_OLDER "ORDER BY number DESC")
/* The first of each line, if it is due. */
SQL(DELIVERY_HEADS,
    DELIVERY "WHERE number IN (SELECT min(number) FROM delivery "
	     "WHERE state = 'waiting' AND due_at <= ?1 GROUP BY line) "
	     "ORDER BY due_at, number LIMIT 256")
SQL(DELIVERY_LINE,
    DELIVERY "WHERE state = 'waiting' AND line = ?1 ORDER BY number LIMIT 256")
SQL(DELIVERY_BATCH,
    DELIVERY "WHERE batch = ?1 AND batch <> '' AND state = 'waiting' "
	     "ORDER BY number")
SQL(DELIVERY_LAST,
    "SELECT coalesce(max(done_at), 0) FROM delivery "
    "WHERE line = ?1 AND state = 'sent'")
/* Was, or is being, that person told of the request by mail. */
SQL(DELIVERY_TOLD,
    "SELECT count(*) FROM delivery WHERE request_id = ?1 AND "
    "receiver = ?2 AND channel = 'mail' AND "
    "(state = 'sent' OR (state = 'waiting' AND batch <> ''))")
SQL(DELIVERY_COUNT,
    "SELECT channel, state, count(*), min(created_at) FROM delivery "
    "WHERE state IN ('waiting', 'failed') GROUP BY channel, state")
#define WEBHOOK_COLS                                                           \
	"id, tenant, version, url, types, scheme, generation, old_until, "     \
	"active, why, created_by, created_at "
SQL(WEBHOOK_GET, "SELECT " WEBHOOK_COLS "FROM webhook WHERE id = ?1")
SQL(WEBHOOK_LIST,
    "SELECT " WEBHOOK_COLS "FROM webhook WHERE tenant = ?1 ORDER BY id")

SQL_WRITE(PERSON_ADD,
    "INSERT INTO person (principal, roles, active, mail, "
    "version) VALUES (?1, ?2, ?3, ?4, ?5 + 1)")
SQL_WRITE(PERSON_SET,
    "UPDATE person SET roles = ?2, active = ?3, mail = ?4, "
    "version = version + 1 "
    "WHERE principal = ?1 AND version = ?5")
SQL_WRITE(PERSON_KEYS_DROP, "DELETE FROM person_key WHERE principal = ?1")
SQL_WRITE(PERSON_KEY_ADD,
    "INSERT INTO person_key (key_fp, principal, place, "
    "key) VALUES (?1, ?2, ?3, ?4)")
SQL_WRITE(TENANT_ADD,
    "INSERT INTO tenant (name, endorse_ttl, approve_ttl, "
    "grant_ttl, endorsement, created_at, version) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7 + 1)")
SQL_WRITE(TENANT_SET,
    "UPDATE tenant SET endorse_ttl = ?2, approve_ttl = ?3, "
    "grant_ttl = ?4, endorsement = ?5, created_at = ?6, "
    "version = version + 1 WHERE name = ?1 AND version = ?7")
SQL_WRITE(TRUST_ADD,
    "INSERT INTO trust (tenant, serial, sha256, bundle, "
    "added_at) VALUES (?1, ?2, ?3, ?4, ?5)")
SQL_WRITE(PROPOSAL_ADD,
    "INSERT INTO proposal (tenant, version, serial, sha256, "
    "proposed_by, proposed_at, text) "
    "SELECT ?1, 1, ?2, ?3, ?4, ?5, ?6 WHERE ?2 = "
    "(SELECT max(serial) + 1 FROM trust WHERE tenant = ?1)")
SQL_WRITE(PROPOSAL_SET,
    "UPDATE proposal SET version = version + 1 "
    "WHERE tenant = ?1 AND sha256 = ?2 AND version = ?3")
SQL_WRITE(PROPOSAL_DROP,
    "DELETE FROM proposal WHERE tenant = ?1 AND sha256 = ?2 AND version = ?3")
SQL_WRITE(PROPOSALS_DROP, "DELETE FROM proposal WHERE tenant = ?1")
SQL_WRITE(PROPOSAL_SIGN,
    "INSERT INTO proposal_signature (tenant, place, key_fp, principal, "
    "signature, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
SQL_WRITE(CONTACT_ADD,
    "INSERT INTO contact (tenant, principal, mail, links, language, version) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6 + 1)")
SQL_WRITE(CONTACT_SET,
    "UPDATE contact SET mail = ?3, links = ?4, language = ?5, "
    "version = version + 1 "
    "WHERE tenant = ?1 AND principal = ?2 AND version = ?6")
SQL_WRITE(INVITATION_ADD,
    "INSERT INTO invitation (tenant, principal, id, owner, invited_by, "
    "invited_at, expires_at, salt, wrong_codes, version) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 + 1)")
SQL_WRITE(INVITATION_SET,
    "UPDATE invitation SET id = ?3, owner = ?4, invited_by = ?5, "
    "invited_at = ?6, expires_at = ?7, salt = ?8, wrong_codes = ?9, "
    "version = version + 1 "
    "WHERE tenant = ?1 AND principal = ?2 AND version = ?10")
SQL_WRITE(
    INVITATION_DROP, "DELETE FROM invitation WHERE id = ?1 AND version = ?2")
SQL_WRITE(CANDIDATE_ADD,
    "INSERT INTO candidate (tenant, key_fp, id, principal, key, label, "
    "origin, owner, invited_by, added_at) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")
SQL_WRITE(CANDIDATE_DROP, "DELETE FROM candidate WHERE id = ?1")
SQL_WRITE(
    CANDIDATE_PINNED, "DELETE FROM candidate WHERE tenant = ?1 AND key_fp = ?2")
SQL_WRITE(HOST_ADD,
    "INSERT INTO host (tenant, name, enrolled, salt, "
    "invited_until, wrong_macs, key, key_fp, machine_id, "
    "enrolled_at, last_seen_at, version) VALUES (?1, ?2, ?3, "
    "?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 + 1)")
SQL_WRITE(HOST_SET,
    "UPDATE host SET enrolled = ?3, salt = ?4, "
    "invited_until = ?5, wrong_macs = ?6, key = ?7, "
    "key_fp = ?8, machine_id = ?9, enrolled_at = ?10, "
    "last_seen_at = ?11, version = version + 1 "
    "WHERE tenant = ?1 AND name = ?2 AND version = ?12")
SQL_WRITE(HOST_DROP,
    "DELETE FROM host WHERE tenant = ?1 AND name = ?2 AND "
    "version = ?3")
SQL_WRITE(HOST_SEEN,
    "UPDATE host SET last_seen_at = max(last_seen_at, ?3) "
    "WHERE tenant = ?1 AND name = ?2")
SQL_WRITE(REQUEST_ADD,
    "INSERT INTO request (tenant, id, sha256, engineer, "
    "text, signature, state, created_at, scope, version, "
    "lapses_at, not_before, not_after, due_at, endorsed_by, "
    "endorsement, endorsed_at, denied_by, denial, "
    "denial_reason, denied_at, draft, grant_sha256) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, "
    "0, 0, 0, 0, '', '', 0, '', '', '', 0, '', '')")
SQL_WRITE(REQUEST_SET,
    "UPDATE request SET version = version + 1, state = ?4, "
    "lapses_at = ?5, not_before = ?6, not_after = ?7, "
    "due_at = ?8, endorsed_at = ?9, endorsed_by = ?10, "
    "endorsement = ?11, denied_at = ?12, denied_by = ?13, "
    "denial = ?14, denial_reason = ?15, draft = ?16, "
    "grant_sha256 = ?17 "
    "WHERE tenant = ?1 AND id = ?2 AND version = ?3")
SQL_WRITE(REQUEST_DOOR_ADD,
    "INSERT INTO request_door (tenant, host, login, "
    "created_at, id) VALUES (?1, ?2, ?3, ?4, ?5)")
SQL_WRITE(APPROVAL_ADD,
    "INSERT INTO approval (tenant, grant_sha256, "
    "principal, key_fp, signature, at) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
SQL_WRITE(APPROVALS_DROP,
    "DELETE FROM approval WHERE tenant = ?1 AND "
    "grant_sha256 = ?2")
SQL_WRITE(GRANT_ADD,
    "INSERT INTO grant_ (tenant, sha256, request_id, "
    "engineer, bundle, text_len, state, created_at, version, "
    "closed_by, closing, closing_reason, closed_at, killing) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, '', '', '', "
    "0, '')")
SQL_WRITE(GRANT_SET,
    "UPDATE grant_ SET version = version + 1, state = ?4, "
    "closed_at = ?5, closed_by = ?6, closing = ?7, "
    "closing_reason = ?8, killing = ?9 "
    "WHERE tenant = ?1 AND sha256 = ?2 AND version = ?3")
SQL_WRITE(GRANT_DOOR_ADD,
    "INSERT INTO grant_door (tenant, host, login, "
    "not_after, sha256) VALUES (?1, ?2, ?3, ?4, ?5)")
SQL_WRITE(SESSION_ADD,
    "INSERT INTO session (hash, principal, key_fp, nonce, "
    "created_at, expires_at, sign_in, ended) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)")
SQL_WRITE(SESSION_END, "UPDATE session SET ended = 1 WHERE hash = ?1")
SQL_WRITE(SESSION_PURGE, "DELETE FROM session WHERE expires_at < ?1")
SQL_WRITE(SIGNIN_KEY_ADD,
    "INSERT INTO signin_key (tenant, principal, key_fp, "
    "key, label, created_at, used_at) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)")
SQL_WRITE(SIGNIN_KEY_USED,
    "UPDATE signin_key SET used_at = max(used_at, ?4) "
    "WHERE tenant = ?1 AND principal = ?2 AND key_fp = ?3")
SQL_WRITE(SIGNIN_KEY_DROP,
    "DELETE FROM signin_key WHERE tenant = ?1 AND "
    "principal = ?2 AND key_fp = ?3")
SQL_WRITE(BROWSER_ADD,
    "INSERT INTO browser_signin (code_hash, poll_hash, "
    "nonce, address, agent, created_at, expires_at, version, "
    "principal, key_fp, over) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, '', '', 0)")
SQL_WRITE(BROWSER_SET,
    "UPDATE browser_signin SET version = version + 1, "
    "principal = ?3, key_fp = ?4, over = ?5 "
    "WHERE code_hash = ?1 AND version = ?2")
SQL_WRITE(BROWSER_PURGE, "DELETE FROM browser_signin WHERE expires_at < ?1")
SQL_WRITE(NONCE_SPEND, "INSERT INTO spent_nonce (nonce, at) VALUES (?1, ?2)")
SQL_WRITE(NONCE_PURGE, "DELETE FROM spent_nonce WHERE at < ?1")
SQL_WRITE(IDEM_ADD,
    "INSERT INTO idem (principal, key, body, arg, at) "
    "VALUES (?1, ?2, ?3, ?4, ?5)")
SQL_WRITE(IDEM_PURGE, "DELETE FROM idem WHERE at < ?1")
SQL_WRITE(INTAKE_ADD,
    "INSERT INTO intake (tenant, host, key_fp, sequence, "
    "at) VALUES (?1, ?2, ?3, ?4, ?5)")
SQL_WRITE(INTAKE_SET,
    "UPDATE intake SET sequence = ?4, at = ?5 "
    "WHERE tenant = ?1 AND host = ?2 AND key_fp = ?3 AND "
    "sequence = ?6")
SQL_WRITE(STAY_ADD,
    "INSERT INTO stay (tenant, id, host, session, login, "
    "service, rhost, engineer, grant_sha256, opened_at, "
    "ends_at, ended_at, cause) VALUES (?1, ?2, ?3, ?4, ?5, "
    "?6, ?7, ?8, ?9, ?10, ?11, 0, '') "
    "ON CONFLICT DO NOTHING")
SQL_WRITE(STAY_MOVE,
    "UPDATE stay SET grant_sha256 = ?4, ends_at = ?5 "
    "WHERE tenant = ?1 AND host = ?2 AND session = ?3 AND "
    "ended_at = 0")
SQL_WRITE(STAY_END,
    "UPDATE stay SET ended_at = ?4, cause = ?5 "
    "WHERE tenant = ?1 AND host = ?2 AND session = ?3 AND "
    "ended_at = 0")
SQL_WRITE(STAYS_LOST,
    "UPDATE stay SET ended_at = ?3, cause = 'unreported' "
    "WHERE tenant = ?1 AND host = ?2 AND ended_at = 0")
SQL_WRITE(EVENT_NEXT,
    "SELECT coalesce(max(sequence), 0) + 1 FROM event "
    "WHERE tenant = ?1")
SQL_WRITE(EVENT_ADD,
    "INSERT INTO event (tenant, sequence, at, text) "
    "VALUES (?1, ?2, ?3, ?4)")
SQL_WRITE(NOTICE_ADD,
    "INSERT INTO notice (id, tenant, kind, actor, request_id, at, due_at, "
    "ends_at, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
/* For webhooks alone: needless where there is none. */
SQL_WRITE(NOTICE_ADD_HOOKS,
    "INSERT INTO notice (id, tenant, kind, actor, request_id, at, due_at, "
    "ends_at, data) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 "
    "WHERE EXISTS (SELECT 1 FROM webhook WHERE tenant = ?2 AND active = 1)")
SQL_WRITE(NOTICE_MADE, "UPDATE notice SET due_at = 0 WHERE id = ?1")
SQL_WRITE(NOTICE_PURGE,
    "DELETE FROM notice WHERE due_at = 0 AND at < ?1 AND NOT EXISTS "
    "(SELECT 1 FROM delivery d WHERE d.tenant = notice.tenant AND "
    "d.notice_id = notice.id)")
SQL_WRITE(DELIVERY_ADD,
    "INSERT INTO delivery (id, tenant, notice_id, kind, request_id, "
    "channel, receiver, line, staff, gathers, state, attempts, due_at, "
    "ends_at, created_at, done_at, batch, code, status) VALUES (?1, ?2, "
    "?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, "
    "?18, ?19) ON CONFLICT DO NOTHING")
SQL_WRITE(DELIVERY_SET,
    "UPDATE delivery SET state = ?2, attempts = ?3, due_at = ?4, "
    "ends_at = ?5, done_at = ?6, batch = ?7, code = ?8, status = ?9 "
    "WHERE id = ?1")
SQL_WRITE(DELIVERY_QUIET,
    "UPDATE delivery SET due_at = max(due_at, ?2) "
    "WHERE line = ?1 AND state = 'waiting'")
SQL_WRITE(DELIVERY_DROP,
    "UPDATE delivery SET state = 'dropped', code = ?2, done_at = ?3 "
    "WHERE receiver = ?1 AND channel = 'webhook' AND state = 'waiting'")
SQL_WRITE(DELIVERY_PURGE,
    "DELETE FROM delivery WHERE state <> 'waiting' AND created_at < ?1")
SQL_WRITE(WEBHOOK_ADD,
    "INSERT INTO webhook (tenant, id, url, types, scheme, generation, "
    "old_until, active, why, created_by, created_at, version) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 + 1)")
SQL_WRITE(WEBHOOK_SET,
    "UPDATE webhook SET url = ?3, types = ?4, scheme = ?5, generation = ?6, "
    "old_until = ?7, active = ?8, why = ?9, created_by = ?10, "
    "created_at = ?11, version = version + 1 "
    "WHERE tenant = ?1 AND id = ?2 AND version = ?12")
SQL_WRITE(WEBHOOK_GONE,
    "UPDATE webhook SET active = 0, why = 'gone', version = version + 1 "
    "WHERE id = ?1")
SQL_WRITE(WEBHOOK_DROP,
    "DELETE FROM webhook WHERE tenant = ?1 AND id = ?2 AND version = ?3")
