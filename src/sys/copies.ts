import { version } from '../base/index.ts'
import { packageRoot } from './package-root.ts'

/** The copies of this package that are in use in this thread: version by folder. All copies share it. */
const key = Symbol.for('xcluster.copies')

/**
 * Notes that this copy is in use. Two versions in one process work side by side, but an object or an error of one is not
 * an instance of the other's classes: so the process is warned (TWO_VERSIONS), once.
 */
export function announce(folder = packageRoot(), ours = version): void {
  const shared = globalThis as { [key]?: Map<string, string> }
  shared[key] ??= new Map()
  const copies = shared[key]
  const [[where, theirs] = [folder, ours]] = copies
  const isFirst = new Set(copies.values()).size === 1 && theirs !== ours
  copies.set(folder, ours)
  if (!isFirst) return
  process.emitWarning(
    `xcluster ${theirs} (${where}) and xcluster ${ours} (${folder}) are both in use in this process: objects of one do not fit the other. See which packages ask for them: npm ls xcluster`,
    { code: 'TWO_VERSIONS' },
  )
}
