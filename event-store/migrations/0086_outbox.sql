-- Mails that wait to be sent. A row comes with the append of the event that causes it, or, a reminder, of the time that
-- has come; it names whom it is about, and never an address: that is asked of the log when the mail is written. What has
-- to be kept until then, a one-time secret, is sealed with the key of the patient or of the clinic.
CREATE TABLE log.outbox (
    clinic          uuid        NOT NULL,
    mail            uuid        NOT NULL, -- its Message-ID as well: a mail that is sent again is the same mail
    kind            text        NOT NULL CHECK (kind IN ('activation', 'password_reset', 'reminder')),
    about           uuid        NOT NULL, -- the login, or the appointment
    patient         uuid,                 -- whose portal account or appointment it is
    sealed          bytea,                -- gone once nobody needs it any more
    for_start       timestamptz,          -- of an appointment: the start of which it reminds,
    hours_before    integer,              -- and how long before
    queued_at       timestamptz NOT NULL,
    not_after       timestamptz NOT NULL, -- it is worth nothing from then on
    attempts        integer     NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    last_error      text,                 -- a code: neither an address nor what a server said
    sent_at         timestamptz,
    given_up_at     timestamptz,
    PRIMARY KEY (clinic, mail),
    CHECK ((kind = 'reminder') = (for_start IS NOT NULL AND hours_before IS NOT NULL)),
    CHECK (sent_at IS NULL OR (given_up_at IS NULL AND sealed IS NULL))
);
CREATE INDEX outbox_waiting ON log.outbox (next_attempt_at) WHERE sent_at IS NULL AND given_up_at IS NULL;
CREATE INDEX outbox_patient ON log.outbox (clinic, patient) WHERE patient IS NOT NULL;

-- Nobody who answers people has anything to look for in it.
ALTER TABLE log.outbox ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY writer ON log.outbox TO casebook_writer USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON log.outbox TO casebook_writer;

-- A second one-time secret of a login, beside the password, which stays good until a new one is set by it.
ALTER TABLE log.credential ADD COLUMN reset_hash bytea, ADD COLUMN reset_expires_at timestamptz;

CREATE FUNCTION log.queue_mails(mails jsonb) RETURNS void LANGUAGE sql
    BEGIN ATOMIC
        INSERT INTO log.outbox (clinic, mail, kind, about, patient, sealed, queued_at, not_after, next_attempt_at)
            SELECT m.clinic, m.mail, m.kind, m.about, m.patient, decode(m.sealed, 'hex'), m.queued_at, m.not_after,
                m.queued_at
            FROM jsonb_to_recordset(mails) AS m(clinic uuid, mail uuid, kind text, about uuid, patient uuid, sealed text,
                queued_at timestamptz, not_after timestamptz);
    END;

CREATE OR REPLACE FUNCTION log.apply_effects(effects jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF effects ? 'claims_taken' THEN
        PERFORM log.move_claims(effects);
    END IF;
    IF effects ? 'times_taken' THEN
        PERFORM log.move_times(effects);
    END IF;
    IF effects ? 'keys' THEN
        PERFORM log.add_keys(effects -> 'keys');
    END IF;
    IF effects ? 'credentials' THEN
        PERFORM log.change_credential(c) FROM jsonb_array_elements(effects -> 'credentials') AS c;
    END IF;
    IF effects ? 'mails' THEN
        PERFORM log.queue_mails(effects -> 'mails');
    END IF;
    IF effects ? 'shown' THEN
        PERFORM log.add_shown(effects -> 'shown');
    END IF;
END $$;

-- As before, and with the secret of a reset, which whatever else changes a login's secrets makes void.
CREATE OR REPLACE FUNCTION log.change_credential(c jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    of_clinic uuid := c ->> 'clinic';
    of_user uuid := c ->> 'user';
    at timestamptz := c ->> 'at';
BEGIN
    IF c ->> 'change' = 'create' THEN
        INSERT INTO log.credential (clinic, user_id, username_hash, password_hash, must_change_password,
                                    activation_hash, activation_expires_at)
            VALUES (of_clinic, of_user, c ->> 'username_hash', c ->> 'password_hash', (c ->> 'must_change')::boolean,
                    decode(c ->> 'activation_hash', 'hex'), (c ->> 'activation_expires_at')::timestamptz);
        RETURN;
    END IF;
    CASE c ->> 'change'
        WHEN 'set_password' THEN
            UPDATE log.credential SET password_hash = c ->> 'password_hash', must_change_password = false,
                activation_hash = NULL, activation_expires_at = NULL, failed_logins = 0, locked_until = NULL,
                not_before = at WHERE clinic = of_clinic AND user_id = of_user;
        WHEN 'renew_activation' THEN
            UPDATE log.credential SET password_hash = NULL, activation_hash = decode(c ->> 'activation_hash', 'hex'),
                activation_expires_at = (c ->> 'activation_expires_at')::timestamptz, not_before = at
                WHERE clinic = of_clinic AND user_id = of_user;
        WHEN 'offer_reset' THEN
            UPDATE log.credential SET reset_hash = decode(c ->> 'activation_hash', 'hex'),
                reset_expires_at = (c ->> 'activation_expires_at')::timestamptz
                WHERE clinic = of_clinic AND user_id = of_user;
        WHEN 'lock' THEN
            UPDATE log.credential SET locked = (c ->> 'until') IS NULL, locked_until = (c ->> 'until')::timestamptz,
                failed_logins = 0, not_before = at WHERE clinic = of_clinic AND user_id = of_user;
        WHEN 'unlock' THEN
            UPDATE log.credential SET locked = false, locked_until = NULL, failed_logins = 0
                WHERE clinic = of_clinic AND user_id = of_user;
        WHEN 'end_tokens' THEN
            UPDATE log.credential SET not_before = at WHERE clinic = of_clinic AND user_id = of_user;
        WHEN 'disable' THEN
            UPDATE log.credential SET disabled = true, password_hash = NULL, activation_hash = NULL,
                activation_expires_at = NULL, not_before = at WHERE clinic = of_clinic AND user_id = of_user;
    END CASE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such login' USING ERRCODE = 'foreign_key_violation';
    END IF;
    -- A lock after failed logins is no end: whoever guesses passwords must not void a reset that is on its way.
    IF c ->> 'change' IN ('set_password', 'renew_activation', 'disable')
        OR (c ->> 'change' = 'lock' AND (c ->> 'until') IS NULL) THEN
        UPDATE log.credential SET reset_hash = NULL, reset_expires_at = NULL
            WHERE clinic = of_clinic AND user_id = of_user AND reset_hash IS NOT NULL;
    END IF;
    IF c ->> 'change' IN ('set_password', 'renew_activation', 'lock', 'disable') THEN
        UPDATE log.session SET revoked_at = at
            WHERE clinic = of_clinic AND user_id = of_user AND revoked_at IS NULL;
    END IF;
END $$;

-- With an erasure go the mails that wait: of the person, or of the whole clinic. Those that were sent are named until
-- whatever holds a copy of them has given it away.
CREATE FUNCTION log.withdraw_mails() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM log.outbox o WHERE o.clinic = NEW.clinic AND o.sent_at IS NULL
        AND (o.patient = NEW.patient OR NEW.patient = '00000000-0000-0000-0000-000000000000');
    RETURN NULL;
END $$;
CREATE TRIGGER erasure_withdraws_mails AFTER INSERT OR UPDATE OF begun_at ON log.erasure
    FOR EACH ROW EXECUTE FUNCTION log.withdraw_mails();
