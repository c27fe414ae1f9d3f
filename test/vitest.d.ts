import "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** Rows written over a simulated day, which `npm run bench` reads from the report. */
    costOfADay?: {
      readonly heartbeats: number;
      readonly actorRows: number;
      readonly alarmRows: number;
      readonly databaseRows: number;
      readonly largestRow: number;
    };
  }
}
