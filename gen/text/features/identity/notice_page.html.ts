/** Generated from src/features/identity/notice_page.html (`deno task gen`): edit that file, not this one. */
const text: string = `<p class="status">Before you continue</p>
<h1>This app asks who you are</h1>
<p class="host">{host}</p>
<p>It runs in the sandbox <span class="name">{sandbox}</span>, and knows you by a pseudonym. If you continue, whoever runs it also gets:</p>
<ul>{claims}</ul>
<form method="post">
  <button name="tell" value="yes">Continue</button>
  <button class="quiet" name="tell" value="no">Continue without</button>
</form>
<p
  class="note">The answer counts for all apps in that sandbox, until you log out
or your login ends.</p>
`;
export default text;
