import { useWidth } from "../../parts/width.ts";
import type { FieldValue } from "../policy-fields.ts";
import type { Path } from "../policy-values.ts";
import { writeDuration } from "./durations.ts";
import {
  type Axis,
  axisOf,
  type DrawnRung,
  type Ladder,
  type LadderName,
  laddersOf,
  placeLabels,
  placeOn,
} from "./ladder.ts";
import { policyEditorWords } from "./words.ts";

const INSET = 8;
const ROW = 17;
const LANE_HEAD = 20;
/** Wide enough for the page's typeface at 12 pixels. */
const CHARACTER = 6.7;
const LABEL_GAP = 10;
const TICK_GAP = 44;

/** What a policy does over time, as it is typed: both ladders on one axis. */
export function LadderPicture({
  at,
  observes,
}: {
  /** What holds, with what is typed. */
  at: (path: Path) => FieldValue | undefined;
  observes: boolean;
}) {
  const [place, width] = useWidth();
  const ladders = laddersOf(at);
  const axis = axisOf(ladders);
  const { ladder } = policyEditorWords.value;
  const lanes = ladders.map((each) => laneOf(each, axis, width));
  let top = 0;
  const tops = lanes.map(({ height }) => {
    const own = top;
    top += height;
    return own;
  });
  return (
    <figure class={observes ? "ladder observes" : "ladder"} ref={place}>
      {width > 0 && (
        <svg width={width} height={top + 20} role="img" aria-label={ladders.map(saidOf).join(" ")}>
          {lanes.map((lane, index) => (
            <g
              key={lane.name}
              class={lane.isOn ? "lane" : "lane off"}
              transform={`translate(0 ${tops[index]})`}
            >
              <Lane lane={lane} width={width} />
            </g>
          ))}
          <Ticks axis={axis} width={width} top={top} />
        </svg>
      )}
      {observes && <figcaption class="faint">{ladder.observes}</figcaption>}
    </figure>
  );
}

interface DrawnLane extends Ladder {
  readonly height: number;
  /** Of the line. */
  readonly y: number;
  readonly marks: readonly {
    readonly rung: DrawnRung;
    readonly x: number;
    readonly left: number;
    readonly row: number;
    readonly text: string;
  }[];
}

function laneOf(ladder: Ladder, axis: Axis, width: number): DrawnLane {
  const { ladder: said } = policyEditorWords.value;
  const timed = ladder.rungs.map((rung) => {
    const name = said.rungs[ladder.name][rung.rung] ?? "";
    const text = rung.atSeconds === null ? said.never(name) : `${name} ${inWords(rung.atSeconds)}`;
    const x = rung.atSeconds === null ? width - INSET : xOf(axis, rung.atSeconds, width);
    return { rung, x, text };
  });
  const placed = placeLabels(
    timed.map(({ x, text }) => ({ at: x, width: text.length * CHARACTER })),
    width,
    LABEL_GAP,
  );
  const rows = Math.max(...placed.map(({ row }) => row)) + 1;
  const marks = timed.map((mark, index) => ({ ...mark, ...(placed[index] ?? { left: 0, row: 0 }) }));
  const y = LANE_HEAD + rows * ROW + 6;
  return { ...ladder, marks, y, height: y + 14 };
}

function Lane({ lane, width }: { lane: DrawnLane; width: number }) {
  const { ladder } = policyEditorWords.value;
  const timed = lane.marks.filter(({ rung }) => rung.atSeconds !== null);
  const ends = [...timed.slice(1).map(({ x }) => x), width - INSET];
  return (
    <>
      <text class="name" x={0} y={12}>
        {ladder.lanes[lane.name]}
        {!lane.isOn && ` · ${ladder.off}`}
      </text>
      <line class="span" x1={INSET} x2={timed[0]?.x ?? width - INSET} y1={lane.y} y2={lane.y} />
      {timed.map(({ rung, x }, index) => (
        <line
          key={rung.rung}
          class={`span ${lane.name} ${rung.rung}`}
          x1={x}
          x2={Math.max(x, ends[index] ?? x)}
          y1={lane.y}
          y2={lane.y}
        />
      ))}
      {lane.marks.map(({ rung, x, left, row, text }) => {
        const textY = lane.y - 9 - row * ROW;
        return (
          <g key={rung.rung} class={rung.isTooSoon ? `rung ${rung.rung} wrong` : `rung ${rung.rung}`}>
            {row > 0 && rung.atSeconds !== null && (
              <line class="lead" x1={x} x2={x} y1={lane.y - 5} y2={textY + 4} />
            )}
            {rung.atSeconds !== null && <circle cx={x} cy={lane.y} r={5} />}
            <text x={left} y={textY}>
              {text}
            </text>
          </g>
        );
      })}
    </>
  );
}

function Ticks({ axis, width, top }: { axis: Axis; width: number; top: number }) {
  const shown: { readonly seconds: number; readonly x: number }[] = [];
  for (const seconds of axis.ticks) {
    const x = xOf(axis, seconds, width);
    const before = shown.at(-1);
    if (before === undefined || x - before.x >= TICK_GAP) shown.push({ seconds, x });
  }
  return (
    <g class="ticks">
      {shown.map(({ seconds, x }) => (
        <g key={seconds}>
          <line x1={x} x2={x} y1={LANE_HEAD} y2={top} />
          <text x={x} y={top + 14} text-anchor={x < 24 ? "start" : x > width - 24 ? "end" : "middle"}>
            {inWords(seconds)}
          </text>
        </g>
      ))}
    </g>
  );
}

function xOf(axis: Axis, seconds: number, width: number): number {
  return INSET + placeOn(axis, seconds) * (width - 2 * INSET);
}

function inWords(seconds: number): string {
  return writeDuration(seconds, policyEditorWords.value.durations.units);
}

function saidOf({ name, isOn, rungs }: Ladder): string {
  const { ladder } = policyEditorWords.value;
  const lane = ladder.lanes[name];
  return ladder.said(lane, isOn ? rungs.map((rung) => saidRung(name, rung)) : [ladder.off]);
}

function saidRung(name: LadderName, { rung, atSeconds }: DrawnRung): string {
  const { ladder } = policyEditorWords.value;
  const text = ladder.rungs[name][rung] ?? "";
  return atSeconds === null ? ladder.neverSaid(text) : ladder.after(text, inWords(atSeconds));
}
