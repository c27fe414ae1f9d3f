/**
 * What an instance belongs to, by the tags that EC2 and other services set, and by who operates it.
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html,
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/amazon-ec2-managed-instances.html,
 * https://docs.aws.amazon.com/eks/latest/userguide/eks-using-tags.html, https://karpenter.sh/docs/concepts/nodepools,
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/asg-capacity-providers.html.
 */

interface Group {
  readonly name: string;
  /** Whether it would put another instance in the place of one that is stopped or terminated. */
  readonly replaces: boolean;
}

/** What an instance shows of it. */
interface Membership {
  readonly tagSet: readonly { readonly key: string; readonly value: string }[];
  readonly operator?: { readonly managed: string; readonly principal?: string | undefined } | undefined;
}

interface GroupTag {
  readonly key: string;
  readonly replaces: boolean;
  readonly name: (value: string) => string;
}

/** The first that an instance has counts. */
const GROUP_TAGS: readonly GroupTag[] = [
  { key: "aws:autoscaling:groupName", replaces: true, name: (value) => `Auto Scaling group ${value}` },
  { key: "aws:ec2spot:fleet-request-id", replaces: true, name: (value) => `Spot fleet ${value}` },
  { key: "karpenter.sh/nodepool", replaces: true, name: (value) => `Karpenter node pool ${value}` },
  { key: "aws:elasticmapreduce:job-flow-id", replaces: true, name: (value) => `EMR cluster ${value}` },
  { key: "AWSBatchServiceTag", replaces: true, name: () => "AWS Batch" },
  { key: "AmazonECSManaged", replaces: true, name: () => "ECS capacity provider" },
  // A node that none of the above has made is its owner's own.
  { key: "aws:eks:cluster-name", replaces: false, name: (value) => `EKS cluster ${value}` },
];

/** Null for an instance that stands alone. */
export function groupOf({ tagSet, operator }: Membership): Group | null {
  for (const { key, replaces, name } of GROUP_TAGS) {
    const tag = tagSet.find((each) => each.key === key);
    if (tag !== undefined) return { name: name(tag.value), replaces };
  }
  return operator?.managed === "true"
    ? { name: `service ${operator.principal ?? "of Amazon's"}`, replaces: true }
    : null;
}
