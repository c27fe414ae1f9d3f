import type { LiveView } from "../../lifecycle/views/instance-view.ts";
import { words } from "../words.ts";

/** Where an instance stands: in words, and by colour for those who see it. */
export function Badge({ instance }: { instance: Pick<LiveView, "status" | "health"> }) {
  const { status, health } = instance;
  const tone = status === "running" ? health : status;
  const remark = status === "running" && health !== "healthy" ? ` · ${words.value.health[health]}` : "";
  return (
    <span class={`badge ${tone}`}>
      {words.value.status[status]}
      {remark}
    </span>
  );
}
