// Tells the page whether a mouse rests on the list, so that the list never moves under it. Sees no data.
export default function ({ setStateValue }) {
  let over = false;
  const tell = (now) => {
    if (now !== over) setStateValue("over", (over = now));
  };
  const moved = (event) =>
    tell(event.pointerType === "mouse" && event.target instanceof Element && !!event.target.closest(".st-key-list"));
  const left = () => tell(false);
  document.addEventListener("pointerover", moved);
  document.documentElement.addEventListener("pointerleave", left);
  return () => {
    document.removeEventListener("pointerover", moved);
    document.documentElement.removeEventListener("pointerleave", left);
  };
}
