CREATE TABLE read.visit_1 (
    clinic_id         uuid        NOT NULL,
    id                uuid        NOT NULL,
    number            text        NOT NULL,
    status            text        NOT NULL,
    patient_id        uuid        NOT NULL,
    office_id         uuid        NOT NULL,
    doctor_id         uuid,
    appointment_id    uuid,
    day               date        NOT NULL,
    opened_at         timestamptz NOT NULL,
    arrived_at        timestamptz,
    triaged_at        timestamptz,
    started_at        timestamptz,
    ended_at          timestamptz,
    chief_complaint   text,
    priority          text,
    triage_note       text,
    vitals            jsonb       NOT NULL,
    diagnoses         jsonb       NOT NULL,
    follow_up         jsonb,
    reopened          jsonb       NOT NULL,
    cancellation      text,
    cancellation_text text,
    entered_in_error  jsonb,
    version           bigint      NOT NULL,
    position          bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
) WITH (fillfactor = 80);
CALL read.protect('read.visit_1');
-- No index holds the status or the doctor: they change, and a list by them reads a span of days, which is short.
CREATE INDEX visit_1_opened ON read.visit_1 (clinic_id, opened_at, id);
CREATE INDEX visit_1_day ON read.visit_1 (clinic_id, day);
CREATE INDEX visit_1_patient ON read.visit_1 (clinic_id, patient_id, opened_at);
