import { cpSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { Consumer, packTarball } from '../support/consumer.ts'
import { test } from '../support/leaks.ts'
import { isRoot } from '../support/rights.ts'

const consumer = new Consumer()
const { installed } = consumer
const addon = join(installed, `prebuilds/linux-${process.arch}/xcluster.node`)
/** Programs of npm and set-up, and no compiler. */
const usual = ['node', 'npm', 'npx', 'sh', 'env', 'cat', 'flock', 'qemu-system-x86_64', 'apt-get']
const noCompiler = consumer.pathWith(usual)
let said = ''

const program = `
import { openRoute } from 'xcluster/rtnl'
const route = openRoute()
const links = await route.links.list()
await route.close()
console.log(links.map(({ name }) => name).includes('lo'))
`

beforeAll(() => {
  const install = ['npm', 'install', '--no-audit', '--no-fund', packTarball()]
  const { stderr, stdout } = consumer.good(install, noCompiler)
  said = stdout + stderr
  consumer.write('use.mjs', program)
})
afterAll(() => consumer.remove())

/** Does something with the package, and puts back what it was. */
function withPackage(work: () => void): void {
  const kept = join(consumer.root, 'kept')
  cpSync(installed, kept, { recursive: true })
  try {
    work()
  } finally {
    rmSync(installed, { recursive: true })
    renameSync(kept, installed)
  }
}

const files = () => readdirSync(installed, { recursive: true, encoding: 'utf8' }).sort()

describe('the installed package', () => {
  test('installs without a compiler, an install script or a warning', () => {
    expect(said.trim()).toMatch(/^added \d+ packages in \d+m?s$/)
    const { scripts } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    expect(Object.keys(scripts).filter(name => name.includes('install'))).toEqual([])
  })

  test('works without a compiler, and writes nothing into itself', () => {
    const before = files()
    expect(consumer.good(['node', 'use.mjs'], noCompiler)).toMatchObject({ stdout: 'true\n', stderr: '' })
    expect(consumer.good(['npx', 'xc', '--version'], noCompiler).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect(files()).toEqual(before)
  })

  test('works in a folder that cannot be written', ({ skip }) => {
    skip(!isRoot, 'it takes root to mount a folder read-only')
    expect(readOnly(['node', 'use.mjs'])).toMatchObject({ stdout: 'true\n', stderr: '', status: 0 })
  })

  test('works beside another version in one process, which is warned about once', () => {
    withPackage(() => {
      const other = join(consumer.folder, 'node_modules/other')
      cpSync(installed, other, { recursive: true })
      replaceVersion(other, '0.0.9')
      consumer.write('two.mjs', `import './use.mjs'\nimport './other.mjs'\n`)
      consumer.write(
        'other.mjs',
        program.replace('xcluster/rtnl', './node_modules/other/dist/library/rtnl.js'),
      )
      const { stdout, stderr } = consumer.good(['node', 'two.mjs'])
      rmSync(other, { recursive: true })
      expect(stdout).toBe('true\ntrue\n')
      expect(stderr).toMatch(
        /^\(node:\d+\) \[TWO_VERSIONS\] Warning: xcluster .* and xcluster 0\.0\.9 .*npm ls xcluster$/m,
      )
      expect(stderr.match(/TWO_VERSIONS/g)).toHaveLength(1)
    })
  })
})

describe('an installed package that is not whole says so in one sentence:', () => {
  test('a prebuilt file that was cut short', () => {
    withPackage(() => {
      truncateSync(addon, 20_000)
      const { status, stderr } = consumer.run(['node', 'use.mjs'])
      expect(status).toBe(1)
      expect(stderr).toMatch(
        /^SysError: use \S+xcluster\.node: it ends early: it has 20000 of \d+ bytes\. Install xcluster again: npm install --force xcluster\.$/m,
      )
      expect(stderr).toContain("code: 'ARTEFACT_DAMAGED'")
    })
  })

  test('no prebuilt file and no compiler', () => {
    withPackage(() => {
      rmSync(join(installed, 'prebuilds'), { recursive: true })
      const { stderr } = consumer.run(['node', 'use.mjs'])
      expect(stderr).toMatch(
        /^SysError: find xcluster\.node \S+: xcluster comes without it for linux-\w+, and it has not been built\. Run: npx xc setup \(it builds with python3, make and g\+\+\)\.$/m,
      )
      const setup = consumer.run(['npx', 'xc', 'setup'], noCompiler)
      expect(setup.status).toBe(4)
      expect(setup.stderr).toMatch(
        /^To build the native code \(xcluster comes without it for linux-\w+, and it has not been built\), a compiler is needed\. Run this, then try again:\n {2}(sudo )?apt-get install -y --no-install-recommends python3 make g\+\+\n/m,
      )
      expect(setup.stderr).toMatch(/\(NO_COMPILER\)\n$/)
    })
  })

  test('no prebuilt file, and a folder that cannot be written', ({ skip }) => {
    skip(!isRoot, 'it takes root to mount a folder read-only')
    withPackage(() => {
      rmSync(join(installed, 'prebuilds'), { recursive: true })
      const { status, stderr } = readOnly(['npx', 'xc', 'setup'])
      expect(status).toBe(4)
      expect(stderr).toMatch(
        /^The native code has to be built, and \S+\/build cannot be written \(EROFS\)\. Run this as the user that the folder belongs to, on a file system that can be written\. \(PACKAGE_READ_ONLY\)$/m,
      )
    })
  })
})

test('without a prebuilt file, set-up builds the native code, by a node-gyp that npm fetches', () => {
  withPackage(() => {
    rmSync(join(installed, 'prebuilds'), { recursive: true })
    const setup = consumer.run(['npx', 'xc', 'setup'], { XDG_CACHE_HOME: join(consumer.root, 'cache') })
    expect(setup.stderr).toMatch(/^✔ Native code: built/m)
    expect(consumer.good(['node', 'use.mjs']).stdout).toBe('true\n')
  })
})

/** Runs a command where the project's folder cannot be written. */
function readOnly(command: readonly string[]) {
  const script = 'mount --bind . .; mount -o remount,ro,bind .; cd "$PWD"; exec "$@"'
  return consumer.run(['unshare', '--mount', '--propagation=private', 'sh', '-euc', script, 'sh', ...command])
}

/** Makes another version of a package, in its manifest and in its code. */
function replaceVersion(folder: string, version: string): void {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }
  for (const name of [
    'package.json',
    ...readdirSync(join(folder, 'dist/library')).map(file => `dist/library/${file}`),
  ]) {
    const file = join(folder, name)
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(`"${manifest.version}"`, `"${version}"`))
  }
}
