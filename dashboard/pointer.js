// Tells the page whether a mouse rests on the list, so that the list never moves under it. Sees no data.

// Streamlit calls the function below again on redraws without ending the call before: one watcher per place, and what
// it told last.
const watchers = new WeakMap();

export default function ({ parentElement, setStateValue }) {
  const before = watchers.get(parentElement);
  before?.stop.abort();
  const watcher = { stop: new AbortController(), told: before?.told ?? false };
  watchers.set(parentElement, watcher);

  const tell = (over) => {
    if (over !== watcher.told) setStateValue("over", (watcher.told = over));
  };
  const isInList = (target) => target instanceof Element && !!target.closest(".st-key-list");
  const { signal } = watcher.stop;
  document.addEventListener("pointermove", (e) => tell(e.pointerType === "mouse" && isInList(e.target)), { signal });
  document.documentElement.addEventListener("pointerleave", () => tell(false), { signal });
  return () => watcher.stop.abort();
}
