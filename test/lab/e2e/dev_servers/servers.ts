/** The dev servers, in the order of the table. */
import type { DevServer } from "./dev_server.ts";
import { angular } from "./servers/angular.ts";
import { astro, astro5 } from "./servers/astro.ts";
import { codeServer } from "./servers/code_server.ts";
import { createReactApp } from "./servers/create_react_app.ts";
import { django } from "./servers/django.ts";
import { express } from "./servers/express.ts";
import { flask } from "./servers/flask.ts";
import { flaskSocketio } from "./servers/flask_socketio.ts";
import { fullStack, fullStackFastapi } from "./servers/full_stack.ts";
import { jupyter } from "./servers/jupyter.ts";
import { next, nextAnywhere } from "./servers/next.ts";
import { nuxt } from "./servers/nuxt.ts";
import { parcel } from "./servers/parcel.ts";
import { php } from "./servers/php.ts";
import { rails } from "./servers/rails.ts";
import { reactRouter } from "./servers/react_router.ts";
import { rsbuild } from "./servers/rsbuild.ts";
import { sinatra } from "./servers/sinatra.ts";
import { storybook } from "./servers/storybook.ts";
import { sveltekit } from "./servers/sveltekit.ts";
import { vite } from "./servers/vite.ts";
import { vueCli } from "./servers/vue_cli.ts";
import { webpack } from "./servers/webpack.ts";

/** All of them. */
export const SERVERS: readonly DevServer[] = [
  vite,
  fullStack,
  fullStackFastapi,
  next,
  nextAnywhere,
  webpack,
  createReactApp,
  vueCli,
  angular,
  nuxt,
  sveltekit,
  astro5,
  astro,
  reactRouter,
  parcel,
  rsbuild,
  storybook,
  express,
  codeServer,
  jupyter,
  django,
  flask,
  flaskSocketio,
  rails,
  sinatra,
  php,
];
