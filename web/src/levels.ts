// Which boundaries are drawn at which zoom, for each choice of the level switch.

import { LEVELS, type Level } from './model';

export type LevelChoice = Level | 'auto';
export const LEVEL_CHOICES: readonly LevelChoice[] = ['auto', ...LEVELS];

export const PARTS = ['fill', 'line', 'label'] as const;
export type Part = (typeof PARTS)[number];

export const ZOOM_MAX = 24;
export type Zooms = [min: number, max: number]; // shown from min up to, not including, max
export type Plan = Record<Level, Record<Part, Zooms | null>>; // null: not drawn

// Below these zooms the node has no tiles of the level.
export const TILE_ZOOM_MIN: Record<Level, number> = {
  grids: 9,
  villages: 8,
  townships: 6,
  counties: 3,
  cities: 0,
};
// And below these no names of it.
export const NAME_ZOOM_MIN: Record<Level, number> = {
  grids: 12,
  villages: 10,
  townships: 8,
  counties: 3,
  cities: 0,
};
export const TILE_ZOOM_MAX = 14;

const AUTO: Plan = {
  cities: { fill: [0, 6.5], line: [0, ZOOM_MAX], label: [4, 7] },
  counties: { fill: [6.5, 8.7], line: [5, ZOOM_MAX], label: [6.5, 9.6] },
  townships: { fill: [8.7, 11], line: [8, ZOOM_MAX], label: [9.2, 11.8] },
  villages: { fill: [11, 12.5], line: [10.5, ZOOM_MAX], label: [11.5, 13.6] },
  grids: { fill: [12.5, ZOOM_MAX], line: [12, ZOOM_MAX], label: [13.6, ZOOM_MAX] },
};

// From which zoom the names of a chosen level have room.
const LABEL_FROM: Record<Level, number> = {
  grids: 12.8,
  villages: 10.8,
  townships: 8.8,
  counties: 6,
  cities: 4,
};

// A chosen level is filled and named wherever it has tiles; the levels above it keep their lines,
// the levels below it are not drawn.
export function plan(choice: LevelChoice): Plan {
  if (choice === 'auto') return AUTO;
  const chosen = LEVELS.indexOf(choice);
  const made: Partial<Plan> = {};
  LEVELS.forEach((level, index) => {
    const whole: Zooms = [TILE_ZOOM_MIN[level], ZOOM_MAX];
    if (index === chosen) {
      made[level] = { fill: whole, line: whole, label: [LABEL_FROM[level], ZOOM_MAX] };
    } else {
      made[level] = { fill: null, line: index > chosen ? AUTO[level].line : null, label: null };
    }
  });
  return made as Plan;
}

export const layerId = (level: Level, part: Part): string => `${level}-${part}`;
