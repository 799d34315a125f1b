// Tells the page whether an unblurred video is before somebody's eyes: on the screen, in a tab that is shown. And which
// video moved: a player that stands still has played nothing. It says only that, not for how long: the server counts.
// And it sets the speed of each player once, and again when another is chosen: what its own menu says holds meanwhile.

const watchers = new WeakMap();
const paced = new WeakMap();
const EVERY_MS = 500;

export default function ({ parentElement, data, setStateValue }) {
  const before = watchers.get(parentElement);
  before?.end();
  const stop = new AbortController();
  const watcher = { seen: before?.seen ?? false, played: before?.played ?? "", end: () => {} };
  watchers.set(parentElement, watcher);

  const tell = (name, value) => {
    if (value !== watcher[name]) setStateValue(name, (watcher[name] = value));
  };
  const isSeen = () => {
    const video = document.querySelector("[class*='st-key-player-clear'] video");
    if (!video || document.visibilityState !== "visible") return false;
    const { top, bottom, left, right } = video.getBoundingClientRect();
    return bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
  };
  const pace = () => {
    for (const video of document.querySelectorAll("[class*='st-key-player-'] video")) {
      if (paced.get(video) === data.speed) continue;
      paced.set(video, data.speed);
      // Another source in the same player begins at the default.
      video.defaultPlaybackRate = video.playbackRate = data.speed;
    }
  };
  // Not "playing": one that starts by itself may have said so before this listens. A seek alone is no playing.
  const moved = ({ target }) => {
    const isOurs = target instanceof HTMLVideoElement && !!target.closest("[class*='st-key-player-']");
    if (isOurs && !target.paused && data.of) tell("played", data.of);
  };
  document.addEventListener("timeupdate", moved, { capture: true, signal: stop.signal });
  const look = () => {
    pace();
    tell("seen", isSeen());
  };
  pace();
  const timer = setInterval(look, EVERY_MS);
  watcher.end = () => {
    clearInterval(timer);
    stop.abort();
  };
  return watcher.end;
}
