import { existsSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compile, readmeExample } from '../support/readme.ts'
import { inProject, readFiles, readText } from './project.ts'

const pages = [
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'bench/README.md'].map(path => ({
    path,
    text: readText(path),
  })),
  ...readFiles(['docs'], /\.md$/),
]

/** The width of prose, in columns. */
const width = 100

/** The numbers of lines of prose that are too long. Tables, code, HTML and unbreakable words may be longer. */
function longLines(text: string): number[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, code => code.replace(/[^\n]/g, ''))
  return prose.split('\n').flatMap((line, index) => {
    const [, words = ''] = /^\s*(?:[-*]|\d+\.)?\s*(.*)$/.exec(line) ?? []
    const mayBeLong = /^\s*[|<]/.test(line) || !words.includes(' ')
    return [...line].length > width && !mayBeLong ? [index + 1] : []
  })
}

/** Links and pictures with a target that does not exist: a file, or a heading of a page. */
function brokenLinks({ path, text }: { path: string; text: string }): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '')
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g), ...prose.matchAll(/\b(?:src|href)="([^"]+)"/g)]
  return targets
    .map(([, target]) => target!)
    .filter(target => !/^https?:/.test(target) && !leadsSomewhere(path, target))
}

function leadsSomewhere(from: string, target: string): boolean {
  const [file, heading] = target.split('#')
  const path = file ? join(dirname(from), file) : from
  return existsSync(inProject(path)) && (!heading || headings(path).includes(heading))
}

const headings = (path: string): string[] =>
  Array.from(readText(path).matchAll(/^#+ (.*)$/gm), ([, text]) =>
    text!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

describe('the pages', () => {
  test('have links to existing files and headings', () => {
    const broken = pages.flatMap(page => brokenLinks(page).map(target => `${page.path}: ${target}`))
    expect(broken).toEqual([])
  })

  test('are all linked from another page', () => {
    const linked = new Set(
      pages.flatMap(({ path, text }) =>
        Array.from(text.matchAll(/\]\(([^)#\s]+)/g), ([, to]) => join(dirname(path), to!)),
      ),
    )
    const found = pages.map(({ path }) => path).filter(path => path !== 'README.md')
    expect(found.filter(path => !linked.has(path) && !linked.has(dirname(path)))).toEqual([])
  })

  test(`wrap at ${width} columns`, () => {
    const long = pages.flatMap(({ path, text }) => longLines(text).map(line => `${path}:${line}`))
    expect(long).toEqual([])
  })

  test('are checked for long lines: a planted one is caught', () => {
    const half = 'é'.repeat(width / 2 - 1)
    const [fits, long] = [`${half} é${half}\n\n`, `${half} éé${half}\n\n`]
    const excepted = `| ${long}<img alt="${long}">\n\`\`\`\n${long}\`\`\`\n- [a](${'b'.repeat(width)})\n`
    expect(longLines(`${fits}${excepted}`)).toEqual([])
    expect(longLines(`${fits}${long}- ${long}`)).toEqual([3, 5])
  })

  test('are checked for broken links: planted ones are caught', () => {
    const text = '[a](no-such.md) [b](setup.md) [c](setup.md#no-such-heading) [d](setup.md#when-it-fails)'
    expect(brokenLinks({ path: 'docs/x.md', text })).toEqual(['no-such.md', 'setup.md#no-such-heading'])
  })
})

function compileOnly(text: string): { status: number | null; output: string } {
  const { folder, ...compiled } = compile(text)
  rmSync(folder, { recursive: true })
  return compiled
}

describe("README's example", () => {
  test('has at most 15 lines and compiles against the built package', () => {
    const example = readmeExample()
    expect(example.trimEnd().split('\n').length).toBeLessThanOrEqual(15)
    const { status, output } = compileOnly(example)
    expect(output).toBe('')
    expect(status).toBe(0)
  })

  test('is really compiled: a planted error makes it fail', () => {
    expect(compileOnly(`${readmeExample()}\nconst wrong: number = 'text'\n`).status).not.toBe(0)
    expect(compileOnly("import { noSuchThing } from 'xcluster'\nnoSuchThing()\n").output).toContain(
      'noSuchThing',
    )
  })
})
