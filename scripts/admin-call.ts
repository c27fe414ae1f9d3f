import { setTimeout as sleep } from "node:timers/promises";

/** Calls of the operator's scripts, which go on where a service is out of reach for a while. */

const TRIES = 6;

/** The operator's token: of the environment, as in a shell on somebody's machine it must not stand in the history. */
export function adminToken(): string {
  const token = process.env.ADMIN_TOKEN;
  if (token === undefined || token === "") throw new Error("set ADMIN_TOKEN in the environment");
  return token;
}

/** The answer as JSON. What may pass is tried again; anything else throws. */
export async function callAdmin(url: string, method: string, json?: unknown): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await callOnce(url, method, json);
    } catch (error) {
      if (error instanceof Refused || attempt >= TRIES) throw error;
      await sleep(500 * 2 ** attempt);
    }
  }
}

/** An answer that would be the same again. */
class Refused extends Error {}

async function callOnce(url: string, method: string, json: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method,
    headers: { Authorization: `Bearer ${adminToken()}`, "Content-Type": "application/json" },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  const message = `${method} ${url}: ${response.status} ${text.slice(0, 2000)}`;
  throw response.status === 429 || response.status >= 500 ? new Error(message) : new Refused(message);
}
