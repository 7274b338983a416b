-- What has to be asked before a clinic is known, or of tables that no reader may see: each answers one
-- question and no more, as a role of its own.

CREATE FUNCTION log.clinic_by_slug(slug text) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    BEGIN ATOMIC
        SELECT c.clinic FROM log.claim c
        WHERE c.scope = '00000000-0000-0000-0000-000000000000' AND c.kind = 'slug' AND c.value = clinic_by_slug.slug;
    END;

-- Whether a token is still good: its session was not revoked, and nothing that happened to the login since
-- it was issued asks for a new one.
-- Asked with every query and every command: PL/pgSQL keeps its plan, where SQL would be planned each time.
CREATE FUNCTION log.token_is_good(clinic uuid, user_id uuid, session uuid, issued_at timestamptz) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    #variable_conflict use_column
    BEGIN
        RETURN EXISTS (
            SELECT FROM log.session s JOIN log.credential c USING (clinic, user_id)
            WHERE s.clinic = token_is_good.clinic AND s.session = token_is_good.session
              AND s.user_id = token_is_good.user_id AND s.revoked_at IS NULL AND s.expires_at > now()
              AND NOT c.disabled AND NOT c.locked AND coalesce(c.locked_until <= now(), true)
              AND coalesce(c.not_before <= token_is_good.issued_at, true));
    END $$;

REVOKE ALL ON FUNCTION log.clinic_by_slug, log.token_is_good FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.clinic_by_slug, log.token_is_good TO casebook_reader, casebook_writer;
-- Only for as long as it takes to hand them over: an owner must be able to create in the schema.
GRANT CREATE ON SCHEMA log TO casebook_gate;
ALTER FUNCTION log.clinic_by_slug OWNER TO casebook_gate;
ALTER FUNCTION log.token_is_good OWNER TO casebook_gate;
REVOKE CREATE ON SCHEMA log FROM casebook_gate;
