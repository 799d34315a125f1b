"""What the console reads and writes in the database, each call for a person: who may not gets Forbidden here."""
