CREATE TABLE read.vitals_1 (
    clinic_id        uuid        NOT NULL,
    id               uuid        NOT NULL,
    patient_id       uuid        NOT NULL,
    visit_id         uuid        NOT NULL,
    measured_at      timestamptz NOT NULL,
    signs            jsonb       NOT NULL,
    note             text,
    recorded         jsonb       NOT NULL,
    entered_in_error jsonb,
    position         bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
) WITH (fillfactor = 80);
CALL read.protect('read.vitals_1');
CREATE INDEX vitals_1_patient ON read.vitals_1 (clinic_id, patient_id, measured_at);
