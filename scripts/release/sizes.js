// @ts-check

/**
 * The size of a package, and of its parts, a line each.
 * @param {import('./pack.js').Packed} packed
 * @returns {string[]}
 */
export function describeSizes({ filename, size, unpackedSize, files }) {
  /** @type {Map<string, number>} */
  const parts = new Map()
  for (const { path, size } of files) {
    const part = partOf(path)
    parts.set(part, (parts.get(part) ?? 0) + size)
  }
  const largest = [...parts].sort(([, a], [, b]) => b - a)
  return [
    `${filename}: ${kilobytes(size)}, unpacked ${kilobytes(unpackedSize)}, ${files.length} files`,
    ...largest.map(([part, size]) => `  ${part}: ${kilobytes(size)}`),
  ]
}

/** @param {string} path */
function partOf(path) {
  if (path.endsWith('.d.ts')) return 'types'
  if (path.endsWith('.map')) return 'source maps'
  const [top = '', second = ''] = path.split('/')
  const deeper = top === 'prebuilds' || (top === 'dist' && ['library', 'programs'].includes(second))
  if (deeper) return `${top}/${second}`
  return path.includes('/') ? top : 'pages'
}

/** @param {number} bytes */
const kilobytes = bytes => `${(bytes / 1000).toFixed(0)} kB`
