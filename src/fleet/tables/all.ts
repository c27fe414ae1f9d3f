import { Digests } from "../tasks/digests.ts";
import { Admissions } from "./admissions.ts";
import { AskedHibernations } from "./asked-hibernations.ts";
import { Channels } from "./channels.ts";
import { Confirmations } from "./confirmations.ts";
import { Connections } from "./connections.ts";
import { InstanceCosts } from "./costs.ts";
import { Deliveries } from "./deliveries.ts";
import { RecentEvents } from "./events.ts";
import { Everyone } from "./everyone.ts";
import { Inventory } from "./inventory.ts";
import { Machines } from "./machines.ts";
import { OpenAlerts } from "./open-alerts.ts";
import { Previews } from "./previews.ts";
import { Rates } from "./rates.ts";
import { Registry } from "./registry.ts";
import { Retries } from "./retries.ts";
import { Snoozes } from "./snoozes.ts";

/** All that a fleet keeps, but for its state. */
export class FleetTables {
  readonly registry: Registry;
  readonly rates: Rates;
  readonly events: RecentEvents;
  readonly openAlerts: OpenAlerts;
  readonly snoozes: Snoozes;
  readonly channels: Channels;
  readonly confirmations: Confirmations;
  readonly everyone: Everyone;
  readonly machines: Machines;
  readonly inventory: Inventory;
  readonly connections: Connections;
  readonly costs: InstanceCosts;
  readonly deliveries: Deliveries;
  readonly digests: Digests;
  readonly retries: Retries;
  readonly admissions: Admissions;
  readonly asked: AskedHibernations;
  readonly previews: Previews;

  constructor(sql: SqlStorage) {
    this.registry = new Registry(sql);
    this.rates = new Rates(sql);
    this.events = new RecentEvents(sql);
    this.openAlerts = new OpenAlerts(sql);
    this.snoozes = new Snoozes(sql);
    this.channels = new Channels(sql);
    this.confirmations = new Confirmations(sql);
    this.everyone = new Everyone(sql);
    this.machines = new Machines(sql);
    this.inventory = new Inventory(sql);
    this.connections = new Connections(sql);
    this.costs = new InstanceCosts(sql);
    this.deliveries = new Deliveries(sql);
    this.retries = new Retries(sql);
    this.admissions = new Admissions(sql);
    this.asked = new AskedHibernations(sql);
    this.previews = new Previews(sql);
    this.digests = new Digests(this);
  }
}
