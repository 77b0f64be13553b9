/** Generated from src/features/identity/notice.html (`deno task gen`): edit that file, not this one. */
const text: string = `<p class="status">Before you continue</p>
<h1>This app is told who you are</h1>
<p class="host">{host}</p>
<p>You have logged in, and this app asks who its visitors are. Whoever runs it gets:</p>
<ul>{told}</ul>
<form method="post" action="{action}">
  <button>Continue to preview</button>
</form>
<p class="note">If you do not want that, close this page. A cookie remembers,
for this address, that you have read it.</p>
`;
export default text;
