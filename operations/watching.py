"""Watched folders → the feed, until it is told to stop; what is away is waited for."""

import time
from collections.abc import Sequence
from pathlib import Path

from core.clock import SystemClock
from core.errors import DependencyError
from core.settings import Settings
from core.storage.items import NewItem
from ingestion.feed import feeding
from ingestion.folders import FolderWatch
from ingestion.posts import Post
from operations.producing import BATCH, Account, Producing, name_of
from operations.seat import screen

LOOK_EVERY_S = 0.5
RETRY_S = 2.0


def watch_folders(settings: Settings, folders: Sequence[Path], post: Post) -> None:
    """Take every file in that is complete, now or later; ends with KeyboardInterrupt only.

    What was taken in an earlier life is known to the ledger, and is not taken again.
    """
    screen.print(f"watching {', '.join(map(str, folders))}; Ctrl-C ends", style="dim", markup=False)
    clock = SystemClock()
    watch = FolderWatch(folders, clock)
    open_: list[NewItem] = []
    with feeding(settings) as feed:
        while True:
            account = Account()
            producing = Producing(settings, feed, account, clock=clock)
            open_ = _take(producing, [*open_, *(producing.item(path, post) for path in watch.look())], account)
            time.sleep(RETRY_S if open_ else LOOK_EVERY_S)


def _take(producing: Producing, items: list[NewItem], account: Account) -> list[NewItem]:
    """Take items in; returns those that have to be given again, which adds nothing to what is known of them."""
    open_: list[NewItem] = []
    for start in range(0, len(items), BATCH):
        batch = items[start : start + BATCH]
        try:
            producing.take(batch, again=False)
        except DependencyError as error:
            screen.print(f"waiting: {error}", markup=False)
            return [*open_, *items[start:]]
        open_ += [item for item in batch if name_of(item) in account.waiting]
        _tell(batch, account)
    return open_


def _tell(batch: Sequence[NewItem], account: Account) -> None:
    for name in map(name_of, batch):
        said = account.refused.get(name)
        if name not in account.waiting:
            screen.print(f"refused {name}: {said}" if said else f"taken   {name}", markup=False)
