import { z } from 'zod'
import type { Path } from '../document.ts'

/** In a file that was read as text, nothing is ''. */
export const orNothing = <T extends z.ZodType>(schema: T) =>
  z.preprocess(value => (value === '' || value === null ? undefined : value), schema.optional())

/** A number that was read as text. */
export const numeric = z
  .string()
  .regex(/^\d+(\.\d+)?$/, { error: 'is not a number' })
  .transform(Number)

const variable = z.string().regex(/^[A-Za-z_]\w*$/, { error: 'is not the name of a variable' })

/** What containerlab may say of a node (containerlab.dev/manual/nodes/). Other keys are kept to be named. */
const fields = z.looseObject({
  kind: orNothing(z.string()),
  group: orNothing(z.string()),
  memory: orNothing(z.string()),
  cpu: orNothing(numeric),
  exec: orNothing(z.array(z.string())),
  binds: orNothing(z.array(z.string())),
  env: orNothing(z.record(variable, z.string())),
  sysctls: orNothing(z.record(z.string(), z.string())),
})
type Fields = z.infer<typeof fields>

const byName = orNothing(z.record(z.string(), orNothing(fields)))

/** The parts of a containerlab topology that say something of nodes. */
export const nodeParts = {
  defaults: orNothing(fields),
  kinds: byName,
  groups: byName,
  nodes: z.record(z.string(), orNothing(fields)),
}
type NodeParts = {
  readonly [Part in keyof typeof nodeParts]?: z.infer<(typeof nodeParts)[Part]> | undefined
}

/** A command, and where the file has it. */
export interface Command {
  readonly text: string
  readonly path: Path
}

/** A node with what the defaults, its kind and its group give it. */
export interface NodeFields {
  readonly kind: string | undefined
  /** MiB, when it is said in a way that is known. */
  readonly memory: number | undefined
  readonly cpu: number | undefined
  readonly exec: readonly Command[]
  /** `SOURCE:PATH` or `SOURCE:PATH:OPTIONS`. */
  readonly binds: readonly string[]
  readonly env: ReadonlyMap<string, string>
  readonly sysctls: ReadonlyMap<string, string>
  /** Keys that nothing here stands for. */
  readonly others: readonly string[]
}

const known: readonly string[] = ['kind', 'group', 'memory', 'cpu', 'exec', 'binds', 'env', 'sysctls']

/** Lists and maps of all four are taken together, other values are those of the nearest (containerlab's order). */
export function fieldsOf(parts: NodeParts, name: string): NodeFields {
  const { defaults, kinds, groups, nodes } = parts
  const own = nodes?.[name] ?? {}
  const group = own.group ?? defaults?.group ?? ''
  const kind = own.kind ?? groups?.[group]?.kind ?? defaults?.kind
  const layers: [Path, Fields][] = [
    [['topology', 'defaults'], defaults ?? {}],
    [['topology', 'kinds', kind ?? ''], kinds?.[kind ?? ''] ?? {}],
    [['topology', 'groups', group], groups?.[group] ?? {}],
    [['topology', 'nodes', name], own],
  ]
  const all = layers.map(([, layer]) => layer)
  const given = all.flatMap(layer => Object.entries(layer).filter(([, value]) => value !== undefined))
  const nearest = Object.fromEntries(given) as Fields
  const memory = memoryOf(nearest.memory)
  const others = Object.keys(nearest).filter(key => !known.includes(key))
  return {
    ...{ kind, memory, cpu: nearest.cpu },
    exec: layers.flatMap(([path, { exec }]) =>
      (exec ?? []).map((text, index) => ({ text, path: [...path, 'exec', index] })),
    ),
    binds: all.flatMap(({ binds }) => binds ?? []),
    env: entriesOf(all.map(({ env }) => env)),
    sysctls: entriesOf(all.map(({ sysctls }) => sysctls)),
    others: nearest.memory !== undefined && memory === undefined ? ['memory', ...others] : others,
  }
}

function entriesOf(maps: readonly (Readonly<Record<string, string>> | undefined)[]) {
  return new Map(maps.flatMap(map => Object.entries(map ?? {})))
}

/** `1Gb`, `512MiB`: a multiple of 1024 in each case, so that a guest has as much at least. A number is bytes. */
function memoryOf(value: string | undefined): number | undefined {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt])?(?:i?b)?$/i.exec(value ?? '') ?? []
  if (count === undefined) return undefined
  const power = ['', 'k', 'm', 'g', 't'].indexOf(unit.toLowerCase())
  return Math.ceil(Number(count) * 1024 ** (power - 2))
}
