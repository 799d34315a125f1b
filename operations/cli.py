"""The `clipwarden` command: a table of commands; a command's module is imported when it runs, and no other."""

import importlib
import signal
import sys
from dataclasses import dataclass

from operations.seat import EXIT_USAGE, errors_as_lines


@dataclass(frozen=True)
class _Command:
    line: str
    module: str
    is_one_of_many: bool = False


COMMANDS = {
    "up": _Command("start the platform on this machine, in the background", "platform", is_one_of_many=True),
    "down": _Command("stop it", "platform", is_one_of_many=True),
    "status": _Command("what runs, where, since when", "platform", is_one_of_many=True),
    "doctor": _Command("what is wrong, why, and what to do", "platform", is_one_of_many=True),
    "demo": _Command("everything from nothing, on real video; Ctrl-C stops all", "demo"),
    "produce": _Command("files or events into the pipeline", "produce"),
    "import": _Command("a list of links into the ledger", "import_links"),
    "crawl": _Command("the videos of hashtag pages into the ledger", "crawl"),
    "download": _Command("bring in what the ledger holds, until nothing is due", "download"),
    "watch": _Command("alerts in the terminal, as they come", "watch"),
    "score": _Command("verdicts in process, without servers", "score"),
    "forget": _Command("erase a video everywhere, for good", "forget"),
    "dead-letters": _Command("list, show and replay what could not be used", "dead_letters"),
    "models": _Command("what serves, the registry, promotion, evaluation", "models"),
    "keys": _Command("keys for workers that are reached over a network", "keys"),
    "api-keys": _Command("keys for callers of the HTTP gateway", "api_keys"),
    "users": _Command("who may use the console, and one-time links for them", "users"),
    "train": _Command("train a text, video or fusion model", "train"),
    "bench": _Command("speed and memory, each with its baseline in the same run", "bench"),
}


def main() -> None:
    """Run one command; an error is one line on stderr: what, why, what to do."""
    name, arguments = (sys.argv[1:2] or ["--help"])[0], sys.argv[2:]
    if name in ("--help", "-h"):
        sys.stdout.write(_help())
        return
    if name not in COMMANDS:
        sys.stderr.write(f"clipwarden: no command {name!r}; clipwarden --help lists them\n")
        sys.exit(EXIT_USAGE)
    command = COMMANDS[name]
    # A stop from a service manager is as clean as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with errors_as_lines():
        app = importlib.import_module(f"operations.commands.{command.module}").app
        if command.is_one_of_many:
            app([name, *arguments], prog_name="clipwarden")
        else:
            app(arguments, prog_name=f"clipwarden {name}")


def _help() -> str:
    width = max(map(len, COMMANDS)) + 2
    lines = "".join(f"  {name:<{width}}{command.line}\n" for name, command in COMMANDS.items())
    return (
        "Clipwarden: real-time safety for short video.\n\n"
        f"clipwarden COMMAND --help tells more; commands:\n{lines}\n"
        'Example: clipwarden up && clipwarden produce clip.mp4 --caption "hello"\n'
    )
