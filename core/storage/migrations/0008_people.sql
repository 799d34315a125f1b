-- Who may use the console, and what proves it. Of tokens and links only the SHA-256 is kept, of passwords the argon2 hash.
CREATE TABLE people (
    user_id       text COLLATE "C" PRIMARY KEY,
    name          text NOT NULL,
    -- The name as it is compared: in one form and one case.
    sign_in_name  text COLLATE "C" NOT NULL UNIQUE,
    role          text NOT NULL,
    password_hash text,
    -- Whom a provider of OpenID Connect vouches for: its address and its own id of the person.
    vouched       text COLLATE "C" UNIQUE,
    language      text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    disabled_at   timestamptz
);

CREATE TABLE sessions (
    token_hash   text COLLATE "C" PRIMARY KEY,
    user_id      text COLLATE "C" NOT NULL REFERENCES people,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz
);
CREATE INDEX sessions_of_person ON sessions (user_id, last_seen_at DESC);

CREATE TABLE entry_links (
    link_hash  text COLLATE "C" PRIMARY KEY,
    user_id    text COLLATE "C" NOT NULL REFERENCES people,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);

-- Failed attempts to sign in, by name and by address, both hashed: whoever is in the row waits until then.
CREATE TABLE sign_in_waits (
    subject     text COLLATE "C" PRIMARY KEY,
    failures    integer NOT NULL,
    failed_at   timestamptz NOT NULL,
    waits_until timestamptz NOT NULL
);

-- Forms that were sent: each is taken once.
CREATE TABLE used_forms (
    form_hash text COLLATE "C" PRIMARY KEY,
    used_at   timestamptz NOT NULL DEFAULT now()
);
