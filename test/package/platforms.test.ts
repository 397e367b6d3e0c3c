import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { expect } from 'vitest'
import { fetchNode, nodeVersions } from '../../scripts/ground/node.js'
import { prebuildAll } from '../../scripts/prebuild/build.js'
import { targets } from '../../scripts/prebuild/targets.js'
import { inProject } from '../house/project.ts'
import { test } from '../support/leaks.ts'
import { chosen } from '../support/rounds.ts'

const musl = '/lib/ld-musl-x86_64.so.1'
const arm64Libraries = '/usr/aarch64-linux-gnu'

test('native code is built and checked for every platform, as far as there is a compiler', async () => {
  const { built, left } = await prebuildAll()
  const expected = targets.flatMap(({ arch, artefacts }) => artefacts.map(name => `${arch}/${name}`))
  const missing = left.map(sentence => /^linux-(\w+): left out/.exec(sentence)![1]!)
  expect(built.map(({ arch, name }) => `${arch}/${name}`)).toEqual(
    expected.filter(path => !missing.includes(path.split('/')[0]!)),
  )
  expect(built.map(({ arch }) => arch)).toContain(process.arch)
})

test("musl's dynamic loader finds all that the addon needs, but for what Node has", ({ skip }) => {
  skip(!existsSync(musl), `this machine has no ${musl}`)
  const addon = inProject('prebuilds/linux-x64/xcluster.node')
  const { stdout, stderr } = spawnSync(musl, ['--list', addon], { encoding: 'utf8' })
  const missing = Array.from(stderr.matchAll(/relocating \S+: (\w+): symbol not found/g), ([, name]) => name!)
  expect(missing.length).toBeGreaterThan(10)
  expect(missing.filter(name => !/^(napi|uv)_/.test(name))).toEqual([])
  expect(stdout).toContain(`libc.so.6 => ${musl}`)
})

// The addon's interface is the same in all of them: what is newest may refuse it.
test.each(chosen(nodeVersions, nodeVersions.slice(-1)))(
  'the addon of the package works on Node %s',
  async version => {
    const node = await fetchNode(version)
    expect(await useAddon([node], process.arch)).toEqual([process.arch, 'number', 2])
  },
)

test("arm64's addon and launcher run in an emulated processor", async ({ skip }) => {
  skip(spawnSync('qemu-aarch64', ['--version']).error !== undefined, 'this machine has no qemu-aarch64')
  skip(!existsSync(`${arm64Libraries}/lib/libstdc++.so.6`), `there are no libraries in ${arm64Libraries}`)
  const folder = inProject('prebuilds/linux-arm64')
  skip(!existsSync(folder), 'there is no compiler for arm64')
  const node = await fetchNode(process.versions.node, { arch: 'arm64' })
  expect(await useAddon(['qemu-aarch64', '-L', arm64Libraries, node], 'arm64')).toEqual([
    'arm64',
    'number',
    2,
  ])
  const launcher = spawnSync('qemu-aarch64', [`${folder}/xcluster-launcher`], { encoding: 'utf8' })
  expect(launcher).toMatchObject({ status: 126, stderr: 'xcluster-launcher: --parent: missing\n' })
})

/** Loads an addon in a Node and calls it: the processor, the type of its version, the ends of a pair of sockets. */
async function useAddon([file, ...args]: readonly string[], arch: string): Promise<unknown> {
  const script = `
    const addon = { exports: {} }
    process.dlopen(addon, ${JSON.stringify(inProject(`prebuilds/linux-${arch}/xcluster.node`))})
    const { abi, socketPair } = addon.exports
    console.log(JSON.stringify([process.arch, typeof abi, socketPair(1).length]))`
  const { stdout, stderr } = spawnSync(file!, [...args, '-e', script], { encoding: 'utf8' })
  return stderr ? Promise.reject(new Error(stderr)) : JSON.parse(stdout)
}
