// Tells the page that a person pressed "?", to see the list of keys; never while they type. Sees nothing else.

const listeners = new WeakMap();

export default function ({ parentElement, setTriggerValue }) {
  listeners.get(parentElement)?.abort();
  const stop = new AbortController();
  listeners.set(parentElement, stop);

  const isTyping = (target) =>
    target instanceof Element && !!target.closest("input, textarea, select, [contenteditable='true'], [role='combobox']");
  const pressed = (e) => {
    if (e.key === "?" && !e.ctrlKey && !e.metaKey && !e.altKey && !isTyping(e.target)) setTriggerValue("asked", true);
  };
  document.addEventListener("keydown", pressed, { signal: stop.signal });
  return () => stop.abort();
}
