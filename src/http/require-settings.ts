import type { MiddlewareHandler } from "hono";
import { readSettings, wrongSettings } from "../platform/settings.ts";
import type { ApiEnvironment } from "./authenticate.ts";
import { misconfigured } from "./errors.ts";

/** Says on each answer that the service's time passes faster. */
export const SPEED_HEADER = "X-Simulation-Speed";

/** By wrong settings nothing is answered, but which of them are wrong. */
export const requireSettings: MiddlewareHandler<ApiEnvironment> = async (c, next) => {
  const wrong = wrongSettings(c.env);
  if (wrong !== null) throw misconfigured(wrong);
  await next();
  const { SIMULATION_SPEED: speed } = readSettings(c.env);
  // The answer that opens a WebSocket can't be changed.
  if (speed !== 1 && c.res.status !== 101) c.header(SPEED_HEADER, String(speed));
};
