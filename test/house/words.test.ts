import { basename } from 'node:path'
import { describe, expect, test } from 'vitest'
import { withoutComments } from './floors.ts'
import { readFiles, type SourceFile } from './project.ts'

interface Banned {
  readonly what: string
  readonly in: (file: SourceFile) => string | undefined
}

const matching =
  (pattern: RegExp, of = ({ text }: SourceFile) => text) =>
  (file: SourceFile) =>
    pattern.exec(of(file))?.[0]
const code = ({ text }: SourceFile) => withoutComments(text)
// Written in two parts so that this file does not contain them.
const marks = ['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK']

const banned: readonly Banned[] = [
  {
    what: 'a file name without meaning',
    in: matching(/^(utils?|helpers?|misc|common|stuff)\.[a-z]+$/, ({ path }) => basename(path)),
  },
  {
    what: 'a name without meaning',
    in: matching(/\b(class|interface|type|function) \w*(Manager|Helper|Util|Utils|Impl)\b/, code),
  },
  { what: 'unfinished work', in: matching(new RegExp(`\\b(${marks.join('|')})\\b`)) },
  { what: 'a test that runs alone', in: matching(/\b(test|it|describe)\.only\b/, code) },
  { what: 'a test that need not pass', in: matching(/\b(test|it|describe)\.(todo|fails)\b/, code) },
  {
    what: 'a skipped test without its reason',
    in: matching(/\b(test|it|describe)\.(skip|skipIf|runIf)\b|\bskip\(\)/, code),
  },
  { what: 'a mock of a module', in: matching(/\bvi\.(mock|doMock|hoisted)\(/, code) },
  { what: 'an unexplained exception from the types', in: matching(/@ts-(ignore|nocheck|expect-error)\s*$/m) },
]

const violations = (files: readonly SourceFile[]): string[] =>
  files.flatMap(file =>
    banned.flatMap(each => {
      const found = each.in(file)
      return found === undefined ? [] : [`${file.path}: ${each.what}: ${found}`]
    }),
  )

test('the source has no banned words', () => {
  const files = readFiles(
    ['src', 'native', 'test', 'bench', 'scripts', 'guest', 'bin'],
    /\.([tjcm]?[tj]s|[ch]|sh|rc)$/,
  ).filter(({ path }) => path !== 'test/house/words.test.ts')
  expect(files.length).toBeGreaterThan(100)
  expect(violations(files)).toEqual([])
})

describe('a planted banned word is caught:', () => {
  test.each([
    ['src/vm/utils.ts', ''],
    ['src/vm/x.ts', 'export class VmManager {}'],
    ['src/vm/x.ts', `// ${marks[0]}: later`],
    ['test/unit/x.test.ts', "describe.only('x', () => {})"],
    ['test/unit/x.test.ts', "test.todo('x')"],
    ['test/unit/x.test.ts', "test.skip('x', () => {})"],
    ['test/unit/x.test.ts', 'context.skip()'],
    ['test/unit/x.test.ts', 'describe.skipIf(!found)(...)'],
    ['test/unit/x.test.ts', "vi.mock('node:fs')"],
    ['src/vm/x.ts', '// @ts-expect-error\nconst a: string = 1'],
  ])('%s %s', (path, text) => {
    expect(violations([{ path, text }])).toHaveLength(1)
  })
})
