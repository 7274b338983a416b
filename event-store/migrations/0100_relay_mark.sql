-- Up to where each clinic's record is known to be published. Written now and then: what it lacks is published
-- again, which does no harm.
CREATE TABLE log.relay_mark (
    clinic   uuid   PRIMARY KEY,
    position bigint NOT NULL
) WITH (fillfactor = 60);

ALTER TABLE log.relay_mark ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY everywhere ON log.relay_mark TO casebook_relay USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON log.relay_mark TO casebook_relay;
