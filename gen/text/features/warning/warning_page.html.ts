/** Generated from src/features/warning/warning_page.html (`deno task gen`): edit that file, not this one. */
const text: string = `<p class="status">Before you continue</p>
<h1>Do you trust this preview?</h1>
<p class="host">{host}</p>
<p>This app runs in a Daytona sandbox. Whoever runs it decides what it shows; nobody has reviewed it.</p>
<p>Do not enter passwords, payment details or anything private unless you know and trust whoever runs it.</p>
<form method="post" action="{action}">
  <input type="hidden" name="{field}" value="{target}">
  <button>Continue to preview</button>
</form>
{newTabLink}
<p class="note">A cookie remembers your choice for this
address for 24 hours.</p>
<p class="note">Is this your preview? To skip this page, send the header
<code>X-Daytona-Skip-Preview-Warning: true</code> with your requests.</p>
`;
export default text;
