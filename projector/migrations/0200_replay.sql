-- Replays: the read models of one clinic as they were, in a schema of their own beside what is served.

-- What became of the replays that were asked for (log.replay).
CREATE TABLE read.replay (
    clinic_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    -- running, ready, failed; dropped once its tables are gone.
    state      text        NOT NULL,
    -- Folded so far.
    events     bigint      NOT NULL DEFAULT 0,
    -- Up to where the record was looked through for erasures, which a copy of what was must not outlive.
    looked_at  bigint      NOT NULL DEFAULT 0,
    -- Why it failed, in words that hold no data of anybody.
    error      text,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    PRIMARY KEY (clinic_id, id)
);
CALL read.protect('read.replay');

-- Constraints, indexes, policies and grants of one table for another that is like it. `suffix` is added to names where
-- both lie in one schema.
CREATE FUNCTION read.dress(target regclass, pattern regclass, suffix text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    command text;
BEGIN
    FOR command IN
        SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', target, conname || suffix, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE conrelid = pattern AND contype IN ('p', 'u')
        UNION ALL
        SELECT regexp_replace(pg_get_indexdef(i.indexrelid), ' INDEX (\S+) ON (\S+) ',
                              format(' INDEX %I ON %s ', c.relname || suffix, target))
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = pattern AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
        UNION ALL
        SELECT format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target)
        UNION ALL
        SELECT format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', p.policyname, target, p.permissive, p.cmd,
                      (SELECT string_agg(quote_ident(role), ', ') FROM unnest(p.roles) role))
               || coalesce(' USING (' || p.qual || ')', '') || coalesce(' WITH CHECK (' || p.with_check || ')', '')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_policies p ON p.schemaname = n.nspname AND p.tablename = c.relname WHERE c.oid = pattern
        UNION ALL
        SELECT format('GRANT %s ON %s TO %I', a.privilege_type, target, a.grantee::regrole)
        FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = pattern AND a.grantee <> c.relowner
        UNION ALL
        SELECT format('GRANT %s (%I) ON %s TO %I', a.privilege_type, t.attname, target, a.grantee::regrole)
        FROM pg_attribute t, aclexplode(t.attacl) a WHERE t.attrelid = pattern
    LOOP
        EXECUTE command;
    END LOOP;
    EXECUTE format('ANALYZE %s', target);
END
$$;
REVOKE ALL ON FUNCTION read.dress FROM PUBLIC;

CREATE OR REPLACE FUNCTION read.finish_next(projection text) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT read.dress(format('read.%I', projection || '_next')::regclass, format('read.%I', projection)::regclass, '_next')
$$;

-- The schema of a replay. Another clinic may choose the same id, and no id that leads to another clinic's schema.
CREATE FUNCTION read.replay_place(of_clinic uuid, id uuid) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN 'replay_' || left(encode(sha256(uuid_send(of_clinic) || uuid_send(id)), 'hex'), 40);

-- The schema with empty tables of these read models (patient_1, …) and their checkpoints, without indexes, that only
-- the projector may touch, and with the record as it was: it ends at `upto`. Returns the schema's name.
CREATE FUNCTION read.make_replay(of_clinic uuid, id uuid, upto bigint, models text[]) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    place text := read.replay_place(of_clinic, id);
    model text;
BEGIN
    EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', place);
    EXECUTE format('CREATE SCHEMA %I', place);
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO casebook_reader, casebook_projector, casebook_lookup', place);
    FOREACH model IN ARRAY models || 'checkpoint'::text LOOP
        EXECUTE format('CREATE TABLE %I.%I (LIKE read.%I INCLUDING ALL EXCLUDING INDEXES)', place, model, model);
        EXECUTE format('GRANT SELECT, INSERT ON %I.%I TO casebook_projector', place, model);
    END LOOP;
    -- Who asks these views is who asks the tables below them: the policies of the log hold.
    EXECUTE format('CREATE VIEW %I.event WITH (security_invoker) AS
                    SELECT * FROM log.event WHERE clinic = %L AND ledger = 1 AND position <= %s', place, of_clinic, upto);
    EXECUTE format('CREATE VIEW %I.head WITH (security_invoker) AS
                    SELECT clinic, ledger, least(position, %s) AS position FROM log.head
                    WHERE clinic = %L AND ledger = 1', place, upto, of_clinic);
    EXECUTE format('GRANT SELECT ON %I.event, %I.head TO casebook_reader', place, place);
    RETURN place;
END
$$;

-- What the filled tables need to be asked: all that the served ones have, and the search over the patients.
CREATE FUNCTION read.finish_replay(of_clinic uuid, id uuid, models text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    place text := read.replay_place(of_clinic, id);
    model text;
    search text := pg_get_functiondef('read.search_patients(text[], integer)'::regprocedure);
BEGIN
    FOREACH model IN ARRAY models || 'checkpoint'::text LOOP
        PERFORM read.dress(format('%I.%I', place, model)::regclass, format('read.%I', model)::regclass, '');
        search := replace(search, 'read.' || model, place || '.' || model);
    END LOOP;
    -- Until its library is loaded, PostgreSQL takes the setting of pg_trgm that the function has for a stranger's.
    PERFORM public.word_similarity('', '');
    EXECUTE replace(search, 'FUNCTION read.search_patients', format('FUNCTION %I.search_patients', place));
    EXECUTE format('REVOKE ALL ON FUNCTION %I.search_patients FROM PUBLIC', place);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %I.search_patients TO casebook_reader', place);
    EXECUTE format('GRANT CREATE ON SCHEMA %I TO casebook_lookup', place);
    EXECUTE format('ALTER FUNCTION %I.search_patients OWNER TO casebook_lookup', place);
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM casebook_lookup', place);
END
$$;

CREATE FUNCTION read.drop_replay(of_clinic uuid, id uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', read.replay_place(of_clinic, id));
END
$$;

REVOKE ALL ON FUNCTION read.make_replay, read.finish_replay, read.drop_replay FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read.make_replay, read.finish_replay, read.drop_replay TO casebook_projector;
