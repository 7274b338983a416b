-- What belongs to a note, an observation, a procedure or a case study is found by it.
CREATE INDEX document_1_owner ON read.document_1 (clinic_id, (owner ->> 'id')) WHERE owner ->> 'kind' <> 'document';
