import fc from "fast-check";
import { heartbeatSchema } from "../../src/lifecycle/model/heartbeat.ts";
import { DEFAULT_SOURCES } from "../../src/lifecycle/model/source-settings.ts";

/** Reports as agents may send them, most of them near some threshold. */

export const orNull = <T>(values: fc.Arbitrary<T>) => fc.option(values, { freq: 4 });

const percent = fc.oneof(
  fc.constantFrom(0, 2.9, 3, 5, 19, 20, 100),
  fc.double({ min: 0, max: 100, noNaN: true }),
);

/** Around the default thresholds, which the policies below move. */
export const value = fc.oneof(
  fc.constantFrom(0, 0.4, 0.5, 1, 2, 499, 500, 2000),
  fc.double({ min: 0, max: 1e9, noNaN: true }),
);

const sourceName = fc.constantFrom(
  ...Object.keys(DEFAULT_SOURCES),
  "other",
  "work_vllm",
  "work_tgi",
  "script_rendering",
  "script_idle",
  "printer",
  "constructor",
);

export const reports = fc
  .record({
    gpu_utilization: orNull(percent),
    gpu_utilization_max: orNull(percent),
    cpu_utilization: orNull(percent),
    cost_accumulated: orNull(fc.double({ min: 0, max: 1e9, noNaN: true })),
    status: fc.constantFrom(null, "running", "preparing", "läuft 🖥"),
    activity: orNull(fc.dictionary(fc.constantFrom("ssh_sessions", "busy_kernels"), fc.nat(2))),
    sources: orNull(fc.array(fc.record({ name: sourceName, value: orNull(value) }), { maxLength: 6 })),
    gpus: orNull(
      fc.array(
        fc.record(
          { index: fc.nat(7), utilization: orNull(percent), utilization_max: orNull(percent) },
          { requiredKeys: ["index"] },
        ),
        { maxLength: 3 },
      ),
    ),
    preparation: orNull(
      fc.record({ state: fc.constantFrom("running", "succeeded", "failed"), seconds: fc.nat(100) }),
    ),
  })
  .map((report) => heartbeatSchema.parse(report));
