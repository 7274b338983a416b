-- The clinic whose rows a reader sees, for this transaction alone. Called as
--   FROM log.scope($1) AS s(clinic) CROSS JOIN LATERAL (SELECT … WHERE clinic = s.clinic … OFFSET 0) AS …
-- so that scope and query travel together; without it nothing is seen.
CREATE FUNCTION log.scope(clinic uuid) RETURNS uuid LANGUAGE sql VOLATILE
    RETURN set_config('casebook.clinic', clinic::text, true)::uuid;
CREATE FUNCTION log.scoped_clinic() RETURNS uuid LANGUAGE sql STABLE
    RETURN nullif(current_setting('casebook.clinic', true), '')::uuid;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['head', 'event', 'claim', 'doctor_time', 'counter', 'idempotency', 'clinic_key',
                                'patient_key', 'credential', 'session', 'refresh_token'] LOOP
        EXECUTE format('ALTER TABLE log.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY writer ON log.%I TO casebook_writer USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY reader ON log.%I FOR SELECT TO casebook_reader
                        USING (clinic = log.scoped_clinic())', name);
    END LOOP;
    -- Tables on which a role crosses clinics.
    FOREACH name IN ARRAY ARRAY['head', 'event'] LOOP
        EXECUTE format('CREATE POLICY everywhere ON log.%I FOR SELECT
                        TO casebook_relay, casebook_projector, casebook_auditor USING (true)', name);
        EXECUTE format('GRANT SELECT ON log.%I TO casebook_relay, casebook_projector, casebook_auditor', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['clinic_key', 'patient_key'] LOOP
        EXECUTE format('CREATE POLICY everywhere ON log.%I FOR SELECT TO casebook_projector USING (true)', name);
        EXECUTE format('GRANT SELECT ON log.%I TO casebook_projector', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['claim', 'credential', 'session'] LOOP
        EXECUTE format('CREATE POLICY gate ON log.%I FOR SELECT TO casebook_gate USING (true)', name);
        EXECUTE format('GRANT SELECT ON log.%I TO casebook_gate', name);
    END LOOP;
END $$;

-- Whether a slug, a name or a registration number of a clinic is taken concerns every clinic.
CREATE POLICY platform_values ON log.claim FOR SELECT TO casebook_reader
    USING (scope = '00000000-0000-0000-0000-000000000000');

GRANT SELECT ON log.head, log.event, log.claim, log.doctor_time, log.counter, log.idempotency, log.clinic_key,
    log.patient_key TO casebook_reader;
-- Events are only ever added; the rest is what an append may change.
GRANT SELECT, INSERT ON log.event TO casebook_writer;
GRANT SELECT, INSERT, UPDATE ON log.head, log.counter, log.clinic_key, log.patient_key, log.credential, log.session,
    log.refresh_token TO casebook_writer;
GRANT SELECT, INSERT, DELETE ON log.claim, log.doctor_time TO casebook_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON log.idempotency TO casebook_writer;
GRANT DELETE ON log.session, log.refresh_token TO casebook_writer;
