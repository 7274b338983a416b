CREATE TABLE read.patient_stats_1 (
    clinic_id              uuid   NOT NULL,
    id                     uuid   NOT NULL,
    by_status              jsonb  NOT NULL,
    by_gender              jsonb  NOT NULL,
    by_birth_decade        jsonb  NOT NULL,
    registrations_by_month jsonb  NOT NULL,
    time_zone              text   NOT NULL,
    position               bigint NOT NULL,
    PRIMARY KEY (clinic_id, id)
) WITH (fillfactor = 50);
CALL read.protect('read.patient_stats_1');
