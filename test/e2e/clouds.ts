import { type Call, FakeHttp, type Reply } from "../outside/http.ts";

/**
 * The metadata services of clouds, by their public descriptions: which machine asks. What a cloud does not know is a 404.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html (version 2, with a session);
 * https://docs.cloud.google.com/compute/docs/metadata/querying-metadata;
 * https://learn.microsoft.com/en-us/azure/virtual-machines/instance-metadata-service.
 */

type Cloud = (call: Call) => Reply;

const NOT_FOUND: Reply = { status: 404, body: "<html><body>Not found\nnothing-here</body></html>" };
const text = (body: string): Reply => ({ status: 200, body });

const EC2_SESSION = "AQAEAJ1VeeTv-d2lGo==";

export function ec2(instanceId: string): Cloud {
  return ({ method, path, headers }) => {
    if (method === "PUT" && path === "/latest/api/token") {
      const seconds = Number(headers["x-aws-ec2-metadata-token-ttl-seconds"]);
      return seconds >= 1 && seconds <= 21_600 ? text(EC2_SESSION) : { status: 400, body: "" };
    }
    if (path !== "/latest/meta-data/instance-id") return NOT_FOUND;
    return headers["x-aws-ec2-metadata-token"] === EC2_SESSION
      ? text(instanceId)
      : { status: 401, body: "Unauthorized" };
  };
}

/** A cloud that imitates only the first version, as OpenStack does. */
export function openStack(instanceId: string): Cloud {
  return ({ method, path }) =>
    method === "GET" && path === "/latest/meta-data/instance-id" ? text(instanceId) : NOT_FOUND;
}

export function google(id: string, name: string): Cloud {
  const values: Record<string, string> = {
    "instance/id": id,
    "instance/name": name,
    "instance/zone": "projects/123456789012/zones/us-central1-a",
    "project/project-id": "my-project",
  };
  return ({ path, headers }) => {
    const value = values[path.replace("/computeMetadata/v1/", "")];
    if (value === undefined) return NOT_FOUND;
    return headers["metadata-flavor"] === "Google" ? text(value) : { status: 403, body: "Forbidden" };
  };
}

export function azure(vmId: string, group: string, name: string): Cloud {
  const values: Record<string, string> = { vmId, resourceGroupName: group, name };
  return ({ path, headers }) => {
    const { pathname, searchParams } = new URL(path, "http://metadata");
    const value = values[pathname.replace("/metadata/instance/compute/", "")];
    if (value === undefined) return NOT_FOUND;
    const isRight =
      headers.metadata === "true" &&
      searchParams.get("api-version") === "2021-02-01" &&
      searchParams.get("format") === "text";
    return isRight ? text(value) : { status: 400, body: '{"error":"Bad request"}' };
  };
}

/** What a cloud says of the end of a spot machine; null as long as it goes on. */
export class Notice {
  text: string | null = null;

  /** An EC2 machine: 404 as long as there is none, and only with a session. */
  ec2(instanceId: string): Cloud {
    const machine = ec2(instanceId);
    return (call) => {
      if (call.path !== "/latest/meta-data/spot/instance-action") return machine(call);
      if (call.headers["x-aws-ec2-metadata-token"] !== EC2_SESSION) return { status: 401, body: "" };
      return this.text === null ? NOT_FOUND : text(this.text);
    };
  }

  google(id: string, name: string): Cloud {
    const machine = google(id, name);
    return (call) => {
      if (call.path !== "/computeMetadata/v1/instance/preempted") return machine(call);
      if (call.headers["metadata-flavor"] !== "Google") return { status: 403, body: "Forbidden" };
      return text(this.text ?? "FALSE");
    };
  }

  /** https://learn.microsoft.com/en-us/azure/virtual-machines/linux/scheduled-events: of each machine of a set. */
  azure(vmId: string, group: string, name: string): Cloud {
    const machine = azure(vmId, group, name);
    return (call) => {
      if (call.path !== "/metadata/scheduledevents?api-version=2020-07-01") return machine(call);
      if (call.headers.metadata !== "true") return { status: 400, body: '{"error":"Bad request"}' };
      return text(this.text ?? '{"DocumentIncarnation":1,"Events":[]}');
    };
  }
}

/** A machine's metadata service, which becomes another cloud's, or another machine's, as the test says. */
export class Metadata {
  cloud: Cloud | null;
  readonly #server: FakeHttp;

  private constructor(server: FakeHttp, cloud: Cloud | null) {
    this.#server = server;
    this.cloud = cloud;
  }

  /** Null: nobody answers in time. */
  static async start(cloud: Cloud | null): Promise<Metadata> {
    const holder: { metadata: Metadata | null } = { metadata: null };
    const server = await FakeHttp.start((call) => {
      const answering = holder.metadata?.cloud ?? null;
      return answering === null ? new Promise<Reply>(() => {}) : answering(call);
    });
    holder.metadata = new Metadata(server, cloud);
    return holder.metadata;
  }

  get url(): string {
    return this.#server.url;
  }

  get calls(): readonly Call[] {
    return this.#server.calls;
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}
