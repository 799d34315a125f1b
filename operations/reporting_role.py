"""The role that the SQL box signs in as, on the embedded PostgreSQL."""

import hashlib

ROLE = "clipwarden_reporting"


def reporting_dsn(owners_secret: str, address: str, database: str) -> str:
    """Where the SQL box finds the database; the role's password follows from the owner's, and not back."""
    password = hashlib.sha256(f"{ROLE} {owners_secret}".encode()).hexdigest()
    return f"postgresql://{ROLE}:{password}@{address}/{database}"
