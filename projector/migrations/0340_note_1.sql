CREATE TABLE read.note_1 (
    clinic_id         uuid        NOT NULL,
    id                uuid        NOT NULL,
    patient_id        uuid        NOT NULL,
    visit_id          uuid,
    kind              text        NOT NULL,
    status            text        NOT NULL,
    author_id         uuid        NOT NULL,
    author            text        NOT NULL,
    title             text,
    content           text,
    started_at        timestamptz NOT NULL,
    saved_at          timestamptz NOT NULL,
    signed_at         timestamptz,
    released_at       timestamptz,
    retracted_at      timestamptz,
    retraction        text,
    retraction_reason text,
    revisions         jsonb       NOT NULL,
    addenda           jsonb       NOT NULL,
    version           bigint      NOT NULL,
    position          bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
);
CALL read.protect('read.note_1');
CREATE INDEX note_1_started ON read.note_1 (clinic_id, started_at, id);
CREATE INDEX note_1_patient ON read.note_1 (clinic_id, patient_id, started_at);
CREATE INDEX note_1_author ON read.note_1 (clinic_id, author_id, started_at);
