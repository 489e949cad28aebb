-- What hosts report. An intake is up to where the reports of one enrolment (a
-- host's key) were taken; a stay is a session on a host, as reports told of it.

CREATE TABLE intake (
	tenant TEXT NOT NULL REFERENCES tenant (name),
	host TEXT NOT NULL,
	key_fp TEXT NOT NULL,
	sequence INTEGER NOT NULL,
	at INTEGER NOT NULL,
	PRIMARY KEY (tenant, host, key_fp)
) STRICT, WITHOUT ROWID;

CREATE TABLE stay (
	tenant TEXT NOT NULL REFERENCES tenant (name),
	id TEXT NOT NULL, -- sha256 of the report that opened it
	host TEXT NOT NULL,
	session INTEGER NOT NULL, -- audit session id, good for one boot
	login TEXT NOT NULL,
	service TEXT NOT NULL,
	rhost TEXT NOT NULL,
	engineer TEXT NOT NULL,
	grant_sha256 TEXT NOT NULL,
	opened_at INTEGER NOT NULL,
	ends_at INTEGER NOT NULL,
	ended_at INTEGER NOT NULL, -- 0: it lives
	cause TEXT NOT NULL,
	PRIMARY KEY (tenant, id)
) STRICT;
CREATE UNIQUE INDEX stay_id ON stay (id);
CREATE INDEX stay_new ON stay (opened_at, id);
CREATE INDEX stay_tenant ON stay (tenant, opened_at, id);
CREATE INDEX stay_engineer ON stay (engineer, opened_at, id);
CREATE INDEX stay_live ON stay (opened_at, id) WHERE ended_at = 0;
CREATE UNIQUE INDEX stay_at_host ON stay (tenant, host, session)
	WHERE ended_at = 0;
