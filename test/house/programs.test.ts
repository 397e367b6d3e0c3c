import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { inProject, readFiles } from './project.ts'

const source = readFiles(['src'], /\.ts$/)

describe('the programs of bin/', () => {
  test('are packed as deep as the modules that find files from where they are', () => {
    const finding = source.filter(({ text }) => /import\.meta\.(url|dirname|filename)/.test(text))
    expect(finding.length).toBeGreaterThan(3)
    const beside = /fileURLToPath\(import\.meta\.url\)\.replace\(\/\[\^\/\]\+\(/
    const elsewhere = finding.filter(({ path, text }) => path.split('/').length !== 3 && !beside.test(text))
    expect(elsewhere.map(({ path }) => path)).toEqual([])
    expect(inProject('dist/programs/xc.js').split('/')).toHaveLength(
      inProject('dist/cli/main.js').split('/').length,
    )
  })

  test('share no file, so that loading one never runs the main module of another', () => {
    const files = readFiles(['dist/programs'], /\.js$/)
    const programOf = (name: string) => /^(xc|ahead|owner|worker)/.exec(name)![0].replace('ahead', 'xc')
    const shared = files.flatMap(({ path, text }) =>
      Array.from(text.matchAll(/(?:from |import\(|require\()["']\.\/([^"']+)["']/g), ([, to]) => to!)
        .filter(to => programOf(to) !== programOf(basename(path)))
        .map(to => `${path} loads ${to}`),
    )
    expect(files.length).toBeGreaterThan(4)
    expect(shared).toEqual([])
  })

  test('say that they have not been built where that is so', () => {
    const copy = mkdtempSync(join(tmpdir(), 'xc-unbuilt-'))
    mkdirSync(join(copy, 'bin'))
    cpSync(inProject('bin/xc.js'), join(copy, 'bin/xc.js'))
    cpSync(inProject('bin/package.json'), join(copy, 'bin/package.json'))
    const { status, stderr } = spawnSync(process.execPath, [join(copy, 'bin/xc.js'), 'ls'], {
      encoding: 'utf8',
    })
    expect(stderr).toBe('xc: it has not been built. Run: npm run build\n')
    expect(status).toBe(4)
  })
})
