import { setTimeout as sleep } from "node:timers/promises";

/** How a version that was just deployed is: which one answers, and whether errors grow. */

export interface Service {
  readonly url: string;
  readonly adminToken: string;
  readonly worker: string;
}

/** What grows when a release is wrong. */
const ERRORS: readonly RegExp[] = [
  /^dumont_service_invariant_breaches_total\b/,
  /^dumont_service_outbox_failures_total\b/,
  /^dumont_service_deliveries_parked_total\b/,
  /^dumont_service_heartbeats_total\{.*reason="unavailable"/,
  /^dumont_service_actions_total\{.*outcome="failed"/,
  /^dumont_service_alerts_total\{.*outcome="failed"/,
];

export type ErrorCounts = Readonly<Record<string, number>>;

/** The error counters of a `/metrics` page, by their names with their labels. */
export function errorCounts(page: string): ErrorCounts {
  const series = [...page.matchAll(/^(dumont_service_\S+) (\d+(?:\.\d+)?)$/gm)];
  return Object.fromEntries(
    series
      .filter(([, name = ""]) => ERRORS.some((error) => error.test(name)))
      .map(([, name, count]) => [String(name), Number(count)]),
  );
}

/** By how much each has grown. A counter that was not there was 0. */
export function growth(before: ErrorCounts, after: ErrorCounts): ErrorCounts {
  return Object.fromEntries(
    Object.entries(after)
      .map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
      .filter(([, grown]) => grown > 0),
  );
}

/** The errors that are more than in as long a time under the former version alone; null when none are. */
export function newErrors(usual: ErrorCounts, now: ErrorCounts): string | null {
  const more = Object.entries(now).filter(([name, grown]) => grown > (usual[name] ?? 0));
  return more.length === 0
    ? null
    : more.map(([name, grown]) => `${name} grew by ${grown}, before by ${usual[name] ?? 0}`).join("; ");
}

export async function readErrors({ url, adminToken }: Service): Promise<ErrorCounts> {
  const response = await fetch(`${url}/metrics`, {
    headers: { Authorization: `Bearer ${adminToken}` },
    signal: AbortSignal.timeout(30_000),
  });
  if (!response.ok) throw new Error(`${url}/metrics answers ${response.status}: errors can't be counted`);
  return errorCounts(await response.text());
}

/** How errors grow in so long a time. */
export async function errorsIn(service: Service, ms: number): Promise<ErrorCounts> {
  const before = await readErrors(service);
  await sleep(ms);
  return growth(before, await readErrors(service));
}

/** A deployment is known everywhere after some seconds. */
const KNOWN_WITHIN_MS = 60_000;

/** Waits for at most so long until this upload answers `/healthz`. Gives back what is wrong, or null. */
export async function healthProblem(
  { url, worker }: Service,
  upload: string,
  version: string,
  patienceMs: number,
): Promise<string | null> {
  const giveUpAt = Date.now() + Math.min(patienceMs, KNOWN_WITHIN_MS);
  for (;;) {
    const problem = await oneHealthProblem(url, worker, upload, version);
    if (problem === null || Date.now() >= giveUpAt) return problem;
    await sleep(Math.min(2000, patienceMs / 10));
  }
}

async function oneHealthProblem(url: string, worker: string, upload: string, version: string) {
  // The header leads to that upload, whatever its share; where it is not obeyed, another one's id comes back.
  const headers = { "Cloudflare-Workers-Version-Overrides": `${worker}="${upload}"` };
  try {
    const response = await fetch(`${url}/healthz`, { headers, signal: AbortSignal.timeout(10_000) });
    await response.arrayBuffer();
    const answered = response.headers.get("X-Dumont-Upload");
    const said = response.headers.get("X-Dumont-Version");
    if (answered !== upload) return `/healthz is answered by upload ${answered ?? "unknown"}, not ${upload}`;
    if (!response.ok) return `/healthz answers ${response.status}`;
    return said === version ? null : `/healthz says version ${said}, not ${version}`;
  } catch (error) {
    return `/healthz does not answer: ${error instanceof Error ? error.message : error}`;
  }
}
