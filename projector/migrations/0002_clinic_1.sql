CREATE TABLE read.clinic_1 (
    clinic_id           uuid        NOT NULL,
    id                  uuid        NOT NULL,
    slug                text        NOT NULL,
    name                text        NOT NULL,
    email               text        NOT NULL,
    phone               text,
    website             text,
    address             jsonb,
    registration_number text,
    tax_id              text,
    logo                text,
    time_zone           text        NOT NULL,
    plan                text        NOT NULL,
    trial_ends_at       timestamptz NOT NULL,
    paid_until          timestamptz,
    suspended           boolean     NOT NULL,
    suspension_reason   text,
    offices             jsonb       NOT NULL,
    closures            jsonb       NOT NULL,
    settings            jsonb       NOT NULL,
    limits              jsonb,
    registered_at       timestamptz NOT NULL,
    version             bigint      NOT NULL,
    position            bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
);
CALL read.protect('read.clinic_1');
-- The one order that is over all clinics: that of the public directory.
CREATE INDEX clinic_1_slug ON read.clinic_1 (slug);

-- The public directory: name, slug and city of each clinic that receives patients, by slug.
GRANT SELECT (slug, name, address, suspended) ON read.clinic_1 TO casebook_lookup;
CREATE POLICY of_directory ON read.clinic_1 FOR SELECT TO casebook_lookup USING (true);

CREATE FUNCTION read.directory(after_slug text, at_most integer)
RETURNS TABLE (slug text, name text, city text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT slug, name, address ->> 'city' FROM read.clinic_1
    WHERE slug > coalesce(after_slug, '') AND NOT suspended
    ORDER BY slug LIMIT at_most
$$;
REVOKE ALL ON FUNCTION read.directory FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read.directory TO casebook_reader;
GRANT CREATE ON SCHEMA read TO casebook_lookup;
ALTER FUNCTION read.directory OWNER TO casebook_lookup;
REVOKE CREATE ON SCHEMA read FROM casebook_lookup;
