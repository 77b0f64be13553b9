/** Build logs of snapshots and sandboxes, from the runners that did the builds. */
import { GatewayError } from "../../errors.ts";
import { Exchange } from "../../gateway/exchange.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { buildLogPath } from "./build_log_path.ts";
import { BUILD_LOG_ROUTES } from "./build_log_routes.ts";
import { buildLogRoute, handleBuildLog } from "./build_logs.ts";
import { BuildResolver } from "./builds.ts";

export const buildLogs: FeatureModule = {
  name: "build_logs",
  routes: BUILD_LOG_ROUTES,
  create(parts) {
    const isServed = parts.config.daytona.mode === "proxy";
    const all = { ...parts, builds: new BuildResolver(parts.api) };
    return {
      answer: {
        onBase(received, services) {
          const build = buildLogPath(received.target);
          if (build === undefined) return undefined;
          const route = buildLogRoute(received, services);
          const exchange = new Exchange(received, route, services);
          const reason = "Daytona's proxy serves it";
          const handle = () =>
            isServed
              ? handleBuildLog(exchange, build, all)
              : Promise.reject(new GatewayError("port_not_served", reason));
          return { exchange, handle };
        },
      },
    };
  },
};
