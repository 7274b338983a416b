CREATE TABLE read.retention_1 (
    clinic_id       uuid   NOT NULL,
    id              uuid   NOT NULL,
    periods         jsonb  NOT NULL,
    holds           jsonb  NOT NULL,
    closed_at       timestamptz,
    retention_until timestamptz,
    shredded_at     timestamptz,
    position        bigint NOT NULL,
    PRIMARY KEY (clinic_id, id)
);
CALL read.protect('read.retention_1');
