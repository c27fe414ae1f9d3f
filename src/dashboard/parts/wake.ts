import type { LiveView } from "../../lifecycle/views/instance-view.ts";
import { ask } from "../api.ts";
import { words } from "../words.ts";
import { confirmed } from "./dialog.tsx";
import { wakeMoney } from "./money.ts";
import { doAndSay } from "./notice.tsx";

/** Wakes the instance if the owner confirms it. */
export async function wakeInstance(
  instance: Pick<LiveView, "instance_id" | "name" | "running_cost" | "hibernated_cost">,
): Promise<void> {
  const { instance_id, name } = instance;
  const { wakeQuestion, wake } = words.value;
  if (!(await confirmed(wakeQuestion(name), wakeMoney(instance), wake))) return;
  await doAndSay(
    () => ask("POST", `/api/agent/instances/${encodeURIComponent(instance_id)}/wake`),
    () => words.value.done.wake(name),
  );
}
