/** Rows of text in columns as wide as their widest cell. The last column is not padded. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header.map(name => name.toUpperCase()), ...rows]
  const widths = header.map((_, column) => Math.max(...all.map(row => (row[column] ?? '').length)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(column === row.length - 1 ? 0 : widths[column]!))
      .join('  ')
      .trimEnd()
  return `${all.map(line).join('\n')}\n`
}
