"""The reporting role, as whom the console's SQL box signs in: what it may do is settled by the database itself.

PostgreSQL lets everybody call almost every function, and a read-only transaction does not keep a function from
notifying, locking, sleeping or switching limits off. So all that may do more than compute is taken from PUBLIC and
given back to the owner. `HOLES` says what a role may still do beyond reading; the SQL box asks before each statement.
"""

import psycopg
import structlog
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

CONNECTION_LIMIT = 8

LIMITS = {
    "default_transaction_read_only": "on",
    "search_path": "reporting",
    "statement_timeout": "300s",
    "lock_timeout": "1s",
    "idle_in_transaction_session_timeout": "60s",
    # A console that vanished in mid-statement.
    "client_connection_check_interval": "1s",
    "temp_file_limit": "256MB",
    "work_mem": "16MB",
    "hash_mem_multiplier": "1",
    "max_parallel_workers_per_gather": "0",
    # Compiling cannot be interrupted.
    "jit": "off",
}
"""Of the role; all but temp_file_limit it could set for itself, could it run SET or set_config."""

_ANYWAY = (
    "clock_timestamp",
    "gen_random_uuid",
    "random",
    "random_normal",
    "timeofday",
    "uuidv4",
    "uuidv7",
)
"""Volatile only because they answer anew at each call."""

_BEYOND_COMPUTING = sql.SQL("""
p.prokind IN ('f', 'p', 'w') AND p.pronamespace <> 'reporting'::regnamespace
AND (
    (p.provolatile = 'v' AND p.proname <> ALL ({anyway}))
    -- Called stable, and yet: what runs SQL from a string, takes a transaction number, or shows others' sessions.
    OR p.proname ~ '^(cursor|database|query|schema|table)_to_xml|^(pg_current_xact_id|txid_current)$|^pg_stat_get_'
)
-- Nobody can call these from a statement.
AND p.prorettype <> ALL ('{{trigger,event_trigger,internal,language_handler,fdw_handler,index_am_handler,'
    'table_am_handler,tsm_handler}}'::regtype[])
AND NOT 'internal'::regtype::oid = ANY (p.proargtypes)
""").format(anyway=sql.Literal(list(_ANYWAY)))

_OPEN_TO_ALL = sql.SQL("""
SELECT p.oid::regprocedure::text, p.proname LIKE 'pg_stat_get_%' FROM pg_proc p WHERE {beyond}
AND EXISTS (
    SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE'
)
""").format(beyond=_BEYOND_COMPUTING)

HOLES = sql.SQL("""
SELECT 'may administer the server' FROM pg_roles
WHERE rolname = current_user AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
UNION ALL SELECT 'is a member of ' || roleid::regrole FROM pg_auth_members WHERE member = current_user::regrole
UNION ALL SELECT 'may create in this database'
WHERE has_database_privilege(current_database(), 'CREATE') OR has_database_privilege(current_database(), 'TEMPORARY')
UNION ALL SELECT 'may create in schema ' || nspname FROM pg_namespace WHERE has_schema_privilege(oid, 'CREATE')
UNION ALL SELECT 'may read ' || c.oid::regclass FROM pg_class c
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND c.relnamespace <> ALL ('{{pg_catalog,information_schema,reporting}}'::regnamespace[])
    AND has_any_column_privilege(c.oid, 'SELECT')
    AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e'
    )
UNION ALL SELECT 'may write ' || c.oid::regclass FROM pg_class c
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
UNION ALL SELECT 'may write code in ' || lanname FROM pg_language
WHERE lanpltrusted AND has_language_privilege(oid, 'USAGE')
UNION ALL SELECT 'may call ' || p.oid::regprocedure FROM pg_proc p
WHERE has_function_privilege(p.oid, 'EXECUTE') AND {beyond}
LIMIT 3
""").format(beyond=_BEYOND_COMPUTING)
"""What the signed-in role may do that the SQL box must not; no rows when it is fenced in."""

_log = structlog.get_logger()


def fence(connection: psycopg.Connection, dsn: str) -> None:
    """Make the role of this DSN, with its password, and leave it nothing but to read the reporting schema.

    An owner who may not do that (no superuser) changes nothing; the SQL box then says what is open and stays shut.
    """
    target = conninfo_to_dict(dsn)
    role = sql.Identifier(str(target.get("user", "")))
    try:
        with connection.transaction():
            _make(connection, str(target.get("user", "")), str(target.get("password", "")))
            for name, value in LIMITS.items():
                setting = sql.SQL("ALTER ROLE {} SET {} = {}").format(role, sql.Identifier(name), sql.Literal(value))
                connection.execute(setting)
            for statement in _fences(connection, role):
                connection.execute(statement)
            _take_functions(connection)
    except psycopg.errors.InsufficientPrivilege as error:
        _log.warning("reporting.not_fenced", reason=str(error).strip())


def _make(connection: psycopg.Connection, name: str, password: str) -> None:
    role = sql.Identifier(name)
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {}").format(role))
    # Hashed here: a server may write statements into its log.
    hashed = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")
    connection.execute(
        sql.SQL(
            "ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT"
            " CONNECTION LIMIT {} PASSWORD {}"
        ).format(role, sql.Literal(CONNECTION_LIMIT), sql.Literal(hashed.decode()))
    )


def _fences(connection: psycopg.Connection, role: sql.Identifier) -> list[sql.Composed]:
    database = sql.Identifier(connection.info.dbname)
    texts = (
        "REVOKE CREATE, TEMPORARY ON DATABASE {database} FROM PUBLIC",
        "GRANT CONNECT ON DATABASE {database} TO {role}",
        "GRANT ALL ON SCHEMA public TO CURRENT_USER",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC, {role}",
        "GRANT USAGE ON LANGUAGE plpgsql, sql TO CURRENT_USER",
        "REVOKE USAGE ON LANGUAGE plpgsql, sql FROM PUBLIC",
        # A rule turns it into set_config.
        "REVOKE UPDATE ON pg_catalog.pg_settings FROM PUBLIC",
        "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}",
        "GRANT USAGE ON SCHEMA reporting TO {role}",
        "GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO {role}",
    )
    return [sql.SQL(text).format(database=database, role=role) for text in texts]


def _take_functions(connection: psycopg.Connection) -> None:
    found = connection.execute(_OPEN_TO_ALL).fetchall()
    if not found:
        return
    # The server wrote the names, quoted where that is needed.
    every = sql.SQL(", ").join(sql.SQL(signature) for signature, _ in found)
    connection.execute(sql.SQL("GRANT EXECUTE ON ROUTINE {} TO CURRENT_USER").format(every))
    if figures := [sql.SQL(signature) for signature, is_figure in found if is_figure]:
        monitors = sql.SQL("GRANT EXECUTE ON ROUTINE {} TO pg_monitor")
        connection.execute(monitors.format(sql.SQL(", ").join(figures)))
    connection.execute(sql.SQL("REVOKE EXECUTE ON ROUTINE {} FROM PUBLIC").format(every))
    _log.info("reporting.fenced", functions=len(found))
