// The page of a share link: after a press, it exchanges the secret in its address for the way to the preview. What scans
// links by running pages presses nothing, and so uses nothing up. Whatever it shows is text and nothing else.
(() => {
  const { hash, pathname } = location;
  history.replaceState(null, "", pathname); // nobody is to see the secret there
  const [state, form, field, passcode, button] = [
    "[role]",
    "form",
    "form p",
    "input",
    "button",
  ].map((each) => document.querySelector(each));
  const kept = inTab((storage) => storage.getItem(pathname));
  inTab((storage) => storage.removeItem(pathname));
  const secret = hash.slice(1) || kept;
  let isBusy = false;

  /** What comes of something done to what the tab keeps; null if the browser keeps nothing. */
  function inTab(act) {
    try {
      return act(sessionStorage);
    } catch {
      return null;
    }
  }

  /** True if the preview is on its way, so that nobody uses another use up meanwhile. */
  async function open() {
    const response = await fetch(pathname, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ secret, passcode: passcode.value || undefined }),
      cache: "no-store",
    });
    const answer = await response.json();
    if (response.ok) {
      location.replace(answer.location);
      form.hidden = true; // it stays where the preview is a download
      state.textContent = "The preview is on its way.";
      return true;
    }
    const { portholeCode, loginUrl, message, hint = "" } = answer;
    if (loginUrl) {
      inTab((storage) => storage.setItem(pathname, secret)); // for the way back
      location.assign(loginUrl);
      return false;
    }
    state.textContent = `${message} ${hint}`;
    if (portholeCode.startsWith("passcode_")) {
      field.hidden = false;
      passcode.required = true;
      passcode.focus();
      passcode.select();
    }
    return false;
  }

  onhashchange = () => location.reload(); // the same link once more, or another one to the same share

  button.onclick = async (event) => {
    event.preventDefault();
    // No script's click counts; and for a form that a script sends, there is nothing to do.
    if (!event.isTrusted || isBusy || !form.reportValidity()) return;
    isBusy = true;
    state.textContent = "One moment.";
    try {
      isBusy = await open();
    } catch {
      isBusy = false;
      state.textContent = "The gateway did not answer. Try again in a moment.";
    }
  };

  state.textContent = secret
    ? ""
    : "A part of the link is missing. Open it again from where you got it.";
  form.hidden = !secret;
})();
