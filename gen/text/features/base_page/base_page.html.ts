/** Generated from src/features/base_page/base_page.html (`deno task gen`): edit that file, not this one. */
const text: string = `<p class="status brand">{icon} Porthole</p>
<h1>Previews of Daytona sandboxes</h1>
<p>What listens on a port of a sandbox is shown at an address of its own:</p>
<p class="host">{port}-{sandbox}.{authority}</p>
<form action="{action}">{fault}
<div class="fields">
<label>Port
<input name="port" inputmode="numeric" pattern="[1-9][0-9]{0,4}" placeholder="3000" value="{typedPort}"{faulty}></label>
<label>Sandbox
<input name="sandbox" required autocapitalize="none" spellcheck="false" placeholder="ID or address" value="{typedSandbox}"{faulty}></label>
</div>
<button>Open the preview</button>{buttons}
</form>{links}{user}
<p class="note foot"><a href="/docs">Documentation</a>{logout}
<span>Porthole {version}</span></p>
`;
export default text;
