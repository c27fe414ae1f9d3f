import { Agent, request } from "node:http";
import { z } from "zod";

/** The load, as a process of its own: told a service and its instances, it beats for a while and tells how long each took. */

const orderSchema = z.object({
  url: z.string(),
  instances: z.array(z.object({ id: z.string(), token: z.string() })),
  durationMs: z.number(),
  expectedStatus: z.number(),
});

export type LoadOrder = z.infer<typeof orderSchema>;

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

process.on("message", async (message) => {
  const { url, instances, durationMs, expectedStatus } = orderSchema.parse(message);
  const endsAt = performance.now() + durationMs;
  const latenciesMs: number[] = [];
  await Promise.all(
    instances.map(async ({ id, token }) => {
      const body = JSON.stringify({
        instance_id: id,
        gpu_utilization: 87,
        vram_used_gb: 18.4,
        cpu_utilization: 45,
        ram_used_gb: 12.0,
        disk_used_gb: 45.2,
        cost_accumulated: 2.4,
        status: "running",
        uptime_seconds: 7200,
      });
      while (performance.now() < endsAt) {
        const sentAt = performance.now();
        const status = await post(`${url}/api/agent/status`, token, body);
        if (status !== expectedStatus) throw new Error(`a heartbeat was answered ${status}`);
        latenciesMs.push(performance.now() - sentAt);
      }
    }),
  );
  process.send?.(latenciesMs);
});

function post(url: string, token: string, body: string): Promise<number | undefined> {
  return new Promise((answered, failed) => {
    const headers = {
      Authorization: `Bearer ${token}`,
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(body),
    };
    request(url, { method: "POST", agent, headers }, (response) => {
      response.resume().once("end", () => answered(response.statusCode));
    })
      .once("error", failed)
      .end(body);
  });
}
