-- Schema `read`: what the queries see. All of it can be made again from the log.

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA public;

-- Roles belong to the whole server, so another database may have made them already, or make them now.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['casebook_reader', 'casebook_projector', 'casebook_lookup'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
    END LOOP;
    -- An owner that is no superuser must be a member of the role that it hands functions to.
    IF NOT pg_has_role('casebook_lookup', 'MEMBER') THEN
        GRANT casebook_lookup TO CURRENT_USER;
    END IF;
END
$$;

-- casebook_reader: a query; sees the clinic that its statement is scoped to.
-- casebook_projector: writes all clinics' rows.
-- casebook_lookup: nobody logs in as it; owns the few functions that must look past one clinic, or past
-- the order in which row-level security makes PostgreSQL evaluate conditions.
REVOKE ALL ON SCHEMA read FROM PUBLIC;
GRANT USAGE ON SCHEMA read TO casebook_reader, casebook_projector, casebook_lookup;

-- The clinic that the statement is scoped to; NULL, which equals nothing, where there is none.
CREATE FUNCTION read.clinic() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('casebook.clinic', true), '')::uuid;

-- What every table of this schema has: readers see their clinic, the projector writes all.
CREATE PROCEDURE read.protect(target regclass)
LANGUAGE plpgsql
AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY of_clinic ON %s FOR SELECT TO casebook_reader USING (clinic_id = read.clinic())', target);
    EXECUTE format('CREATE POLICY of_all ON %s TO casebook_projector USING (true) WITH CHECK (true)', target);
    EXECUTE format('GRANT SELECT ON %s TO casebook_reader', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO casebook_projector', target);
END
$$;
REVOKE ALL ON PROCEDURE read.protect FROM PUBLIC;

-- How far a clinic's record has been folded into a read model, in the same transaction as its rows.
CREATE TABLE read.checkpoint (
    clinic_id  uuid   NOT NULL,
    -- Read model and revision: patient_1.
    projection text   NOT NULL,
    position   bigint NOT NULL CHECK (position >= 0),
    -- The chain's value at that position: one that the log no longer has tells of a restore.
    hash       bytea  NOT NULL,
    -- Counted up when the clinic's rows are replaced without being folded on: a projector that remembers
    -- rows of an earlier epoch cannot write them.
    epoch      bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (clinic_id, projection)
) WITH (fillfactor = 50);
CALL read.protect('read.checkpoint');

-- Events that could not be applied. The clinic's read model stops before the event, until it is retried.
CREATE TABLE read.parked (
    clinic_id  uuid        NOT NULL,
    projection text        NOT NULL,
    position   bigint      NOT NULL,
    -- Codes and names of the schema; never a value.
    error      text        NOT NULL,
    attempts   integer     NOT NULL,
    parked_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (clinic_id, projection)
);
CALL read.protect('read.parked');

-- Rebuilds that run, for people to look at.
CREATE TABLE read.rebuild (
    -- The nil id, the platform's own, where all clinics are rebuilt.
    clinic_id    uuid        NOT NULL,
    projection   text        NOT NULL,
    events       bigint      NOT NULL DEFAULT 0,
    events_total bigint      NOT NULL,
    started_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (clinic_id, projection)
);
CALL read.protect('read.rebuild');
