CREATE TABLE read.lab_report_1 (
    clinic_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    number        text        NOT NULL,
    order_id      uuid        NOT NULL,
    patient_id    uuid        NOT NULL,
    doctor_id     uuid        NOT NULL,
    status        text        NOT NULL,
    results       jsonb       NOT NULL,
    open_critical boolean     NOT NULL,
    corrections   jsonb       NOT NULL,
    registered_at timestamptz NOT NULL,
    released      jsonb,
    struck_out    jsonb,
    version       bigint      NOT NULL,
    position      bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
) WITH (fillfactor = 80);
CALL read.protect('read.lab_report_1');
CREATE INDEX lab_report_1_registered ON read.lab_report_1 (clinic_id, registered_at, id);
CREATE INDEX lab_report_1_patient ON read.lab_report_1 (clinic_id, patient_id, registered_at);
CREATE INDEX lab_report_1_order ON read.lab_report_1 (clinic_id, order_id);
-- Of which a doctor has yet to take note: a handful.
CREATE INDEX lab_report_1_critical ON read.lab_report_1 (clinic_id, registered_at, id) WHERE open_critical;
