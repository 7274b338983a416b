-- The access ledger (ledger 2): who saw what. Its rows lie in log.event like all others.

-- Patients whom an access record showed beside the one that its row names: those of a list, and the other ids of
-- one person. The record holds their number and a hash over them, so that a change here is found.
CREATE TABLE log.access_patient (
    clinic   uuid   NOT NULL,
    position bigint NOT NULL, -- of the access ledger
    patient  uuid   NOT NULL,
    PRIMARY KEY (clinic, position, patient)
);
-- A patient's own access log: where they were one of many, and where they were alone.
CREATE INDEX access_patient_log ON log.access_patient (clinic, patient, position);
CREATE INDEX event_access_log ON log.event (clinic, patient, position) WHERE ledger = 2 AND patient IS NOT NULL;

CREATE TRIGGER access_patient_is_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON log.access_patient
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
ALTER TABLE log.access_patient ENABLE ALWAYS TRIGGER access_patient_is_only_added;

ALTER TABLE log.access_patient ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY writer ON log.access_patient TO casebook_writer USING (true) WITH CHECK (true);
CREATE POLICY reader ON log.access_patient FOR SELECT TO casebook_reader USING (clinic = log.scoped_clinic());
CREATE POLICY everywhere ON log.access_patient FOR SELECT TO casebook_projector, casebook_auditor USING (true);
GRANT SELECT ON log.access_patient TO casebook_reader, casebook_projector, casebook_auditor;
GRANT SELECT, INSERT ON log.access_patient TO casebook_writer;

CREATE FUNCTION log.add_shown(shown jsonb) RETURNS void LANGUAGE sql
    BEGIN ATOMIC
        INSERT INTO log.access_patient (clinic, position, patient)
            SELECT s.clinic, s.position, p.patient
            FROM jsonb_to_recordset(shown) AS s(clinic uuid, position bigint, patients uuid[])
            CROSS JOIN LATERAL unnest(s.patients) AS p(patient);
    END;

CREATE OR REPLACE FUNCTION log.apply_effects(effects jsonb) RETURNS void LANGUAGE plpgsql AS $$
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
    IF effects ? 'shown' THEN
        PERFORM log.add_shown(effects -> 'shown');
    END IF;
END $$;

-- Both heads of a clinic come into being together, so that both have every move of its key epoch: a head made
-- later would begin at epoch 0, and a writer that remembers opened keys of that epoch would believe them.
CREATE OR REPLACE FUNCTION log.make_heads(clinics uuid[], ledgers smallint[]) RETURNS void LANGUAGE sql
    BEGIN ATOMIC
        INSERT INTO log.head
            SELECT w.clinic, l.ledger, 0, decode(repeat('00', 32), 'hex'), 'epoch'
            FROM (SELECT DISTINCT clinic FROM unnest(clinics, ledgers) AS w(clinic, ledger)
                  WHERE NOT EXISTS (SELECT FROM log.head h WHERE h.clinic = w.clinic AND h.ledger = w.ledger)) AS w
            CROSS JOIN (VALUES (1::smallint), (2::smallint)) AS l(ledger)
            ORDER BY w.clinic, l.ledger -- or two processes deadlock
            ON CONFLICT DO NOTHING;
    END;
INSERT INTO log.head (clinic, ledger, position, hash, recorded_at, key_epoch)
    SELECT clinic, 2, 0, decode(repeat('00', 32), 'hex'), 'epoch', key_epoch FROM log.head WHERE ledger = 1
    ORDER BY clinic ON CONFLICT DO NOTHING;
