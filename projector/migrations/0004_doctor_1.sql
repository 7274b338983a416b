CREATE TABLE read.doctor_1 (
    clinic_id           uuid        NOT NULL,
    id                  uuid        NOT NULL,
    name                text,
    licence_number      text,
    licence_expires     date,
    specialisation      text,
    qualification       text,
    years_of_experience integer,
    offices             jsonb       NOT NULL,
    hours               jsonb       NOT NULL,
    leaves              jsonb       NOT NULL,
    fee                 jsonb,
    active              boolean     NOT NULL,
    registered_at       timestamptz NOT NULL,
    version             bigint      NOT NULL,
    position            bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
);
CALL read.protect('read.doctor_1');
