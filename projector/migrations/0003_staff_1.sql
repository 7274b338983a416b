CREATE TABLE read.staff_1 (
    clinic_id      uuid        NOT NULL,
    id             uuid        NOT NULL,
    username       text,
    name           text,
    email          text,
    roles          jsonb       NOT NULL,
    status         text        NOT NULL,
    locked_until   timestamptz,
    lock_reason    text,
    patient        uuid,
    invited_at     timestamptz NOT NULL,
    activated_at   timestamptz,
    deactivated_at timestamptz,
    version        bigint      NOT NULL,
    position       bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
);
CALL read.protect('read.staff_1');
-- The portal account of a patient.
CREATE INDEX staff_1_patient ON read.staff_1 (clinic_id, patient) WHERE patient IS NOT NULL;
