import { readText } from '../house/project.ts'

/** The documentation in docs/json.md of the value that a command prints. */
export interface DocumentedValue {
  readonly example: unknown
  /** `nodes[].reason` */
  readonly optional: readonly string[]
}

/** The section whose heading names the command. */
function documented(command: string): DocumentedValue {
  const sections = readText('docs/json.md').split(/^## /m)
  const section = sections.find(text => text.split('\n', 1)[0]!.split(', ').includes(command))
  if (section === undefined) throw new Error(`docs/json.md says nothing about ${command}`)
  const [, example = ''] = /^```json\n([\s\S]*?)^```$/m.exec(section) ?? []
  const [, absent = ''] = /^May be absent: ([\s\S]*?)\.\n/m.exec(section) ?? []
  return {
    example: JSON.parse(example),
    optional: Array.from(absent.matchAll(/`([^`]+)`/g), match => match[1]!),
  }
}

/**
 * The differences between a real value and the documented one: paths with other types, missing paths,
 * undocumented paths.
 */
export function differences(command: string, real: unknown): string[] {
  const { example, optional } = documented(command)
  const [expected, found] = [shapeOf(example), shapeOf(real)]
  const mayMiss = (path: string) =>
    optional.some(start => {
      const rest = path.startsWith(start) ? path.slice(start.length) : undefined
      return rest?.match(/^($|\.|\[)/) || start === path.replace(/\.[^.]+$/, '.*')
    })
  const missing = [...expected.keys()].filter(
    path => !found.has(path) && !mayMiss(path) && !insideEmpty(path, found),
  )
  const wrong = [...found].filter(([path, type]) => type !== 'empty' && expected.get(path) !== type)
  return [...missing.map(path => `missing ${path}`), ...wrong.map(([path, type]) => `${path} is ${type}`)]
}

/** `nodes[].nets[].net` → `number`, for every leaf. All elements of a list share one path. */
function shapeOf(value: unknown, path = '', shape = new Map<string, string>()): Map<string, string> {
  if (Array.isArray(value)) {
    if (value.length === 0) shape.set(`${path}[]`, 'empty')
    for (const element of value) shapeOf(element, `${path}[]`, shape)
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, field] of Object.entries(value)) shapeOf(field, path ? `${path}.${key}` : key, shape)
  } else shape.set(path, typeof value)
  return shape
}

/** A list that is empty everywhere shows nothing of its elements. */
function insideEmpty(path: string, found: ReadonlyMap<string, string>): boolean {
  return [...found].some(([at, type]) => type === 'empty' && path.startsWith(at))
}
