-- Where each ledger of each clinic stands. An append locks the row, numbers its events from it and moves it.
CREATE TABLE log.head (
    clinic      uuid        NOT NULL,
    ledger      smallint    NOT NULL CHECK (ledger IN (1, 2)),
    position    bigint      NOT NULL,
    hash        bytea       NOT NULL,
    recorded_at timestamptz NOT NULL,
    -- Moves when a key of the clinic is fenced or destroyed: a writer that remembers opened keys drops them.
    key_epoch   bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (clinic, ledger)
) WITH (fillfactor = 40);

-- One row for each event, exactly as it is hashed (event-store/src/row.rs). Three indexes: each further one
-- costs 5 to 10 % of the appends.
CREATE TABLE log.event (
    clinic          uuid        NOT NULL,
    ledger          smallint    NOT NULL,
    position        bigint      NOT NULL,
    stream_kind     text        NOT NULL,
    stream_id       uuid        NOT NULL,
    stream_version  bigint      NOT NULL,
    event_id        uuid        NOT NULL,
    event_type      text        NOT NULL,
    schema_version  smallint    NOT NULL,
    patient         uuid,
    patient_version bigint,
    occurred_at     timestamptz NOT NULL,
    recorded_at     timestamptz NOT NULL,
    actor_kind      text        NOT NULL,
    actor_user      uuid,
    actor_name      text        NOT NULL,
    actor_roles     text        NOT NULL,
    actor_session   uuid,
    on_behalf_of    uuid,
    purpose         text        NOT NULL,
    reason          text,
    command         text        NOT NULL,
    correlation_id  uuid        NOT NULL,
    causation_id    uuid        NOT NULL,
    client_address  text,
    client_agent    text,
    payload         bytea       NOT NULL,
    payload_hash    bytea       NOT NULL,
    sealed          bytea,
    sealed_hash     bytea,
    previous_hash   bytea       NOT NULL,
    hash            bytea       NOT NULL,
    PRIMARY KEY (clinic, ledger, position)
);
-- The id before the kind: ids differ, kinds hardly do, and every comparison of an insert costs.
CREATE UNIQUE INDEX event_stream ON log.event (clinic, stream_id, stream_kind, stream_version);
CREATE UNIQUE INDEX event_chart ON log.event (clinic, patient, patient_version) WHERE patient_version IS NOT NULL;

CREATE FUNCTION log.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log refuses %: events are only ever added', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER event_is_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON log.event
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
-- Also where a session calls itself a replica.
ALTER TABLE log.event ENABLE ALWAYS TRIGGER event_is_only_added;
