import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { inProject, readFiles, readText, runTool } from './project.ts'
import { readmeExample } from './readme.ts'

const pages = [
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md'].map(path => ({ path, text: readText(path) })),
  ...readFiles(['docs'], /\.md$/),
]

/** Links and pictures that lead nowhere: a file that is not there, a heading that the page has not. */
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
  test('have links that lead somewhere', () => {
    const broken = pages.flatMap(page => brokenLinks(page).map(target => `${page.path}: ${target}`))
    expect(broken).toEqual([])
  })

  test('are all linked from another one', () => {
    const linked = new Set(
      pages.flatMap(({ path, text }) =>
        Array.from(text.matchAll(/\]\(([^)#\s]+)/g), ([, to]) => join(dirname(path), to!)),
      ),
    )
    const found = pages.map(({ path }) => path).filter(path => path !== 'README.md')
    expect(found.filter(path => !linked.has(path) && !linked.has(dirname(path)))).toEqual([])
  })

  test('catch a planted broken link', () => {
    const text = '[a](no-such.md) [b](setup.md) [c](setup.md#no-such-heading) [d](setup.md#when-it-fails)'
    expect(brokenLinks({ path: 'docs/x.md', text })).toEqual(['no-such.md', 'setup.md#no-such-heading'])
  })
})

/** Compiles a module that uses this package by its name, against what is built. */
function compile(text: string): { status: number | null; output: string } {
  mkdirSync(inProject('build'), { recursive: true })
  const folder = mkdtempSync(inProject('build', 'example-'))
  try {
    const file = join(folder, 'example.ts')
    writeFileSync(file, text)
    const options =
      '--noEmit --strict --target es2023 --lib es2023,esnext.disposable --module nodenext --types node --skipLibCheck'
    return runTool(
      'node_modules/typescript/bin/tsc',
      '--ignoreConfig',
      ...options.split(' '),
      relative(inProject(), file),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe("README's example", () => {
  test('has at most 15 lines and compiles against the built package', () => {
    const example = readmeExample()
    expect(example.trimEnd().split('\n').length).toBeLessThanOrEqual(15)
    const { status, output } = compile(example)
    expect(output).toBe('')
    expect(status).toBe(0)
  })

  test('would not compile if it were wrong', () => {
    expect(compile(`${readmeExample()}\nconst wrong: number = 'text'\n`).status).not.toBe(0)
    expect(compile("import { noSuchThing } from 'xcluster'\nnoSuchThing()\n").output).toContain('noSuchThing')
  })
})
