-- Group roles. A service's connection takes one of them (SET ROLE), so that a fault in a service finds a
-- second wall. Roles belong to the whole server: another database of it may make them at the same moment.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['casebook_reader', 'casebook_writer', 'casebook_relay', 'casebook_projector',
                                'casebook_auditor', 'casebook_gate'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
        BEGIN
            IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
                EXECUTE format('GRANT %I TO current_user', name);
            END IF;
        -- Whoever made the roles by hand has granted them by hand as well.
        EXCEPTION WHEN insufficient_privilege OR unique_violation OR internal_error THEN NULL;
        END;
    END LOOP;
END $$;

COMMENT ON SCHEMA log IS 'Every event of every clinic, and what must be certain when one is appended';
GRANT USAGE ON SCHEMA log TO casebook_reader, casebook_writer, casebook_relay, casebook_projector,
    casebook_auditor, casebook_gate;

-- Doctor time: no overlap per clinic, doctor and lane.
CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA log;
