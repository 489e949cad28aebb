-- The first schema. Keys start with the tenant wherever a row belongs to one.
-- Times are UNIX seconds; 0 and '' mean: none.

CREATE TABLE person (
	principal TEXT PRIMARY KEY,
	version INTEGER NOT NULL,
	roles INTEGER NOT NULL,
	active INTEGER NOT NULL,
	mail TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE person_key (
	key_fp TEXT PRIMARY KEY,
	principal TEXT NOT NULL REFERENCES person (principal),
	place INTEGER NOT NULL,
	key TEXT NOT NULL,
	UNIQUE (principal, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE tenant (
	name TEXT PRIMARY KEY,
	version INTEGER NOT NULL,
	endorse_ttl INTEGER NOT NULL,
	approve_ttl INTEGER NOT NULL,
	grant_ttl INTEGER NOT NULL,
	endorsement INTEGER NOT NULL,
	created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE trust (
	tenant TEXT NOT NULL REFERENCES tenant (name),
	serial INTEGER NOT NULL,
	sha256 TEXT NOT NULL UNIQUE,
	bundle TEXT NOT NULL,
	added_at INTEGER NOT NULL,
	PRIMARY KEY (tenant, serial)
) STRICT;

CREATE TABLE host (
	tenant TEXT NOT NULL REFERENCES tenant (name),
	name TEXT NOT NULL,
	version INTEGER NOT NULL,
	enrolled INTEGER NOT NULL,
	salt TEXT NOT NULL,
	invited_until INTEGER NOT NULL,
	wrong_macs INTEGER NOT NULL,
	key TEXT NOT NULL,
	key_fp TEXT NOT NULL,
	machine_id TEXT NOT NULL,
	enrolled_at INTEGER NOT NULL,
	last_seen_at INTEGER NOT NULL,
	PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX host_key ON host (key_fp) WHERE key_fp <> '';
CREATE INDEX host_name ON host (name, tenant);

CREATE TABLE request (
	tenant TEXT NOT NULL REFERENCES tenant (name),
	id TEXT NOT NULL,
	version INTEGER NOT NULL,
	sha256 TEXT NOT NULL UNIQUE,
	engineer TEXT NOT NULL,
	text TEXT NOT NULL,
	signature TEXT NOT NULL,
	state TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	lapses_at INTEGER NOT NULL,
	not_before INTEGER NOT NULL,
	not_after INTEGER NOT NULL,
	due_at INTEGER NOT NULL, -- when time changes the state; 0: never
	scope TEXT NOT NULL,
	endorsed_by TEXT NOT NULL,
	endorsement TEXT NOT NULL,
	endorsed_at INTEGER NOT NULL,
	denied_by TEXT NOT NULL,
	denial TEXT NOT NULL,
	denial_reason TEXT NOT NULL,
	denied_at INTEGER NOT NULL,
	draft TEXT NOT NULL,
	grant_sha256 TEXT NOT NULL,
	PRIMARY KEY (tenant, id)
) STRICT;
CREATE UNIQUE INDEX request_id ON request (id);
CREATE INDEX request_new ON request (created_at, sha256);
CREATE INDEX request_tenant ON request (tenant, created_at, sha256);
CREATE INDEX request_engineer ON request (engineer, created_at, sha256);
CREATE INDEX request_due ON request (due_at) WHERE due_at > 0;
-- One open request per engineer and scope.
CREATE UNIQUE INDEX request_scope ON request (engineer, scope)
	WHERE state IN ('pending_endorsement', 'pending_approval');

CREATE TABLE request_door (
	tenant TEXT NOT NULL,
	host TEXT NOT NULL,
	login TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	id TEXT NOT NULL,
	PRIMARY KEY (tenant, host, login, created_at, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE approval (
	tenant TEXT NOT NULL REFERENCES tenant (name),
	grant_sha256 TEXT NOT NULL,
	principal TEXT NOT NULL,
	key_fp TEXT NOT NULL,
	signature TEXT NOT NULL,
	at INTEGER NOT NULL,
	PRIMARY KEY (tenant, grant_sha256, principal)
) STRICT;

-- The bundle holds the grant (its first text_len bytes), its approvals, the
-- request and the engineer's signature, as hosts get them.
CREATE TABLE grant_ (
	tenant TEXT NOT NULL REFERENCES tenant (name),
	sha256 TEXT NOT NULL,
	version INTEGER NOT NULL,
	request_id TEXT NOT NULL,
	engineer TEXT NOT NULL,
	bundle TEXT NOT NULL,
	text_len INTEGER NOT NULL,
	state TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	closed_by TEXT NOT NULL,
	closing TEXT NOT NULL,
	closing_reason TEXT NOT NULL,
	closed_at INTEGER NOT NULL,
	killing TEXT NOT NULL,
	PRIMARY KEY (tenant, sha256)
) STRICT;
CREATE UNIQUE INDEX grant_id ON grant_ (sha256);
CREATE INDEX grant_new ON grant_ (created_at, sha256);
CREATE INDEX grant_tenant ON grant_ (tenant, created_at, sha256);
CREATE INDEX grant_engineer ON grant_ (engineer, created_at, sha256);

CREATE TABLE grant_door (
	tenant TEXT NOT NULL,
	host TEXT NOT NULL,
	login TEXT NOT NULL,
	not_after INTEGER NOT NULL,
	sha256 TEXT NOT NULL,
	PRIMARY KEY (tenant, host, login, not_after, sha256)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
	hash TEXT PRIMARY KEY, -- of the token, keyed
	principal TEXT NOT NULL,
	key_fp TEXT NOT NULL,
	nonce TEXT NOT NULL UNIQUE, -- a nonce opens one session
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	ended INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_end ON session (expires_at);

CREATE TABLE idem (
	principal TEXT NOT NULL,
	key TEXT NOT NULL,
	body TEXT NOT NULL,
	arg TEXT NOT NULL,
	at INTEGER NOT NULL,
	PRIMARY KEY (principal, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idem_at ON idem (at);

-- What happened, told by the broker. The provider's own records stand under
-- the broker's name, which no tenant may have.
CREATE TABLE event (
	number INTEGER PRIMARY KEY, -- the order over all tenants
	tenant TEXT NOT NULL,
	sequence INTEGER NOT NULL,
	at INTEGER NOT NULL,
	text TEXT NOT NULL,
	UNIQUE (tenant, sequence)
) STRICT;
CREATE INDEX event_at ON event (at);
CREATE TRIGGER event_stays BEFORE DELETE ON event
BEGIN
	SELECT RAISE(ABORT, 'records stay');
END;
CREATE TRIGGER event_holds BEFORE UPDATE ON event
BEGIN
	SELECT RAISE(ABORT, 'records stay');
END;
