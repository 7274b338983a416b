CREATE TABLE read.appointment_1 (
    clinic_id           uuid        NOT NULL,
    id                  uuid        NOT NULL,
    number              text        NOT NULL,
    patient_id          uuid        NOT NULL,
    doctor_id           uuid        NOT NULL,
    office_id           uuid        NOT NULL,
    start               timestamptz NOT NULL,
    "end"               timestamptz NOT NULL,
    day                 date        NOT NULL,
    minutes             bigint      NOT NULL,
    buffer_minutes      bigint      NOT NULL,
    lane                smallint    NOT NULL,
    kind                text        NOT NULL,
    status              text        NOT NULL,
    reason              text,
    token               text,
    overbooked          boolean     NOT NULL,
    overbooking_reason  text,
    cancelled_by        text,
    cancellation_reason text,
    booked_at           timestamptz NOT NULL,
    rescheduled_at      timestamptz,
    checked_in_at       timestamptz,
    started_at          timestamptz,
    ended_at            timestamptz,
    version             bigint      NOT NULL,
    position            bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
) WITH (fillfactor = 80);
CALL read.protect('read.appointment_1');
-- No index holds the status: so a change of status, the commonest one, touches no index at all, and a
-- list by status reads the clinic's span of time, which is short.
CREATE INDEX appointment_1_start ON read.appointment_1 (clinic_id, start, id);
CREATE INDEX appointment_1_doctor ON read.appointment_1 (clinic_id, doctor_id, start);
CREATE INDEX appointment_1_office ON read.appointment_1 (clinic_id, office_id, start);
CREATE INDEX appointment_1_patient ON read.appointment_1 (clinic_id, patient_id, start);
