-- What came of reminders. No appointment had one before there were reminders: so the rows that are here are what a
-- rebuild would give.
ALTER TABLE read.appointment_1 ADD COLUMN reminders jsonb NOT NULL DEFAULT '[]';
