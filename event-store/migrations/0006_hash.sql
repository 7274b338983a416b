-- The canonical encoding of a row and its hashes, made by PostgreSQL itself (see event-store/src/row.rs).
-- An auditor with psql alone can check what the program says.
CREATE FUNCTION log.field(content bytea) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(int4send(octet_length(content)) || content, '\xffffffff'::bytea);
CREATE FUNCTION log.field(content text) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN log.field(convert_to(content, 'UTF8'));
CREATE FUNCTION log.field(content uuid) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN log.field(uuid_send(content));
CREATE FUNCTION log.field(content bigint) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN log.field(int8send(content));
CREATE FUNCTION log.field(content timestamptz) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN log.field((extract(epoch FROM content) * 1000000)::bigint);

CREATE FUNCTION log.row_encoding(e log.event) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN log.field('casebook/row/1'::text)
        || log.field(e.clinic) || log.field(e.ledger::bigint) || log.field(e.position)
        || log.field(e.stream_kind) || log.field(e.stream_id) || log.field(e.stream_version)
        || log.field(e.event_id) || log.field(e.event_type) || log.field(e.schema_version::bigint)
        || log.field(e.patient) || log.field(e.patient_version)
        || log.field(e.occurred_at) || log.field(e.recorded_at)
        || log.field(e.actor_kind) || log.field(e.actor_user) || log.field(e.actor_name) || log.field(e.actor_roles)
        || log.field(e.actor_session) || log.field(e.on_behalf_of)
        || log.field(e.purpose) || log.field(e.reason) || log.field(e.command)
        || log.field(e.correlation_id) || log.field(e.causation_id)
        || log.field(e.client_address) || log.field(e.client_agent)
        || log.field(e.payload_hash) || log.field(e.sealed_hash);

CREATE FUNCTION log.row_hash(e log.event) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN sha256(log.row_encoding(e));

CREATE FUNCTION log.chain_hash(previous bytea, row_hash bytea) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN sha256(log.field('casebook/chain/1'::text) || log.field(previous) || log.field(row_hash));

-- Whether the row says what it said when it was written.
CREATE FUNCTION log.row_is_intact(e log.event) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN e.payload_hash = sha256(e.payload)
        AND e.sealed_hash IS NOT DISTINCT FROM sha256(e.sealed)
        AND e.hash = log.chain_hash(e.previous_hash, log.row_hash(e));
