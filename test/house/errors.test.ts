import { describe, expect, test } from 'vitest'
import { withoutComments } from './floors.ts'
import { readFiles, readText } from './project.ts'

/** Error codes in source text: `code: 'X'`, also in a conditional expression. */
function codesIn(text: string): string[] {
  const values = withoutComments(text).matchAll(/\bcode:\s*([^,\n}]*'[A-Z][A-Z0-9_]+'[^,\n}]*)/g)
  return Array.from(values, ([, value]) =>
    Array.from(value!.matchAll(/'([A-Z][A-Z0-9_]+)'/g), ([, code]) => code!),
  ).flat()
}

/** The codes with a row in a table of the page. */
const codesOf = (page: string): string[] =>
  Array.from(page.matchAll(/^\| `?([A-Z][A-Z0-9_]+)`? \|/gm), ([, code]) => code!)

const thrown = new Set(readFiles(['src', 'scripts/setup'], /\.[jt]s$/).flatMap(({ text }) => codesIn(text)))
const documented = codesOf(readText('docs/errors.md'))

describe('docs/errors.md', () => {
  test('has a row for every error code in the source', () => {
    expect(thrown.size).toBeGreaterThan(20)
    expect([...thrown].filter(code => !documented.includes(code)).sort()).toEqual([])
  })

  test('has no row for a code that the source does not have', () => {
    expect(documented.filter(code => !thrown.has(code))).toEqual([])
  })

  test('has each code once, with a meaning and a remedy', () => {
    expect(documented.filter((code, i) => documented.indexOf(code) !== i)).toEqual([])
    const rows = readText('docs/errors.md')
      .split('\n')
      .filter(line => codesOf(line).length > 0)
    expect(rows.filter(row => !/^\|[^|]+\|[^|]{8,}\|[^|]{8,}\|$/.test(row.replaceAll('\\|', '')))).toEqual([])
  })
})

test('errors and notices of the library have no words of the command line', () => {
  const said = readFiles(['src'], /\.ts$/)
    .filter(({ path }) => !/^src\/(cli|client|owner)\//.test(path))
    .flatMap(({ path, text }) =>
      withoutComments(text)
        .split('\n')
        .map(line => `${path}: ${line.trim()}`),
    )
    .filter(line => /\b(remedy|reason|notice)\b/.test(line))
  expect(said.length).toBeGreaterThan(100)
  // Set-up is a command for users of the library too.
  const setUp = /npx xc setup\b|npm install --force\b|\$\{remedy\} --build\b/g
  expect(said.filter(line => /['"` (]--[a-z]|\bxc [a-z]/.test(line.replace(setUp, '')))).toEqual([])
})

test('error codes are found in source text, apart from comments, and in tables', () => {
  expect(codesIn("new VmError({ code: 'QEMU_GONE', reason })")).toEqual(['QEMU_GONE'])
  expect(codesIn("code: late ? 'A_LATE' : 'A_LOST',")).toEqual(['A_LATE', 'A_LOST'])
  expect(codesIn("// code: 'NOT_ONE'")).toEqual([])
  expect(codesOf('| QEMU_GONE | when | what |\n| `B_C` | when | what |')).toEqual(['QEMU_GONE', 'B_C'])
})
