-- Keys, wrapped: a clinic's by the master key, a patient's by the clinic's. A fenced key still opens, but
-- seals nothing new; a destroyed one is gone.
CREATE TABLE log.clinic_key (
    clinic       uuid PRIMARY KEY,
    wrapped      bytea,
    fenced_at    timestamptz,
    destroyed_at timestamptz,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
CREATE TABLE log.patient_key (
    clinic       uuid NOT NULL,
    patient      uuid NOT NULL,
    wrapped      bytea,
    fenced_at    timestamptz,
    destroyed_at timestamptz,
    PRIMARY KEY (clinic, patient),
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);

-- Whoever fences or destroys a key waits for the appends that run, and every writer hears of it at its next.
CREATE FUNCTION log.move_key_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE log.head SET key_epoch = key_epoch + 1 WHERE clinic = OLD.clinic;
    RETURN NULL;
END $$;
CREATE TRIGGER clinic_key_moves_epoch AFTER UPDATE OR DELETE ON log.clinic_key
    FOR EACH ROW EXECUTE FUNCTION log.move_key_epoch();
CREATE TRIGGER patient_key_moves_epoch AFTER UPDATE OR DELETE ON log.patient_key
    FOR EACH ROW EXECUTE FUNCTION log.move_key_epoch();

-- Secrets of logins: in no event.
CREATE TABLE log.credential (
    clinic                uuid    NOT NULL,
    user_id               uuid    NOT NULL,
    username_hash         text    NOT NULL,
    password_hash         text,
    must_change_password  boolean NOT NULL DEFAULT false,
    activation_hash       bytea,
    activation_expires_at timestamptz,
    failed_logins         integer NOT NULL DEFAULT 0,
    locked                boolean NOT NULL DEFAULT false, -- until an administrator unlocks it
    locked_until          timestamptz,
    disabled              boolean NOT NULL DEFAULT false,
    not_before            timestamptz, -- no token issued before it is good any more
    PRIMARY KEY (clinic, user_id),
    UNIQUE (clinic, username_hash)
);

-- A session is a family of refresh tokens, of which only the last is good.
CREATE TABLE log.session (
    clinic     uuid        NOT NULL,
    session    uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    begun_at   timestamptz NOT NULL,
    revoked_at timestamptz,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (clinic, session)
);
CREATE INDEX session_of_user ON log.session (clinic, user_id);
CREATE TABLE log.refresh_token (
    clinic     uuid        NOT NULL,
    token_hash bytea       NOT NULL,
    session    uuid        NOT NULL,
    issued_at  timestamptz NOT NULL,
    rotated_at timestamptz,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (clinic, token_hash)
);
