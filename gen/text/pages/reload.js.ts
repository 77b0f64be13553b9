/** Generated from src/pages/reload.js (`deno task gen`): edit that file, not this one. */
const text: string = `addEventListener("click", (event) => {
  const { id, ariaDisabled } = event.target;
  if (id !== "reload") return;
  event.preventDefault();
  if (ariaDisabled !== "true") location.reload();
});
addEventListener("DOMContentLoaded", () => {
  const link = document.getElementById("reload");
  const until = Date.now() + link.dataset.seconds * 1000;
  const show = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    link.ariaDisabled = left > 0 ? "true" : null;
    link.textContent = left > 0 ? "Try again in " + left + " s" : "Try again";
    if (left > 0) setTimeout(show, 500);
  };
  if (link.dataset.seconds) show();
});
`;
export default text;
