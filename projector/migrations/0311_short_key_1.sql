CREATE TABLE read.short_key_1 (
    clinic_id    uuid        NOT NULL,
    id           uuid        NOT NULL,
    code         text        NOT NULL,
    -- NULL: the clinic's.
    doctor_id    uuid,
    title        text,
    items        jsonb       NOT NULL,
    retired      boolean     NOT NULL,
    uses         bigint      NOT NULL,
    last_used_at timestamptz,
    version      bigint      NOT NULL,
    position     bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
);
CALL read.protect('read.short_key_1');
CREATE INDEX short_key_1_code ON read.short_key_1 (clinic_id, code, id);
