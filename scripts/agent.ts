import { setTimeout as sleep } from "node:timers/promises";
import type { Behaviour } from "./behaviour.ts";
import { keepAlive, registerInstance, sendHeartbeat } from "./client.ts";

export interface AgentOptions {
  readonly url: string;
  readonly userToken: string;
  readonly instanceId: string;
  readonly name: string;
  readonly behaviour: Behaviour;
  /** Who carries actions out on it, and its own overrides of the policy. */
  readonly provider?: string;
  readonly policy?: Record<string, unknown>;
  /** How much faster than life the instance lives. */
  readonly speed: number;
  readonly signal: AbortSignal;
  /** Hears of each heartbeat that was not accepted. */
  readonly onError: (error: unknown) => void;
}

const MINUTE_MS = 60_000;
const HOURLY_COST = 0.4;

/**
 * Lives as one instance with its agent until `signal` aborts: registers, beats as its behaviour says and as often as
 * the server asks, and obeys when told to hibernate.
 */
export async function runAgent(options: AgentOptions): Promise<void> {
  const { url, userToken, instanceId, behaviour, speed, signal } = options;
  const token = await registerInstance(url, userToken, {
    instance_id: instanceId,
    name: options.name,
    hourly_cost: HOURLY_COST,
    hibernated_hourly_cost: 0.01,
    provider: options.provider ?? "agent",
    policy: options.policy ?? {},
  });
  const startedAt = performance.now();
  const minuteNow = () => ((performance.now() - startedAt) * speed) / MINUTE_MS;
  let intervalMs = MINUTE_MS / speed;
  let keepAliveAtMinute = 0;
  let nextAt = startedAt;
  while (!signal.aborted) {
    const minute = minuteNow();
    try {
      const reading = behaviour.readingAt(minute);
      if (reading !== null) {
        const report = {
          instance_id: instanceId,
          ...reading,
          cost_accumulated: (minute / 60) * HOURLY_COST,
          uptime_seconds: Math.round(minute * 60),
        };
        const answer = await sendHeartbeat(url, token, { ...report, status: "running" });
        intervalMs = answer.next_heartbeat_in_seconds * 1000;
        if (answer.actions.some(({ type }) => type === "hibernate")) {
          await sendHeartbeat(url, token, { ...report, status: "hibernating" });
          return;
        }
      }
      if (behaviour.keepAliveEveryMinutes !== null && minute >= keepAliveAtMinute) {
        await keepAlive(url, userToken, instanceId);
        keepAliveAtMinute = minute + behaviour.keepAliveEveryMinutes;
      }
    } catch (error) {
      if (!signal.aborted) options.onError(error);
    }
    // Beats keep to their own grid, so that a slow answer does not make the next one late.
    nextAt = Math.max(nextAt + intervalMs, performance.now());
    await sleep(Math.max(0, nextAt - performance.now()), undefined, { signal }).catch(() => undefined);
  }
}
