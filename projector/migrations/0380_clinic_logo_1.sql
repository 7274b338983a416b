CREATE TABLE read.clinic_logo_1 (
    clinic_id uuid   NOT NULL,
    id        uuid   NOT NULL,
    -- NULL: removed.
    logo      jsonb,
    version   bigint NOT NULL,
    position  bigint NOT NULL,
    PRIMARY KEY (clinic_id, id)
);
CALL read.protect('read.clinic_logo_1');
