-- Who is told what. A notice is one thing that happened, written with it; a
-- delivery is one telling of it to one person or one webhook.

CREATE TABLE notice (
	number INTEGER PRIMARY KEY, -- the order in which things happened
	tenant TEXT NOT NULL REFERENCES tenant (name),
	id TEXT NOT NULL UNIQUE,
	kind TEXT NOT NULL,
	actor TEXT NOT NULL,
	request_id TEXT NOT NULL,
	at INTEGER NOT NULL,
	due_at INTEGER NOT NULL, -- when deliveries are made of it; 0: they are
	ends_at INTEGER NOT NULL, -- nobody is told any more
	data TEXT NOT NULL -- JSON, as webhooks get it
) STRICT;
CREATE INDEX notice_due ON notice (due_at) WHERE due_at > 0;

CREATE TABLE delivery (
	number INTEGER PRIMARY KEY, -- the order in which they are sent
	tenant TEXT NOT NULL REFERENCES tenant (name),
	id TEXT NOT NULL UNIQUE,
	notice_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	request_id TEXT NOT NULL,
	channel TEXT NOT NULL, -- mail, webhook
	receiver TEXT NOT NULL, -- a principal; a webhook's id
	line TEXT NOT NULL, -- what is sent one after the other
	staff INTEGER NOT NULL, -- the principal is the provider's
	gathers INTEGER NOT NULL, -- several may come in one mail
	state TEXT NOT NULL, -- waiting, sent, failed, dropped
	attempts INTEGER NOT NULL,
	due_at INTEGER NOT NULL,
	ends_at INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	done_at INTEGER NOT NULL,
	batch TEXT NOT NULL, -- which mail it is part of
	code TEXT NOT NULL, -- what came of the last attempt
	status INTEGER NOT NULL, -- what the server said in it
	UNIQUE (tenant, notice_id, channel, receiver)
) STRICT;
CREATE INDEX delivery_line ON delivery (line, number) WHERE state = 'waiting';
CREATE INDEX delivery_done ON delivery (line, done_at) WHERE state = 'sent';
CREATE INDEX delivery_batch ON delivery (batch) WHERE batch <> '';
CREATE INDEX delivery_request ON delivery (request_id, number);
CREATE INDEX delivery_receiver ON delivery (receiver, number);
CREATE INDEX delivery_tenant ON delivery (tenant, number);
CREATE INDEX delivery_state ON delivery (state, number);

-- Where a tenant's own system is told. Its secret is derived, not kept.
CREATE TABLE webhook (
	tenant TEXT NOT NULL REFERENCES tenant (name),
	id TEXT NOT NULL,
	version INTEGER NOT NULL,
	url TEXT NOT NULL,
	types TEXT NOT NULL, -- words with a comma between; '': all
	scheme TEXT NOT NULL, -- v1, v1a
	generation INTEGER NOT NULL, -- of its key
	old_until INTEGER NOT NULL, -- the key before also signs until then
	active INTEGER NOT NULL,
	why TEXT NOT NULL, -- a code: why it is not active
	created_by TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	PRIMARY KEY (tenant, id)
) STRICT;
CREATE UNIQUE INDEX webhook_id ON webhook (id);
