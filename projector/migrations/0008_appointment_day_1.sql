CREATE TABLE read.appointment_day_1 (
    clinic_id uuid   NOT NULL,
    -- The day in the clinic's zone.
    id        date   NOT NULL,
    by_status jsonb  NOT NULL,
    by_kind   jsonb  NOT NULL,
    by_doctor jsonb  NOT NULL,
    position  bigint NOT NULL,
    PRIMARY KEY (clinic_id, id)
) WITH (fillfactor = 50);
CALL read.protect('read.appointment_day_1');
