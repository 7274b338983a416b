-- Erasures: one row for each person who was erased, and, with the nil id, for each clinic whose keys were destroyed.
-- A row is made, and the key fenced, in the transaction of the event that decides it; what has to follow is done
-- from here, step by step, however often a process dies on the way.
CREATE TABLE log.erasure (
    clinic       uuid        NOT NULL,
    patient      uuid        NOT NULL,
    begun_at     timestamptz NOT NULL DEFAULT now(),
    -- Written into the list outside the database, so that no backup brings the key back.
    listed_at    timestamptz,
    destroyed_at timestamptz,
    -- The read models were made again without what was sealed.
    finished_at  timestamptz,
    PRIMARY KEY (clinic, patient)
);
CREATE INDEX erasure_unfinished ON log.erasure (begun_at) WHERE finished_at IS NULL;

ALTER TABLE log.erasure ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY writer ON log.erasure TO casebook_writer USING (true) WITH CHECK (true);
CREATE POLICY reader ON log.erasure FOR SELECT TO casebook_reader USING (clinic = log.scoped_clinic());
GRANT SELECT ON log.erasure TO casebook_reader;
GRANT SELECT, INSERT, UPDATE ON log.erasure TO casebook_writer;

-- A key that comes with an append or, where `wrapped` is missing, goes with it: fenced here, destroyed later.
CREATE OR REPLACE FUNCTION log.add_keys(keys jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log.clinic_key (clinic, wrapped)
        SELECT k.clinic, decode(k.wrapped, 'hex')
        FROM jsonb_to_recordset(keys) AS k(clinic uuid, patient uuid, wrapped text)
        WHERE k.patient IS NULL AND k.wrapped IS NOT NULL;
    INSERT INTO log.patient_key (clinic, patient, wrapped)
        SELECT k.clinic, k.patient, decode(k.wrapped, 'hex')
        FROM jsonb_to_recordset(keys) AS k(clinic uuid, patient uuid, wrapped text)
        WHERE k.patient IS NOT NULL AND k.wrapped IS NOT NULL;
    IF jsonb_path_exists(keys, '$[*] ? (!exists(@.wrapped))') THEN
        PERFORM log.begin_erasures(keys);
    END IF;
END $$;

CREATE FUNCTION log.begin_erasures(keys jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- An erasure that is done again (after a backup was put back) begins at its beginning.
    INSERT INTO log.erasure (clinic, patient)
        SELECT k.clinic, coalesce(k.patient, '00000000-0000-0000-0000-000000000000')
        FROM jsonb_to_recordset(keys) AS k(clinic uuid, patient uuid, wrapped text) WHERE k.wrapped IS NULL
        ORDER BY 1, 2
        ON CONFLICT (clinic, patient) DO UPDATE
            SET begun_at = now(), listed_at = NULL, destroyed_at = NULL, finished_at = NULL;
    UPDATE log.patient_key p SET fenced_at = now()
        FROM jsonb_to_recordset(keys) AS k(clinic uuid, patient uuid, wrapped text)
        WHERE k.wrapped IS NULL AND p.clinic = k.clinic AND p.patient = k.patient AND p.fenced_at IS NULL;
    UPDATE log.clinic_key c SET fenced_at = now()
        FROM jsonb_to_recordset(keys) AS k(clinic uuid, patient uuid, wrapped text)
        WHERE k.wrapped IS NULL AND k.patient IS NULL AND c.clinic = k.clinic AND c.fenced_at IS NULL;
END $$;
