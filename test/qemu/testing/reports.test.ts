import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { test } from '../../support/leaks.ts'
import { ended, run, runVitest } from './run.ts'

const folder = mkdtempSync(join(tmpdir(), 'xcluster-reports-'))
afterAll(() => rmSync(folder, { recursive: true }))
const report = join(folder, 'junit.xml')

/** The elements of a report's test cases, by suite and name. */
function testCases(xml: string): Map<string, string> {
  const cases = [...xml.matchAll(/<testcase classname="([^"]*)" name="([^"]*)"[^>]*>([\s\S]*?)<\/testcase>/g)]
  return new Map(cases.map(([, file, name, body]) => [`${file}: ${name}`, body!]))
}

const attached = (text: string) =>
  [...text.matchAll(/^\s*\[\[ATTACHMENT\|(.*)\]\]$/gm)].map(([, file]) => file!)

test('with vitest each failure has artifacts of its own, in whatever file, suite, project and retry, and a JUnit report names them', async ({
  census,
}) => {
  const artifacts = join(folder, 'of-vitest')
  const env = { XCLUSTER_ARTIFACTS: artifacts, XCLUSTER_ATTACHMENTS: '1' }
  const options = ['--reporter=junit', `--outputFile=${report}`, '--maxWorkers=1']
  const { status, said } = await ended(runVitest('vitest', env, options))
  expect(status, said).toBe(1)
  const suites = 'test/qemu/testing/suites/vitest'
  const of = (project: string, file: string) => readdirSync(join(artifacts, project, suites, file)).sort()
  expect(of('one', 'same.js')).toEqual(['fails', 'fails-2', 'first-fails', 'first-fails-2'])
  expect(of('two', 'same.js')).toEqual(['fails', 'first-fails'])
  expect(of('one', 'other.js')).toEqual(['fails', 'fails-2'])

  const cases = testCases(readFileSync(report, 'utf8'))
  const body = cases.get('same.js: first &gt; fails')!
  const place = /<property name="xcluster" value="What is known of its cluster is in ([^"]*)">/.exec(
    body,
  )?.[1]
  expect(place).toMatch(new RegExp(`^${artifacts}/(one|two)/${suites}/same.js/first-fails$`))
  const files = attached(/<system-out>([\s\S]*)<\/system-out>/.exec(body)![1]!)
  expect(files).toContain(join(place!, 'vm-001/console.txt'))
  for (const file of files) expect(existsSync(file), file).toBe(true)
  expect(cases.get('same.js: passes')).not.toMatch(/ATTACHMENT|xcluster/)
  await census.expectUnchanged()
})

test('a run in which a process is killed that holds forks fails and says so, and nothing is left', async ({
  census,
}) => {
  const { status, said } = await ended(runVitest('.', { XCLUSTER_ARTIFACTS: folder }, ['killed.js']))
  expect(status, said).toBe(1)
  expect(said).toContain('Worker exited unexpectedly')
  await census.expectUnchanged()
})

test('a program that rewinds ends by itself, and leaves nothing', async ({ census }) => {
  const { status, said } = await ended(run('rewinding.js', {}))
  expect([status, said]).toEqual([0, 'rewound\n'])
  await census.expectUnchanged()
})
