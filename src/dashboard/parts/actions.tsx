import { CALLED_PROVIDERS } from "../../lifecycle/model/provider.ts";
import type { LiveView } from "../../lifecycle/views/instance-view.ts";
import { ask } from "../api.ts";
import { refreshFleet } from "../fleet/fleet.ts";
import { words } from "../words.ts";
import { confirmed } from "./dialog.tsx";
import { doAndSay } from "./notice.tsx";
import { wakeInstance } from "./wake.ts";

/** What the owner can ask of an instance as it stands. */
export function Actions({ instance, onDone }: { instance: LiveView; onDone?: () => void }) {
  const { instance_id, name, status, health, provider } = instance;
  const mayRun = health === "unhealthy" && CALLED_PROVIDERS.some((kind) => kind === provider);
  const { keepAlive, hibernate, wake, of } = words.value;
  const finish = () => {
    refreshFleet();
    onDone?.();
  };
  const address = `/api/agent/instances/${encodeURIComponent(instance_id)}`;
  const onKeepAlive = async () => {
    await doAndSay(
      () => ask<{ valid_for_minutes: number }>("POST", `${address}/keep-alive`),
      ({ valid_for_minutes }) => words.value.done.keepAlive(name, valid_for_minutes),
    );
    finish();
  };
  const onHibernate = async () => {
    const { hibernateQuestion, hibernateStakes, comingBack } = words.value;
    const stakes = [hibernateStakes, comingBack.risks(provider, instance.hibernated_cost) ?? ""];
    if (!(await confirmed(hibernateQuestion(name), stakes.join(" ").trim(), hibernate))) return;
    await doAndSay(
      () => ask("POST", `${address}/hibernate`),
      () => words.value.done.hibernate(name),
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
          {(status !== "pending" || mayRun) && (
            <button type="button" aria-label={of(hibernate, name)} onClick={onHibernate}>
              {hibernate}
            </button>
          )}
        </span>
      );
    case "hibernated":
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
