-- Signing in with a browser. How a session came about; sign-in passkeys, which
-- no trust document pins; pages that wait for "lockbox signin --browser"; and
-- nonces that were spent on something else than a session.

ALTER TABLE session ADD COLUMN sign_in TEXT NOT NULL DEFAULT 'ssh';

-- tenant '': of the provider's own people.
CREATE TABLE signin_key (
	tenant TEXT NOT NULL,
	principal TEXT NOT NULL,
	key_fp TEXT NOT NULL,
	key TEXT NOT NULL,
	label TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	used_at INTEGER NOT NULL, -- 0: never
	PRIMARY KEY (tenant, principal, key_fp)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX signin_key_fp ON signin_key (key_fp);

CREATE TABLE browser_signin (
	code_hash TEXT PRIMARY KEY, -- keyed, as poll_hash
	poll_hash TEXT NOT NULL UNIQUE,
	version INTEGER NOT NULL,
	nonce TEXT NOT NULL UNIQUE,
	address TEXT NOT NULL,
	agent TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	principal TEXT NOT NULL, -- who confirmed it; '': nobody yet
	key_fp TEXT NOT NULL,
	over INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX browser_signin_end ON browser_signin (expires_at);

CREATE TABLE spent_nonce (
	nonce TEXT PRIMARY KEY,
	at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_nonce_at ON spent_nonce (at);
