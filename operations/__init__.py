"""The operator's seat: the clipwarden command, embedded servers, supervisor, demo, doctor, benches."""
