import { join } from "node:path";
import { prepare, start, stop } from "./server.ts";

/** `npm run dev`: first-run set-up, then a local server until it is interrupted. */

const port = Number(process.env.PORT ?? 8787);
const stateDirectory = process.env.STATE_DIR ?? ".wrangler/state";
const secretsFile = join(import.meta.dirname, "..", ".dev.vars");
// A developer's webhooks and channels stand on this machine.
const vars = { SIMULATION_SPEED: process.env.SIMULATION_SPEED ?? "1", ALLOW_LOOPBACK_URLS: "true" };

await prepare({ stateDirectory, secretsFile });
console.log(`Dumont Agent System on http://127.0.0.1:${port} (admin token: ADMIN_TOKEN in .dev.vars)`);
const server = start({ port, stateDirectory, secretsFile, vars, output: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void stop(server));
}
server.process.once("exit", (code) => {
  process.exitCode = code ?? 0;
});
