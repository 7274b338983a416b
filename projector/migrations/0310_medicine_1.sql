CREATE TABLE read.medicine_1 (
    -- The nil id: of the platform's catalogue, which every clinic sees.
    clinic_id   uuid    NOT NULL,
    id          uuid    NOT NULL,
    -- It belongs to the catalogue of this ledger; else it is what a clinic says of one of the platform's.
    is_own      boolean NOT NULL,
    retired     boolean NOT NULL,
    hidden      boolean NOT NULL,
    -- NULL: as the platform says.
    entry       jsonb,
    -- ' augmentin 625 duo tablet': lower case, without accents, a space before each word.
    name_text   text COLLATE "C",
    -- The same with the words of the generic name and of the composition.
    search_text text,
    version     bigint  NOT NULL,
    position    bigint  NOT NULL,
    PRIMARY KEY (clinic_id, id)
);
CALL read.protect('read.medicine_1');
-- Medicines say nothing about a person: whoever sees a clinic sees the platform's as well.
CREATE POLICY of_platform ON read.medicine_1 FOR SELECT TO casebook_reader
    USING (clinic_id = '00000000-0000-0000-0000-000000000000' AND read.clinic() IS NOT NULL);
-- By name; and what begins as it is typed.
CREATE INDEX medicine_1_name ON read.medicine_1 (clinic_id, name_text, id);
CREATE INDEX medicine_1_search ON read.medicine_1 USING gin (clinic_id, search_text public.gin_trgm_ops);
-- What a clinic says of the platform's entries.
CREATE INDEX medicine_1_said ON read.medicine_1 (clinic_id, id) WHERE NOT is_own;

-- As read.search_patients: see there why it may look past the policies, and how it does no more than its caller could.
GRANT SELECT (clinic_id, id, is_own, retired, hidden, name_text, search_text) ON read.medicine_1 TO casebook_lookup;
CREATE POLICY of_search ON read.medicine_1 FOR SELECT TO casebook_lookup USING (true);

-- Medicines that the scoped clinic sees and that match every word of `words` (each folded as `search_text` is), the
-- best first, counted from 1. What begins as it is typed comes first, then what has words that begin so, then what
-- has them within words (from three letters), then what is much like it (a slip of the pen; from four letters). A
-- worse kind is looked for only while the better ones gave fewer than `at_most`.
CREATE FUNCTION read.search_medicines(words text[], at_most integer)
RETURNS TABLE (id uuid, place integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET pg_trgm.word_similarity_threshold = 0.5
-- How many match a pattern is a guess: without these, one that looks common reads the whole catalogue.
SET enable_indexscan = off
SET enable_seqscan = off
AS $$
DECLARE
    of_platform CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
    -- Of those that match in one way so many are looked at.
    few_at_most CONSTANT integer := 1000;
    given text[] := array_remove(words, '');
    shortest integer := (SELECT min(length(word)) FROM unnest(given) word);
    here uuid := read.clinic();
    said uuid[];
    gone uuid[];
    found uuid[] := '{}';
    more uuid[];
    condition text;
    closeness text;
BEGIN
    IF here IS NULL OR shortest IS NULL THEN
        RETURN;
    END IF;
    -- The platform's entries that the clinic hides or words itself, and those of its wordings whose entry is retired.
    SELECT coalesce(array_agg(m.id) FILTER (WHERE m.hidden OR m.name_text IS NOT NULL), '{}'),
           coalesce(array_agg(m.id) FILTER (WHERE m.name_text IS NOT NULL AND p.retired IS NOT FALSE), '{}')
    INTO said, gone
    FROM read.medicine_1 m LEFT JOIN LATERAL (
        SELECT o.retired FROM read.medicine_1 o WHERE o.clinic_id = of_platform AND o.id = m.id OFFSET 0) p ON true
    WHERE m.clinic_id = here AND NOT m.is_own;
    FOR kind IN REVERSE 4..1 LOOP
        EXIT WHEN cardinality(found) >= at_most;
        EXIT WHEN kind = 2 AND shortest < 3 OR kind = 1 AND shortest < 4;
        SELECT CASE kind
                   WHEN 4 THEN format('name_text LIKE %L', ' ' || array_to_string(given, ' ') || '%')
                   WHEN 3 THEN string_agg(format('search_text LIKE %L', '% ' || word || '%'), ' AND ')
                   WHEN 2 THEN string_agg(format('search_text LIKE %L', '%' || word || '%'), ' AND ')
                   ELSE string_agg(format('%L <%% search_text', word), ' AND ')
               END,
               CASE kind
                   WHEN 4 THEN '0'
                   WHEN 1 THEN string_agg(format('word_similarity(%L, search_text)', word), ' + ')
                   ELSE string_agg(format('(name_text LIKE %L)::integer', '% ' || word || '%'), ' + ')
               END
        INTO condition, closeness
        FROM unnest(given) word;
        EXECUTE format(
            'SELECT array_agg(best.id ORDER BY best.close DESC, best.size, best.name_text, best.id) FROM (
                SELECT few.id, few.name_text, length(few.name_text) AS size, %s AS close FROM (
                    (SELECT m.id, m.name_text, m.search_text FROM read.medicine_1 m
                     WHERE m.clinic_id = $1 AND m.name_text IS NOT NULL AND NOT m.retired AND NOT m.hidden
                        AND m.id <> ALL ($4) AND %s LIMIT %s)
                    UNION ALL
                    (SELECT m.id, m.name_text, m.search_text FROM read.medicine_1 m
                     WHERE m.clinic_id = $2 AND NOT m.retired AND m.id <> ALL ($3) AND %s LIMIT %s)) few
                WHERE few.id <> ALL ($5)
                ORDER BY close DESC, size, few.name_text, few.id LIMIT $6) best',
            closeness, condition, few_at_most, condition, few_at_most)
        INTO more USING here, of_platform, said, gone, found, at_most - cardinality(found);
        RETURN QUERY SELECT hit.id, (cardinality(found) + hit.n)::integer
                     FROM unnest(more) WITH ORDINALITY AS hit (id, n);
        found := found || coalesce(more, '{}');
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION read.search_medicines FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read.search_medicines TO casebook_reader;
GRANT CREATE ON SCHEMA read TO casebook_lookup;
ALTER FUNCTION read.search_medicines OWNER TO casebook_lookup;
REVOKE CREATE ON SCHEMA read FROM casebook_lookup;
