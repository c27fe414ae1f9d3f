import { FleetActor } from "../../src/fleet/actor.ts";
import type { Report } from "../../src/fleet/report.ts";
import type { Platform } from "./platform.ts";
import { SqliteHost } from "./sqlite-host.ts";

/** The object of a user's fleet. */
export class FleetHost extends SqliteHost {
  constructor(platform: Platform, userId: string) {
    super(platform, "fleet", userId, (context, bindings) =>
      Reflect.construct(FleetActor, [context, bindings]),
    );
  }

  /** The user sets other credentials, if the fleet has any yet. */
  setCredentials(at: number): void {
    const [table] = this.rows("SELECT 1 FROM sqlite_master WHERE name = 'credentials'");
    if (table !== undefined) this.rows("UPDATE credentials SET set_at = ?", at);
  }

  override async call(method: string, parameters: readonly unknown[]): Promise<unknown> {
    const answer = await super.call(method, parameters);
    const [report] = parameters;
    if (method === "report" && isReport(report)) {
      const { now: at } = this.platform.scheduler;
      const { instanceId, row } = report;
      const instance = `${this.name}/${instanceId}`;
      this.platform.onHappening({ type: "reported", at, instance, revision: row.revision });
    }
    return answer;
  }
}

function isReport(value: unknown): value is Report {
  return typeof value === "object" && value !== null && "instanceId" in value && "row" in value;
}
