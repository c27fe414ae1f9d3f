import { now } from "../clock.ts";
import { refreshFleet } from "../fleet/fleet.ts";
import { dayAndTime, price } from "../format.ts";
import { Badge } from "../parts/badge.tsx";
import { hibernateInstance } from "../parts/hibernate.ts";
import { NextStep } from "../parts/ticking.tsx";
import { wakeInstance } from "../parts/wake.ts";
import { may } from "../session.ts";
import { language, words } from "../words.ts";
import type { Detail, PartProps } from "./detail.ts";
import { KeepAlive } from "./keep-alive.tsx";
import { progressOf } from "./progress.ts";
import { instanceWords } from "./words.ts";

/** What must be known of an instance, and can be done about it, wherever on its page one is. */
export function Head({ instance, address, onChange }: PartProps) {
  const { lifecycle, rate, name, instance_id } = instance;
  const { anHour, noPrice } = instanceWords.value;
  const isNamed = name !== instance_id;
  return (
    <header class="instance-head">
      <div class="who">
        <h1>{name}</h1>
        <Badge instance={instance} />
        {isNamed && <span class="id">{instance_id}</span>}
        <span class={rate === null ? "rate faint" : "rate figure"}>
          {rate === null ? noPrice : anHour(price(rate, language.value))}
        </span>
      </div>
      <div class="ahead">
        <p class="next">
          {lifecycle.next_step === null && <span>{words.value.nothingNext}</span>}{" "}
          <NextStep lifecycle={lifecycle} />
        </p>
        <Progress instance={instance} />
      </div>
      <Acts instance={instance} address={address} onChange={onChange} />
    </header>
  );
}

/** Why the next step comes, or none does; and until when it is kept alive. */
export function Because({ instance: { lifecycle, keep_alive_until } }: { instance: Detail }) {
  return (
    <p class="because faint">
      {keep_alive_until !== null && (
        <b>{words.value.use.keepAlive.kept(dayAndTime(keep_alive_until, language.value))}</b>
      )}{" "}
      <span>{lifecycle.because}</span>
    </p>
  );
}

/** By itself, since it is drawn anew each second. */
function Progress({ instance }: { instance: Detail }) {
  const share = progressOf(instance, now.value);
  if (share === null) return null;
  return (
    <progress
      class={instance.lifecycle.next_step ?? ""}
      value={share}
      max={1}
      aria-label={instanceWords.value.progress}
    />
  );
}

function Acts({ instance, address, onChange }: PartProps) {
  const { status, health, control, name } = instance;
  const { hibernate, wake, of } = words.value;
  // One that was just registered is yet to be heard.
  const mayRun = status !== "pending" || health === "unhealthy";
  const finish = () => {
    refreshFleet();
    onChange();
  };
  if (!may("operator")) return null;
  const act = (work: typeof hibernateInstance) => async () => {
    await work(instance);
    finish();
  };
  return (
    <div class="acts">
      <KeepAlive instance={instance} address={address} onDone={finish} />
      {control.can_hibernate && mayRun && (
        <button type="button" aria-label={of(hibernate, name)} onClick={act(hibernateInstance)}>
          {hibernate}
        </button>
      )}
      {control.can_wake && (
        <button type="button" class="primary" aria-label={of(wake, name)} onClick={act(wakeInstance)}>
          {wake}
        </button>
      )}
    </div>
  );
}
