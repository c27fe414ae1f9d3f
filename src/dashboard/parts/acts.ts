import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { ask } from "../api.ts";
import { words } from "../words.ts";
import { priceOrNull } from "./money.ts";
import { doAndSay } from "./notice.tsx";

/** What the owner can ask of an instance, wherever it is offered. */

export type Act = "keep_alive" | "hibernate" | "wake";

/** Whether it can be asked of the instance as it stands. */
export function canBe(act: Act, { status, health, control }: ShownView): boolean {
  const mayRun = status === "running" || status === "orphaned" || status === "pending";
  switch (act) {
    case "keep_alive":
      return mayRun;
    case "hibernate":
      // One that was just registered is yet to be heard.
      return mayRun && control.can_hibernate && (status !== "pending" || health === "unhealthy");
    case "wake":
      return status === "hibernated" && control.can_wake;
  }
}

export const instancePath = (instanceId: string) => `/api/agent/instances/${encodeURIComponent(instanceId)}`;

/** `minutes`: as its policy says, if left out. */
export async function keepAlive(instance: ShownView, minutes?: number): Promise<void> {
  const { instance_id, name, running_cost } = instance;
  await doAndSay(
    () =>
      ask<{ valid_for_minutes: number }>(
        "POST",
        `${instancePath(instance_id)}/keep-alive`,
        minutes === undefined ? undefined : { minutes },
      ),
    ({ valid_for_minutes }) =>
      `${words.value.done.keepAlive(name, valid_for_minutes)} ${words.value.money.running(priceOrNull(running_cost), null)}`,
  );
}
