-- Signed checkpoints (docs/verification.md), and what makes the next one and proofs by position cheap. All of it is
-- made off the write path by the role casebook_auditor.

-- Evidence: only ever added.
CREATE TABLE log.checkpoint (
    number  bigint      PRIMARY KEY,
    made_at timestamptz NOT NULL,
    note    text        NOT NULL
);
-- The public keys that have signed, as C2SP verifier keys.
CREATE TABLE log.checkpoint_key (
    verifier_key text PRIMARY KEY
);
-- A row for each ledger that has changed since the checkpoint before.
CREATE TABLE log.checkpoint_leaf (
    clinic     uuid     NOT NULL,
    ledger     smallint NOT NULL,
    checkpoint bigint   NOT NULL,
    size       bigint   NOT NULL,
    root       bytea    NOT NULL,
    charts     bytea,
    PRIMARY KEY (clinic, ledger, checkpoint)
);
CREATE INDEX checkpoint_leaf_changes ON log.checkpoint_leaf (checkpoint, clinic, ledger);
-- Roots of complete subtrees of ledgers' trees, from 256 leaves on: smaller ones are made again from the events.
CREATE TABLE log.tree_node (
    clinic uuid     NOT NULL,
    ledger smallint NOT NULL,
    level  smallint NOT NULL,
    place  bigint   NOT NULL,
    hash   bytea    NOT NULL,
    PRIMARY KEY (clinic, ledger, level, place)
);

-- Where the last checkpoint stands; moved with each.
CREATE TABLE log.tree (
    clinic uuid     NOT NULL,
    ledger smallint NOT NULL,
    size   bigint   NOT NULL,
    hash   bytea    NOT NULL, -- the chain's, at that size
    edge   bytea    NOT NULL, -- of the tree, 32 bytes each
    root   bytea    NOT NULL,
    charts bytea,
    PRIMARY KEY (clinic, ledger)
) WITH (fillfactor = 60);
CREATE TABLE log.chart (
    clinic  uuid     NOT NULL,
    bucket  smallint NOT NULL,
    patient uuid     NOT NULL,
    count   bigint   NOT NULL,
    PRIMARY KEY (clinic, bucket, patient)
) WITH (fillfactor = 80);
CREATE TABLE log.chart_bucket (
    clinic uuid     NOT NULL,
    bucket smallint NOT NULL,
    root   bytea    NOT NULL,
    PRIMARY KEY (clinic, bucket)
);

-- Up to where a verification has found a ledger intact. Worth nothing by itself: whoever goes on from here compares
-- it with a signed root.
CREATE TABLE log.verified (
    clinic     uuid     NOT NULL,
    ledger     smallint NOT NULL,
    checkpoint bigint   NOT NULL, -- which signs that size
    size       bigint   NOT NULL,
    hash       bytea    NOT NULL,
    edge       bytea    NOT NULL,
    PRIMARY KEY (clinic, ledger)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['checkpoint', 'checkpoint_key', 'checkpoint_leaf', 'tree_node', 'tree', 'chart',
                                'chart_bucket', 'verified'] LOOP
        EXECUTE format('ALTER TABLE log.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY auditor ON log.%I TO casebook_auditor USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT, INSERT ON log.%I TO casebook_auditor', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['checkpoint_leaf', 'tree_node', 'tree', 'chart', 'chart_bucket'] LOOP
        EXECUTE format('CREATE POLICY reader ON log.%I FOR SELECT TO casebook_reader
                        USING (clinic = log.scoped_clinic())', name);
        EXECUTE format('GRANT SELECT ON log.%I TO casebook_reader', name);
    END LOOP;
    -- They name no clinic.
    FOREACH name IN ARRAY ARRAY['checkpoint', 'checkpoint_key'] LOOP
        EXECUTE format('CREATE POLICY reader ON log.%I FOR SELECT TO casebook_reader USING (true)', name);
        EXECUTE format('GRANT SELECT ON log.%I TO casebook_reader', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['tree', 'chart', 'chart_bucket', 'verified'] LOOP
        EXECUTE format('GRANT UPDATE ON log.%I TO casebook_auditor', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['checkpoint', 'checkpoint_key', 'checkpoint_leaf', 'tree_node'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON log.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change()', name || '_is_only_added', name);
        EXECUTE format('ALTER TABLE log.%I ENABLE ALWAYS TRIGGER %I', name, name || '_is_only_added');
    END LOOP;
END $$;
