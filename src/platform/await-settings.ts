import type { WorkflowStep } from "cloudflare:workers";
import { readSettings, type Vars, wrongSettings } from "./settings.ts";

/** About a month: by then the operator has seen it. */
const PATIENCE = {
  retries: { limit: 9_000, delay: "5 minutes", backoff: "constant" },
  timeout: "1 minute",
} as const;

/** A workflow does nothing by wrong settings: it waits, before its first step, until they are mended. */
export async function awaitSettings(env: Vars, step: WorkflowStep): Promise<void> {
  if (wrongSettings(env) === null) return;
  await step.do("wait for right settings", PATIENCE, async () => void readSettings(env));
}
