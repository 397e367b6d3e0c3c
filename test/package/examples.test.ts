import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { basename } from 'node:path'
import { afterAll, describe, expect } from 'vitest'
import { inProject, readText, runTool } from '../house/project.ts'
import { test } from '../support/leaks.ts'
import { needsRoot } from '../support/rights.ts'

/** What each example prints: the same in TypeScript and in JavaScript. */
const printed: Readonly<Record<string, string>> = {
  cluster: 'the tester answers',
  dns: 'AAAA 2001:db8::1',
  lab: 'the first test begins with: prepared\nthe second test begins with: prepared',
  net: 'planned: xcbr0_t1 xcbr1_t1 xcbr0_t2\nnode 1 has 2 interfaces',
  netlink: 'link 1 is lo',
  nft: 'example input: drop, except ssh',
  qmp: 'it was running, and shut down because of host-qmp-quit',
  rtnl: 'ports of br0: a; 198.51.100.7 is reached by 192.0.2.2',
  trace: 'a request for all links was seen',
  vm: 'the guest runs Linux',
}

const namesIn = (folder: string) => readdirSync(inProject(folder)).map(file => file.replace(/\.[jt]s$/, ''))

mkdirSync(inProject('build'), { recursive: true })
const compiled = mkdtempSync(inProject('build', 'examples-'))
afterAll(() => rmSync(compiled, { recursive: true }))

function run(script: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
    cwd: inProject(),
    encoding: 'utf8',
  })
  expect(status, stderr).toBe(0)
  return stdout.trim()
}

test('there is an example of each part in both languages, of 40 lines at most', () => {
  for (const folder of ['examples/typescript', 'examples/javascript']) {
    expect(namesIn(folder).sort()).toEqual(Object.keys(printed).sort())
    for (const file of readdirSync(inProject(folder)))
      expect(readText(`${folder}/${file}`).split('\n').length - 1, file).toBeLessThanOrEqual(40)
  }
})

test('the examples in TypeScript compile', () => {
  const options =
    '--ignoreConfig --strict --target es2023 --lib es2023,esnext.disposable --module nodenext --types node'
  const files = readdirSync(inProject('examples/typescript')).map(file => `examples/typescript/${file}`)
  const compiler = 'node_modules/typescript/bin/tsc'
  expect(
    runTool(
      compiler,
      ...options.split(' '),
      '--skipLibCheck',
      '--rootDir',
      'examples/typescript',
      '--outDir',
      compiled,
      ...files,
    ).output,
  ).toBe('')
})

describe.each(Object.entries(printed))(
  'the example %s prints what it should, and leaves nothing,',
  (name, text) => {
    test.for([
      ['TypeScript', `${compiled}/${name}.js`],
      ['JavaScript', `examples/javascript/${name}.js`],
    ] as const)('in %s', ([, script], { skip }) => {
      if (['nft', 'rtnl'].includes(name)) needsRoot(skip)
      expect(run(script), basename(script)).toBe(text)
    })
  },
)
