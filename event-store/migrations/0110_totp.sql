-- Codes beside passwords (RFC 6238). Whether a login needs one, its events say; here is what codes are checked with.
CREATE TABLE log.totp (
    clinic       uuid        NOT NULL,
    user_id      uuid        NOT NULL,
    -- Makes the secret, with a key of the clinic's: nobody makes a code of this table alone.
    salt         bytea       NOT NULL,
    -- Since when a right code was shown for this salt.
    confirmed_at timestamptz,
    -- Of the last code that was taken: none is taken twice.
    last_step    bigint      NOT NULL DEFAULT 0,
    -- Keyed hashes of the codes that are left for who has lost the device.
    recovery     bytea[]     NOT NULL DEFAULT '{}',
    PRIMARY KEY (clinic, user_id)
);
ALTER TABLE log.totp ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY writer ON log.totp TO casebook_writer USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON log.totp TO casebook_writer;
