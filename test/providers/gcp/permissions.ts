/** All that an account may be asked to have. */
export const ALL_PERMISSIONS: readonly string[] = [
  "compute.disks.createSnapshot",
  "compute.instances.delete",
  "compute.instances.get",
  "compute.instances.list",
  "compute.instances.resume",
  "compute.instances.start",
  "compute.instances.stop",
  "compute.instances.useReadOnly",
  "compute.machineImages.create",
  "compute.machineImages.get",
];
