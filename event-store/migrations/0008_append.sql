-- The append of a group of commands, as one statement: so it is one round trip and one transaction. The
-- caller has decided everything against heads that it remembers; here the heads are moved from where the caller
-- believes them to be, and nothing is written if one of them stands elsewhere.
--
-- A group fails as a whole. Where members of it lost a race, DETAIL holds their numbers:
--   CB001 a claim is held by another stream (each number with the kind of the claim: 3:slug)
--   CB002 a doctor's time is taken
--   CB003 an idempotency key is recorded already
--   CB004 a head stands elsewhere than the caller believes
--
-- What a group has many of comes as arrays of composites (event-store/src/writer/composite.rs). An array for each
-- column would be unpacked into a table of its own first, which doubles the price of an event.

-- Where a head is believed to be, and where it goes.
CREATE TYPE log.head_move AS (
    clinic         uuid,
    ledger         smallint,
    position       bigint,
    hash           bytea,
    key_epoch      bigint,
    to_position    bigint,
    to_hash        bytea,
    to_recorded_at timestamptz
);

-- An answer, with the number of the group's member that it belongs to.
CREATE TYPE log.new_answer AS (
    member      integer,
    clinic      uuid,
    user_id     uuid,
    key_hash    bytea,
    fingerprint bytea,
    answer      bytea
);

-- The columns of log.event as this version of the program writes them.
CREATE TYPE log.new_event AS (
    clinic          uuid,
    ledger          smallint,
    position        bigint,
    stream_kind     text,
    stream_id       uuid,
    stream_version  bigint,
    event_id        uuid,
    event_type      text,
    schema_version  smallint,
    patient         uuid,
    patient_version bigint,
    occurred_at     timestamptz,
    recorded_at     timestamptz,
    actor_kind      text,
    actor_user      uuid,
    actor_name      text,
    actor_roles     text,
    actor_session   uuid,
    on_behalf_of    uuid,
    purpose         text,
    reason          text,
    command         text,
    correlation_id  uuid,
    causation_id    uuid,
    client_address  text,
    client_agent    text,
    payload         bytea,
    payload_hash    bytea,
    sealed          bytea,
    sealed_hash     bytea,
    previous_hash   bytea,
    hash            bytea
);

CREATE FUNCTION log.remember_answers(answers log.new_answer[], expiry timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log.idempotency
        SELECT w.clinic, w.user_id, w.key_hash, w.fingerprint, w.answer, expiry FROM unnest(answers) AS w
        ORDER BY w.clinic, w.user_id, w.key_hash; -- or two processes deadlock
EXCEPTION WHEN unique_violation THEN
    PERFORM log.remember_answers_again(answers, expiry);
END $$;

-- With a look at those that are there already: twice the price, so only where there are some.
CREATE FUNCTION log.remember_answers_again(answers log.new_answer[], expiry timestamptz) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    remembered bigint;
    lost text;
BEGIN
    INSERT INTO log.idempotency AS i
        SELECT w.clinic, w.user_id, w.key_hash, w.fingerprint, w.answer, expiry FROM unnest(answers) AS w
        ORDER BY w.clinic, w.user_id, w.key_hash
        ON CONFLICT (clinic, user_id, key_hash) DO UPDATE
            SET fingerprint = excluded.fingerprint, answer = excluded.answer, expires_at = excluded.expires_at
            WHERE i.expires_at <= now();
    GET DIAGNOSTICS remembered = ROW_COUNT;
    IF remembered < cardinality(answers) THEN
        SELECT string_agg(w.member::text, ',') INTO lost
        FROM unnest(answers) AS w LEFT JOIN log.idempotency i USING (clinic, user_id, key_hash)
        WHERE i.answer IS DISTINCT FROM w.answer;
        RAISE EXCEPTION 'idempotency keys are recorded already' USING ERRCODE = 'CB003', DETAIL = coalesce(lost, '');
    END IF;
END $$;

CREATE FUNCTION log.move_claims(effects jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    taken bigint;
    lost text;
BEGIN
    DELETE FROM log.claim c
        USING jsonb_to_recordset(effects -> 'claims_freed')
            AS f(scope uuid, kind text, value text, clinic uuid, holder_kind text, holder_id uuid)
        WHERE c.scope = f.scope AND c.kind = f.kind AND c.value = f.value
          AND c.clinic = f.clinic AND c.holder_kind = f.holder_kind AND c.holder_id = f.holder_id;
    INSERT INTO log.claim
        SELECT t.scope, t.kind, t.value, t.clinic, t.holder_kind, t.holder_id, t.position
        FROM jsonb_to_recordset(effects -> 'claims_taken') AS t(member integer, scope uuid, kind text,
            value text, clinic uuid, holder_kind text, holder_id uuid, position bigint)
        ORDER BY t.scope, t.kind COLLATE "C", t.value COLLATE "C", t.member -- or two processes deadlock
        ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS taken = ROW_COUNT;
    IF taken < jsonb_array_length(effects -> 'claims_taken') THEN
        SELECT string_agg(t.member || ':' || t.kind, ',') INTO lost
        FROM jsonb_to_recordset(effects -> 'claims_taken') AS t(member integer, scope uuid, kind text, value text,
            clinic uuid, holder_kind text, holder_id uuid)
        LEFT JOIN log.claim c USING (scope, kind, value)
        WHERE (c.clinic, c.holder_kind, c.holder_id) IS DISTINCT FROM (t.clinic, t.holder_kind, t.holder_id);
        IF lost IS NOT NULL THEN
            RAISE EXCEPTION 'claims are held by other streams' USING ERRCODE = 'CB001', DETAIL = coalesce(lost, '');
        END IF;
    END IF;
END $$;

CREATE FUNCTION log.move_times(effects jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    taken bigint;
    lost text;
BEGIN
    DELETE FROM log.doctor_time d
        USING jsonb_to_recordset(effects -> 'times_freed')
            AS f(clinic uuid, doctor uuid, holder_kind text, holder_id uuid)
        WHERE d.clinic = f.clinic AND d.doctor = f.doctor
          AND d.holder_kind = f.holder_kind AND d.holder_id = f.holder_id;
    INSERT INTO log.doctor_time
        SELECT t.clinic, t.doctor, t.office, t.lane, tstzrange(t.begins, t.ends), t.holder_kind, t.holder_id, t.position
        FROM jsonb_to_recordset(effects -> 'times_taken') AS t(member integer, clinic uuid, doctor uuid, office uuid,
            lane smallint, begins timestamptz, ends timestamptz, holder_kind text, holder_id uuid, position bigint)
        ORDER BY t.member -- who came first has it
        ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS taken = ROW_COUNT;
    IF taken < jsonb_array_length(effects -> 'times_taken') THEN
        SELECT string_agg(t.member::text, ',') INTO lost
        FROM jsonb_to_recordset(effects -> 'times_taken') AS t(member integer, clinic uuid, doctor uuid, lane smallint,
            begins timestamptz, ends timestamptz, holder_kind text, holder_id uuid, position bigint)
        WHERE NOT EXISTS (
            SELECT FROM log.doctor_time d
            WHERE d.clinic = t.clinic AND d.doctor = t.doctor AND d.lane = t.lane
              AND d.during = tstzrange(t.begins, t.ends) AND d.holder_kind = t.holder_kind
              AND d.holder_id = t.holder_id AND d.position = t.position);
        RAISE EXCEPTION 'a doctor''s time is taken' USING ERRCODE = 'CB002', DETAIL = coalesce(lost, '');
    END IF;
END $$;

CREATE FUNCTION log.add_keys(keys jsonb) RETURNS void LANGUAGE sql
    BEGIN ATOMIC
        INSERT INTO log.clinic_key (clinic, wrapped)
            SELECT k.clinic, decode(k.wrapped, 'hex')
            FROM jsonb_to_recordset(keys) AS k(clinic uuid, patient uuid, wrapped text) WHERE k.patient IS NULL;
        INSERT INTO log.patient_key (clinic, patient, wrapped)
            SELECT k.clinic, k.patient, decode(k.wrapped, 'hex')
            FROM jsonb_to_recordset(keys) AS k(clinic uuid, patient uuid, wrapped text) WHERE k.patient IS NOT NULL;
    END;

-- One change of a login's secrets (event-store/src/credentials.rs). `at` is when it is decided.
CREATE FUNCTION log.change_credential(c jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    of_clinic uuid := c ->> 'clinic';
    of_user uuid := c ->> 'user';
    at timestamptz := c ->> 'at';
BEGIN
    IF c ->> 'change' = 'create' THEN
        INSERT INTO log.credential (clinic, user_id, username_hash, password_hash, must_change_password,
                                    activation_hash, activation_expires_at)
            VALUES (of_clinic, of_user, c ->> 'username_hash', c ->> 'password_hash', (c ->> 'must_change')::boolean,
                    decode(c ->> 'activation_hash', 'hex'), (c ->> 'activation_expires_at')::timestamptz);
        RETURN;
    END IF;
    CASE c ->> 'change'
        WHEN 'set_password' THEN
            UPDATE log.credential SET password_hash = c ->> 'password_hash', must_change_password = false,
                activation_hash = NULL, activation_expires_at = NULL, failed_logins = 0, locked_until = NULL,
                not_before = at WHERE clinic = of_clinic AND user_id = of_user;
        WHEN 'renew_activation' THEN
            UPDATE log.credential SET password_hash = NULL, activation_hash = decode(c ->> 'activation_hash', 'hex'),
                activation_expires_at = (c ->> 'activation_expires_at')::timestamptz, not_before = at
                WHERE clinic = of_clinic AND user_id = of_user;
        WHEN 'lock' THEN
            UPDATE log.credential SET locked = (c ->> 'until') IS NULL, locked_until = (c ->> 'until')::timestamptz,
                failed_logins = 0, not_before = at WHERE clinic = of_clinic AND user_id = of_user;
        WHEN 'unlock' THEN
            UPDATE log.credential SET locked = false, locked_until = NULL, failed_logins = 0
                WHERE clinic = of_clinic AND user_id = of_user;
        WHEN 'end_tokens' THEN
            UPDATE log.credential SET not_before = at WHERE clinic = of_clinic AND user_id = of_user;
        WHEN 'disable' THEN
            UPDATE log.credential SET disabled = true, password_hash = NULL, activation_hash = NULL,
                activation_expires_at = NULL, not_before = at WHERE clinic = of_clinic AND user_id = of_user;
    END CASE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such login' USING ERRCODE = 'foreign_key_violation';
    END IF;
    IF c ->> 'change' IN ('set_password', 'renew_activation', 'lock', 'disable') THEN
        UPDATE log.session SET revoked_at = at
            WHERE clinic = of_clinic AND user_id = of_user AND revoked_at IS NULL;
    END IF;
END $$;

CREATE FUNCTION log.apply_effects(effects jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF effects ? 'claims_taken' THEN
        PERFORM log.move_claims(effects);
    END IF;
    IF effects ? 'times_taken' THEN
        PERFORM log.move_times(effects);
    END IF;
    IF effects ? 'keys' THEN
        PERFORM log.add_keys(effects -> 'keys');
    END IF;
    IF effects ? 'credentials' THEN
        PERFORM log.change_credential(c) FROM jsonb_array_elements(effects -> 'credentials') AS c;
    END IF;
END $$;

-- Makes heads that are missing. The arrays are sorted by clinic and ledger, here and below: in another order, two
-- processes deadlock.
CREATE FUNCTION log.make_heads(clinics uuid[], ledgers smallint[]) RETURNS void LANGUAGE sql
    BEGIN ATOMIC
        INSERT INTO log.head
            SELECT w.clinic, w.ledger, 0, decode(repeat('00', 32), 'hex'), 'epoch'
            FROM unnest(clinics, ledgers) AS w(clinic, ledger)
            WHERE NOT EXISTS (SELECT FROM log.head h WHERE h.clinic = w.clinic AND h.ledger = w.ledger)
            ON CONFLICT DO NOTHING;
    END;

CREATE FUNCTION log.lock_heads(clinics uuid[], ledgers smallint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM log.make_heads(clinics, ledgers);
    PERFORM FROM unnest(clinics, ledgers) AS w(clinic, ledger) CROSS JOIN LATERAL (
        SELECT FROM log.head h WHERE h.clinic = w.clinic AND h.ledger = w.ledger FOR UPDATE) AS h;
END $$;

-- The head of a ledger without events is made first.
CREATE FUNCTION log.move_heads(moves log.head_move[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    moved bigint;
BEGIN
    PERFORM log.make_heads(array_agg(m.clinic), array_agg(m.ledger)) FROM unnest(moves) AS m
        WHERE m.position = 0 HAVING count(*) > 0;
    UPDATE log.head h SET position = m.to_position, hash = m.to_hash, recorded_at = m.to_recorded_at
        FROM unnest(moves) AS m
        WHERE h.clinic = m.clinic AND h.ledger = m.ledger
          AND h.position = m.position AND h.hash = m.hash AND h.key_epoch = m.key_epoch;
    GET DIAGNOSTICS moved = ROW_COUNT;
    IF moved < cardinality(moves) THEN
        RAISE EXCEPTION 'a head stands elsewhere' USING ERRCODE = 'CB004';
    END IF;
END $$;

CREATE FUNCTION log.append(moves log.head_move[], counter_clinic uuid[], counter_name text[], counter_value bigint[],
    answers log.new_answer[], answer_expiry timestamptz, effects jsonb, events log.new_event[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM log.move_heads(moves);
    IF effects IS NOT NULL THEN
        PERFORM log.apply_effects(effects);
    END IF;
    IF cardinality(answers) > 0 THEN
        PERFORM log.remember_answers(answers, answer_expiry);
    END IF;
    IF cardinality(counter_clinic) > 0 THEN
        INSERT INTO log.counter SELECT * FROM unnest(counter_clinic, counter_name, counter_value)
            ON CONFLICT (clinic, name) DO UPDATE SET value = excluded.value;
    END IF;
    INSERT INTO log.event SELECT * FROM unnest(events);
END $$;
