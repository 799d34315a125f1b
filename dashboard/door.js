// Goes where the server says, else to the sign-in page and from there back to this one. Sees no data of the platform.

export default function ({ data }) {
  const here = encodeURIComponent(window.location.pathname + window.location.search);
  window.location.replace(data?.to || "/sign-in?next=" + here);
}
