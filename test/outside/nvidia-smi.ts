/**
 * What nvidia-smi prints. No GPU was at hand: the forms and the words are those of NVIDIA's manual
 * (https://man.archlinux.org/man/nvidia-smi.1.raw) and of what people pasted at the addresses named below; the numbers are made up.
 */

/** The fields of one GPU, as `--query-gpu` prints them with `--format=csv,noheader,nounits`. */
export type Fields = Readonly<Record<string, string>>;

export interface NvidiaSmi {
  readonly name: string;
  /** Where somebody shows this form. */
  readonly source: string;
  readonly gpus: readonly Fields[];
  /** `-q -d UTILIZATION`. */
  readonly utilization: string;
  /** The fields of `--query-compute-apps`; a text is what it prints instead. */
  readonly apps: readonly Fields[] | string;
  /** What a heartbeat must say of each GPU, and of the busiest. */
  readonly expected: {
    readonly highest: number | null;
    readonly gpus: readonly {
      readonly utilization_max: number | null;
      readonly power_watts: number | null;
      readonly power_limit_watts: number | null;
      readonly compute_processes: number | null;
    }[];
  };
}

/** A log of `-q -d UTILIZATION` with these blocks. */
function log(driver: string, gpus: readonly { readonly bus: string; readonly block: string }[]): string {
  return `
==============NVSMI LOG==============

Timestamp                                 : Fri Nov 27 10:00:00 2026
Driver Version                            : ${driver}
CUDA Version                              : 12.2

Attached GPUs                             : ${gpus.length}
${gpus.map(({ bus, block }) => `GPU ${bus}\n${block}`).join("\n")}
`;
}

/** One GPU's block; `percents` are of this moment, and the highest, lowest and mean of what the driver remembers. */
function block(
  percents: readonly [string, string, string, string],
  words: readonly string[] = ["Gpu"],
): string {
  const [now, highest, lowest, average] = percents;
  const [gpu = "Gpu"] = words;
  const line = (name: string, value: string) => `        ${name.padEnd(34)}: ${value}`;
  const samples = (name: string, of: readonly string[]) =>
    [
      `    ${name} Utilization Samples`,
      line("Duration", of[0] === "N/A" ? "N/A" : "14.20 sec"),
      line("Number of Samples", of[0] === "N/A" ? "N/A" : "71"),
      line("Max", of[0] ?? ""),
      line("Min", of[1] ?? ""),
      line("Avg", of[2] ?? ""),
    ].join("\n");
  return [
    "    Utilization",
    line(gpu, now),
    line("Memory", now === "N/A" ? "N/A" : "61 %"),
    line("Encoder", now === "N/A" ? "N/A" : "0 %"),
    line("Decoder", now === "N/A" ? "N/A" : "0 %"),
    line("JPEG", now === "N/A" ? "N/A" : "0 %"),
    line("OFA", now === "N/A" ? "N/A" : "0 %"),
    samples("GPU", [highest, lowest, average]),
    // Higher than the GPU's own: whoever takes the wrong block is found out.
    samples("Memory", highest === "N/A" ? ["N/A", "N/A", "N/A"] : ["99 %", "98 %", "99 %"]),
    samples("ENC", ["0 %", "0 %", "0 %"]),
    samples("DEC", ["0 %", "0 %", "0 %"]),
  ].join("\n");
}

const uuid = (digit: number) => `GPU-0000000${digit}-1111-2222-3333-444444444444`;

function gpu(index: number, name: string, more: Fields): Fields {
  return {
    index: String(index),
    uuid: uuid(index),
    gpu_uuid: uuid(index),
    name,
    gpu_name: name,
    "pci.bus_id": `00000000:0${index + 1}:00.0`,
    ...more,
  };
}

const app = (of: number, pid: number, mib: string): Fields => ({
  gpu_uuid: uuid(of),
  gpu_bus_id: `00000000:0${of + 1}:00.0`,
  pid: String(pid),
  process_name: "/usr/bin/python3, -c run",
  name: "/usr/bin/python3, -c run",
  used_gpu_memory: mib,
  used_memory: mib,
});

const H100 = { "memory.used": "61202", "memory.total": "81559", "power.limit": "700.00" };

export const NVIDIA_SMI: readonly NvidiaSmi[] = [
  {
    name: "an H100 between two requests: the moment shows nothing, what the driver remembers does",
    source:
      "https://docs.nvidia.com/deploy/nvml-api/structnvmlUtilization__t.html (the moment), nvidia-smi(1) (the samples)",
    gpus: [gpu(0, "NVIDIA H100 80GB HBM3", { ...H100, "utilization.gpu": "0", "power.draw": "118.42" })],
    utilization: log("535.161.07", [
      { bus: "00000000:01:00.0", block: block(["0 %", "83 %", "0 %", "4 %"]) },
    ]),
    apps: [app(0, 4242, "61190")],
    expected: {
      highest: 83,
      gpus: [{ utilization_max: 83, power_watts: 118.42, power_limit_watts: 700, compute_processes: 1 }],
    },
  },
  {
    name: "two H100 of a driver that says GPU, one of them at work",
    source: "https://man.archlinux.org/man/nvidia-smi.1.raw (610)",
    gpus: [
      gpu(0, "NVIDIA H100 80GB HBM3", { ...H100, "utilization.gpu": "0", "power.draw": "70.11" }),
      gpu(1, "NVIDIA H100 80GB HBM3", { ...H100, "utilization.gpu": "97", "power.draw": "655.90" }),
    ],
    utilization: log("580.65.06", [
      { bus: "00000000:01:00.0", block: block(["0 %", "0 %", "0 %", "0 %"], ["GPU"]) },
      { bus: "00000000:02:00.0", block: block(["97 %", "100 %", "91 %", "98 %"], ["GPU"]) },
    ]),
    apps: [app(1, 77, "60110"), app(1, 78, "412")],
    expected: {
      highest: 100,
      gpus: [
        { utilization_max: 0, power_watts: 70.11, power_limit_watts: 700, compute_processes: 0 },
        { utilization_max: 100, power_watts: 655.9, power_limit_watts: 700, compute_processes: 2 },
      ],
    },
  },
  {
    name: "an A100 in slices (MIG), asked from a container",
    source:
      "https://github.com/Stability-AI/StableSwarmUI/issues/388 (535.161.08), https://github.com/NVIDIA/nvidia-docker/issues/1473",
    gpus: [
      gpu(0, "NVIDIA A100-SXM4-80GB", {
        "utilization.gpu": "[N/A]",
        "memory.used": "[Insufficient Permissions]",
        "memory.total": "[Insufficient Permissions]",
        "power.draw": "87.10",
        "power.limit": "400.00",
      }),
    ],
    utilization: log("535.161.08", [{ bus: "00000000:01:00.0", block: block(["N/A", "N/A", "N/A", "N/A"]) }]),
    apps: [app(0, 900, "[N/A]")],
    expected: {
      highest: null,
      gpus: [{ utilization_max: null, power_watts: 87.1, power_limit_watts: 400, compute_processes: 1 }],
    },
  },
  {
    name: "a GeForce of an old driver that supports neither utilization nor power",
    source:
      "https://github.com/tutulino/Megaminer/issues/235, https://github.com/netdata/netdata/issues/4892 (410.72)",
    gpus: [
      gpu(0, "GeForce GTX 770", {
        "utilization.gpu": "[Not Supported]",
        "memory.used": "611",
        "memory.total": "1998",
        "power.draw": "[Not Supported]",
        "power.limit": "[Not Supported]",
      }),
    ],
    utilization: log("390.138", [
      {
        bus: "00000000:01:00.0",
        block:
          "    Utilization                     : N/A\n    GPU Utilization Samples         : N/A\n    Memory Utilization Samples      : N/A",
      },
    ]),
    apps: "[Not Supported]\n",
    expected: {
      highest: null,
      gpus: [{ utilization_max: null, power_watts: null, power_limit_watts: null, compute_processes: null }],
    },
  },
  {
    name: "a GeForce whose limit is an [Unknown Error], at work over its limit",
    source: "https://github.com/Quake4/MindMiner/issues/627 (442.19)",
    gpus: [
      gpu(0, "GeForce RTX 2080 Ti", {
        "utilization.gpu": "100",
        "memory.used": "9029",
        "memory.total": "11019",
        "power.draw": "228.82",
        "power.limit": "[Unknown Error]",
      }),
    ],
    utilization: log("442.19", [
      { bus: "00000000:01:00.0", block: block(["100 %", "100 %", "37 %", "99 %"]) },
    ]),
    apps: [app(0, 31337, "9021")],
    expected: {
      highest: 100,
      gpus: [{ utilization_max: 100, power_watts: 228.82, power_limit_watts: null, compute_processes: 1 }],
    },
  },
  {
    name: "WSL, which hides utilization and processes",
    source:
      "https://github.com/microsoft/WSL/issues/7162, https://github.com/dask/distributed/issues/5342 (510)",
    gpus: [
      gpu(0, "NVIDIA GeForce RTX 3080", {
        "utilization.gpu": "[N/A]",
        "memory.used": "1024",
        "memory.total": "10240",
        "power.draw": "18.20",
        "power.limit": "[N/A]",
      }),
    ],
    utilization: log("510.06", [{ bus: "00000000:01:00.0", block: block(["N/A", "N/A", "N/A", "N/A"]) }]),
    apps: [],
    expected: {
      highest: null,
      gpus: [{ utilization_max: null, power_watts: 18.2, power_limit_watts: null, compute_processes: 0 }],
    },
  },
  {
    name: "a broken sensor (ERR!) beside a GPU that works",
    source:
      "https://github.com/microsoft/WSL/issues/7162 (the word), https://github.com/enkore/i3pystatus/pull/850",
    gpus: [
      gpu(0, "NVIDIA A40", {
        "utilization.gpu": "ERR!",
        "memory.used": "1",
        "memory.total": "46068",
        "power.draw": "[Unknown Error]",
        "power.limit": "300.00",
      }),
      gpu(1, "NVIDIA A40", {
        "utilization.gpu": "12",
        "memory.used": "2048",
        "memory.total": "46068",
        "power.draw": "61.05",
        "power.limit": "300.00",
      }),
    ],
    utilization: log("550.127.05", [
      { bus: "00000000:01:00.0", block: block(["ERR!", "Not Found", "Not Found", "Not Found"]) },
      { bus: "00000000:02:00.0", block: block(["12 %", "14 %", "0 %", "9 %"]) },
    ]),
    apps: [app(1, 5, "2040")],
    expected: {
      highest: 14,
      gpus: [
        { utilization_max: null, power_watts: null, power_limit_watts: 300, compute_processes: 0 },
        { utilization_max: 14, power_watts: 61.05, power_limit_watts: 300, compute_processes: 1 },
      ],
    },
  },
];

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** The program: sh that answers as nvidia-smi would, also to fields that it does not know. */
export function nvidiaSmi({ gpus, utilization, apps }: NvidiaSmi): string {
  const records = (all: readonly Fields[]) =>
    all
      .map((fields) =>
        Object.entries(fields)
          .map(([name, value]) => `${name}=${value}`)
          .join("\t"),
      )
      .join("\n");
  return `
query() { # FIELDS RECORDS
  printf '%s\\n' "$2" | awk -F '\\t' -v fields="$1" '
    NF {
      split("", of)
      for (i = 1; i <= NF; i++) { at = index($i, "="); of[substr($i, 1, at - 1)] = substr($i, at + 1) }
      count = split(fields, names, ",")
      line = ""
      for (i = 1; i <= count; i++) {
        if (!(names[i] in of)) { printf "Field \\"%s\\" is not a valid field to query.\\n\\n", names[i]; exit 2 }
        line = line (i > 1 ? ", " : "") of[names[i]]
      }
      print line
    }'
}
for each in "$@"; do
  case $each in
    --query-gpu=*) query "\${each#*=}" ${quoted(records(gpus))}; exit ;;
    --query-compute-apps=*)
      ${typeof apps === "string" ? `printf '%s' ${quoted(apps)}; exit 0` : `query "\${each#*=}" ${quoted(records(apps))}; exit`}
      ;;
  esac
done
printf '%s' ${quoted(utilization)}
`;
}
