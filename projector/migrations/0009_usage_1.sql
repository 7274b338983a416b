CREATE TABLE read.usage_1 (
    clinic_id     uuid   NOT NULL,
    id            uuid   NOT NULL,
    doctors       bigint NOT NULL,
    patients      bigint NOT NULL,
    receptionists bigint NOT NULL,
    offices       bigint NOT NULL,
    admins        bigint NOT NULL,
    position      bigint NOT NULL,
    PRIMARY KEY (clinic_id, id)
) WITH (fillfactor = 50);
CALL read.protect('read.usage_1');
