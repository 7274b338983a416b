CREATE TABLE read.patient_1 (
    clinic_id          uuid        NOT NULL,
    id                 uuid        NOT NULL,
    number             text        NOT NULL,
    first_name         text,
    last_name          text,
    -- As exact as it is known: 1984-03-12, 1984-03 or 1984.
    birth_date         text,
    birth_year         integer,
    gender             text        NOT NULL,
    phone              text,
    email              text,
    address            jsonb,
    blood_group        text,
    marital_status     text,
    language           text,
    identifiers        jsonb       NOT NULL,
    emergency_contact  jsonb,
    family             jsonb       NOT NULL,
    allergies          jsonb       NOT NULL,
    no_known_allergies timestamptz,
    problems           jsonb       NOT NULL,
    consents           jsonb       NOT NULL,
    confidentiality    text        NOT NULL,
    status             text        NOT NULL,
    merged_into        uuid,
    merged_ids         jsonb       NOT NULL,
    died_on            date,
    cause_of_death     text,
    registered_at      timestamptz NOT NULL,
    -- ' asha rao pt-2026-00001 919820012345': lower case, without accents, a space before each word.
    search_text        text        NOT NULL,
    version            bigint      NOT NULL,
    position           bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
) WITH (fillfactor = 80);
CALL read.protect('read.patient_1');
-- Numbers count up, so this is the order of registration too.
CREATE INDEX patient_1_number ON read.patient_1 (clinic_id, number);
-- Duplicate candidates: phone, first name and birth date.
CREATE INDEX patient_1_phone ON read.patient_1 (clinic_id, phone) WHERE phone IS NOT NULL;
CREATE INDEX patient_1_search ON read.patient_1 USING gin (clinic_id, search_text public.gin_trgm_ops);

-- Row-level security makes PostgreSQL check the clinic before any operator that might leak what it
-- compares, LIKE and similarity among them, and so never use them with an index. This function may: it
-- runs as a role that the policies let through, and takes the clinic from the statement's scope itself,
-- so it shows no more than its caller could see.
GRANT SELECT (clinic_id, id, number, status, search_text) ON read.patient_1 TO casebook_lookup;
CREATE POLICY of_search ON read.patient_1 FOR SELECT TO casebook_lookup USING (true);

-- Patients of the scoped clinic who match every word of `words` (each folded as `search_text` is), best
-- first: rank 3 each begins a word, 2 each is part of one (from three letters), 1 each is much like one
-- (a slip of the pen; from four letters, no digits). A worse rank is looked for only while the better
-- ones gave fewer than `at_most`, and of many that match one rank 500 are looked at. Merged patients are
-- found too: their rows name the survivor.
CREATE FUNCTION read.search_patients(words text[], at_most integer)
RETURNS TABLE (id uuid, rank integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET pg_trgm.word_similarity_threshold = 0.5
-- How many match a pattern is a guess: without these, one that looks common reads the whole clinic.
SET enable_indexscan = off
SET enable_seqscan = off
AS $$
DECLARE
    given text[] := array_remove(words, '');
    shortest integer := (SELECT min(length(word)) FROM unnest(words) word WHERE word <> '');
    letters boolean := NOT EXISTS (SELECT FROM unnest(words) word WHERE word ~ '[0-9]');
    found uuid[] := '{}';
    more uuid[];
    condition text;
    closeness text;
BEGIN
    FOR this_rank IN REVERSE 3..1 LOOP
        EXIT WHEN shortest IS NULL OR cardinality(found) >= at_most;
        EXIT WHEN this_rank = 2 AND shortest < 3 OR this_rank = 1 AND (shortest < 4 OR NOT letters);
        SELECT string_agg(CASE this_rank
                   WHEN 3 THEN format('search_text LIKE %L', '% ' || escaped || '%')
                   WHEN 2 THEN format('search_text LIKE %L', '%' || escaped || '%')
                   ELSE format('%L <%% search_text', word)
               END, ' AND '),
               string_agg(format('word_similarity(%L, search_text)', word), ' + ')
        INTO condition, closeness
        FROM (SELECT word, regexp_replace(word, '([\\%_])', '\\\1', 'g') AS escaped FROM unnest(given) word) each_word;
        EXECUTE format(
            'SELECT array_agg(best.id) FROM (
                SELECT few.id FROM (
                    SELECT id, search_text FROM read.patient_1
                    WHERE clinic_id = read.clinic() AND %s AND id <> ALL ($1) LIMIT 500) few
                ORDER BY %s search_text, id LIMIT $2) best',
            condition, CASE this_rank WHEN 1 THEN closeness || ' DESC,' ELSE '' END)
        INTO more USING found, at_most - cardinality(found);
        RETURN QUERY SELECT hit, this_rank FROM unnest(more) hit;
        found := found || coalesce(more, '{}');
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION read.search_patients FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read.search_patients TO casebook_reader;
GRANT CREATE ON SCHEMA read TO casebook_lookup;
ALTER FUNCTION read.search_patients OWNER TO casebook_lookup;
REVOKE CREATE ON SCHEMA read FROM casebook_lookup;
