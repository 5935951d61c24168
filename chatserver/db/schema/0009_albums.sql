-- The id that the pictures of one author share which were sent together.
ALTER TABLE messages ADD COLUMN album TEXT;
