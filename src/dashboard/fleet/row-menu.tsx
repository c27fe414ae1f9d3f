import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { instanceAddress } from "../address.ts";
import { type Act, canBe, keepAlive } from "../parts/acts.ts";
import { hibernateInstance } from "../parts/hibernate.ts";
import { Menu, type MenuItem } from "../parts/menu.tsx";
import { wakeInstance } from "../parts/wake.ts";
import { refreshFleet } from "./fleet.ts";
import { fleetWords } from "./words.ts";

/** What can be done about the instance of a row. */
export function RowMenu({ instance }: { instance: ShownView }) {
  const { actions, actionsOf } = fleetWords.value;
  const item = (key: string, act: Act, label: string, run: () => Promise<void>) =>
    canBe(act, instance) ? [{ key, label, run: () => void run().then(refreshFleet) }] : [];
  const items: MenuItem[] = [
    ...item("hour", "keep_alive", actions.keepHour, () => keepAlive(instance, 60)),
    ...item("four-hours", "keep_alive", actions.keepFourHours, () => keepAlive(instance, 240)),
    ...item("hibernate", "hibernate", actions.hibernate, () => hibernateInstance(instance)),
    ...item("wake", "wake", actions.wake, () => wakeInstance(instance)),
    { key: "open", label: actions.open, href: instanceAddress(instance.instance_id) },
  ];
  return (
    <Menu label={actionsOf(instance.name)} items={items}>
      <span aria-hidden="true">⋯</span>
    </Menu>
  );
}
