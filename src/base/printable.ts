/** Characters that control a terminal or reorder text on it: the Unicode categories Cc, Cf, Zl, Zp and Cs. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
/** The same without tab and newline. */
const unprintableInLines = /[^\P{Cc}\t\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/**
 * Makes text of a guest, or of any other peer, safe for one line of a terminal: control and format characters become
 * escapes as in JavaScript. With `most`, longer text is cut there and ends in `…`.
 */
export function printable(text: string, most = Number.POSITIVE_INFINITY): string {
  const cut = text.length > most
  return `${(cut ? text.slice(0, most) : text).replace(unprintable, escaped)}${cut ? '…' : ''}`
}

/** The same for text of several lines: tabs and newlines stay. */
export function printableLines(text: string): string {
  return text.replace(unprintableInLines, escaped)
}

/** As {@link printableLines}, with lines after the first indented: none of them passes for a line of ours. */
export function indentedLines(text: string): string {
  return printableLines(text).replace(/\n(?=[^\n ])/g, '\n  ')
}

/** JSON text with escapes for the characters that JSON allows and a terminal obeys. It has the same value. */
export function printableJson(json: string): string {
  return json.replace(unprintableInLines, jsonEscapes)
}

function escaped(character: string): string {
  if (character === '\n') return '\\n'
  const point = character.codePointAt(0)!
  const hex = point.toString(16)
  if (point < 0x100) return `\\x${hex.padStart(2, '0')}`
  return point < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`
}

/** One for each UTF-16 unit, as JSON has no others. */
function jsonEscapes(character: string): string {
  return Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('')
}
