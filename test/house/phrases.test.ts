import { describe, expect, test } from 'vitest'
import { codePaths, filesOf, metaphorViolations, phraseViolations, prosePaths } from './phrases.ts'

/** These two files hold what they search for. */
const own = /^test\/house\/phrases/

describe('the prose', () => {
  test('is found in pages, sources, scripts, tests and examples', () => {
    const files = filesOf(prosePaths)
    const paths = files.map(({ path }) => path)
    expect(paths).toEqual(expect.arrayContaining(['README.md', 'docs/vm.md', 'docs/decisions/qmp.md']))
    expect(paths).toEqual(expect.arrayContaining(['src/cli/main.ts', 'native/guest/main.c', 'guest/init']))
    expect(paths).toEqual(expect.arrayContaining(['bench/README.md', 'bin/xc.js', 'test/support/xc.ts']))
    expect(paths).toEqual(expect.arrayContaining(['scripts/build.js', 'examples/net-setup/ovs.sh']))
  })

  test('has no banned phrase', () => {
    const files = filesOf(prosePaths).filter(({ path }) => !own.test(path))
    expect(phraseViolations(files)).toEqual([])
  })
})

test('identifiers are terms of the field, in all code', () => {
  const files = filesOf(codePaths).filter(({ path }) => !own.test(path))
  expect(files.length).toBeGreaterThan(500)
  expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining(['guest/init', 'native/guest/main.c']))
  expect(metaphorViolations(files)).toEqual([])
})

describe('a planted phrase is caught:', () => {
  test.each([
    ['docs/x.md', 'Who is not root gets the same network.'],
    ['docs/x.md', 'It is for\nwhoever asks.'],
    ['docs/x.md', '- item\n\n  nobody reads'],
    ['docs/x.md', '```ts\nclose() // somebody waits\n```'],
    ['docs/x.md', 'Bridges, where they are to be had.'],
    ['docs/x.md', 'What is no such value is refused.'],
    ['docs/x.md', '| CODE | it works all the same | nothing |'],
    ['src/vm/x.ts', '/**\n * Told by\n * whoever asks.\n */'],
    ['src/vm/x.ts', '// One line, and\n  // nobody reads it.\nlet a = 1'],
    ['src/vm/x.ts', "throw failed('it is no address')"],
    ['src/vm/x.ts', 'throw failed(`this\nis no address`)'],
    ['src/vm/x.ts', "const quote = /['`]/\nlet a = 1 // nobody"],
    ['native/addon/x.c', '// The caller, whoever it is.'],
    ['native/addon/x.c', 'die("nobody is there");'],
    ['guest/init', 'echo 1 # nobody waits'],
    ['guest/sbin/x', 'echo "nobody is there"'],
    ['test/unit/x.test.ts', "test('works all the same', () => {})"],
  ])('%s %j', (path, text) => {
    expect(phraseViolations([{ path, text }])).toHaveLength(1)
  })

  test.each([
    ['docs/x.md', 'There is no shell, and it is no longer needed. All QEMUs run as `nobody`.'],
    ['docs/x.md', 'See [the page](nobody.md).'],
    ['src/vm/x.ts', "const nobody = { name: 'nobody' } // as user `nobody`"],
    ['guest/init', 'nobody=$#'],
  ])('%s %j is not a banned phrase', (path, text) => {
    expect(phraseViolations([{ path, text }])).toEqual([])
  })
})

describe('a planted identifier is caught:', () => {
  test.each([
    ['src/vm/x.ts', 'class Crew {}'],
    ['src/vm/x.ts', 'type A = Map<string, Wish>'],
    ['src/vm/x.ts', 'await using quietJoins = open()'],
    ['native/addon/x.c', 'struct Flight { int fd; };'],
    ['docs/x.md', 'Give it a `Rehearsal`.'],
    ['docs/x.md', '```ts\nnew Conversation()\n```'],
  ])('%s %j', (path, text) => {
    expect(metaphorViolations([{ path, text }])).toHaveLength(1)
  })

  test.each([
    ['src/vm/x.ts', 'class ClusterWorld {} // Remains of it'],
    ['src/vm/x.ts', "test('Ground', () => {})"],
    ['docs/x.md', 'Remains to be done.'],
  ])('%s %j is not a banned identifier', (path, text) => {
    expect(metaphorViolations([{ path, text }])).toEqual([])
  })
})
