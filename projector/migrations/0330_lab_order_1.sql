CREATE TABLE read.lab_order_1 (
    clinic_id    uuid        NOT NULL,
    id           uuid        NOT NULL,
    number       text        NOT NULL,
    patient_id   uuid        NOT NULL,
    doctor_id    uuid,
    visit_id     uuid,
    status       text        NOT NULL,
    priority     text        NOT NULL,
    kinds        jsonb       NOT NULL,
    tests        jsonb       NOT NULL,
    reason       text,
    specimens    jsonb       NOT NULL,
    report_id    uuid,
    ordered_at   timestamptz NOT NULL,
    activated    jsonb,
    held         jsonb,
    revoked      jsonb,
    completed_at timestamptz,
    version      bigint      NOT NULL,
    position     bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
) WITH (fillfactor = 80);
CALL read.protect('read.lab_order_1');
CREATE INDEX lab_order_1_ordered ON read.lab_order_1 (clinic_id, ordered_at, id);
CREATE INDEX lab_order_1_patient ON read.lab_order_1 (clinic_id, patient_id, ordered_at);
-- The technician's worklist: few of all that were ever ordered.
CREATE INDEX lab_order_1_active ON read.lab_order_1 (clinic_id, ordered_at, id) WHERE status = 'active';
