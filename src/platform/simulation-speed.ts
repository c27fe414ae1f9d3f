/** How much faster than life the policies' durations pass; 1 unless a simulation says otherwise. */
export function simulationSpeed(settings: { readonly SIMULATION_SPEED: string }): number {
  const speed = Number(settings.SIMULATION_SPEED);
  return Number.isFinite(speed) && speed > 0 ? speed : 1;
}
