import { describe, expect, test } from 'vitest'
import { doorViolations } from './doors.ts'
import { floors, importsOf, importViolations } from './floors.ts'
import { readFiles } from './project.ts'

const source = readFiles(['src'], /\.ts$/)

describe('the floors', () => {
  test('are found: files have imports, static and dynamic', () => {
    const imports = source.flatMap(({ text }) => importsOf(text))
    expect(source.length).toBeGreaterThan(50)
    expect(imports.filter(({ specifier }) => specifier.startsWith('.')).length).toBeGreaterThan(source.length)
    expect(imports.some(({ kind }) => kind === 'dynamic')).toBe(true)
  })

  test('are those of docs/architecture.md, in an order in which imports only go down', () => {
    const order = [...floors.keys()]
    const folders = source.flatMap(({ path }) => /^src\/(\w+)\//.exec(path)?.[1] ?? [])
    expect(order).toEqual(expect.arrayContaining(folders))
    const wrong = [...floors].flatMap(([name, { mayImport, loadsWhenUsed }], i) =>
      [...mayImport, ...loadsWhenUsed]
        .filter(to => !order.slice(0, i).includes(to))
        .map(to => `${name} → ${to}`),
    )
    expect(wrong).toEqual([])
  })

  test('import only downwards, through index.ts', () => {
    expect(importViolations(source)).toEqual([])
  })

  test('use the world outside the process only in the allowed files', () => {
    expect(doorViolations(source)).toEqual([])
  })

  test('are exported by src/index.ts, which only re-exports', () => {
    const lines = source.find(({ path }) => path === 'src/index.ts')!.text.split('\n')
    expect(lines.filter(line => /^(const|let|function|class|import)\b/.test(line))).toEqual([])
  })
})

/** Tests of the checks: each of these must be caught. */
describe('a planted violation is caught:', () => {
  const planted: [string, string, string, RegExp][] = [
    ['an import from above', 'src/base/x.ts', "import { a } from '../vm/index.ts'", /no other floor/],
    ['an import of a sibling', 'src/rtnl/x.ts', "import { a } from '../qmp/index.ts'", /base, netlink/],
    ['an import past index.ts', 'src/vm/x.ts', "import { a } from '../qmp/client.ts'", /index\.ts/],
    ['a type from above', 'src/qmp/x.ts', "import type { A } from '../vm/index.ts'", /base, sys/],
    [
      'an import over several lines',
      'src/base/x.ts',
      "import {\n  a,\n} from '../vm/index.ts'",
      /no other floor/,
    ],
    ['a re-export', 'src/base/x.ts', "export * from '../vm/index.ts'", /no other floor/],
    ['a dynamic import', 'src/client/x.ts', "await import('../cluster/index.ts')", /client may import base/],
    [
      'a static import that slows down every command',
      'src/cli/x.ts',
      "import { start } from '../cluster/index.ts'",
      /cli may import/,
    ],
    ['a heavy library', 'src/cli/x.ts', "import { z } from 'zod'", /every command/],
    ['a heavy description of a verb', 'src/api/x.ts', "import { z } from 'zod'", /every command/],
    ['a folder that is not a floor', 'src/vm/x.ts', "import { a } from '../utils/index.ts'", /not a floor/],
    ['the tests', 'src/vm/x.ts', "import { a } from '../../test/support/leaks.ts'", /not a floor/],
  ]
  test.each(planted)('%s', (...[, path, text, sentence]) => {
    expect(importViolations([{ path, text }])).toEqual([expect.stringMatching(sentence)])
  })

  const doors: [string, string][] = [
    ['native code', "process.dlopen(module, 'x')"],
    ['the end of the process', 'process.exit(1)'],
    ['standard output', 'console.log(1)'],
    ['a directory that is made with those above it', 'mkdirSync(dirname(path), { recursive: true })'],
    ['a sleep', "import { setTimeout } from 'node:timers/promises'"],
  ]
  test.each(doors)('%s', (_, text) => {
    expect(doorViolations([{ path: 'src/vm/x.ts', text }])).toHaveLength(1)
  })

  test('a fourth file that starts programs, a second one that reads the environment', () => {
    const files = (count: number, text: string) =>
      Array.from({ length: count }, (_, i) => ({ path: `src/vm/x${i}.ts`, text }))
    const spawns = "import { spawn } from 'node:child_process'"
    expect(doorViolations(files(3, spawns))).toEqual([])
    expect(doorViolations(files(4, spawns))).toHaveLength(1)
    expect(doorViolations(files(1, 'process.env.HOME'))).toEqual([])
    expect(doorViolations(files(2, 'process.env.HOME'))).toHaveLength(1)
  })
})

test('floors and outside uses that only comments and strings mention are not violations', () => {
  const text = "/** See `import '../vm/index.ts'` */\n// process.exit(1)\nconst url = 'http://x/y'\n"
  expect(importViolations([{ path: 'src/base/x.ts', text }])).toEqual([])
  expect(doorViolations([{ path: 'src/base/x.ts', text }])).toEqual([])
})
