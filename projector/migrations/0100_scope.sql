-- What every query of a clinic begins with:
--   FROM read.scope($clinic, $user, $session, $issued_at) s
--   LEFT JOIN LATERAL (SELECT … WHERE clinic_id = s.clinic … OFFSET 0) q ON true
-- It lets the policies of both schemas see that clinic, for this statement alone, and only while the login
-- still stands. Otherwise it answers NULL, which equals no clinic, and the policies see none either.
--
-- VOLATILE, so that it sees a logout that was committed while the statement was on its way; ROWS 1, so that
-- the planner knows that there is one clinic.
CREATE FUNCTION read.scope(of_clinic uuid, of_user uuid, of_session uuid, issued_at timestamptz)
RETURNS TABLE (clinic uuid)
LANGUAGE plpgsql VOLATILE ROWS 1
AS $$
BEGIN
    IF log.token_is_good(of_clinic, of_user, of_session, issued_at) THEN
        clinic := set_config('casebook.clinic', of_clinic::text, true)::uuid;
    ELSE
        PERFORM set_config('casebook.clinic', '', true);
    END IF;
    RETURN NEXT;
END
$$;
REVOKE ALL ON FUNCTION read.scope FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read.scope TO casebook_reader;
