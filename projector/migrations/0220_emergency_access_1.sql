CREATE TABLE read.emergency_access_1 (
    clinic_id         uuid        NOT NULL,
    id                uuid        NOT NULL,
    user_id           uuid        NOT NULL,
    username          text        NOT NULL,
    patient_id        uuid        NOT NULL,
    reason            text        NOT NULL,
    proof             text        NOT NULL,
    granted_at        timestamptz NOT NULL,
    expires_at        timestamptz NOT NULL,
    ended_at          timestamptz,
    review_due_at     timestamptz NOT NULL,
    reviewed_at       timestamptz,
    reviewer_id       uuid,
    reviewer          text,
    verdict           text,
    granted_position  bigint      NOT NULL,
    reviewed_position bigint,
    position          bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
);
CALL read.protect('read.emergency_access_1');
-- What somebody still has to look at.
CREATE INDEX emergency_access_1_due ON read.emergency_access_1 (clinic_id, id) WHERE reviewed_at IS NULL;
