-- What a rebuild does as the owner of the tables: it makes a table beside the served one, like it in
-- everything, and puts it in its place. CREATE TABLE LIKE copies neither policies nor grants.

-- An empty read.<projection>_next, without indexes, that only the projector may touch: it is filled by
-- COPY, which row-level security forbids.
CREATE FUNCTION read.make_next(projection text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    served regclass := format('read.%I', projection)::regclass;
    options text := (SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = served);
BEGIN
    IF projection !~ '^[a-z_]+_[0-9]+$' THEN
        RAISE EXCEPTION '% is no read model', projection;
    END IF;
    EXECUTE format('DROP TABLE IF EXISTS read.%I', projection || '_next');
    EXECUTE format('CREATE TABLE read.%I (LIKE %s INCLUDING ALL EXCLUDING INDEXES)', projection || '_next', served);
    IF options <> '' THEN
        EXECUTE format('ALTER TABLE read.%I SET (%s)', projection || '_next', options);
    END IF;
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON read.%I TO casebook_projector', projection || '_next');
END
$$;

-- Policies, grants and indexes of the served table, for the filled one.
CREATE FUNCTION read.finish_next(projection text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    served regclass := format('read.%I', projection)::regclass;
    next regclass := format('read.%I', projection || '_next')::regclass;
    command text;
BEGIN
    FOR command IN
        SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', next, conname || '_next', pg_get_constraintdef(oid))
        FROM pg_constraint WHERE conrelid = served AND contype IN ('p', 'u')
        UNION ALL
        SELECT regexp_replace(pg_get_indexdef(i.indexrelid), ' INDEX (\S+) ON (\S+) ',
                              format(' INDEX %I ON %s ', c.relname || '_next', next))
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = served AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
        UNION ALL
        SELECT format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', next)
        UNION ALL
        SELECT format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', policyname, next, permissive, cmd,
                      (SELECT string_agg(quote_ident(role), ', ') FROM unnest(roles) role))
               || coalesce(' USING (' || qual || ')', '') || coalesce(' WITH CHECK (' || with_check || ')', '')
        FROM pg_policies WHERE schemaname = 'read' AND tablename = projection
        UNION ALL
        SELECT format('GRANT %s ON %s TO %I', a.privilege_type, next, a.grantee::regrole)
        FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = served AND a.grantee <> c.relowner
        UNION ALL
        SELECT format('GRANT %s (%I) ON %s TO %I', a.privilege_type, t.attname, next, a.grantee::regrole)
        FROM pg_attribute t, aclexplode(t.attacl) a WHERE t.attrelid = served
    LOOP
        EXECUTE command;
    END LOOP;
    EXECUTE format('ANALYZE %s', next);
END
$$;

-- The filled table takes the served one's place and name, within the caller's transaction. A query either
-- saw the old table to its end or finds the new one.
CREATE FUNCTION read.switch_next(projection text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    index name;
BEGIN
    EXECUTE format('LOCK TABLE read.%I IN ACCESS EXCLUSIVE MODE', projection);
    EXECUTE format('DROP TABLE read.%I', projection);
    EXECUTE format('ALTER TABLE read.%I RENAME TO %I', projection || '_next', projection);
    FOR index IN
        SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = format('read.%I', projection)::regclass
    LOOP
        EXECUTE format('ALTER INDEX read.%I RENAME TO %I', index, regexp_replace(index, '_next$', ''));
    END LOOP;
END
$$;

-- What is left of a rebuild that was given up.
CREATE FUNCTION read.drop_next(projection text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS read.%I', projection || '_next');
END
$$;

REVOKE ALL ON FUNCTION read.make_next, read.finish_next, read.switch_next, read.drop_next FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read.make_next, read.finish_next, read.switch_next, read.drop_next TO casebook_projector;
