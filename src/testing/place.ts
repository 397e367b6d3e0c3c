import { createHash } from 'node:crypto'
import { basename, isAbsolute, join, relative, sep } from 'node:path'
import type { TestOrigin } from './runner.ts'

/** Every place that this process has given to a test. */
const given = new Set<string>()

/**
 * The directory of a test's artifacts, of no other test in a run: the project of vitest if it has a name, the file's path,
 * the names of the suites and of the test. The second of a test that is repeated or retried, or of one with the same name,
 * ends in `-2`. Tests of one file run in one process.
 */
export function placeOf(root: string, origin: TestOrigin): string {
  const wanted = join(root, ...foldersOf(origin), fileName(origin.fullName))
  let place = wanted
  for (let count = 2; given.has(place); count++) place = `${wanted}-${count}`
  given.add(place)
  return place
}

/** A name of a test as that of a directory: 120 letters, digits and dashes of it. */
export function fileName(test: string): string {
  return (
    test
      .replace(/[^\p{L}\p{N}]+/gu, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 120) || 'test'
  )
}

function foldersOf({ project, file }: TestOrigin): string[] {
  const path = relative('', file)
  const isBelow = path !== '' && !path.startsWith('..') && !isAbsolute(path)
  const own = isBelow ? path.split(sep).map(folder) : [distinct(basename(file), file)]
  return project === '' ? own : [folder(project), ...own]
}

/** The name itself where every file system and upload takes it. Otherwise another one that stands for it alone. */
function folder(name: string): string {
  return /^[\p{L}\p{N}_-][\p{L}\p{N}_.-]*$/u.test(name) ? name : distinct(name, name)
}

function distinct(name: string, of: string): string {
  return `${fileName(name)}-${createHash('sha256').update(of).digest('hex').slice(0, 8)}`
}
