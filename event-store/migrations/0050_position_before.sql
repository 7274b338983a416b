-- The last position of a ledger that was recorded before an instant; 0 where there is none. Times never run
-- backwards in a ledger and positions have no gaps: so it is found by halving, not by walking.
CREATE FUNCTION log.position_before(of_clinic uuid, of_ledger smallint, instant timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    low bigint := 0;
    high bigint := (SELECT h.position FROM log.head h WHERE h.clinic = of_clinic AND h.ledger = of_ledger);
    middle bigint;
BEGIN
    WHILE low < high LOOP
        middle := (low + high + 1) / 2;
        IF (SELECT e.recorded_at < instant FROM log.event e
            WHERE e.clinic = of_clinic AND e.ledger = of_ledger AND e.position = middle) THEN
            low := middle;
        ELSE
            high := middle - 1;
        END IF;
    END LOOP;
    RETURN low;
END $$;
