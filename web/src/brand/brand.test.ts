// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';
import { type Branding, brand } from './brand.svelte';

const SAID: Branding = {
  logo_url: '',
  favicon_url: '',
  name_part1: 'VSAY',
  name_part1_color: '',
  name_part2: 'Edge',
  name_part2_color: '',
  default_theme_color: '',
  default_theme_color_updated_at: null,
  terminal_idle_timeout_minutes: 2,
  updated_at: null,
};

describe('the name of the product', () => {
  beforeEach(() => brand.show(SAID));

  it.each([
    ['Acme', 'Cloud', 'Acme Cloud'],
    ['Acme', '', 'Acme'],
    ['', 'Cloud', 'Cloud'],
    ['', '', 'VSAY Edge'],
  ])('of %j and %j is %j', (name_part1, name_part2, name) => {
    brand.show({ ...SAID, name_part1, name_part2 });
    expect(brand.name).toBe(name);
  });
});
