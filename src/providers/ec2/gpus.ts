/**
 * The GPUs of EC2's instance types, by family and size. The API tells them only in a call of its own
 * (DescribeInstanceTypes), which keys need not be allowed to make.
 * https://docs.aws.amazon.com/ec2/latest/instancetypes/ac.html, as of November 2026.
 */

interface Family {
  readonly model: string;
  readonly sizes: Readonly<Record<string, number>>;
}

/** How many most of the families with G have. */
const COMMON = {
  xlarge: 1,
  "2xlarge": 1,
  "4xlarge": 1,
  "8xlarge": 1,
  "16xlarge": 1,
  "12xlarge": 4,
  "24xlarge": 4,
  "48xlarge": 8,
};

const RTX_PRO = { "2xlarge": 1, "4xlarge": 1, "8xlarge": 1, "12xlarge": 2, "24xlarge": 4, "48xlarge": 8 };

const FAMILIES: ReadonlyMap<string, Family> = new Map<string, Family>([
  ["p2", { model: "K80", sizes: { xlarge: 1, "8xlarge": 8, "16xlarge": 16 } }],
  ["p3", { model: "V100", sizes: { "2xlarge": 1, "8xlarge": 4, "16xlarge": 8 } }],
  ["p3dn", { model: "V100", sizes: { "24xlarge": 8 } }],
  ["p4d", { model: "A100", sizes: { "24xlarge": 8 } }],
  ["p4de", { model: "A100", sizes: { "24xlarge": 8 } }],
  ["p5", { model: "H100", sizes: { "4xlarge": 1, "48xlarge": 8 } }],
  ["p5e", { model: "H200", sizes: { "48xlarge": 8 } }],
  ["p5en", { model: "H200", sizes: { "48xlarge": 8 } }],
  ["p6-b200", { model: "B200", sizes: { "48xlarge": 8 } }],
  ["p6-b300", { model: "B300", sizes: { "48xlarge": 8 } }],
  ["p6e-gb200", { model: "GB200", sizes: { "36xlarge": 4 } }],
  ["g3", { model: "M60", sizes: { "4xlarge": 1, "8xlarge": 2, "16xlarge": 4 } }],
  ["g3s", { model: "M60", sizes: { xlarge: 1 } }],
  [
    "g4ad",
    {
      model: "Radeon Pro V520",
      sizes: { xlarge: 1, "2xlarge": 1, "4xlarge": 1, "8xlarge": 2, "16xlarge": 4 },
    },
  ],
  [
    "g4dn",
    {
      model: "T4",
      sizes: {
        xlarge: 1,
        "2xlarge": 1,
        "4xlarge": 1,
        "8xlarge": 1,
        "16xlarge": 1,
        "12xlarge": 4,
        metal: 8,
      },
    },
  ],
  ["g5", { model: "A10G", sizes: COMMON }],
  [
    "g5g",
    {
      model: "T4g",
      sizes: { xlarge: 1, "2xlarge": 1, "4xlarge": 1, "8xlarge": 1, "16xlarge": 2, metal: 2 },
    },
  ],
  ["g6", { model: "L4", sizes: COMMON }],
  ["gr6", { model: "L4", sizes: { "4xlarge": 1, "8xlarge": 1 } }],
  // A part of one.
  ["g6f", { model: "L4", sizes: { large: 1, xlarge: 1, "2xlarge": 1, "4xlarge": 1 } }],
  ["gr6f", { model: "L4", sizes: { "4xlarge": 1 } }],
  ["g6e", { model: "L40S", sizes: COMMON }],
  ["g7", { model: "RTX PRO 4500", sizes: RTX_PRO }],
  ["g7e", { model: "RTX PRO 6000", sizes: RTX_PRO }],
]);

/** Families that have GPUs, or accelerators of another kind. All others have neither. */
const ACCELERATED = /^(p|g|gr)\d|^(dl|f|inf|trn|vt)\d/;

/** Null where it is not known. */
export function gpusOfType(type: string): { readonly gpu: string | null; readonly gpus: number | null } {
  const [name = "", size = ""] = type.split(".");
  const family = FAMILIES.get(name);
  if (family !== undefined) {
    const gpus = Object.hasOwn(family.sizes, size) ? (family.sizes[size] ?? null) : null;
    return { gpu: family.model, gpus };
  }
  return { gpu: null, gpus: name === "" || ACCELERATED.test(name) ? null : 0 };
}
