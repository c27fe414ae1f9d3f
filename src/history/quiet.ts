import { CPU_WORK_FROM_PERCENT, WORK_FROM_PERCENT } from "../replay/work.ts";

/**
 * Whether a sample shows no work, as SQL over a column `sample` that holds it: 1 or 0, as `showsWork` has it. Whether its instance
 * ever reported a GPU is not known there: the CPU counts where the sample has no reading of the GPU. A test holds both together,
 * thresholds of sources included.
 */
export const IS_QUIET = `(
  (COALESCE(sample ->> 8, '') = 'preparing' OR COALESCE(sample ->> 13, '') = 'running')
    AND sample ->> 10 IS NULL
    AND COALESCE(sample ->> '$[11][0]', 0) < 1
    AND COALESCE(sample ->> '$[11][1]', 0) < 1
    AND COALESCE(sample ->> '$[11][2]', 0) < 1
    AND instr(COALESCE(sample ->> 12, ''), '"ssh_connections"') = 0
    AND instr(COALESCE(sample ->> 12, ''), '"notebook_connections"') = 0
    AND instr(COALESCE(sample ->> 12, ''), '"busy_kernels"') = 0
  OR (
    sample ->> 10 IS NULL AND sample ->> 12 IS NULL
    AND COALESCE(
      MAX(COALESCE(sample ->> 1, sample ->> 9), COALESCE(sample ->> 9, sample ->> 1)) < ${WORK_FROM_PERCENT},
      sample ->> 3 < ${CPU_WORK_FROM_PERCENT},
      0)
    AND (sample ->> 11 IS NULL OR (
      COALESCE(sample ->> '$[11][0]', 0) < 1
      AND COALESCE(sample ->> '$[11][1]', 0) < 1
      AND COALESCE(sample ->> '$[11][2]', 0) < 1
      AND COALESCE(sample ->> '$[11][3]', 0) < 0.5
      AND COALESCE(sample ->> '$[11][4]', 0) < 500
      AND COALESCE(sample ->> '$[11][5]', 0) < 2000
      AND COALESCE(sample ->> '$[11][6]', 0) < 1
      AND COALESCE(sample ->> '$[11][7]', 0) < 1
      AND COALESCE(sample ->> '$[11][8]', 0) < 1
      AND COALESCE(sample ->> '$[11][9]', 0) < 1))))`;
