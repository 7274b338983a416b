CREATE TABLE read.document_1 (
    clinic_id           uuid        NOT NULL,
    id                  uuid        NOT NULL,
    patient_id          uuid        NOT NULL,
    kind                text        NOT NULL,
    status              text        NOT NULL,
    title               text,
    description         text,
    owner               jsonb       NOT NULL,
    media_type          text        NOT NULL,
    size                bigint      NOT NULL,
    sha256              text,
    registered_by       uuid,
    registered_at       timestamptz NOT NULL,
    upload_until        timestamptz NOT NULL,
    upload              uuid,
    uploaded_at         timestamptz,
    failure             text,
    superseded_by       uuid,
    superseded_reason   text,
    reviews             jsonb       NOT NULL,
    released_at         timestamptz,
    released_by         uuid,
    entered_in_error_at timestamptz,
    error_reason        text,
    version             bigint      NOT NULL,
    position            bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
) WITH (fillfactor = 80);
CALL read.protect('read.document_1');
CREATE INDEX document_1_registered ON read.document_1 (clinic_id, registered_at, id);
CREATE INDEX document_1_patient ON read.document_1 (clinic_id, patient_id, registered_at);
-- What was announced and has not come, or never did: whoever sweeps looks over all clinics.
CREATE INDEX document_1_awaited ON read.document_1 (upload_until) WHERE status IN ('registered', 'failed');
