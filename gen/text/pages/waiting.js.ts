/** Generated from src/pages/waiting.js (`deno task gen`): edit that file, not this one. */
const text: string = `const { seconds, code } = document.currentScript.dataset;
const KEY = "porthole-waiting";
const isNobodys = origin === "null";
addEventListener("DOMContentLoaded", async () => {
  const since = waitingSince();
  const elapsed = document.getElementById("elapsed");
  elapsed.parentElement.hidden = false;
  const show = () => elapsed.textContent = duration(Date.now() - since);
  show();
  setInterval(show, 1000);
  for (;;) {
    const least = (isNobodys ? 5 : seconds) * 1000;
    await pause(Math.max(least, Math.min(30000, (Date.now() - since) / 20)));
    const { error, state } = await look();
    if (error === undefined) continue;
    if (error !== code) {
      keep(error && [since, Date.now()].join());
      if (!error && !isNobodys) dispatchEvent(new Event("porthole-ready"));
      return location.reload();
    }
    const shown = document.getElementById("state");
    if (state && shown) shown.textContent = state;
  }
});
async function look() {
  if (isNobodys) return { error: null };
  try {
    const signal = AbortSignal.timeout(5000);
    const options = {
      method: "HEAD",
      headers: { accept: "text/html" },
      cache: "no-store",
      redirect: "manual",
      signal,
    };
    const { headers } = await fetch("", options);
    return {
      error: headers.get("x-porthole-error"),
      state: headers.get("x-daytona-sandbox-state"),
    };
  } catch ({ name }) {
    return name === "TimeoutError" ? { error: null } : {};
  }
}

async function pause(ms) {
  await new Promise((resolve) => setTimeout(resolve, ms));
  if (document.hidden) {
    await new Promise((resolve) =>
      addEventListener("visibilitychange", resolve, { once: true })
    );
  }
}

function duration(ms) {
  const seconds = Math.round(ms / 1000);
  return (seconds < 60 ? "" : Math.floor(seconds / 60) + " min ") +
    seconds % 60 + " s";
}

function waitingSince() {
  try {
    const [since, at] = sessionStorage.getItem(KEY).split(",");
    keep(null);
    if (Date.now() - at < 10000) return +since;
  } catch {
    // Nothing is kept, or nothing can be.
  }
  return Date.now();
}

function keep(value) {
  try {
    if (value) sessionStorage.setItem(KEY, value);
    else sessionStorage.removeItem(KEY);
  } catch {
    // Then the time waited begins anew with each reload.
  }
}
`;
export default text;
