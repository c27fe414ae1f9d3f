import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { version } from "../../package.json";
import { readWranglerConfig } from "../../scripts/release/read-wrangler-config.ts";
import { Cloudflare } from "./cloudflare.ts";

/** The wrangler that is installed understands what `npm run deploy` asks of it. It speaks to this machine alone. */

const ROOT = resolve(import.meta.dirname, "../..");
const { worker, workflows, classes } = readWranglerConfig();

let cloudflare: Cloudflare;
let folder: string;

beforeEach(async () => {
  cloudflare = await Cloudflare.start(version, workflows, classes ?? "");
  folder = await mkdtemp(join(tmpdir(), "dumont-secrets-"));
});
afterEach(async () => {
  await cloudflare.stop();
  await rm(folder, { recursive: true });
});

async function deploy(...args: string[]): Promise<string> {
  const env = {
    ...process.env,
    PATH: [join(ROOT, "node_modules/.bin"), dirname(process.execPath), process.env.PATH].join(delimiter),
    CLOUDFLARE_API_BASE_URL: `${cloudflare.url}/client/v4`,
    ...{ CLOUDFLARE_API_TOKEN: "none", CLOUDFLARE_ACCOUNT_ID: "none", WRANGLER_SEND_METRICS: "false" },
    ...{ SERVICE_URL: cloudflare.url, ADMIN_TOKEN: "none", WATCH_SECONDS: "0.02" },
  };
  return new Promise((ended) => {
    execFile(process.execPath, ["scripts/deploy.ts", ...args], { cwd: ROOT, env }, (_, stdout, stderr) =>
      ended(`${stdout}${stderr}`),
    );
  });
}

it("creates and migrates the database, and then deploys for the first time", async () => {
  const secrets = join(folder, "secrets.env");
  await writeFile(secrets, "TOKEN_KEY=a\nSEAL_KEY=b\nADMIN_TOKEN=c\n");
  expect(await deploy("--secrets-file", secrets)).toContain(`Version ${version} is deployed.`);
  expect(cloudflare.done).toEqual([`create ${worker}`, "migrate", "deploy", "triggers"]);
  expect(cloudflare.unknown).toEqual([]);
});

it("migrates, uploads a version and gives it its shares", async () => {
  cloudflare.isDeployed("old", worker);
  expect(await deploy()).toContain(`Version ${version} is deployed.`);
  expect(cloudflare.done).toEqual([
    "migrate",
    "upload",
    "share new 0 old 100 (deferred)",
    "share new 10 old 90 (deferred)",
    "share new 50 old 50 (deferred)",
    "share new 100 (deferred)",
    "triggers",
  ]);
  expect(cloudflare.unknown).toEqual([]);
});
