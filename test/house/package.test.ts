import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { inProject, readText } from './project.ts'

interface Manifest {
  readonly exports: Record<string, string | { types: string; default: string }>
  readonly dependencies: Record<string, string>
  readonly devDependencies: Record<string, string>
}
interface LockFile {
  readonly packages: Record<
    string,
    { version?: string; resolved?: string; hasInstallScript?: boolean; dev?: boolean }
  >
}

const manifest: Manifest = JSON.parse(readText('package.json'))
const lock: LockFile = JSON.parse(readText('package-lock.json'))

describe('package.json', () => {
  test('names every version exactly, as the lock file has it', () => {
    const wanted = { ...manifest.dependencies, ...manifest.devDependencies }
    const inexact = Object.entries(wanted).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
    expect(inexact).toEqual([])
    for (const [name, version] of Object.entries(wanted))
      expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version)
  })

  test('exports only files that have been built', () => {
    const targets = Object.values(manifest.exports).flatMap(target =>
      typeof target === 'string' ? [target] : [target.types, target.default],
    )
    expect(targets.length).toBeGreaterThan(10)
    expect(targets.filter(target => !existsSync(inProject(target)))).toEqual([])
  })

  test.each(Object.keys(manifest.exports).filter(path => !path.endsWith('.json')))(
    'exports %s, which can be imported by that name',
    async path => {
      const name = path.replace('.', 'xcluster')
      const { status, stderr } = spawnSync(
        process.execPath,
        ['--input-type=module', '-e', `await import('${name}')`],
        {
          cwd: inProject(),
          encoding: 'utf8',
        },
      )
      expect(stderr).toBe('')
      expect(status).toBe(0)
    },
  )

  test('has bin/xc.js as an executable program', () => {
    accessSync(inProject('bin/xc.js'), constants.X_OK)
    expect(readText('bin/xc.js')).toMatch(/^#!\/usr\/bin\/env node\n/)
  })

  test('needs no install script at run time, and the lock file names no registry', () => {
    const packages = Object.entries(lock.packages)
    expect(packages.length).toBeGreaterThan(50)
    expect(packages.filter(([, { hasInstallScript, dev }]) => hasInstallScript && !dev)).toEqual([])
    expect(packages.filter(([, { resolved }]) => resolved?.startsWith('http'))).toEqual([])
  })
})

describe('the npm package', () => {
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: inProject(),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const files = (JSON.parse(stdout) as [{ files: { path: string }[] }])[0].files.map(({ path }) => path)

  test('contains the files that it needs', () => {
    const needed = [
      'package.json',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'bin/xc.js',
      'bin/load.js',
      'bin/owner.js',
      'bin/package.json',
      'dist/programs/xc.js',
      'dist/programs/owner.js',
      'dist/programs/package.json',
      'dist/library/index.js',
      'dist/library/setup.js',
      'docs/setup.md',
      'dist/index.d.ts',
      'native/binding.gyp',
      'scripts/setup/kernel/guest.config',
    ]
    expect(files).toEqual(expect.arrayContaining(needed))
    for (const folder of ['native/addon/', 'native/launcher/', 'guest/'])
      expect(
        files.some(file => file.startsWith(folder)),
        folder,
      ).toBe(true)
  })

  test('contains nothing else', () => {
    const meant =
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|bin\/((xc|owner|load)\.js|package\.json)|(native|guest|ovl)\/.*|prebuilds\/linux-(x64|arm64)\/xcluster(\.node|-launcher|-qemu\.so|-guest)|scripts\/(setup\/(kernel\/)?[\w-]+|fetch-guest)\.js|scripts\/setup\/kernel\/guest\.config|dist\/programs\/(package\.json|xc\.1)|dist\/(library|programs)\/[\w-]+\.js|dist\/.*\.d\.ts|docs\/.*\.(md|svg|schema\.json)|examples\/[\w-]+\/[\w-]+\.(ts|js|sh))$/
    expect(files.filter(file => !meant.test(file))).toEqual([])
    expect(files.filter(file => /(^|\/)\.|\.test\./.test(file))).toEqual([])
  })
})
