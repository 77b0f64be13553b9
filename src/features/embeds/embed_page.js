// The page in a frame that becomes a preview: it exchanges the code in its address for a session, tells the page around it
// how the preview is, and gives way to the app. Whatever it shows is text and nothing else.
(async () => {
  const [code, ...rest] = location.hash.slice(1).split("&");
  history.replaceState(null, "", location.pathname); // nobody is to see the code there, or use it again
  const options = new URLSearchParams(rest.join("&"));
  // In Firefox, a page that sends no Referer is "null", too.
  const around = location.ancestorOrigins?.[0]?.replace(/^null$/, "") ??
    (document.referrer && new URL(document.referrer).origin);
  const [title, detail, hint, link] = document.querySelectorAll(
    "h1, #detail, #hint, a",
  );
  let path = options.get("path") ?? "/";
  let embed;
  detail.textContent = "One moment.";

  async function ask(url, method, headers) {
    const response = await fetch(url, { method, headers, cache: "no-store" });
    const answer = await response.json();
    if (response.ok) return answer;
    throw answer;
  }

  /** Tells the page around this one, once it is known to be the right one. */
  function tell(facts) {
    parent.postMessage({ source: "porthole", v: 1, ...facts }, around);
  }

  /** The path, unless it leads to another host: browsers read `\` as `/`, and tabs not at all. */
  function ownPath() {
    return /^\/(?!\/)[^\\\s]*$/.test(path) ? path : "/";
  }

  try {
    if (parent === self) {
      throw {
        title: "Nothing to see here",
        detail: "This address is for a frame in another page.",
      };
    }
    embed = await ask("/.porthole/embed", "POST", {
      "x-porthole-embed": code,
      "x-porthole-ancestor": around,
    });
    path = embed.path ?? path;
    const state = await ask("/.porthole/state", "GET"); // only if the browser has kept the cookie
    if (options.has("stay")) return tell({ type: "renewed", port: embed.port });
    tell({ type: "state", ...state });
    location.replace(ownPath());
  } catch (problem) {
    const { portholeCode = null } = problem;
    title.textContent = problem.title ?? "The preview did not open";
    detail.textContent = problem.detail ?? "The gateway did not answer.";
    hint.textContent = problem.hint ?? "";
    link.href = ownPath();
    link.parentElement.hidden = false;
    const { port } = embed ?? {};
    // Whoever frames this knows the code; there may be nobody, or none with an origin.
    if (parent !== self && /^https?:/.test(around)) {
      tell({ type: "state", state: "refused", code: portholeCode, port });
    }
  }
})();
