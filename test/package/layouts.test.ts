import { cpSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { Consumer, packTarball } from '../support/consumer.ts'
import { test } from '../support/leaks.ts'

const consumer = new Consumer()
const pnpm = new Consumer()
let tarball = ''

/** Uses native code, and a thread that has a script of its own. */
const program = `
import { openRoute } from 'xcluster/rtnl'
import { openThreads } from 'xcluster/dns'
async function main() {
  const route = openRoute()
  const links = await route.links.list()
  await route.close()
  const dns = await openThreads({ listen: ['127.0.0.1:0'], servers: ['192.0.2.1'] }, { threads: 2, notice() {}, onDeath: console.error })
  await dns.close()
  console.log(links.map(({ name }) => name).includes('lo'))
}
main()
`

/** A tool of a pinned version, which npm fetches. */
const tool = (name: string, ...args: string[]) => ['npm', 'exec', '--yes', `--package=${name}`, '--', ...args]

beforeAll(() => {
  tarball = packTarball()
  consumer.good(['npm', 'install', '--no-audit', '--no-fund', tarball])
  for (const each of [consumer, pnpm]) each.write('use.mjs', program)
})
afterAll(() => {
  consumer.remove()
  pnpm.remove()
})

describe('the package is as its tools expect it:', () => {
  test('publint finds nothing', () => {
    const { stdout } = consumer.good(tool('publint@0.3.25', 'publint', 'run', '--strict', tarball))
    expect(stdout).toMatch(/^All good!$/m)
  })

  test('attw finds types that fit the code, for ES modules', () => {
    const attw = tool(
      '@arethetypeswrong/cli@0.18.5',
      'attw',
      tarball,
      '--profile',
      'esm-only',
      '--format',
      'json',
    )
    const { analysis } = JSON.parse(consumer.good(attw).stdout) as {
      analysis: { problems: { kind: string }[] }
    }
    // A require() gets an ES module, which Node 20.19 and newer can give; node10 knows no `exports`.
    const known = ['CJSResolvesToESM', 'NoResolution']
    expect(analysis.problems.map(({ kind }) => kind).filter(kind => !known.includes(kind))).toEqual([])
  })
})

describe.each(['esm', 'cjs'])('bundled by esbuild as %s, the library', format => {
  const file = `out/deep/use.${format === 'esm' ? 'mjs' : 'cjs'}`
  beforeAll(() => {
    const options = [
      '--bundle',
      '--platform=node',
      `--format=${format}`,
      `--outfile=${file}`,
      '--log-level=warning',
    ]
    const { stderr } = consumer.good(tool('esbuild@0.28.2', 'esbuild', 'use.mjs', ...options))
    expect(stderr).toBe('')
  })

  test('finds its native code and its scripts in node_modules, from any working directory', () => {
    for (const folder of ['.', '/']) {
      const command = ['sh', '-c', `cd ${folder} && node ${join(consumer.folder, file)}`]
      expect(consumer.good(command)).toMatchObject({ stdout: 'true\n', stderr: '' })
    }
  })

  test('says that it does not find the package where there is none', () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'xc-bundle-'))
    cpSync(join(consumer.folder, dirname(file)), elsewhere, { recursive: true })
    const { status, stderr } = consumer.run(['sh', '-c', `cd ${elsewhere} && node use.${file.slice(-3)}`])
    expect(status).toBe(1)
    expect(stderr).toContain("code: 'PACKAGE_MISSING'")
    expect(stderr).toMatch(
      /SysError: find the files of xcluster for \S+use\.\wjs: a bundle needs node_modules\/xcluster beside it or above it\. Copy version [\d.]+ of the package there/,
    )
  })
})

test('a project of pnpm, with its links and without install scripts, uses the library and xc', () => {
  pnpm.write(
    'package.json',
    JSON.stringify({ name: 'app', private: true, dependencies: { xcluster: `file:${tarball}` } }),
  )
  const { stdout, stderr } = pnpm.good(
    tool('pnpm@10.20.0', 'pnpm', 'install', '--store-dir', join(pnpm.root, 'store')),
  )
  expect(stdout + stderr).not.toMatch(/WARN|Ignored build scripts/)
  expect(pnpm.good(['node', 'use.mjs'])).toMatchObject({ stdout: 'true\n', stderr: '' })
  expect(pnpm.good(['node_modules/.bin/xc', '--version']).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('types of all parts are found by projects of TypeScript 5.4 and 5.9 that check their dependencies too', () => {
  const names = ['', '/netlink', '/rtnl', '/genl', '/diag', '/nft', '/qmp', '/vm', '/net', '/dns']
  const imports = names.map((name, i) => `import * as part${i} from 'xcluster${name}'`)
  consumer.write(
    'types.mts',
    [...imports, `export const parts = [${names.map((_, i) => `part${i}`)}]`, ''].join('\n'),
  )
  consumer.good(['npm', 'install', '--no-audit', '--no-fund', '@types/node@20.19.43'])
  const options = [
    ...['--noEmit', '--declaration', '--strict', '--module', 'nodenext', '--target', 'es2022'],
    ...['--lib', 'es2023,esnext.disposable', '--types', 'node', 'types.mts'],
  ]
  for (const version of ['5.4.5', '5.9.3'])
    expect(consumer.good(tool(`typescript@${version}`, 'tsc', ...options)).stdout).toBe('')
})
