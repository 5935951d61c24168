-- The common id of pictures that one author sent together.
ALTER TABLE messages ADD COLUMN album TEXT;
