CREATE TABLE read.invoice_1 (
    clinic_id    uuid        NOT NULL,
    id           uuid        NOT NULL,
    number       text        NOT NULL,
    patient_id   uuid        NOT NULL,
    status       text        NOT NULL,
    day          date        NOT NULL,
    issuer       jsonb       NOT NULL,
    currency     text        NOT NULL,
    lines        jsonb       NOT NULL,
    -- Amounts in minor units.
    net          bigint      NOT NULL,
    tax          bigint      NOT NULL,
    total        bigint      NOT NULL,
    paid         bigint      NOT NULL,
    credited     bigint      NOT NULL,
    refunded     bigint      NOT NULL,
    due          bigint      NOT NULL,
    payments     jsonb       NOT NULL,
    credit_notes jsonb       NOT NULL,
    refunds      jsonb       NOT NULL,
    issued_at    timestamptz NOT NULL,
    issued       jsonb       NOT NULL,
    version      bigint      NOT NULL,
    position     bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
) WITH (fillfactor = 80);
CALL read.protect('read.invoice_1');
CREATE INDEX invoice_1_issued ON read.invoice_1 (clinic_id, issued_at, id);
CREATE INDEX invoice_1_patient ON read.invoice_1 (clinic_id, patient_id, issued_at);
CREATE INDEX invoice_1_number ON read.invoice_1 (clinic_id, number);
CREATE INDEX invoice_1_day ON read.invoice_1 (clinic_id, day, issued_at);
