-- What somebody may see for a while beyond what their roles show: broken glass, and auditors' grants. Asked of
-- the log itself, so that what was ended or revoked is closed with the commit, on every instance, however far
-- the read models are.

-- Few events are of these types, and for all others the index costs a comparison.
CREATE INDEX event_grant ON log.event (clinic, stream_id, recorded_at)
    WHERE event_type IN ('EmergencyAccessGranted', 'EmergencyAccessEnded', 'AuditorGranted', 'AuditorGrantRevoked');

-- The open emergency accesses of a login. None lasts a day.
CREATE FUNCTION log.open_emergencies(of_clinic uuid, of_user uuid)
RETURNS TABLE (access uuid, patient uuid) LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
    SELECT g.access, g.patient
    FROM (SELECT (p.said ->> 'access')::uuid AS access, e.patient, (p.said ->> 'expires')::timestamptz AS expires
          FROM log.event e CROSS JOIN LATERAL (SELECT convert_from(e.payload, 'UTF8')::jsonb AS said) p
          WHERE e.clinic = of_clinic AND e.stream_id = of_user AND e.event_type = 'EmergencyAccessGranted'
            AND e.recorded_at > now() - interval '1 day') g
    WHERE g.expires > now() AND NOT EXISTS (
        SELECT FROM log.event e
        WHERE e.clinic = of_clinic AND e.stream_id = of_user AND e.event_type = 'EmergencyAccessEnded'
          AND e.recorded_at > now() - interval '1 day'
          AND convert_from(e.payload, 'UTF8')::jsonb ->> 'access' = g.access::text);
END;

-- The grants of a clinic's auditors that were not revoked; which of them are over is for the asker to say.
CREATE FUNCTION log.auditor_grants(of_clinic uuid)
RETURNS TABLE (id uuid, auditor uuid, scope jsonb, "from" timestamptz, "to" timestamptz, expires timestamptz,
               granted_at timestamptz, granted_by text) LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
    SELECT (p.said ->> 'id')::uuid, (p.said ->> 'auditor')::uuid, p.said -> 'scope',
           (p.said ->> 'from')::timestamptz, (p.said ->> 'to')::timestamptz, (p.said ->> 'expires')::timestamptz,
           e.recorded_at, e.actor_name
    FROM log.event e CROSS JOIN LATERAL (SELECT convert_from(e.payload, 'UTF8')::jsonb -> 'grant' AS said) p
    WHERE e.clinic = of_clinic AND e.stream_id = of_clinic AND e.event_type = 'AuditorGranted'
      AND NOT EXISTS (
        SELECT FROM log.event r
        WHERE r.clinic = of_clinic AND r.stream_id = of_clinic AND r.event_type = 'AuditorGrantRevoked'
          AND convert_from(r.payload, 'UTF8')::jsonb ->> 'grant' = p.said ->> 'id');
END;

-- Whether a grant that lives now lets an auditor see a kind of data of all that was recorded in between.
CREATE FUNCTION log.is_granted(of_clinic uuid, of_auditor uuid, kind text, since timestamptz, upto timestamptz)
RETURNS boolean LANGUAGE sql STABLE
RETURN EXISTS (
    SELECT FROM log.auditor_grants(of_clinic) g
    WHERE g.auditor = of_auditor AND g.scope ? kind AND g."from" <= since AND g."to" >= upto AND g.expires > now());

REVOKE ALL ON FUNCTION log.open_emergencies, log.auditor_grants, log.is_granted FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.open_emergencies, log.auditor_grants, log.is_granted TO casebook_reader, casebook_writer;
