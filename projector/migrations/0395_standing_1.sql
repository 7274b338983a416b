CREATE TABLE read.standing_1 (
    clinic_id              uuid        NOT NULL,
    id                     uuid        NOT NULL,
    ends_at                timestamptz NOT NULL,
    expired_at             timestamptz,
    suspended_at           timestamptz,
    closed_at              timestamptz,
    works_since            timestamptz NOT NULL,
    no_shows_after_minutes bigint,
    position               bigint      NOT NULL,
    PRIMARY KEY (clinic_id, id)
);
CALL read.protect('read.standing_1');
-- Whose end is to be recorded: the scheduler looks over all clinics.
CREATE INDEX standing_1_ends ON read.standing_1 (ends_at) WHERE expired_at IS NULL AND closed_at IS NULL;
-- Whose no-shows are marked.
CREATE INDEX standing_1_no_shows ON read.standing_1 (clinic_id) WHERE no_shows_after_minutes IS NOT NULL;
