import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { version } from '../../../src/base/index.ts'
import { type Artefact, artefact, placesOf } from '../../../src/sys/artefacts.ts'
import { announce } from '../../../src/sys/copies.ts'
import { findRoot, packageRoot } from '../../../src/sys/package-root.ts'

const directory = mkdtempSync(join(tmpdir(), 'xcluster-test-'))
afterAll(() => rmSync(directory, { recursive: true }))

/** A package that has files in these of its folders. */
function fakePackage(name: string, files: Readonly<Record<string, Artefact>>): string {
  const root = join(directory, name, '/')
  for (const [folder, file] of Object.entries(files)) {
    mkdirSync(join(root, folder), { recursive: true })
    copyFileSync(artefact(file), join(root, folder, file))
  }
  return root
}

const prebuilt = `prebuilds/linux-${process.arch}`

describe('the native files', () => {
  test('are those that were built here, else those that the package brings', () => {
    const both = fakePackage('both', { 'build/Release': 'xcluster.node', [prebuilt]: 'xcluster.node' })
    expect(artefact('xcluster.node', placesOf('xcluster.node', both))).toBe(
      `${both}build/Release/xcluster.node`,
    )
    const one = fakePackage('one', { [prebuilt]: 'xcluster.node' })
    expect(artefact('xcluster.node', placesOf('xcluster.node', one))).toBe(`${one}${prebuilt}/xcluster.node`)
  })

  test('that neither were built nor come with the package are reported with what builds them', () => {
    const places = placesOf('xcluster-launcher', `${directory}/none/`)
    expect(() => artefact('xcluster-launcher', places)).toThrow(
      `find xcluster-launcher ${directory}/none/build/Release/xcluster-launcher: xcluster comes without it for linux-${process.arch}, and it has not been built. Run: npx xc setup (it builds with python3, make and g++).`,
    )
  })

  test('that are cut short anywhere are refused before they are loaded', () => {
    const root = fakePackage('cut', { [prebuilt]: 'xcluster.node' })
    const file = `${root}${prebuilt}/xcluster.node`
    for (const size of [20_000, 4096, 64]) {
      truncateSync(file, size)
      expect(() => artefact('xcluster.node', [file])).toThrow(
        expect.objectContaining({
          code: 'ARTEFACT_DAMAGED',
          reason: expect.stringMatching(new RegExp(`^it ends early: it has ${size} of \\d+ bytes$`)),
          remedy: 'Install xcluster again: npm install --force xcluster',
        }),
      )
    }
    truncateSync(file, 0)
    expect(() => artefact('xcluster.node', [file])).toThrow('it is not a 64-bit ELF file (0 bytes)')
    writeFileSync(
      file,
      'version https://git-lfs.github.com/spec/v1\noid sha256:0123456789abcdef\nsize 47000\n',
    )
    expect(() => artefact('xcluster.node', [file])).toThrow('it is not a 64-bit ELF file')
  })

  test('of another processor, and a launcher that may not be executed, are refused', () => {
    const root = fakePackage('other', { 'build/Release': 'xcluster-launcher', [prebuilt]: 'xcluster.node' })
    const file = `${root}${prebuilt}/xcluster.node`
    const bytes = Buffer.alloc(64)
    Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2]).copy(bytes)
    bytes.writeUInt16LE(243, 0x12) // EM_RISCV
    writeFileSync(file, bytes)
    expect(() => artefact('xcluster.node', [file])).toThrow(
      `it is for another processor than ${process.arch}`,
    )
    const launcher = `${root}build/Release/xcluster-launcher`
    chmodSync(launcher, 0o644)
    expect(() => artefact('xcluster-launcher', [launcher])).toThrow(
      /Permission denied\. Run: npx xc setup\.$/,
    )
  })
})

describe('the folder of the package', () => {
  test('is two folders up from the code', () => {
    expect(findRoot(import.meta.resolve('../../../src/sys/package-root.ts'), '/')).toBe(packageRoot())
  })

  test('is the package that a bundle would import, from its folder or from the working directory', () => {
    const installed = join(directory, 'app/node_modules/xcluster')
    mkdirSync(installed, { recursive: true })
    mkdirSync(join(directory, 'app/out/deep'), { recursive: true })
    writeFileSync(join(installed, 'package.json'), '{ "name": "xcluster" }')
    const bundle = pathToFileURL(join(directory, 'app/out/deep/bundle.mjs')).href
    expect(findRoot(bundle, '/')).toBe(`${installed}/`)
    expect(findRoot(undefined, join(directory, 'app/'))).toBe(`${installed}/`)
  })

  test('is needed by a bundle, which is told so', () => {
    expect(() => findRoot('file:///nowhere/out/bundle.mjs', '/nowhere/')).toThrow(
      `find the files of xcluster for /nowhere/out/bundle.mjs: a bundle needs node_modules/xcluster beside it or above it. Copy version ${version} of the package there, or see "Bundles" in docs/setup.md.`,
    )
    expect(() => findRoot(undefined, '/nowhere/')).toThrow(
      expect.objectContaining({ code: 'PACKAGE_MISSING' }),
    )
  })
})

test('two versions in one process are reported once, with their folders', async () => {
  const warnings: Error[] = []
  const note = (warning: Error) => void warnings.push(warning)
  process.on('warning', note)
  for (const [folder, version] of [
    [packageRoot(), '0.0.1'],
    ['/b/', '0.0.1'],
    ['/c/', '0.0.2'],
    ['/d/', '0.0.3'],
  ] as const)
    announce(folder, version)
  await new Promise(setImmediate)
  process.off('warning', note)
  expect(warnings.map(({ message }) => message)).toEqual([
    `xcluster 0.0.1 (${packageRoot()}) and xcluster 0.0.2 (/c/) are both in use in this process: objects of one do not fit the other. See which packages ask for them: npm ls xcluster`,
  ])
  expect(warnings).toEqual([expect.objectContaining({ code: 'TWO_VERSIONS' })])
})
