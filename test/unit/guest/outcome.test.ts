import { expect, test } from 'vitest'
import { shaped } from '../../../src/guest/index.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const about = { guest: 'vm-001', command: ['ip', 'link', 'show', 'eth9'] }
const good = { status: 0, stdout: bytes('größe\n'), stderr: bytes('') }
const bad = { status: 1, stdout: bytes('half\n'), stderr: bytes('Device "eth9" does not exist.\n') }

test('the outputs of a command are bytes by default, and text where that is asked for', () => {
  expect(shaped(good, {}, about)).toBe(good)
  expect(shaped(good, { encoding: 'utf8' }, about)).toEqual({ status: 0, stdout: 'größe\n', stderr: '' })
  expect(shaped(bad, { encoding: 'utf8' }, about)).toMatchObject({ status: 1, stdout: 'half\n' })
})

test('with check, a command that failed throws its status and the end of its error output', () => {
  expect(shaped(good, { check: true }, about)).toBe(good)
  expect(() => shaped(bad, { check: true }, about)).toThrow(
    'run ip link show eth9 on vm-001: it ended with status 1: Device "eth9" does not exist.',
  )
  expect(() => shaped(bad, { check: true }, about)).toThrow(expect.objectContaining({ code: 'EXEC_FAILED' }))
})

test('with check, a command that was killed says by which signal, and a silent one says no words', () => {
  const killed = { status: 137, signal: 9, stdout: bytes(''), stderr: bytes('') }
  expect(() => shaped(killed, { check: true }, about)).toThrow(/it was killed by signal 9$/)
})

test('what a guest says in a failure is cut, and cannot move the cursor of a terminal', () => {
  const loud = { ...bad, stderr: bytes(`${'x'.repeat(5000)}\x1b[2J`) }
  const message = (() => {
    try {
      return shaped(loud, { check: true }, about)
    } catch (failure) {
      return (failure as Error).message
    }
  })()
  expect(message).not.toContain('\x1b')
  expect((message as string).length).toBeLessThan(700)
})
