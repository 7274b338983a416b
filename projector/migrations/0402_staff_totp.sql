-- Nobody had codes before there were any.
ALTER TABLE read.staff_1 ADD COLUMN totp boolean NOT NULL DEFAULT false;
