/** How many times faster than in real life the durations of policies pass: 1 unless a simulation sets it. */
export function simulationSpeed(settings: { readonly SIMULATION_SPEED: string }): number {
  const speed = Number(settings.SIMULATION_SPEED);
  return Number.isFinite(speed) && speed > 0 ? speed : 1;
}
