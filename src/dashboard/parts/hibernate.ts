import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { ask } from "../api.ts";
import { words } from "../words.ts";
import { confirmedWith } from "./dialog.tsx";
import { hibernateMoney } from "./money.ts";
import { doAndSay } from "./notice.tsx";

/** Hibernates the instance if the owner confirms it, with its hooks or without. */
export async function hibernateInstance(instance: ShownView): Promise<void> {
  const { instance_id, name, provider, hibernated_cost } = instance;
  const { hibernateQuestion, hibernateStakes, hibernate, comingBack } = words.value;
  const risks = comingBack.risks(provider, hibernated_cost) ?? "";
  const stakes = [hibernateStakes, hibernateMoney(instance), risks];
  const { without, prepares } = words.value.use.preparation;
  const answer = await confirmedWith(hibernateQuestion(name), stakes.join(" ").trim(), hibernate, without);
  if (answer === "no") return;
  await doAndSay(
    () =>
      ask<{ status: ShownView["status"] }>(
        "POST",
        `/api/agent/instances/${encodeURIComponent(instance_id)}/hibernate`,
        answer === "yes" ? undefined : { prepare: false },
      ),
    (asked) => (asked.status === "running" ? prepares(name) : words.value.done.hibernate(name)),
  );
}
