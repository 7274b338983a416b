-- What a charge is for, beside a dental procedure. Charges of before have neither.
ALTER TABLE read.charge_1 ADD COLUMN visit_id uuid, ADD COLUMN prescription_id uuid;
