// A terminal as the console has it, without a page, and what it shows.
import unicode from "@xterm/addon-unicode11";
import headless from "@xterm/headless";

export class Viewer {
  #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor({ cols, rows }) {
    this.terminal = new headless.Terminal({ cols, rows, scrollback: 10_000, allowProposedApi: true });
    this.terminal.loadAddon(new unicode.Unicode11Addon());
    this.terminal.unicode.activeVersion = "11";
  }

  write(bytes) {
    return new Promise((done) => this.terminal.write(this.#decoder.decode(bytes, { stream: true }), done));
  }

  dispose() {
    this.terminal.dispose();
  }
}

/** What can be seen, and what decides how the next output looks. The public API has only a part of it. */
export function stateOf(terminal) {
  const {
    coreService,
    buffers,
    _charsetService: charsets,
    coreMouseService: mouse,
    _oscLinkService: links,
  } = terminal._core;
  const { active, normal, alt } = buffers;
  const shown = active === normal ? [normal] : [normal, alt];
  const lines = shown.flatMap((buffer) =>
    Array.from({ length: buffer.lines.length }, (_, y) => {
      const line = buffer.lines.get(y);
      return { line: line.clone(), wrapped: buffer === normal && line.isWrapped };
    }),
  );
  // The number of a link says nothing to another terminal.
  const linkOf = (number) => links.getLinkData(number)?.uri ?? "";
  const settings = {
    screen: active === normal ? "normal" : "alternate",
    lines: normal.lines.length,
    cursor: [active.x, active.y],
    hidden: coreService.isCursorHidden,
    region: [active.scrollTop, active.scrollBottom],
    tabs: Object.keys(active.tabs).filter((x) => active.tabs[x] && x < terminal.cols),
    // One that has left the screen is restored at its top.
    saved: [
      active.savedX,
      Math.max(active.savedY - active.ybase, 0),
      active.savedCurAttrData.fg,
      active.savedCurAttrData.bg,
    ],
    modes: { ...coreService.modes, ...coreService.decPrivateModes },
    mouse: [mouse.activeProtocol, mouse.activeEncoding],
    charset: [charsets.glevel, charsets.charset],
    pen: lookOf(terminal._core._inputHandler._curAttrData, linkOf),
  };
  return { lines, settings, linkOf };
}

/** How many cells differ, and the first of them in words. */
export function compare(expected, actual) {
  let [different, cells, first] = [0, 0, ""];
  for (let y = 0; y < Math.max(expected.lines.length, actual.lines.length); y++) {
    const [one, other] = [expected.lines[y], actual.lines[y]];
    const { length } = (one ?? other).line;
    cells += length;
    if (one && other && one.wrapped === other.wrapped && isAlike(one.line, other.line)) continue;
    for (let x = 0; x < length; x++) {
      const [wanted, got] = [cellOf(one, x, expected.linkOf), cellOf(other, x, actual.linkOf)];
      if (wanted === got) continue;
      different++;
      first ||= `line ${y}, column ${x}: ${got} instead of ${wanted}`;
    }
  }
  return { different, cells, first };
}

/** Quickly: whether two lines hold the same numbers. Those with links or coloured underlines are looked at. */
function isAlike(one, other) {
  return (
    Object.keys(one._extendedAttrs).length + Object.keys(other._extendedAttrs).length === 0 &&
    Object.keys(one._combined).length + Object.keys(other._combined).length === 0 &&
    Buffer.compare(Buffer.from(one._data.buffer), Buffer.from(other._data.buffer)) === 0
  );
}

function cellOf(entry, x, linkOf) {
  if (!entry) return "no line";
  const cell = entry.line.loadCell(x, Object.create(CELL));
  // One that was never written to looks like a space.
  return JSON.stringify([cell.getChars() || " ", cell.getWidth(), entry.wrapped, lookOf(cell, linkOf)]);
}

/** The class of cells has no name outside; a cell has one. */
const CELL = Object.getPrototypeOf(new headless.Terminal({ allowProposedApi: true }).buffer.active.getNullCell());

function lookOf(attributes, linkOf) {
  const color = (isDefault, isRgb, number) => (isDefault ? "default" : isRgb ? `#${number.toString(16)}` : number);
  const { extended } = attributes;
  const underlined = Boolean(attributes.isUnderline());
  return [
    color(attributes.isFgDefault(), attributes.isFgRGB(), attributes.getFgColor()),
    color(attributes.isBgDefault(), attributes.isBgRGB(), attributes.getBgColor()),
    ...["Bold", "Dim", "Italic", "Blink", "Inverse", "Invisible", "Strikethrough", "Overline"].filter((name) =>
      attributes[`is${name}`](),
    ),
    underlined ? attributes.getUnderlineStyle() : 0,
    underlined ? underlineOf(attributes, color) : 0,
    attributes.hasExtendedAttrs() ? linkOf(extended.urlId) : "",
  ].join(" ");
}

/** "Default underline colour", SGR 59, is white in xterm.js 6.0.0. */
function underlineOf(attributes, color) {
  const number = attributes.getUnderlineColor();
  const isDefault = attributes.isUnderlineColorDefault() || number === 0xffffff;
  return color(isDefault, attributes.isUnderlineColorRGB(), number);
}
