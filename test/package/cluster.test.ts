import { readdirSync } from 'node:fs'
import { afterAll, expect } from 'vitest'
import { readText } from '../house/project.ts'
import { Consumer, packTarball } from '../support/consumer.ts'
import { test } from '../support/leaks.ts'

const consumer = new Consumer()
afterAll(() => consumer.remove())

/** The commands and the test that the README gives users of the package. */
function readmeProject(): { commands: string[][]; program: string } {
  const [, section = ''] = /^## In your project\n([\s\S]*?)^## /m.exec(readText('README.md')) ?? []
  const [, shell = ''] = /^```sh\n([\s\S]*?)^```/m.exec(section) ?? []
  const [, program = ''] = /^```js\n([\s\S]*?)^```/m.exec(section) ?? []
  const commands = shell
    .trim()
    .split('\n')
    .map(line => line.replace(/#.*/, '').trim().split(' '))
  return { commands, program }
}

test('from an empty folder to a passing test of a cluster: three commands and a test of 25 lines at most', async ({
  skip,
}) => {
  const { commands, program } = readmeProject()
  expect(commands).toEqual([
    ['npm', 'install', 'xcluster'],
    ['npx', 'xc', 'setup'],
    ['node', '--test'],
  ])
  expect(program.trim().split('\n').length).toBeLessThanOrEqual(25)
  const tarball = packTarball()
  consumer.good(['npm', 'init', '-y'])
  consumer.write('first.test.mjs', program)
  consumer.good(['npm', 'install', '--no-audit', '--no-fund', tarball])
  const setup = consumer.run(['npx', 'xc', 'setup'])
  skip(/\(GUEST_UNFETCHED\)$/m.test(setup.stderr), setup.stderr.trim().split('\n').at(-1))
  expect(setup.stderr).toMatch(/^✔ Guest image: Linux /m)
  expect(setup.stderr).toMatch(/^· Native code: fits linux-x64$/m)
  expect(setup.status).toBe(0)
  const { stdout } = consumer.good(['node', '--test'])
  expect(stdout).toMatch(/^# pass 1$/m)
  expect(stdout).toMatch(/^# fail 0$/m)
  expect(readdirSync(`${consumer.root}/run`, { recursive: true })).toEqual([])

  const again = consumer.good(['npx', 'xc', 'setup'])
  expect(again.stderr.match(/^. /gm)).toEqual(['· ', '· ', '· ', '· ', '· '])
})
