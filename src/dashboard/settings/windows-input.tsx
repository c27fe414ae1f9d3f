import type { DatedWindow, WeeklyWindow } from "../../lifecycle/model/window-settings.ts";
import { DAYS } from "../../lifecycle/model/windows.ts";
import { now } from "../clock.ts";
import { words } from "../words.ts";
import type { PolicyWindow } from "./policy-fields.ts";
import { isWeekly } from "./policy-values.ts";
import { spokenZone } from "./timezone-input.tsx";
import { dayName, endsNextDay } from "./window-words.ts";
import { fromZone, inZone, isoOf } from "./zone-time.ts";

const WORKING_HOURS: WeeklyWindow = { days: ["mon", "tue", "wed", "thu", "fri"], from: "09:00", to: "18:00" };
const HOUR_MS = 3_600_000;

/** Windows of time, row by row; where this level says nothing, those that hold can be taken over and changed. */
export function WindowsInput(props: {
  id: string;
  describedBy: string | undefined;
  /** Whether windows that come once are taken too. */
  isDated: boolean;
  /** What this level says itself. */
  value: readonly PolicyWindow[] | undefined;
  effective: readonly PolicyWindow[];
  timezone: string;
  onChange: (value: readonly PolicyWindow[] | undefined) => void;
}) {
  const { id, describedBy, isDated, value, effective, timezone, onChange } = props;
  const { windows } = words.value.policy;
  const rows = value ?? [];
  const change = (index: number, window: PolicyWindow) =>
    onChange(rows.map((each, at) => (at === index ? window : each)));
  return (
    <fieldset
      id={id}
      tabIndex={-1}
      class="windows"
      aria-labelledby={`${id}-label`}
      aria-describedby={describedBy}
    >
      {rows.map((window, index) => (
        <fieldset key={index} class="window">
          <legend class="hidden">{windows.row(index + 1)}</legend>
          {isWeekly(window) ? (
            <Weekly window={window} onChange={(changed) => change(index, changed)} />
          ) : (
            <Dated window={window} timezone={timezone} onChange={(changed) => change(index, changed)} />
          )}
          <button
            type="button"
            aria-label={words.value.of(windows.remove, windows.row(index + 1))}
            onClick={() => onChange(rows.filter((_, at) => at !== index))}
          >
            {windows.remove}
          </button>
        </fieldset>
      ))}
      <span class="buttons">
        {value === undefined && effective.length > 0 && (
          <button type="button" onClick={() => onChange(effective)}>
            {windows.setHere}
          </button>
        )}
        <button type="button" onClick={() => onChange([...rows, WORKING_HOURS])}>
          {windows.add}
        </button>
        {isDated && (
          <button type="button" onClick={() => onChange([...rows, nextHours()])}>
            {windows.addDated}
          </button>
        )}
        {value !== undefined && (
          <button type="button" onClick={() => onChange(undefined)}>
            {windows.takeBack}
          </button>
        )}
      </span>
    </fieldset>
  );
}

function Weekly({ window, onChange }: { window: WeeklyWindow; onChange: (window: WeeklyWindow) => void }) {
  const { windows } = words.value.policy;
  return (
    <>
      <fieldset class="days" aria-label={windows.days}>
        {DAYS.map((day) => (
          <label key={day} class="day">
            <input
              type="checkbox"
              aria-label={dayName(day, "long")}
              checked={window.days.includes(day)}
              onChange={({ currentTarget }) => {
                const chosen = DAYS.filter((each) =>
                  each === day ? currentTarget.checked : window.days.includes(each),
                );
                onChange({ ...window, days: chosen });
              }}
            />
            {dayName(day, "short")}
          </label>
        ))}
      </fieldset>
      <span class="moments">
        <Moment
          type="time"
          label={windows.from}
          value={window.from}
          onChange={(from) => onChange({ ...window, from })}
        />
        <Moment
          type="time"
          label={windows.to}
          value={window.to}
          onChange={(to) => onChange({ ...window, to })}
        />
        {endsNextDay(window) && <span class="faint">{windows.nextDay}</span>}
      </span>
    </>
  );
}

function Dated(props: { window: DatedWindow; timezone: string; onChange: (window: DatedWindow) => void }) {
  const { window, timezone, onChange } = props;
  const { windows } = words.value.policy;
  const moment = (name: "from" | "to") => (
    <Moment
      type="datetime-local"
      label={windows[name]}
      value={inZone(window[name], timezone)}
      onChange={(text) => onChange({ ...window, [name]: fromZone(text, timezone) ?? window[name] })}
    />
  );
  return (
    <>
      <span class="moments">
        {moment("from")}
        {moment("to")}
      </span>
      <span class="faint">{windows.inZone(spokenZone(timezone))}</span>
    </>
  );
}

function Moment(props: {
  type: "time" | "datetime-local";
  label: string;
  value: string;
  onChange: (text: string) => void;
}) {
  return (
    <label class="moment">
      <span>{props.label}</span>
      <input
        type={props.type}
        required
        value={props.value}
        onInput={({ currentTarget }) => props.onChange(currentTarget.value)}
      />
    </label>
  );
}

/** Two hours, from the next full one on. */
function nextHours(): DatedWindow {
  const fromMs = Math.ceil(now.peek() / HOUR_MS) * HOUR_MS;
  return { from: isoOf(fromMs), to: isoOf(fromMs + 2 * HOUR_MS) };
}
