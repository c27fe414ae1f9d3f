import { parseArgs } from "node:util";
import manifest from "../package.json" with { type: "json" };
import { agentProblem, readAgent, releasedAgents } from "./keep-agent.ts";
import {
  backCommand,
  type Plan,
  planDeployment,
  SOON,
  type Step,
  shareCommand,
  sharesOf,
  type Wish,
} from "./release/plan.ts";
import { readWranglerConfig } from "./release/read-wrangler-config.ts";
import { readDatabases, readStanding } from "./release/standing.ts";
import { type ErrorCounts, errorsIn, healthProblem, newErrors, type Service } from "./release/watch.ts";
import { Wrangler } from "./release/wrangler.ts";
import { configProblems } from "./release/wrangler-config.ts";
import { requireRightVars } from "./vars.ts";

/**
 * `npm run deploy`: migrates every database, and then deploys this version in stages. What a stage shows to be wrong is
 * taken back. docs/operations.md tells the whole of it.
 */

const { version } = manifest;
const { values } = parseArgs({
  options: {
    "at-once": { type: "boolean", default: false },
    "secrets-file": { type: "string" },
    plan: { type: "boolean", default: false },
  },
});
const watchMs = Number(process.env.WATCH_SECONDS ?? 120) * 1000;
const config = readWranglerConfig();
const service = serviceIn(process.env, config.worker);
const wrangler = new Wrangler();
const wish: Wish = {
  atOnce: values["at-once"],
  secretsFile: values["secrets-file"] ?? null,
  canCheck: service !== null,
};

/** Stops with a clear word. */
class Stopped extends Error {}

function serviceIn(env: NodeJS.ProcessEnv, worker: string): Service | null {
  const { SERVICE_URL: url, ADMIN_TOKEN: adminToken } = env;
  if (!url || !adminToken) return null;
  return { url: url.replace(/\/+$/, ""), adminToken, worker };
}

async function deploy(): Promise<void> {
  if (!Number.isFinite(watchMs) || watchMs < 0)
    throw new Stopped("WATCH_SECONDS must be a number of seconds");
  const agent = agentProblem(await readAgent(), await releasedAgents());
  requireRightVars();
  const problems = [...configProblems(config), ...(agent === null ? [] : [agent])];
  if (problems.length > 0) throw new Stopped(problems.join("\n"));
  const databases = await readDatabases(wrangler);
  const plan = planDeployment(config, await readStanding(wrangler), databases, wish);
  if (plan.type === "refused") throw new Stopped(plan.because);
  console.log(`Version ${version}, ${plan.type === "staged" ? "in stages" : `at once: ${plan.because}`}`);
  if (values.plan) console.log(plan.steps.map(inWords).join("\n"));
  else await carryOut(plan);
}

async function carryOut(plan: Exclude<Plan, { type: "refused" }>): Promise<void> {
  const run: Run = { plan, usual: {}, id: "", isOnTrial: false };
  try {
    for (const step of plan.steps) {
      console.log(`== ${inWords(step)}`);
      await take(step, run);
    }
  } catch (error) {
    await takeBack(run, error);
  }
  console.log(`Version ${version} is deployed.`);
}

interface Run {
  readonly plan: Exclude<Plan, { type: "refused" }>;
  /** By how much errors grew before. */
  usual: ErrorCounts;
  /** The upload. */
  id: string;
  /** Whether it has a share of the traffic that it may lose again. */
  isOnTrial: boolean;
}

async function take(step: Step, run: Run): Promise<void> {
  const secrets = wish.secretsFile === null ? [] : ["--secrets-file", wish.secretsFile];
  const named = ["--tag", `v${version}`, ...secrets];
  switch (step.type) {
    case "create_database":
      return wrangler.do(["d1", "create", step.name]);
    case "migrate":
      return wrangler.do(["d1", "migrations", "apply", step.binding, "--remote"]);
    case "upload":
      if (service !== null) run.usual = await errorsIn(service, watchMs);
      run.id = await wrangler.upload(["versions", "upload", ...named]);
      return;
    case "deploy":
      run.id = await wrangler.upload(["deploy", ...named, ...SOON]);
      return;
    case "stage":
      if (run.plan.type !== "staged") return;
      run.isOnTrial = true;
      return wrangler.do(shareCommand(sharesOf(step.percent, run.id, run.plan.former)));
    case "check_health":
      return stopIf(service && (await healthProblem(service, run.id, version, watchMs)));
    case "watch_errors":
      return stopIf(service && newErrors(run.usual, await errorsIn(service, watchMs)));
    case "triggers":
      run.isOnTrial = false;
      return wrangler.do(["triggers", "deploy"]);
  }
}

function stopIf(problem: string | null): void {
  if (problem !== null) throw new Stopped(problem);
}

/** Whatever went wrong: gives everything to the former version again, where there are stages. */
async function takeBack({ plan, isOnTrial, id }: Run, error: unknown): Promise<never> {
  const problem = error instanceof Error ? error.message : String(error);
  if (plan.type === "staged" && isOnTrial) {
    await wrangler.do(backCommand(plan.former));
    throw new Stopped(`${problem}. The former version ${plan.former} has all the traffic again`);
  }
  throw new Stopped(
    id === "" ? problem : `${problem}. It is deployed all the same: npm run rollback goes back`,
  );
}

function inWords(step: Step): string {
  switch (step.type) {
    case "create_database":
      return `create the database ${step.name}`;
    case "migrate":
      return `migrate ${step.binding}`;
    case "upload":
      return "upload the new version";
    case "stage":
      return `give it ${step.percent} % of the traffic`;
    case "deploy":
      return "deploy the new version at once";
    case "check_health":
      return "check that it answers";
    case "watch_errors":
      return `count errors for ${watchMs / 1000} s`;
    case "triggers":
      return "set crons and workflows";
  }
}

await deploy().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
