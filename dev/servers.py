"""How each private server is started: its command, its environment, and how one sees that it is ready.

All run as the caller, on loopback, and write nothing outside the folder that they are given.
"""

import os
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from dev.errors import CannotRun
from dev.ports import hold
from dev.program import Program, answers

TOOLS = Path(__file__).resolve().parent.parent / ".tools"
COMMON_RABBITMQ = Path(__file__).parent / "rabbitmq.conf"
# The kernel's asynchronous I/O is one small store for the whole machine (fs.aio-max-nr).
MARIADB_MODEST = ("--innodb-use-native-aio=0", "--innodb-buffer-pool-size=64M")
AMQP_HELLO = b"AMQP\x00\x00\x09\x01"


def tool(name: str, *places: Path) -> str:
    """Return the path of a program in one of `places`, on the path or in /usr/sbin.

    Raises:
        CannotRun: it is in none of them.
    """
    path = os.pathsep.join([*map(str, places), os.environ.get("PATH", os.defpath), "/usr/sbin"])
    found = shutil.which(name, path=path)
    if found is None:
        raise CannotRun(f"{name} is missing: make setup installs it")
    return found


def environment(folder: Path, *places: Path) -> dict[str, str]:
    """Return the least that a program needs: a path that begins with `places`, and a home of its own."""
    path = os.pathsep.join([*map(str, places), "/usr/local/bin:/usr/bin:/bin:/usr/sbin"])
    return {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"}


def mariadb(folder: Path, port: int, password: str) -> Program:
    """Return a MariaDB with the user and the database `auth`; the user may make databases named auth….

    Root has no password and comes in by the socket only, which lies in the private folder.
    """
    data, users = folder / "data", folder / "users.sql"

    def prepare() -> None:
        users.touch(mode=0o600)
        users.write_text(
            "CREATE DATABASE IF NOT EXISTS auth CHARACTER SET utf8mb4;\n"
            f"CREATE OR REPLACE USER auth@'127.0.0.1' IDENTIFIED BY '{password}';\n"
            "GRANT ALL ON `auth%`.* TO auth@'127.0.0.1';\n"
        )
        if not (data / "mysql").exists():
            _install_mariadb(data)

    command = [tool("mariadbd"), "--no-defaults", f"--datadir={data}", f"--port={port}", *_as_root()]
    command += ["--bind-address=127.0.0.1", "--skip-name-resolve", f"--init-file={users}"]
    command += ["--socket=mariadb.sock", "--pid-file=mariadb.pid"]  # in the data folder: short paths
    command += ["--performance-schema=off", *MARIADB_MODEST]
    return Program(
        "mariadb", tuple(command), environment(folder), folder, (port,), partial(answers, port), prepare
    )


def _install_mariadb(data: Path) -> None:
    """Fill the data folder of a new MariaDB; several at a time fail now and then: they take turns."""
    install = [tool("mariadb-install-db"), "--no-defaults", f"--datadir={data}", *_as_root()]
    install += ["--auth-root-authentication-method=normal", "--skip-test-db", *MARIADB_MODEST]
    while (turn := hold("mariadb-install-db")) is None:
        time.sleep(0.05)
    with turn:
        for _ in range(3):
            done = subprocess.run(install, capture_output=True, text=True, check=False)  # noqa: S603 - built above
            if done.returncode == 0:
                return
            shutil.rmtree(data, ignore_errors=True)
    raise CannotRun(f"mariadb-install-db failed: {(done.stdout + done.stderr).strip()[-2000:]}")


def epmd(folder: Path, port: int) -> Program:
    """Return the port mapper that RabbitMQ needs; one of its own, so that no other Erlang is met."""
    command = (tool("epmd", _erlang()), "-port", str(port), "-address", "127.0.0.1")
    ready = partial(answers, port, speaks_first=False)
    return Program("epmd", command, environment(folder), folder, (port,), ready)


def rabbitmq(folder: Path, ports: tuple[int, int], epmd_port: int, password: str) -> Program:
    """Return a RabbitMQ with the user `app`; `ports` are for clients and for Erlang's own talk."""
    port, erlang_port = ports
    settings, plugins = folder / "rabbitmq.conf", folder / "plugins"

    def prepare() -> None:
        settings.touch(mode=0o600)
        settings.write_text(
            f"listeners.tcp.1 = 127.0.0.1:{port}\n"
            f"default_user = app\ndefault_pass = {password}\n"
            "log.console = true\nlog.file = false\n" + COMMON_RABBITMQ.read_text()
        )
        plugins.write_text("[].\n")

    # No busy waiting of Erlang's schedulers: the machine is shared.
    arguments = "-noinput -kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none"
    values = {
        "RABBITMQ_NODENAME": f"rabbit{port}@localhost",
        "RABBITMQ_DIST_PORT": str(erlang_port),
        "ERL_EPMD_PORT": str(epmd_port),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_CONFIG_FILE": str(settings),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "RABBITMQ_ALLOW_INPUT": "1",  # the script then becomes the broker, so a signal reaches it
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": arguments,
    }
    server = tool("rabbitmq-server", TOOLS / "rabbitmq/usr/lib/rabbitmq/bin", Path("/usr/lib/rabbitmq/bin"))
    ready = partial(answers, port, AMQP_HELLO)
    around = {**environment(folder, _erlang()), **values}
    return Program("rabbitmq", (server,), around, folder, ports, ready, prepare)


def mongodb(folder: Path, port: int, password: str) -> Program:
    """Return a MongoDB with the user `root`: mongod where there is one, else the stand-in."""
    data = folder / "data"
    around = environment(folder)
    if shutil.which("mongod"):
        command = [
            tool("mongod"),
            "--auth",
            "--dbpath",
            str(data),
            "--port",
            str(port),
            "--bind_ip",
            "127.0.0.1",
        ]
        ready = partial(_has_root, port, password)
    else:
        built = TOOLS / "mongodb-standin"
        command = [tool("java"), "-Xmx1g", "-XX:+UseSerialGC", "-cp", f"{built}:{built}/lib/*"]
        command += ["StandIn", str(port), str(data / "store")]
        around |= {"MONGO_INITDB_ROOT_USERNAME": "root", "MONGO_INITDB_ROOT_PASSWORD": password}
        ready = partial(answers, port, speaks_first=False)
    prepare = partial(data.mkdir, parents=True, exist_ok=True)
    return Program("mongodb", tuple(command), around, folder, (port,), ready, prepare)


def mail_sink(folder: Path, port: int) -> Program:
    """Return a mail server that takes every mail and keeps it in the Maildir `folder/mails`."""
    command = [sys.executable, "-m", "aiosmtpd", "--nosetuid", "--listen", f"127.0.0.1:{port}"]
    command += ["--class", "aiosmtpd.handlers.Mailbox", str(folder / "mails")]
    return Program("mail", tuple(command), environment(folder), folder, (port,), partial(answers, port))


def _has_root(port: int, password: str) -> bool:
    """Whether root can log in to mongod, made at the first try.

    The first user is made from localhost without logging in
    (https://www.mongodb.com/docs/manual/core/localhost-exception/).
    """
    import pymongo  # noqa: PLC0415 - only here: the environment of the containers' words has no driver
    from pymongo.errors import OperationFailure, PyMongoError  # noqa: PLC0415 - likewise

    place = f"127.0.0.1:{port}/?serverSelectionTimeoutMS=500"
    try:
        with pymongo.MongoClient[dict[str, Any]](f"mongodb://root:{password}@{place}") as client:
            client.admin.command("ping")
    except OperationFailure:
        with pymongo.MongoClient[dict[str, Any]](f"mongodb://{place}") as client:
            client.admin.command("createUser", "root", pwd=password, roles=["root"])
    except PyMongoError:
        return False
    return True


def _erlang() -> Path:
    return TOOLS / "rabbitmq/usr/lib/erlang/bin"


def _as_root() -> list[str]:
    """What MariaDB wants to hear before it runs as root."""
    return ["--user=root"] if os.geteuid() == 0 else []
