import { expect, test } from 'vitest'
import { callText, optionOf, settingText, withOptions } from '../../../src/base/index.ts'

test('an error names settings by their keys, and xc by its options', () => {
  const text = `Use ${settingText('fabric', 'user')}, or give other ${settingText('hostNets')}`
  expect(text).toBe("Use `fabric: 'user'`, or give other `hostNets`")
  expect(withOptions(text)).toBe('Use --fabric user, or give other --host-nets')
})

test('an error names a call of a cluster, and xc the command for that cluster', () => {
  const text = `Resume it: ${callText('resume', 2)}`
  expect(text).toBe('Resume it: `resume([2])`')
  expect(withOptions(text)).toBe('Resume it: xc resume 2')
  expect(withOptions(text, '--name big')).toBe('Resume it: xc resume 2 --name big')
})

test('commands and other quotations in a text are not taken for settings', () => {
  const text = 'Stop it with `xc stop --name big`, see `/var/log`'
  expect(withOptions(text)).toBe(text)
  expect([optionOf('nvm'), optionOf('netsVm'), optionOf('mem3')]).toEqual(['--nvm', '--nets-vm', '--mem3'])
})
