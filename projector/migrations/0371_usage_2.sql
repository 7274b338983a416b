-- As usage_1, with the bytes of documents. usage_1 goes with a later release, when no earlier program asks it any more.
CREATE TABLE read.usage_2 (
    clinic_id     uuid   NOT NULL,
    id            uuid   NOT NULL,
    doctors       bigint NOT NULL,
    patients      bigint NOT NULL,
    receptionists bigint NOT NULL,
    offices       bigint NOT NULL,
    admins        bigint NOT NULL,
    storage       bigint NOT NULL,
    position      bigint NOT NULL,
    PRIMARY KEY (clinic_id, id)
) WITH (fillfactor = 50);
CALL read.protect('read.usage_2');
