/** Generated from src/features/abuse/report_page.html (`deno task gen`): edit that file, not this one. */
const text: string = `<h1>Report a preview</h1>
<p>If a preview here deceives or harms people, tell the operator.</p>
<form method="post">
  <p><label>Its address<br>
<input name="url" type="url" required maxlength="2000"></label></p>
  <p><label>What is wrong with it<br>
<input name="reason" required maxlength="2000"></label></p>
  <p><label>How to reach you, if you like<br>
<input name="contact" maxlength="200"></label></p>
  <button>Report it</button>
</form>
`;
export default text;
