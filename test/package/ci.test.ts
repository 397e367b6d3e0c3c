import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { readText } from '../house/project.ts'
import { Consumer, packTarball } from '../support/consumer.ts'
import { test } from '../support/leaks.ts'

const consumer = new Consumer()
const { root } = consumer
afterAll(() => consumer.remove())

/** The script on the page. */
function documentedScript(): string {
  const [, script] = /^```sh\n(#!\/bin\/sh\n[\s\S]*?)^```$/m.exec(readText('docs/ci.md')) ?? []
  if (script === undefined) throw new Error('docs/ci.md has no script')
  return script
}

/** Says what is prepared, and which templates are made, and expects the prepared cluster in a fork. */
const suite = `
import assert from 'node:assert/strict'
import * as runner from 'node:test'
import { startCluster } from 'xcluster'
import { clusterTest } from 'xcluster/testing'

const settings = { nvm: 1, nrouters: 0, smp: 1 }
const prepare = async ({ vm }) => {
  console.log('CI prepares')
  await vm(1).succeed('echo prepared >/root/mark')
}
const test = clusterTest(runner, settings, { snapshot: 'ready', prepare })
runner.test('a cluster starts', async () => {
  const onEvent = ({ step, state, text }) => step && console.log('CI ' + step + ' ' + state + ': ' + text)
  const cluster = await startCluster(settings, { onEvent })
  await cluster.stop()
})
test('begins with what was prepared', async ({ vm }) => {
  assert.equal(await vm(1).succeed('cat /root/mark'), 'prepared\\n')
})
`

/** A project with a lock file, in git. */
function project(): string {
  const { folder } = consumer
  mkdirSync(join(folder, 'vendor'))
  cpSync(packTarball(), join(folder, 'vendor/xcluster.tgz'))
  consumer.write('test/cluster.test.js', suite)
  consumer.write('ci.sh', documentedScript())
  consumer.write('.gitignore', 'node_modules\n.ci\n')
  const scripts = { test: 'node --test --test-reporter=tap' }
  const dependencies = { xcluster: 'file:vendor/xcluster.tgz' }
  const manifest = { name: 'project', version: '1.0.0', private: true, type: 'module', scripts, dependencies }
  consumer.write('package.json', JSON.stringify(manifest))
  consumer.good(['npm', 'install', '--package-lock-only', '--no-audit', '--no-fund'])
  const git = (...args: string[]) =>
    consumer.good(['git', '-c', 'user.name=ci', '-c', 'user.email=ci@example.org', ...args])
  git('init', '-q')
  git('add', '.')
  git('commit', '-qm', 'project')
  return folder
}

/** The packages of the guest, which an earlier state of the project had fetched. */
function keepFetched(kept: string): void {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'xcluster')
  mkdirSync(kept)
  if (!existsSync(join(cache, 'fetched'))) return
  cpSync(join(cache, 'fetched'), join(root, 'earlier/.ci/cache/xcluster/fetched'), { recursive: true })
  consumer.good(['tar', '-cf', join(kept, 'xcluster-earlier.tar'), '-C', join(root, 'earlier'), '.ci'])
}

test('the script of docs/ci.md makes templates and prepares in the first clean checkout, and not in the second', {
  timeout: 600_000,
}, async ({ census }) => {
  const from = project()
  const kept = join(root, 'kept')
  keepFetched(kept)
  const said = ['one', 'two'].map(name => {
    const checkout = join(root, name)
    consumer.good(['git', 'clone', '-q', from, checkout])
    const { stdout } = consumer.good(['sh', '-c', `cd ${checkout} && sh ci.sh ${kept}`])
    expect(stdout).toMatch(/^# pass 2$/m)
    return stdout.split('\n').flatMap(line => /^#? *CI (.*)$/.exec(line)?.[1] ?? [])
  })
  const templates = (lines: string[]) => lines.filter(line => line.startsWith('template begin'))
  const [first, second] = said as [string[], string[]]
  expect(first).toContain('prepares')
  expect(second).not.toContain('prepares')
  expect(second.some(line => line.startsWith('vms end'))).toBe(true)
  expect(templates(first)).not.toEqual([])
  expect(templates(second)).toEqual([])
  const templatesOf = (name: string) => readdirSync(join(root, name, '.ci/cache/xcluster/templates')).sort()
  expect(templatesOf('two')).toEqual(templatesOf('one'))
  expect(templatesOf('one')).not.toEqual([])
  expect(readdirSync(kept).filter(name => !name.includes('earlier'))).toEqual([
    expect.stringMatching(/^xcluster-[\da-f]{16}\.tar$/),
  ])
  await census.expectUnchanged()
})
