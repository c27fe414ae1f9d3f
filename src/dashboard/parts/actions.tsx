import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { ask } from "../api.ts";
import { refreshFleet } from "../fleet/fleet.ts";
import { words } from "../words.ts";
import { confirmedWith } from "./dialog.tsx";
import { hibernateMoney, priceOrNull } from "./money.ts";
import { doAndSay } from "./notice.tsx";
import { wakeInstance } from "./wake.ts";

/** What the owner can ask of an instance as it stands. */
export function Actions({ instance, onDone }: { instance: ShownView; onDone?: () => void }) {
  const { instance_id, name, status, health, provider, control } = instance;
  // One that was just registered is yet to be heard.
  const mayRun = status !== "pending" || health === "unhealthy";
  const { keepAlive, hibernate, wake, of } = words.value;
  const finish = () => {
    refreshFleet();
    onDone?.();
  };
  const address = `/api/agent/instances/${encodeURIComponent(instance_id)}`;
  const onKeepAlive = async () => {
    await doAndSay(
      () => ask<{ valid_for_minutes: number }>("POST", `${address}/keep-alive`),
      ({ valid_for_minutes }) =>
        `${words.value.done.keepAlive(name, valid_for_minutes)} ${words.value.money.running(priceOrNull(instance.running_cost), null)}`,
    );
    finish();
  };
  const onHibernate = async () => {
    const { hibernateQuestion, hibernateStakes, comingBack } = words.value;
    const risks = comingBack.risks(provider, instance.hibernated_cost) ?? "";
    const stakes = [hibernateStakes, hibernateMoney(instance), risks];
    const { without, prepares } = words.value.use.preparation;
    const answer = await confirmedWith(hibernateQuestion(name), stakes.join(" ").trim(), hibernate, without);
    if (answer === "no") return;
    await doAndSay(
      () =>
        ask<{ status: ShownView["status"] }>(
          "POST",
          `${address}/hibernate`,
          answer === "yes" ? undefined : { prepare: false },
        ),
      (asked) => (asked.status === "running" ? prepares(name) : words.value.done.hibernate(name)),
    );
    finish();
  };
  const onWake = async () => {
    await wakeInstance(instance);
    finish();
  };
  switch (status) {
    case "running":
    case "orphaned":
    case "pending":
      return (
        <span class="buttons">
          <button type="button" aria-label={of(keepAlive, name)} onClick={onKeepAlive}>
            {keepAlive}
          </button>
          {control.can_hibernate && mayRun && (
            <button type="button" aria-label={of(hibernate, name)} onClick={onHibernate}>
              {hibernate}
            </button>
          )}
        </span>
      );
    case "hibernated":
      if (!control.can_wake) return null;
      return (
        <span class="buttons">
          <button type="button" aria-label={of(wake, name)} onClick={onWake}>
            {wake}
          </button>
        </span>
      );
    case "hibernating":
    case "waking":
    case "deleting":
    case "deleted":
      return null;
  }
}
