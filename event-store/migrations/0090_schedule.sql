-- What the process that does scheduled work has done, for people to look at: no decision rests on it.
CREATE TABLE log.schedule (
    job          text        PRIMARY KEY,
    looked_at    timestamptz NOT NULL,
    -- When it last went through without a failure.
    succeeded_at timestamptz,
    -- Items that something was recorded for, since ever.
    done         bigint      NOT NULL,
    -- Items that nothing could be recorded for, since ever: each try counts.
    refused      bigint      NOT NULL,
    failed       bigint      NOT NULL,
    -- Items that were due when it last looked and are still to be done.
    waiting      bigint      NOT NULL
) WITH (fillfactor = 50);

ALTER TABLE log.schedule ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY everywhere ON log.schedule TO casebook_projector USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON log.schedule TO casebook_projector;
