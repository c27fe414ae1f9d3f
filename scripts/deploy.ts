import { parseArgs } from "node:util";
import manifest from "../package.json" with { type: "json" };
import { agentProblem, readAgent, releasedAgents } from "./keep-agent.ts";
import { readSettings } from "./release/config.ts";
import { type Plan, planDeployment, type Step, shareCommand, sharesOf, type Wish } from "./release/plan.ts";
import { settingsProblems } from "./release/settings.ts";
import { readDatabases, readStanding } from "./release/standing.ts";
import { type ErrorCounts, errorsIn, healthProblem, newErrors, type Service } from "./release/watch.ts";
import { Wrangler } from "./release/wrangler.ts";

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
const settings = readSettings();
const service = serviceIn(process.env, settings.worker);
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
  const problems = [...settingsProblems(settings), ...(agent === null ? [] : [agent])];
  if (problems.length > 0) throw new Stopped(problems.join("\n"));
  const databases = await readDatabases(wrangler);
  const plan = planDeployment(settings, await readStanding(wrangler), databases, wish);
  if (plan.type === "refused") throw new Stopped(plan.because);
  console.log(`Version ${version}, ${plan.type === "staged" ? "in stages" : `at once: ${plan.because}`}`);
  if (values.plan) console.log(plan.steps.map(inWords).join("\n"));
  else await carryOut(plan);
}

async function carryOut(plan: Exclude<Plan, { type: "refused" }>): Promise<void> {
  const upload = [
    "--tag",
    `v${version}`,
    ...(wish.secretsFile === null ? [] : ["--secrets-file", wish.secretsFile]),
  ];
  let usual: ErrorCounts = {};
  let id = "";
  for (const step of plan.steps) {
    console.log(`== ${inWords(step)}`);
    switch (step.type) {
      case "create_database":
        await wrangler.do(["d1", "create", step.name]);
        break;
      case "migrate":
        await wrangler.do(["d1", "migrations", "apply", step.binding, "--remote"]);
        break;
      case "upload":
        if (service !== null) usual = await errorsIn(service, watchMs);
        id = await wrangler.upload(["versions", "upload", ...upload]);
        break;
      case "deploy":
        id = await wrangler.upload(["deploy", ...upload]);
        break;
      case "stage":
        if (plan.type === "staged") await wrangler.do(shareCommand(sharesOf(step.percent, id, plan.former)));
        break;
      case "check_health":
        if (service !== null) await stopIf(plan, await healthProblem(service, id, version, watchMs));
        break;
      case "watch_errors":
        if (service !== null) await stopIf(plan, newErrors(usual, await errorsIn(service, watchMs)));
        break;
      case "triggers":
        await wrangler.do(["triggers", "deploy"]);
        break;
    }
  }
  console.log(`Version ${version} is deployed.`);
}

/** Gives everything back to the former version, where there are stages. */
async function stopIf(plan: Plan, problem: string | null): Promise<void> {
  if (problem === null) return;
  if (plan.type !== "staged")
    throw new Stopped(`${problem}. It is deployed all the same: npm run rollback goes back`);
  await wrangler.do(shareCommand([{ version: plan.former, percent: 100 }]));
  throw new Stopped(`${problem}. The former version ${plan.former} has all the traffic again`);
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
