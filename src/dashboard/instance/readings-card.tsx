import { loaded } from "../parts/loaded.tsx";

/** The charts, loaded when they are first looked at. */
export const ReadingsCard = loaded(async () => (await import("./chart/history-chart.tsx")).HistoryChart);
