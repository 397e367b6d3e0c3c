import { readFile, stat } from 'node:fs/promises'
import { LineCounter, parseDocument } from 'yaml'
import { messageOf, reasonOf } from '../base/index.ts'
import { badTopology, type TopologyError } from './errors.ts'

export type Path = readonly PropertyKey[]

/** A value that was read from a file, and where its parts are in it. */
export interface Document {
  readonly value: unknown
  /** `lab.yaml:12:5 (setup.vm)` for the part at `path`; line and column are those of the nearest part that exists. */
  place(path: Path): string
}

/** More than any lab has. A larger file is another one. */
const longest = 1 << 20

/** Reads a YAML file that is called `path` in errors. Throws BAD_TOPOLOGY. */
export async function readYaml(path: string, file = path): Promise<Document> {
  return parseYaml(path, await textOf(path, file))
}

/** The text of a file that is called `path` in errors. Throws BAD_TOPOLOGY. */
export async function textOf(path: string, file = path): Promise<string> {
  await checkFile(path, file)
  return await readFile(file, 'utf8').catch(failure => {
    throw unreadable(path, failure)
  })
}

/** Throws BAD_TOPOLOGY for what is not there, no file, or longer than a topology. */
export async function checkFile(path: string, file: string): Promise<void> {
  const stats = await stat(file).catch(failure => {
    throw unreadable(path, failure)
  })
  if (!stats.isFile()) throw badTopology(path, 'it is not a file')
  if (stats.size > longest) throw tooLong(path, stats.size)
}

function unreadable(path: string, failure: unknown): TopologyError {
  return badTopology(path, reasonOf(failure), 'Give the path of a topology file, or the name of a topology')
}

function tooLong(path: string, bytes: number): TopologyError {
  return badTopology(path, `it has ${bytes} bytes, and a topology at most ${longest}`)
}

export interface YamlOptions {
  /** All values are text as it was written: `3.10`, `0x10`, and nothing is ''. Default: false. */
  readonly asText?: boolean
}

/** Parses YAML (1.2, of which JSON is a part), with `<<` of YAML 1.1. Throws BAD_TOPOLOGY with line and column. */
export function parseYaml(file: string, text: string, { asText = false }: YamlOptions = {}): Document {
  if (text.length > longest) throw tooLong(file, text.length)
  const lines = new LineCounter()
  const document = parseDocument(text, {
    ...{ lineCounter: lines, prettyErrors: false, merge: true },
    ...(asText && { schema: 'failsafe', customTags: ['merge'] }),
  })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const [error] = document.errors
  if (error) throw badTopology(at(error.pos[0]), error.message)
  return { value: contentOf(file, document), place: path => at(offsetOf(document, path)) + named(path) }
}

function contentOf(file: string, document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (failure) {
    throw badTopology(file, messageOf(failure)) // an alias of itself, or aliases of aliases without end
  }
}

/** The offset of the deepest node on the path that exists. */
function offsetOf(document: ReturnType<typeof parseDocument>, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(keysIn(document, path.slice(0, length)), true)
    const range = (node as { readonly range?: readonly number[] } | undefined)?.range
    if (range) return range[0]!
  }
  return document.contents?.range?.[0] ?? 0
}

/** The keys as they are in the file: `201:` is a number there, and text in the value. */
function keysIn(document: ReturnType<typeof parseDocument>, path: Path): unknown[] {
  const found: unknown[] = []
  for (const key of path) {
    const number = typeof key === 'string' && /^\d+$/.test(key) ? Number(key) : key
    found.push(document.hasIn([...found, number]) ? number : key)
  }
  return found
}

const named = (path: Path) => (path.length > 0 ? ` (${path.map(String).join('.')})` : '')

/** A value of a module: its parts have names, and no lines. */
export function moduleDocument(file: string, value: unknown): Document {
  return { value, place: path => file + named(path) }
}
