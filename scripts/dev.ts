import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { createSignInLink, createUser, request, type User } from "./client.ts";
import { freePort, prepare, readAdminToken, type Server, start, stop, untilReady } from "./server.ts";

/** `npm run dev`: first-run set-up, then a local server until it is interrupted, and how to get in. */

const LINK_MINUTES = 24 * 60;

const port = Number(process.env.PORT ?? 8787);
const stateDirectory = process.env.STATE_DIR ?? ".wrangler/state";
const secretsFile = join(import.meta.dirname, "..", ".dev.vars");
const accountFile = join(stateDirectory, "account.json");
// A developer's webhooks and channels stand on this machine.
const vars = { SIMULATION_SPEED: process.env.SIMULATION_SPEED ?? "1", ALLOW_LOOPBACK_URLS: "true" };

if ((await freePort(port)) !== port) {
  console.error(`Port ${port} is taken: choose another, as in PORT=${port + 1} npm run dev`);
  process.exit(1);
}
await prepare({ stateDirectory, secretsFile });
const server = start({ port, stateDirectory, secretsFile, vars, output: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void stop(server));
}
server.process.once("exit", (code) => {
  process.exitCode = code ?? 0;
});
await sayHowToGetIn(server).catch(async (error) => {
  // Who interrupts it while it starts wants nothing more.
  if (server.process.exitCode !== null || server.process.signalCode !== null) return;
  console.error(String(error));
  await stop(server);
  process.exitCode = 1;
});

async function sayHowToGetIn(server: Server): Promise<void> {
  await untilReady(server);
  const adminToken = await readAdminToken(secretsFile);
  const user = await accountOf(server.url, adminToken);
  const link = await createSignInLink(server.url, adminToken, user.id, LINK_MINUTES);
  console.log(`
Dumont Agent System on ${server.url}
  Sign in, once:  ${link}
  User:           ${user.id}
  User token:     ${user.token}
  Operator:       ADMIN_TOKEN in .dev.vars
`);
}

/** The account of whoever runs it here: made on the first run, and kept beside the database. */
async function accountOf(url: string, adminToken: string): Promise<User> {
  const text = await readFile(accountFile, "utf8").catch(() => null);
  const kept =
    text === null
      ? undefined
      : z.object({ id: z.string(), token: z.string() }).safeParse(JSON.parse(text)).data;
  if (kept !== undefined) {
    const isThere = await request(`${url}/api/agent/instances?limit=1`, "GET", kept.token).then(
      () => true,
      () => false,
    );
    if (isThere) return kept;
  }
  const user = await createUser(url, adminToken, "You");
  await writeFile(accountFile, JSON.stringify(user), { mode: 0o600 });
  return user;
}
