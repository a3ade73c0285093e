/** From how many percent on a machine does badly, as a form has it. */
import type { components } from '../../api/schema';

export type Thresholds = components['schemas']['Thresholds'];

const FIGURES = { cpu: 'CPU', memory: 'Memory', disk: 'Disk' } as const;

/** A row of the form. A field that is no number is nothing. */
export interface Limit {
  figure: keyof Thresholds;
  label: string;
  warning: number | null;
  critical: number | null;
}

export function limitsOf(thresholds: Thresholds): Limit[] {
  const figures = Object.keys(FIGURES) as (keyof Thresholds)[];
  const unknown = { warning: null, critical: null };
  return figures.map((figure) => ({ figure, label: FIGURES[figure], ...(thresholds[figure] ?? unknown) }));
}

/** What the form says; nothing if the API would refuse it. */
export function thresholdsOf(limits: readonly Limit[]): Thresholds | null {
  const isPercent = (value: number | null): value is number =>
    Number.isInteger(value) && value !== null && value >= 1 && value <= 100;
  const found: Partial<Thresholds> = {};
  for (const { figure, warning, critical } of limits) {
    if (!isPercent(warning) || !isPercent(critical) || warning > critical) return null;
    found[figure] = { warning, critical };
  }
  const { cpu, memory, disk } = found;
  return cpu && memory && disk ? { cpu, memory, disk } : null;
}
