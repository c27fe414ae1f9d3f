import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { ask } from "../api.ts";
import { refreshFleet } from "../fleet/fleet.ts";
import { words } from "../words.ts";
import { hibernateInstance } from "./hibernate.ts";
import { priceOrNull } from "./money.ts";
import { doAndSay } from "./notice.tsx";
import { wakeInstance } from "./wake.ts";

/** What the owner can ask of an instance as it stands. */
export function Actions({ instance, onDone }: { instance: ShownView; onDone?: () => void }) {
  const { instance_id, name, status, health, control } = instance;
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
    await hibernateInstance(instance);
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
