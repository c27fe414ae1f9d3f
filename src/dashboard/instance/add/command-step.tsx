import { instanceAddress } from "../../address.ts";
import { fleet } from "../../fleet/fleet.ts";
import { number } from "../../format.ts";
import { InstallCommand } from "../../parts/install.tsx";
import { language } from "../../words.ts";
import { Step } from "./add-step.tsx";
import { addWords } from "./words.ts";

/** One command that holds everything, and the first heartbeat that comes of it. */
export function CommandStep({ instanceId, token }: { instanceId: string; token: string | null }) {
  const { command, heartbeat, open, another } = addWords.value;
  const live = fleet.value?.instances.find((each) => each.instance_id === instanceId);
  const hasArrived = live !== undefined && live.last_heartbeat !== null;
  const gpu = live?.gpu_utilization ?? null;
  return (
    <>
      <Step number={4} title={command.title}>
        <p class="faint">{token === null ? command.lost : command.all}</p>
        <InstallCommand instanceId={instanceId} token={token} />
      </Step>
      <Step number={5} title={heartbeat.title}>
        <p role="status" class={hasArrived ? "arrived" : "waiting"}>
          {hasArrived ? heartbeat.arrived(live.name) : heartbeat.waiting}
          {hasArrived && gpu !== null && ` ${heartbeat.gpu(`${number(gpu, language.value)}%`)}`}
        </p>
        {!hasArrived && (
          <p class="faint">
            {heartbeat.usually} {heartbeat.trouble}
          </p>
        )}
        <div class="buttons">
          <a class={hasArrived ? "button primary" : "button"} href={instanceAddress(instanceId)}>
            {open}
          </a>
          <a class="button" href="#/add">
            {another}
          </a>
        </div>
      </Step>
    </>
  );
}
