CREATE TABLE read.billing_day_1 (
    clinic_id   uuid   NOT NULL,
    -- The day in the clinic's zone.
    id          date   NOT NULL,
    by_currency jsonb  NOT NULL,
    position    bigint NOT NULL,
    PRIMARY KEY (clinic_id, id)
) WITH (fillfactor = 50);
CALL read.protect('read.billing_day_1');
