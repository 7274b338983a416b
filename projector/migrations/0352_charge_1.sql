CREATE TABLE read.charge_1 (
    clinic_id           uuid        NOT NULL,
    id                  uuid        NOT NULL,
    patient_id          uuid        NOT NULL,
    status              text        NOT NULL,
    description         text,
    currency            text        NOT NULL,
    -- Amounts in minor units.
    unit_price          bigint      NOT NULL,
    quantity            bigint      NOT NULL,
    tax_basis_points    bigint      NOT NULL,
    net                 bigint      NOT NULL,
    tax                 bigint      NOT NULL,
    total               bigint      NOT NULL,
    procedure_id        uuid,
    invoice_id          uuid,
    captured_at         timestamptz NOT NULL,
    captured            jsonb       NOT NULL,
    cancelled           jsonb,
    cancellation_reason text,
    cancellation_text   text,
    version             bigint      NOT NULL,
    position            bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
) WITH (fillfactor = 80);
CALL read.protect('read.charge_1');
CREATE INDEX charge_1_patient ON read.charge_1 (clinic_id, patient_id, captured_at);
CREATE INDEX charge_1_captured ON read.charge_1 (clinic_id, captured_at, id);
