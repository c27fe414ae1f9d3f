import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { now } from "../clock.ts";
import { Choices } from "../parts/choices.tsx";
import { repeat } from "../poll.ts";
import { words } from "../words.ts";
import type { Charts as ChartsComponent } from "./chart.tsx";
import { RANGES, type Range, type Readings, readReadings } from "./readings.ts";

type ChartsProps = Parameters<typeof ChartsComponent>[0];

const RANGE_NAMES: readonly Range[] = ["hour", "day", "week"];

/** The charts, for as long a time as chosen; read again at every beat, but no more than once in so long. */
export function ReadingsCard({ address, intervalSeconds }: { address: string; intervalSeconds: number }) {
  const [range, setRange] = useState<Range>("hour");
  const [shown, setShown] = useState<{ range: Range; readings: Readings; nowMs: number } | null>(null);
  const [Charts, setCharts] = useState<ComponentType<ChartsProps> | null>(null);
  useEffect(() => {
    import("./chart.tsx").then((module) => setCharts(() => module.Charts));
  }, []);
  useEffect(() => {
    let left = false;
    const loop = repeat(
      async () => {
        const nowMs = now.peek();
        const readings = await readReadings(address, range, nowMs, intervalSeconds).catch(() => null);
        if (!left && readings !== null) setShown({ range, readings, nowMs });
      },
      () => (RANGES[range] / 120) * 1000,
    );
    return () => {
      left = true;
      loop.stop();
    };
  }, [address, range, intervalSeconds]);
  return (
    <section class="card">
      <header>
        <h2>{words.value.charts}</h2>
        <Choices
          label={words.value.charts}
          choices={RANGE_NAMES}
          names={words.value.ranges}
          chosen={range}
          onChoose={setRange}
        />
      </header>
      {shown === null || Charts === null ? (
        <p class="faint">{words.value.loading}</p>
      ) : (
        <Charts readings={shown.readings} range={shown.range} nowMs={shown.nowMs} />
      )}
    </section>
  );
}
