import { z } from "zod";
import { sight } from "../answer.ts";
import { type Progress, type Provider, ProviderError, type Target } from "../provider.ts";
import { SCALEWAY_API, type ScalewayCalls, type ScalewayCredentials, scalewayCalls, ZONES } from "./api.ts";
import { backUp, imageState } from "./image.ts";
import { listMachines } from "./listing.ts";
import { obstacleOf, type Place, placeOf, readServer, type Server, sightingOf, stateOf } from "./server.ts";

/**
 * Scaleway Instances. Only `poweroff` ends the billing of a server: in standby (`stopped in place`) it is billed in full.
 * Local volumes and addresses are kept; scratch volumes are lost.
 * https://www.scaleway.com/en/developers/api/instances/: `GET` and `DELETE /servers/{id}`, `POST /servers/{id}/action`.
 */

const takenSchema = z.object({ task: z.looseObject({}) });

/** No server has this id. */
const NO_SERVER = "00000000-0000-0000-0000-000000000000";

/** Volumes that belong to their server, and that `terminate` deletes with it. Block volumes live on. */
const OWN_VOLUMES: readonly string[] = ["l_ssd", "scratch"];

type Action = "poweron" | "poweroff" | "terminate";

export function scaleway(credentials: ScalewayCredentials, baseUrl = SCALEWAY_API): Provider {
  const calls = scalewayCalls(credentials, baseUrl);

  const powerOff = async (target: Target): Promise<Progress> => {
    const place = placeOf(target);
    const server = await readServer(calls, place);
    const state = stateOf(server.state);
    if (state === "stopped") return "done";
    if (state === "stopping") return "accepted";
    refuseObstacle(server);
    return act(calls, place, server, "poweroff");
  };

  return {
    hibernate: powerOff,
    forceHibernate: powerOff,
    wake: async (target) => {
      const place = placeOf(target);
      const server = await readServer(calls, place);
      // Whether it has come up is for a look to say.
      if (server.state === "running" || server.state === "starting") return "accepted";
      return act(calls, place, server, "poweron");
    },
    delete: async (target) => {
      const place = placeOf(target);
      const server = await readServer(calls, place);
      refuseObstacle(server);
      if (server.state !== "stopped") return act(calls, place, server, "terminate");
      await deleteStopped(calls, place, server);
      return "accepted";
    },
    snapshot: async (target) => {
      const place = placeOf(target);
      // The snapshot comes before a deletion, which would otherwise fail hours later.
      refuseObstacle(await readServer(calls, place));
      return { snapshotId: await backUp(calls, place, target), done: false };
    },
    snapshotState: (snapshotId) => imageState(calls, snapshotId),
    status: (target) => sight(async () => sightingOf(await readServer(calls, placeOf(target)))),
    list: (after) => listMachines(calls, after),
    verify: async (target) => {
      const zone = target === null ? ZONES[0] : placeOf(target).zone;
      if (target !== null) await readServer(calls, placeOf(target));
      else {
        const anyServers = z.object({ servers: z.array(z.unknown()) });
        await calls.ask({ method: "GET", zone, path: "/servers?per_page=1" }, anyServers);
      }
      await tryOut(calls, zone);
    },
  };
}

async function act(
  calls: ScalewayCalls,
  { zone, id }: Place,
  server: Server,
  action: Action,
): Promise<Progress> {
  const allowed = server.allowed_actions;
  const state = stateOf(server.state);
  if (state === "starting" || state === "stopping") {
    throw new ProviderError("unavailable", `Scaleway shows it as ${server.state}: it takes no order now`);
  }
  if (allowed != null && !allowed.includes(action)) {
    const words = allowed.length === 0 ? "nothing" : allowed.join(", ");
    throw new ProviderError(
      "refused",
      `Scaleway shows it as ${server.state}, which allows ${words}, not ${action}`,
    );
  }
  const path = `/servers/${id}/action`;
  await calls.ask({ method: "POST", zone, path, body: { action }, id }, takenSchema);
  return "accepted";
}

/** Scaleway terminates no server that is stopped, and deletes it without its volumes. */
async function deleteStopped(calls: ScalewayCalls, { zone, id }: Place, server: Server): Promise<void> {
  await calls.remove({ zone, path: `/servers/${id}`, id });
  for (const volume of Object.values(server.volumes ?? {})) {
    if (!OWN_VOLUMES.includes(volume.volume_type ?? "")) continue;
    try {
      await calls.remove({ zone, path: `/volumes/${encodeURIComponent(volume.id)}`, id: volume.id });
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      if (error.code === "not_found") continue;
      throw new ProviderError(
        "refused",
        `the server is deleted, but its volume ${volume.id} is not, and is billed: delete it at Scaleway (${error.message})`,
      );
    }
  }
}

function refuseObstacle(server: Server): void {
  const obstacle = obstacleOf(server);
  if (obstacle !== null) throw new ProviderError("refused", obstacle);
}

/**
 * A key that may only read passes up to here, so a server that can't exist is told to stop as well. It is not documented
 * whether Scaleway looks at the rights first, but nothing more can be found out without a change.
 */
async function tryOut(calls: ScalewayCalls, zone: string): Promise<void> {
  const path = `/servers/${NO_SERVER}/action`;
  try {
    await calls.ask({ method: "POST", zone, path, body: { action: "poweroff" } }, takenSchema);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.code === "unauthorised" || error.isPassing) throw error;
  }
}
