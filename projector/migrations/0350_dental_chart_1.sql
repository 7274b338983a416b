CREATE TABLE read.dental_chart_1 (
    clinic_id    uuid        NOT NULL,
    -- The patient's.
    id           uuid        NOT NULL,
    patient_id   uuid        NOT NULL,
    observations jsonb       NOT NULL,
    procedures   jsonb       NOT NULL,
    extractions  jsonb       NOT NULL,
    begun_at     timestamptz NOT NULL,
    changed_at   timestamptz NOT NULL,
    version      bigint      NOT NULL,
    position     bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
) WITH (fillfactor = 80);
CALL read.protect('read.dental_chart_1');
CREATE INDEX dental_chart_1_patient ON read.dental_chart_1 (clinic_id, patient_id, changed_at);
CREATE INDEX dental_chart_1_changed ON read.dental_chart_1 (clinic_id, changed_at, id);
