-- The administrator who made an invitation on the page; NULL: the operator, on the command line.
ALTER TABLE invites ADD COLUMN made_by INTEGER REFERENCES users (id);
