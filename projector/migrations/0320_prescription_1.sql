CREATE TABLE read.prescription_1 (
    clinic_id          uuid        NOT NULL,
    id                 uuid        NOT NULL,
    -- Given when it is issued.
    number             text,
    patient_id         uuid        NOT NULL,
    doctor_id          uuid,
    visit_id           uuid,
    replaces           uuid,
    replaced_by        uuid,
    status             text        NOT NULL,
    status_reason      text,
    status_text        text,
    -- Each with what it says, what was handed out of it and, once issued, what the catalogue said then.
    items              jsonb       NOT NULL,
    -- What the prescriber was warned of when it was issued, and what was overridden before.
    alerts             jsonb       NOT NULL,
    overrides          jsonb       NOT NULL,
    dispensed          jsonb       NOT NULL,
    refills_authorised bigint      NOT NULL,
    refills_used       bigint      NOT NULL,
    valid_until        date,
    expires_at         timestamptz,
    prints             jsonb       NOT NULL,
    drafted_at         timestamptz NOT NULL,
    issued_at          timestamptz,
    ended_at           timestamptz,
    version            bigint      NOT NULL,
    position           bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
) WITH (fillfactor = 80);
CALL read.protect('read.prescription_1');
CREATE INDEX prescription_1_drafted ON read.prescription_1 (clinic_id, drafted_at, id);
CREATE INDEX prescription_1_patient ON read.prescription_1 (clinic_id, patient_id, drafted_at);
CREATE INDEX prescription_1_doctor ON read.prescription_1 (clinic_id, doctor_id, drafted_at);
CREATE INDEX prescription_1_visit ON read.prescription_1 (clinic_id, visit_id) WHERE visit_id IS NOT NULL;
-- What is due to expire.
CREATE INDEX prescription_1_expires ON read.prescription_1 (expires_at)
    WHERE status IN ('active', 'on-hold') AND expires_at IS NOT NULL;
