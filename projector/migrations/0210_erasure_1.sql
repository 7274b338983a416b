CREATE TABLE read.erasure_1 (
    clinic_id    uuid        NOT NULL,
    -- The patient.
    id           uuid        NOT NULL,
    state        text        NOT NULL,
    requested_at timestamptz,
    requested_by uuid,
    by_patient   boolean     NOT NULL,
    reason       text,
    decided_at   timestamptz,
    decided_by   uuid,
    basis        text,
    until        timestamptz,
    cause        text,
    version      bigint      NOT NULL,
    position     bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
);
CALL read.protect('read.erasure_1');
-- The latest first.
CREATE INDEX erasure_1_position ON read.erasure_1 (clinic_id, position);
