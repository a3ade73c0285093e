// A framed table for people.

/**
 * @param {string} title
 * @param {[name: string, value: string][]} rows
 * @returns {string} lines to print; with bold text if stdout is a terminal
 */
export function box(title, rows) {
  const bold = (text) => (process.stdout.isTTY ? `\x1b[1m${text}\x1b[0m` : text);
  const label = Math.max(...rows.map(([name]) => name.length)) + 3;
  const width = Math.max(title.length, ...rows.map(([, value]) => label + value.length));
  const line = (plain, shown) => `│  ${shown}${" ".repeat(width - plain.length)}  │`;
  const rule = "─".repeat(width + 4);
  return [
    "",
    `┌${rule}┐`,
    line(title, bold(title)),
    `├${rule}┤`,
    ...rows.map(([name, value]) => line(name.padEnd(label) + value, name.padEnd(label) + bold(value))),
    `└${rule}┘`,
    "\n",
  ].join("\n");
}
