import { useSignal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { changeQuery } from "../../route.ts";
import { words } from "../../words.ts";
import { instanceWords } from "../words.ts";
import { Legend } from "./legend.tsx";
import { Panel } from "./panel.tsx";
import { panesOf, type Rules } from "./panes.ts";
import type { Past } from "./past.ts";
import { betweenQuery } from "./period.ts";
import { readoutAt, spokenReadout } from "./readout.ts";

/** The panes of a time below each other, with one moment in view: by the pointer, or by the keyboard. */
export function Charts({
  past,
  rules,
  nowMs,
  onWhy,
}: {
  past: Past;
  rules: Rules;
  nowMs: number;
  onWhy: (atMs: number) => void;
}) {
  const { fromMs, toMs, readings } = past;
  const panes = useMemo(() => panesOf(past, rules), [past, JSON.stringify(rules)]);
  const scene = useMemo(() => ({ ...past, first: panes[0]?.name ?? "" }), [past, panes]);
  const plots = useRef(new Map<string, uPlot>()).current;
  const moment = useSignal<number | null>(null);
  if (panes.length === 0) return <p class="faint">{words.value.noReadings}</p>;

  const zoom = (from: number, to: number) => changeQuery(betweenQuery(from * 1000, to * 1000, nowMs));
  const handlers = {
    onMoment: (seconds: number | null) => {
      moment.value = seconds;
    },
    onChosen: (seconds: number) => onWhy(seconds * 1000),
    onSpan: zoom,
  };
  const show = (seconds: number) => {
    const kept = Math.min(toMs / 1000, Math.max(fromMs / 1000, seconds));
    moment.value = kept;
    for (const plot of plots.values()) {
      plot.setCursor({ left: plot.valToPos(kept, "x"), top: 1 }, false);
    }
  };
  const step = Math.max(readings.stepSeconds, (toMs - fromMs) / 1000 / 400);
  const onKeyDown = (event: KeyboardEvent) => {
    const current = moment.peek() ?? readings.at.at(-1) ?? toMs / 1000;
    const span = (toMs - fromMs) / 1000;
    const keys: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => show(moment.peek() === null ? current : current - step * (event.shiftKey ? 10 : 1)),
      ArrowRight: () => show(moment.peek() === null ? current : current + step * (event.shiftKey ? 10 : 1)),
      PageUp: () => show(current - span / 10),
      PageDown: () => show(current + span / 10),
      Home: () => show(fromMs / 1000),
      End: () => show(toMs / 1000),
      "+": () => zoom(current - span / 4, current + span / 4),
      "-": () => zoom(current - span, current + span),
      Enter: () => onWhy(current * 1000),
      Escape: () => {
        moment.value = null;
      },
    };
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };
  return (
    <>
      <Moment past={past} panes={panes} moment={moment} />
      <Slider past={past} panes={panes} moment={moment} onKeyDown={onKeyDown}>
        {panes.map((pane, index) => (
          <Panel
            key={pane.name}
            pane={pane}
            scene={scene}
            isLast={index === panes.length - 1}
            handlers={handlers}
            plots={plots}
          />
        ))}
      </Slider>
      <Legend past={past} panes={panes} />
      <p class="faint hint">{instanceWords.value.chart.hint}</p>
    </>
  );
}

interface MomentProps {
  readonly past: Past;
  readonly panes: ReturnType<typeof panesOf>;
  readonly moment: { readonly value: number | null };
}

/** What can be read is said where one stands, by itself, since it changes with each movement. */
function Slider({
  past,
  panes,
  moment,
  onKeyDown,
  children,
}: MomentProps & { onKeyDown: (event: KeyboardEvent) => void; children: preact.ComponentChildren }) {
  const { chart } = instanceWords.value;
  const at = moment.value ?? past.toMs / 1000;
  return (
    <div
      class="panes"
      role="slider"
      tabIndex={0}
      aria-label={chart.slider}
      aria-valuemin={Math.round(past.fromMs / 1000)}
      aria-valuemax={Math.round(past.toMs / 1000)}
      aria-valuenow={Math.round(at)}
      aria-valuetext={spokenReadout(readoutAt(past, panes, at))}
      onKeyDown={onKeyDown}
    >
      {children}
    </div>
  );
}

function Moment({ past, panes, moment }: MomentProps) {
  const at = moment.value;
  const shown = readoutAt(past, panes, at ?? past.readings.at.at(-1) ?? past.toMs / 1000);
  return (
    <p class="readout" aria-hidden="true">
      <b>{shown.time}</b>
      {shown.values.map(([name, value]) => (
        <span key={name}>
          <span class="faint">{name}</span> {value}
        </span>
      ))}
      {shown.standing !== null && <span class="standing">{shown.standing}</span>}
      {shown.event !== null && <span class="event">{shown.event}</span>}
    </p>
  );
}
