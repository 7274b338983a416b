CREATE TABLE read.dental_template_1 (
    clinic_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    name       text        NOT NULL,
    pattern    jsonb       NOT NULL,
    procedures jsonb       NOT NULL,
    defined_at timestamptz NOT NULL,
    retired_at timestamptz,
    version    bigint      NOT NULL,
    position   bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
);
CALL read.protect('read.dental_template_1');
