import { useState } from "preact/hooks";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { ask } from "../api.ts";
import { refreshFleet } from "../fleet/fleet.ts";
import { dayAndTime } from "../format.ts";
import { doAndSay } from "../parts/notice.tsx";
import { spokenZone } from "../settings/timezone-input.tsx";
import { browserTimezone } from "../settings/zone-time.ts";
import { language, words } from "../words.ts";

const HOURS = [1, 4] as const;

/** For how long a machine is kept alive, or until which time of the reader's clock. */
export function KeepAlive({
  instance,
  address,
  onDone,
}: {
  instance: Pick<ShownView, "name" | "status" | "keep_alive_until">;
  address: string;
  onDone: () => void;
}) {
  const { name, status, keep_alive_until } = instance;
  const [time, setTime] = useState("18:00");
  const { title, hours, until, today, keep, kept, done } = words.value.use.keepAlive;
  if (status !== "running" && status !== "orphaned" && status !== "pending") return null;
  const keepFor = async (body: object) => {
    await doAndSay(
      () => ask<{ keep_alive_until: string }>("POST", `${address}/keep-alive`, body),
      ({ keep_alive_until: end }) => done(name, dayAndTime(end, language.value)),
    );
    refreshFleet();
    onDone();
  };
  const zone = browserTimezone();
  const submit = (event: Event) => {
    event.preventDefault();
    void keepFor({ until: time, timezone: zone });
  };
  return (
    <form class="keep-alive" onSubmit={submit}>
      <fieldset>
        <legend>{title}</legend>
        {keep_alive_until !== null && <p>{kept(dayAndTime(keep_alive_until, language.value))}</p>}
        <div class="toolbar">
          {HOURS.map((each) => (
            <button
              key={each}
              type="button"
              aria-label={words.value.of(title, hours(each))}
              onClick={() => keepFor({ minutes: each * 60 })}
            >
              {hours(each)}
            </button>
          ))}
          <label class="moment">
            <span>{until}</span>
            <input
              type="time"
              required
              aria-describedby="keep-alive-zone"
              value={time}
              onInput={({ currentTarget }) => setTime(currentTarget.value)}
            />
          </label>
          <button type="submit">{keep}</button>
        </div>
        <p id="keep-alive-zone" class="faint">
          {today(spokenZone(zone))}
        </p>
      </fieldset>
    </form>
  );
}
