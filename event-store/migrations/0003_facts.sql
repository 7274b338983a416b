-- What must be unique: in one clinic (scope is its id) or over the platform (scope is nil).
CREATE TABLE log.claim (
    scope       uuid   NOT NULL,
    kind        text   COLLATE "C" NOT NULL,
    value       text   COLLATE "C" NOT NULL,
    clinic      uuid   NOT NULL,
    holder_kind text   NOT NULL,
    holder_id   uuid   NOT NULL,
    position    bigint NOT NULL,
    PRIMARY KEY (scope, kind, value)
);

-- The time of doctors. What does not overlap in lane 0 is one patient after another.
CREATE TABLE log.doctor_time (
    clinic      uuid      NOT NULL,
    doctor      uuid      NOT NULL,
    office      uuid      NOT NULL,
    lane        smallint  NOT NULL,
    during      tstzrange NOT NULL CHECK (NOT isempty(during)),
    holder_kind text      NOT NULL,
    holder_id   uuid      NOT NULL,
    position    bigint    NOT NULL,
    CONSTRAINT doctor_time_never_overlaps
        EXCLUDE USING gist (clinic WITH =, doctor WITH =, lane WITH =, during WITH &&)
);
CREATE INDEX doctor_time_holder ON log.doctor_time (clinic, holder_id);

-- Usage against limits, and the last number of each series.
CREATE TABLE log.counter (
    clinic uuid   NOT NULL,
    name   text   COLLATE "C" NOT NULL,
    value  bigint NOT NULL,
    PRIMARY KEY (clinic, name)
) WITH (fillfactor = 60);

-- Commands that were accepted, with their answers (encrypted under a key that only the client can name).
CREATE TABLE log.idempotency (
    clinic      uuid        NOT NULL,
    user_id     uuid        NOT NULL, -- nil: given without a login
    key_hash    bytea       NOT NULL,
    fingerprint bytea       NOT NULL,
    answer      bytea       NOT NULL,
    expires_at  timestamptz NOT NULL,
    PRIMARY KEY (clinic, user_id, key_hash)
);
CREATE INDEX idempotency_expiry ON log.idempotency USING brin (expires_at);
