-- What a tenant's people prepare together before it is in force.

-- A successor of the trust document in force that owners are still signing. A
-- text becomes trust, or is gone, in the transaction of the trust document.
CREATE TABLE proposal (
	tenant TEXT PRIMARY KEY REFERENCES tenant (name),
	version INTEGER NOT NULL,
	serial INTEGER NOT NULL,
	sha256 TEXT NOT NULL,
	proposed_by TEXT NOT NULL,
	proposed_at INTEGER NOT NULL,
	text TEXT NOT NULL
) STRICT;

CREATE TABLE proposal_signature (
	tenant TEXT NOT NULL REFERENCES proposal (tenant) ON DELETE CASCADE,
	place INTEGER NOT NULL, -- the order in which they came
	key_fp TEXT NOT NULL,
	principal TEXT NOT NULL,
	signature TEXT NOT NULL,
	at INTEGER NOT NULL,
	PRIMARY KEY (tenant, place),
	UNIQUE (tenant, key_fp)
) STRICT, WITHOUT ROWID;

-- Where mail for somebody of a tenant's trust document goes.
CREATE TABLE contact (
	tenant TEXT NOT NULL REFERENCES tenant (name),
	principal TEXT NOT NULL,
	version INTEGER NOT NULL,
	mail TEXT NOT NULL,
	links INTEGER NOT NULL,
	language TEXT NOT NULL,
	PRIMARY KEY (tenant, principal)
) STRICT, WITHOUT ROWID;

-- Somebody was asked to bring a key. Whoever accepted, or was withdrawn, has
-- none any more.
CREATE TABLE invitation (
	tenant TEXT NOT NULL REFERENCES tenant (name),
	principal TEXT NOT NULL,
	version INTEGER NOT NULL,
	id TEXT NOT NULL UNIQUE,
	owner INTEGER NOT NULL, -- shall he sign trust documents
	invited_by TEXT NOT NULL,
	invited_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	salt TEXT NOT NULL, -- of the code; '': burnt
	wrong_codes INTEGER NOT NULL,
	PRIMARY KEY (tenant, principal)
) STRICT, WITHOUT ROWID;

-- A key that somebody brought, for the owners to compare and to sign into
-- trust. It has no power; with the trust document that pins it, it goes.
CREATE TABLE candidate (
	tenant TEXT NOT NULL REFERENCES tenant (name),
	key_fp TEXT NOT NULL,
	id TEXT NOT NULL UNIQUE,
	principal TEXT NOT NULL,
	key TEXT NOT NULL,
	label TEXT NOT NULL,
	origin TEXT NOT NULL, -- of the page it was made on; '': no passkey
	owner INTEGER NOT NULL,
	invited_by TEXT NOT NULL,
	added_at INTEGER NOT NULL,
	PRIMARY KEY (tenant, key_fp)
) STRICT, WITHOUT ROWID;
