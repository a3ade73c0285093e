/** Colours that somebody chose, and whether they can be read. */

/** The least contrast of text that WCAG asks for. */
const ENOUGH = 4.5;

/** Behind the name, as app.css has it: the lighter and the darker of the two grounds it stands on, in both themes. */
const GROUNDS = { light: '#f4f3ee', dark: '#121715' } as const;

/** How much light a colour gives, from 0 to 1. */
function luminance(color: string): number {
  const channels = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255);
  const [red = 0, green = 0, blue = 0] = channels.map((part) =>
    part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** From 1 to 21. */
export function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** The colour, where it can be read; otherwise nothing, and the text has the colour that all text has. */
export function readable(color: string, dark: boolean): string | undefined {
  if (!/^#[0-9a-f]{6}$/i.test(color)) return undefined;
  return contrast(color, dark ? GROUNDS.dark : GROUNDS.light) >= ENOUGH ? color : undefined;
}
