import type { LiveView } from "../../lifecycle/views/instance-view.ts";
import { ask } from "../api.ts";
import { price } from "../format.ts";
import { language, words } from "../words.ts";
import { confirmed } from "./dialog.tsx";
import { doAndSay } from "./notice.tsx";

/** Wakes the instance if the owner confirms it. */
export async function wakeInstance({
  instance_id,
  name,
  hourly_cost,
}: Pick<LiveView, "instance_id" | "name" | "hourly_cost">): Promise<void> {
  const { wakeQuestion, wakeStakes, wakeStakesUnknown, wake } = words.value;
  const stakes = hourly_cost === null ? wakeStakesUnknown : wakeStakes(price(hourly_cost, language.value));
  if (!(await confirmed(wakeQuestion(name), stakes, wake))) return;
  await doAndSay(
    () => ask("POST", `/api/agent/instances/${encodeURIComponent(instance_id)}/wake`),
    () => words.value.done.wake(name),
  );
}
