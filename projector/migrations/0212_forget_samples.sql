-- The planner's statistics hold values out of the rows that were there when they were taken, names among them. After
-- rows were made again without what was erased, they are taken again.
CREATE FUNCTION read.forget_samples() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    served regclass;
BEGIN
    FOR served IN SELECT oid FROM pg_class WHERE relnamespace = 'read'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('ANALYZE %s', served);
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION read.forget_samples FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read.forget_samples TO casebook_projector;
