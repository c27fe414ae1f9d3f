import { useEffect, useRef, useState } from "preact/hooks";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { ask } from "../api.ts";
import { refreshFleet } from "../fleet/fleet.ts";
import { dayAndTime } from "../format.ts";
import { browserTimezone } from "../language.ts";
import { doAndSay } from "../parts/notice.tsx";
import { spokenZone } from "../settings/timezone-input.tsx";
import { language, words } from "../words.ts";
import { instanceWords } from "./words.ts";

const HOURS = [1, 4] as const;

interface Props {
  readonly instance: Pick<ShownView, "name" | "status" | "keep_alive_until">;
  readonly address: string;
  readonly onDone: () => void;
}

/** For how long a machine is kept alive, or until which time of the reader's clock. */
export function KeepAlive({ instance, address, onDone }: Props) {
  const { name, status } = instance;
  const [isOpen, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const { title, hours, done } = words.value.use.keepAlive;
  const { keep } = instanceWords.value;
  if (status !== "running" && status !== "orphaned" && status !== "pending") return null;
  const keepFor = async (body: object) => {
    setOpen(false);
    await doAndSay(
      () => ask<{ keep_alive_until: string }>("POST", `${address}/keep-alive`, body),
      ({ keep_alive_until: end }) => done(name, dayAndTime(end, language.value)),
    );
    refreshFleet();
    onDone();
  };
  const close = () => {
    setOpen(false);
    opener.current?.focus();
  };
  return (
    <fieldset class="keep-alive">
      <legend class="hidden">{title}</legend>
      <span class="faint" aria-hidden="true">
        {keep.title}
      </span>
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
      <button
        ref={opener}
        type="button"
        aria-label={words.value.of(title, keep.until)}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        {keep.until}
      </button>
      {isOpen && (
        <UntilForm onKeep={(time, timezone) => keepFor({ until: time, timezone })} onClose={close} />
      )}
    </fieldset>
  );
}

function UntilForm({
  onKeep,
  onClose,
}: {
  onKeep: (time: string, timezone: string) => void;
  onClose: () => void;
}) {
  const [time, setTime] = useState("18:00");
  const field = useRef<HTMLInputElement>(null);
  const { until, today, keep } = words.value.use.keepAlive;
  const zone = browserTimezone();
  useEffect(() => field.current?.focus(), []);
  return (
    <form
      class="until"
      onSubmit={(event) => {
        event.preventDefault();
        onKeep(time, zone);
      }}
      onKeyDown={({ key }) => {
        if (key === "Escape") onClose();
      }}
    >
      <label class="moment">
        <span>{until}</span>
        <input
          ref={field}
          type="time"
          required
          aria-describedby="keep-alive-zone"
          value={time}
          onInput={({ currentTarget }) => setTime(currentTarget.value)}
        />
      </label>
      <button type="submit" class="primary">
        {keep}
      </button>
      <p id="keep-alive-zone" class="faint">
        {today(spokenZone(zone))}
      </p>
    </form>
  );
}
