CREATE TABLE read.department_1 (
    clinic_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    name       text        NOT NULL,
    head_id    uuid,
    staff_ids  jsonb       NOT NULL,
    created_at timestamptz NOT NULL,
    closed_at  timestamptz,
    version    bigint      NOT NULL,
    position   bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
) WITH (fillfactor = 80);
CALL read.protect('read.department_1');
