-- Replays: a whole clinic as its record said at a position. Who takes commands writes down here what is asked for;
-- what becomes of it is the projector's, in schema `read`.
CREATE TABLE log.replay (
    clinic     uuid        NOT NULL,
    id         uuid        NOT NULL,
    -- The last event of the record that it shows,
    position   bigint      NOT NULL CHECK (position > 0),
    -- and what time it is in it: the instant that was asked for, or when that event was recorded.
    instant    timestamptz NOT NULL,
    -- NULL: from the console.
    asked_by   uuid,
    asked_at   timestamptz NOT NULL DEFAULT now(),
    -- From then on nothing is answered from it. Given up, it ends at once.
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (clinic, id)
);
CREATE INDEX replay_end ON log.replay (expires_at);

ALTER TABLE log.replay ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY writer ON log.replay TO casebook_writer USING (true) WITH CHECK (true);
CREATE POLICY reader ON log.replay FOR SELECT TO casebook_reader USING (clinic = log.scoped_clinic());
CREATE POLICY everywhere ON log.replay FOR SELECT TO casebook_projector USING (true);
GRANT SELECT ON log.replay TO casebook_reader, casebook_projector;
GRANT SELECT, INSERT, UPDATE (expires_at) ON log.replay TO casebook_writer;

-- The last position of a clinic's record that was recorded not later than an instant; 0 before its first event.
CREATE FUNCTION log.position_at(of_clinic uuid, moment timestamptz) RETURNS bigint LANGUAGE sql STABLE
    RETURN log.position_before(of_clinic, 1::smallint, moment + interval '1 microsecond');

-- Asks for a replay up to a position, or up to an instant, and says what came of it: asked, known (the same was asked
-- before), taken (another has this id), beyond (the record has not come so far), before (the first event), full.
CREATE FUNCTION log.ask_replay(
    of_clinic uuid, of_id uuid, by_user uuid, upto bigint, moment timestamptz, lives interval, at_most integer)
RETURNS TABLE (outcome text, "position" bigint, instant timestamptz, asked_at timestamptz, expires_at timestamptz)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    known log.replay;
    place bigint;
BEGIN
    -- One after another in each clinic, so that nobody counts past somebody else. "Casebook replays".
    PERFORM pg_advisory_xact_lock(212200195, hashtext(of_clinic::text));
    SELECT * INTO known FROM log.replay r WHERE r.clinic = of_clinic AND r.id = of_id;
    place := coalesce(upto, log.position_at(of_clinic, moment));
    outcome := CASE
        WHEN known.id IS NOT NULL AND known.asked_by IS NOT DISTINCT FROM by_user
            AND (known.position = upto OR known.instant = moment) THEN 'known'
        WHEN known.id IS NOT NULL THEN 'taken'
        WHEN place > coalesce((SELECT h.position FROM log.head h WHERE h.clinic = of_clinic AND h.ledger = 1), 0)
            THEN 'beyond'
        WHEN place < 1 THEN 'before'
        WHEN (SELECT count(*) FROM log.replay r WHERE r.clinic = of_clinic AND r.expires_at > now()) >= at_most
            THEN 'full'
        ELSE 'asked'
    END;
    IF outcome = 'asked' THEN
        INSERT INTO log.replay (clinic, id, position, instant, asked_by, expires_at)
        SELECT of_clinic, of_id, place,
               CASE WHEN moment IS NULL THEN e.recorded_at ELSE least(moment, now()) END, by_user, now() + lives
        FROM log.event e WHERE e.clinic = of_clinic AND e.ledger = 1 AND e.position = place
        RETURNING * INTO known;
    END IF;
    RETURN QUERY SELECT outcome, known.position, known.instant, known.asked_at, known.expires_at;
END $$;
