import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { version } from "../../package.json";
import { readWranglerConfig } from "../../scripts/release/read-wrangler-config.ts";
import { type Call, FakeHttp } from "../outside/http.ts";
import { type Account, accountSchema } from "../scripts/fake-wrangler.ts";

/** `npm run deploy` and `npm run rollback`, as processes, with a wrangler that only says what it does. */

const ROOT = resolve(import.meta.dirname, "../..");
const { classes, workflows } = readWranglerConfig();
const NEXT = { classes: classes ?? "", workflows: [...workflows] };

let folder: string;
let service: FakeHttp;
/** Versions that are wrong, by what is wrong with them. */
let sick: "nothing" | "health" | "errors" | "metrics";
let errors: number;

beforeEach(async () => {
  [sick, errors] = ["nothing", 0];
  folder = await mkdtemp(join(tmpdir(), "dumont-wrangler-"));
  const fake = join(ROOT, "test/scripts/fake-wrangler.ts");
  await writeFile(join(folder, "wrangler"), `#!/bin/sh\nexec "${process.execPath}" "${fake}" "$@"\n`);
  await chmod(join(folder, "wrangler"), 0o755);
  service = await FakeHttp.start(async (call) =>
    call.path === "/metrics" ? metrics() : health(call, await account()),
  );
});
afterEach(async () => {
  await service.stop();
  await rm(folder, { recursive: true });
});

/** Answers as the upload that the header names, if it is deployed, else as the one with most of the traffic. */
function health({ headers }: Call, { deployments }: Account) {
  const shares = deployments.at(-1)?.versions ?? [];
  const wanted = /dumont-agent-system="(.+)"/.exec(
    String(headers["cloudflare-workers-version-overrides"]),
  )?.[1];
  const [largest] = [...shares].sort((one, other) => other.percentage - one.percentage);
  const upload = shares.some(({ version_id }) => version_id === wanted) ? wanted : largest?.version_id;
  if ((sick === "errors" || sick === "metrics") && (shares[0]?.percentage ?? 0) > 0 && shares.length > 1)
    errors += 1;
  return {
    status: sick === "health" && upload !== "old" ? 503 : 200,
    body: "{}",
    headers: { "X-Dumont-Upload": upload ?? "", "X-Dumont-Version": version },
  };
}

function metrics() {
  const body = `dumont_service_outbox_failures_total ${errors}\n`;
  // The next stage counts on.
  if (errors > 0) errors += 1;
  return { status: sick === "metrics" && errors > 0 ? 503 : 200, body };
}

async function account(): Promise<Account> {
  return accountSchema.parse(JSON.parse(await readFile(join(folder, "account.json"), "utf8")));
}

async function given(change: Partial<Account>): Promise<void> {
  const empty: Account = {
    ...{ databases: [], migrated: [], deployments: [], versions: {}, asked: [] },
    ...{ next: NEXT, failing: null },
  };
  await writeFile(join(folder, "account.json"), JSON.stringify({ ...empty, ...change }));
}

const DEPLOYED = {
  databases: ["dumont-agent-system"],
  deployments: [{ created_on: "2025-01-01T00:00:00Z", versions: [{ version_id: "old", percentage: 100 }] }],
  versions: { old: NEXT },
};

async function run(script: "deploy" | "rollback", ...args: string[]) {
  const env = {
    ...process.env,
    PATH: [folder, dirname(process.execPath), process.env.PATH].join(delimiter),
    FAKE_ACCOUNT: join(folder, "account.json"),
    ...{ SERVICE_URL: service.url, ADMIN_TOKEN: "admin", WATCH_SECONDS: "0.02" },
  };
  return new Promise<{ code: number; text: string; asked: string[]; account: Account }>((ended) => {
    execFile(
      process.execPath,
      [`scripts/${script}.ts`, ...args],
      { cwd: ROOT, env },
      (error, stdout, stderr) => {
        account().then((now) =>
          ended({ code: error === null ? 0 : 1, text: `${stdout}${stderr}`, asked: now.asked, account: now }),
        );
      },
    );
  });
}

const SOON = " --durable-objects-code-update-mode deferred 30s";

/** What was done, without questions, and with names in place of ids. */
function done(asked: readonly string[], { deployments }: Account): string[] {
  const isQuestion = / (list|status|view) ?/;
  const made = deployments.flatMap(({ versions }) => versions.map(({ version_id }) => version_id));
  return asked
    .filter((command) => !isQuestion.test(command))
    .map((command) => command.replace(SOON, ""))
    .map((command) =>
      [...new Set(made)]
        .filter((id) => id !== "old")
        .reduce((text, id, index) => text.replaceAll(id, index === 0 ? "new" : `new-${index}`), command),
    );
}

it("creates and migrates the database before the very first deployment", async () => {
  await given({});
  const { code, text, asked, account: now } = await run("deploy", "--secrets-file", "secrets.env");
  expect(text).toContain(`Version ${version} is deployed`);
  expect(code).toBe(0);
  expect(done(asked, now)).toEqual([
    "d1 create dumont-agent-system",
    "d1 migrations apply DB --remote",
    `deploy --tag v${version} --secrets-file secrets.env`,
  ]);
});

it("goes on after a first deployment that failed on the way", async () => {
  await given({ failing: "deploy --tag" });
  expect((await run("deploy", "--secrets-file", "secrets.env")).code).toBe(1);
  await given({ ...(await account()), failing: null, asked: [] });
  const { code, asked, account: now } = await run("deploy", "--secrets-file", "secrets.env");
  expect(code).toBe(0);
  expect(done(asked, now)[0]).toBe("d1 migrations apply DB --remote");
});

it("migrates, uploads, and gives the new version more and more of the traffic", async () => {
  await given(DEPLOYED);
  const { code, text, asked, account: now } = await run("deploy");
  expect(text).toContain(`Version ${version} is deployed`);
  expect(code).toBe(0);
  expect(done(asked, now)).toEqual([
    "d1 migrations apply DB --remote",
    `versions upload --tag v${version}`,
    "versions deploy new@0% old@100% -y",
    "versions deploy new@10% old@90% -y",
    "versions deploy new@50% old@50% -y",
    "versions deploy new@100% -y",
    "triggers deploy",
  ]);
});

it("uploads nothing when a migration fails", async () => {
  await given({ ...DEPLOYED, failing: "d1 migrations" });
  const { code, text, asked, account: now } = await run("deploy");
  expect(code).toBe(1);
  expect(text).toContain("wrangler d1 failed: nothing after it was done");
  expect(done(asked, now)).toEqual(["d1 migrations apply DB --remote"]);
});

it("takes a version back that does not answer, before anybody is sent to it", async () => {
  await given(DEPLOYED);
  sick = "health";
  const { code, text, account: now } = await run("deploy");
  expect(code).toBe(1);
  expect(text).toContain("/healthz answers 503. The former version old has all the traffic again");
  const shares = now.deployments.map(({ versions }) => versions.map(({ percentage }) => percentage));
  expect(shares).toEqual([[100], [0, 100], [100]]);
  expect(now.deployments.at(-1)?.versions[0]?.version_id).toBe("old");
});

it("takes a version back under which errors grow", async () => {
  await given(DEPLOYED);
  sick = "errors";
  const { code, text, account: now } = await run("deploy");
  expect(code).toBe(1);
  expect(text).toContain("dumont_service_outbox_failures_total grew by");
  expect(now.deployments.at(-1)?.versions).toEqual([{ version_id: "old", percentage: 100 }]);
  expect(
    now.deployments.flatMap(({ versions }) => versions.map(({ percentage }) => percentage)),
  ).not.toContain(50);
});

it("takes a version back when it can't be known how it is, or when a stage fails", async () => {
  await given(DEPLOYED);
  sick = "metrics";
  const unknown = await run("deploy");
  expect(unknown.code).toBe(1);
  expect(unknown.text).toContain("/metrics answers 503");
  expect(unknown.account.deployments.at(-1)?.versions).toEqual([{ version_id: "old", percentage: 100 }]);

  await given({ ...DEPLOYED, failing: "triggers" });
  sick = "nothing";
  const deployed = await run("deploy");
  expect(deployed.text).toContain("wrangler triggers failed");
  // The version itself has passed all checks by then.
  expect(deployed.account.deployments.at(-1)?.versions[0]?.version_id).not.toBe("old");
});

it("deploys a migration of classes only when it is told to, and then at once", async () => {
  const former = { ...DEPLOYED, versions: { old: { ...NEXT, classes: "v0" } } };
  await given(former);
  const refused = await run("deploy");
  expect(refused.code).toBe(1);
  expect(refused.text).toContain("npm run deploy -- --at-once");
  expect(done(refused.asked, refused.account)).toEqual([]);
  const { code, asked, account: now } = await run("deploy", "--at-once");
  expect(code).toBe(0);
  expect(done(asked, now)).toEqual(["d1 migrations apply DB --remote", `deploy --tag v${version}`]);
});

it("shows what it would do", async () => {
  await given(DEPLOYED);
  const { code, text, asked, account: now } = await run("deploy", "--plan");
  expect(code).toBe(0);
  expect(text).toMatch(/migrate DB\nupload the new version\ngive it 0 %/);
  expect(done(asked, now)).toEqual([]);
});

it("stops when it is not known what is deployed", async () => {
  await given({ ...DEPLOYED, failing: "deployments status" });
  const { code, text } = await run("deploy");
  expect(code).toBe(1);
  expect(text).toContain("it is not known what is deployed");
});

it("rolls back to the version before, at once and whole", async () => {
  await given(DEPLOYED);
  expect((await run("deploy")).code).toBe(0);
  const { code, account: now } = await run("rollback");
  expect(code).toBe(0);
  expect(now.deployments.at(-1)?.versions).toEqual([{ version_id: "old", percentage: 100 }]);
});

it("refuses to roll back past a migration of classes, and says what to do", async () => {
  await given({ ...DEPLOYED, versions: { old: { ...NEXT, classes: "v0" } } });
  expect((await run("deploy", "--at-once")).code).toBe(0);
  const before = (await account()).deployments;
  const { code, text, account: now } = await run("rollback");
  expect(code).toBe(1);
  expect(text).toContain("Deploy the former code as a new release");
  expect(now.deployments).toEqual(before);
});
