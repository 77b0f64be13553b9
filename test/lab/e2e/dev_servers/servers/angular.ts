/** Angular, as `ng new` sets it up, without its tests. */
import { hotReload, interactive } from "../checks.ts";
import type { DevServer } from "../dev_server.ts";

const FILES = {
  "angular.json": JSON.stringify({
    version: 1,
    projects: {
      app: {
        projectType: "application",
        root: "",
        sourceRoot: "src",
        architect: {
          build: {
            builder: "@angular/build:application",
            options: {
              browser: "src/main.ts",
              tsConfig: "tsconfig.json",
              optimization: false,
              sourceMap: true,
            },
          },
          serve: {
            builder: "@angular/build:dev-server",
            options: { buildTarget: "app:build" },
          },
        },
      },
    },
  }),
  "tsconfig.json": JSON.stringify({
    compilerOptions: {
      target: "ES2022",
      module: "preserve",
      moduleResolution: "bundler",
      experimentalDecorators: true,
      skipLibCheck: true,
      strict: true,
    },
    files: ["src/main.ts"],
  }),
  "src/index.html": `<!doctype html>
<html lang="en"><head><base href="/"><title>Angular</title></head>
<body><app-root></app-root></body></html>
`,
  "src/main.ts": `import { Component, signal } from "@angular/core";
import { bootstrapApplication } from "@angular/platform-browser";

@Component({ selector: "app-root", templateUrl: "./app.html" })
export class App {
  readonly clicks = signal(0);
  click() { this.clicks.update((clicks) => clicks + 1); }
}
bootstrapApplication(App);
`,
  "src/app.html": `<h1>Before</h1>
<button id="count" (click)="click()">{{ clicks() }}</button>
`,
};

export const angular: DevServer = {
  name: "angular",
  title: "Angular",
  packages: {
    npm: {
      "@angular/cli": "22.2.7",
      "@angular/build": "22.2.7",
      "@angular/common": "22.2.0",
      "@angular/compiler": "22.2.0",
      "@angular/compiler-cli": "22.2.0",
      "@angular/core": "22.2.0",
      "@angular/platform-browser": "22.2.0",
      "rxjs": "7",
      "tslib": "2",
      "typescript": "~6.0",
    },
    newNode: true,
  },
  files: () => FILES,
  command: ({ port }) => [
    ...["ng", "serve", "--host", "127.0.0.1", "--port", String(port)],
  ],
  checks: [interactive(), hotReload("src/app.html")],
};
