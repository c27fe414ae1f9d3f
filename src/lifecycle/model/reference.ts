import type { ProviderKind } from "./provider.ts";

/** What a reference to a machine may hold, at any provider. */
const REFERENCE = /^[A-Za-z0-9._:/-]{1,200}$/;

/** The format of a provider's own ids, where it has one. */
const REFERENCE_FORMS: Partial<Record<ProviderKind, { readonly form: RegExp; readonly words: string }>> = {
  vast: { form: /^[1-9]\d{0,17}$/, words: "must be the number of a Vast.ai instance" },
  runpod: {
    form: /^[a-z0-9]{1,64}$/,
    words: "must be the id of a RunPod pod: lower-case letters and digits",
  },
  ec2: {
    form: /^i-[0-9a-f]{8,17}$/,
    words: "must be the id of an EC2 instance, such as i-1234567890abcdef0",
  },
  // With its project: after a change of credentials, the same zone and name would be another machine. By name, never by
  // number, so that no machine has two references.
  gcp: {
    form: /^projects\/(?:[a-z0-9][a-z0-9.-]{0,60}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]\/zones\/[a-z][a-z0-9-]{0,40}[a-z0-9]\/instances\/[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    words:
      "must be the path of a Compute Engine instance, such as projects/my-project/zones/us-central1-a/instances/trainer-1",
  },
  // Azure ignores the case of names; with only one case, a machine has only one reference.
  azure: {
    form: /^(?=[^/]{1,90}\/)[a-z0-9._-]*[a-z0-9_-]\/[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9_])?$/,
    words: "must be a resource group and a virtual machine, such as my-group/my-vm, in lower case",
  },
  hyperstack: {
    form: /^[1-9]\d{0,14}$/,
    words: "must be the number of a Hyperstack virtual machine",
  },
  scaleway: {
    form: /^[a-z]{2}-[a-z]{3}-\d\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    words:
      "must be the zone and the id of a Scaleway Instance, such as fr-par-2/11111111-1111-4111-8111-111111111111",
  },
  tensordock: {
    form: /^[A-Za-z0-9_-]{1,64}$/,
    words: "must be the id of a TensorDock instance: letters, digits, '_', '-'",
  },
  lambda: {
    form: /^[A-Za-z0-9-]{1,64}$/,
    words: "must be the id of a Lambda Cloud instance, such as 0920582c7ff041399e34823a0be62549",
  },
  digitalocean: { form: /^[1-9]\d{0,14}$/, words: "must be the number of a DigitalOcean Droplet" },
  verda: {
    form: /^[A-Za-z0-9-]{1,64}$/,
    words: "must be the id of a Verda instance: letters, digits, '-'",
  },
};

/**
 * Why `reference` can't be a machine's id at this kind of provider, worded to follow the path of the field; null when it
 * can. A reference that passes is safe to put into a URL path: no segment of it leads out of that path.
 */
export function referenceIssue(kind: ProviderKind, reference: string): string | null {
  if (!REFERENCE.test(reference)) {
    return "must be 1 to 200 of letters, digits, '.', '_', ':', '/', '-'";
  }
  if (reference.split("/").some((segment) => segment === "" || segment === "." || segment === "..")) {
    return "must not have a segment that is empty, '.' or '..'";
  }
  const own = REFERENCE_FORMS[kind];
  return own === undefined || own.form.test(reference) ? null : own.words;
}
