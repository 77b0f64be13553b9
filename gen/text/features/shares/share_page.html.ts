/** Generated from src/features/shares/share_page.html (`deno task gen`): edit that file, not this one. */
const text: string = `<p class="status">Porthole</p>
<h1>A preview was shared with you</h1>
<p role="status">To open it, this page needs JavaScript.</p>
<form method="dialog" hidden>
  <p hidden>
    <label>Passcode <input type="password" maxlength="100" autocomplete="off"></label>
  </p>
  <button>Open the preview</button>
</form>
`;
export default text;
