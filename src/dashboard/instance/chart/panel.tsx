import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { instanceWords } from "../words.ts";
import type { Pane } from "./panes.ts";
import { dataOf, drawPane, type Handlers, heightOf, rescale, type Scene } from "./plot.ts";
import { axisText, timeTexts } from "./texts.ts";

/** One pane: its canvas follows its width, its data, and whether it is dark. `plots` has it for whoever moves all together. */
export function Panel(props: {
  pane: Pane;
  scene: Scene;
  isLast: boolean;
  handlers: Handlers;
  plots: Map<string, uPlot>;
}) {
  const { pane, scene, isLast, plots } = props;
  const place = useRef<HTMLDivElement>(null);
  const newest = useRef(props);
  newest.current = props;
  const shape = JSON.stringify([
    pane.name,
    pane.lines.map(({ name }) => name),
    isLast,
    pane.top,
    pane.threshold,
  ]);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    let plot: uPlot | null = null;
    const make = () => {
      plot?.destroy();
      const { pane: current } = newest.current;
      plot = drawPane(
        element,
        current,
        () => newest.current.scene,
        { time: timeTexts, value: (value) => axisText(current.unit, value) },
        isLast,
        {
          onMoment: (seconds) => newest.current.handlers.onMoment(seconds),
          onChosen: (seconds) => newest.current.handlers.onChosen(seconds),
          onSpan: (from, to) => newest.current.handlers.onSpan(from, to),
        },
      );
      plots.set(current.name, plot);
    };
    make();
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", make);
    const observer = new ResizeObserver(() =>
      plot?.setSize({ width: element.clientWidth, height: heightOf(newest.current.pane, isLast) }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      scheme.removeEventListener("change", make);
      plot?.destroy();
      plots.delete(newest.current.pane.name);
    };
  }, [shape]);

  useEffect(() => {
    const plot = plots.get(pane.name);
    if (plot === undefined) return;
    plot.setData(dataOf(pane), false);
    rescale(plot, scene);
  }, [pane, scene]);

  return (
    <figure>
      <figcaption>{instanceWords.value.panes[pane.name]}</figcaption>
      <div ref={place} class={`plot ${pane.name}`} />
    </figure>
  );
}
