-- Commands are claimed by an executor for the length of a lease: who is killed with one in hand leaves it to the next.
ALTER TABLE operator_commands
    ADD COLUMN issued_name text,
    ADD COLUMN claimed_by  text,
    ADD COLUMN claimed_at  timestamptz,
    ADD COLUMN lease_until timestamptz,
    ADD COLUMN attempts    integer NOT NULL DEFAULT 0;
CREATE INDEX operator_commands_open ON operator_commands (issued_at) WHERE state IN ('issued', 'claimed');

-- What could be replayed, in the order in which it is.
CREATE INDEX dead_letters_open ON dead_letters (died_at DESC) WHERE replayed_at IS NULL;
