import { dirname, join } from 'node:path'
import { readText, type SourceFile } from './project.ts'

interface Floor {
  readonly mayImport: readonly string[]
  /** What its commands load when they run: a static import would make every other command slower. */
  readonly loadsWhenUsed: readonly string[]
}

const names = (cell: string): string[] => Array.from(cell.matchAll(/`(\w+)`/g), ([, name]) => name!)

/** The table of docs/architecture.md. */
export const floors: ReadonlyMap<string, Floor> = new Map(
  readText('docs/architecture.md')
    .split('\n')
    .map(line => line.split('|').map(cell => cell.trim()))
    .filter(cells => cells.length === 6 && /^`\w+`$/.test(cells[1]!))
    .map(cells => [names(cells[1]!)[0]!, { mayImport: names(cells[3]!), loadsWhenUsed: names(cells[4]!) }]),
)

/** Libraries that take tens of milliseconds to load, and so must not be loaded by every command. */
const heavy = ['fastify', 'zod', 'yaml', 'jiti']

/** One import, export-from or `import()` of a source file. */
export interface Import {
  readonly specifier: string
  readonly kind: 'static' | 'type' | 'dynamic'
}

/** Every import in a module, at any place. Text in comments does not count. */
export function importsOf(text: string): Import[] {
  const code = withoutComments(text)
  const statements = code.matchAll(
    /^\s*(?:import|export)\s+(type\s)?(?:[^'"();]*?\sfrom\s+)?['"]([^'"]+)['"]/gm,
  )
  const calls = code.matchAll(/\b(?:import|require)\(\s*['"`]([^'"`]+)['"`]/g)
  return [
    ...Array.from(
      statements,
      ([, type, specifier]) => ({ specifier: specifier!, kind: type ? 'type' : 'static' }) as const,
    ),
    ...Array.from(calls, ([, specifier]) => ({ specifier: specifier!, kind: 'dynamic' }) as const),
  ]
}

/** Source text without its comments. */
export function withoutComments(text: string): string {
  return text.replace(
    /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|(?<![:\\/])\/\/[^\n]*/g,
    (_, string) => string ?? '',
  )
}

/** Violations, as sentences: imports that go up, sideways or past a floor's index.ts. */
export function importViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    importsOf(text).flatMap(each =>
      each.specifier.startsWith('.') ? crossing(path, each) : loading(path, each),
    ),
  )
}

const floorOf = (path: string): string | undefined => /^src\/([^/]+)\//.exec(path)?.[1]

function crossing(path: string, { specifier, kind }: Import): string[] {
  const from = floorOf(path)
  const target = join(dirname(path), specifier)
  const to = floorOf(target)
  if (from === to) return []
  const arrow = `${path} imports ${specifier}`
  if (!to || !floors.has(to)) return [`${arrow}: that is not a floor`]
  if (target !== `src/${to}/index.ts`) return [`${arrow}: a floor is entered through its index.ts`]
  if (!from) return path === 'src/index.ts' ? [] : [`${arrow}: only src/index.ts stands outside the floors`]
  const { mayImport = [], loadsWhenUsed = [] } = floors.get(from) ?? {}
  if (mayImport.includes(to) || (loadsWhenUsed.includes(to) && kind !== 'static')) return []
  return [`${arrow}: ${from} may import ${mayImport.join(', ') || 'no other floor'}`]
}

function loading(path: string, { specifier, kind }: Import): string[] {
  const light = ['src/cli/', 'src/client/', 'src/api/', 'src/base/'].some(folder => path.startsWith(folder))
  return light && kind === 'static' && heavy.includes(specifier)
    ? [`${path} imports ${specifier}: every command would load it`]
    : []
}
