import { expect, test } from 'vitest'
import { hostlist, numbers } from '../../../../src/fleet/slurm/hostlist.ts'

test.each([
  ['login', ['login']],
  ['n[1-3]', ['n1', 'n2', 'n3']],
  ['n[1-2,7],gpu4', ['n1', 'n2', 'n7', 'gpu4']],
  ['n[08-11]', ['n08', 'n09', 'n10', 'n11']],
  ['n[098-101,5]', ['n098', 'n099', 'n100', 'n101', 'n5']],
  ['n[9-10]', ['n9', 'n10']],
  ['a[1-2]-x,b[3].site.example', ['a1-x', 'a2-x', 'b3.site.example']],
  ['r[0-1]n[1-2]', ['r0n1', 'r0n2', 'r1n1', 'r1n2']],
])('the list of hosts %s is expanded in its order', (text, names) => {
  expect(hostlist(text)).toEqual(names)
})

test.each([
  '',
  ',',
  'n1,',
  ',n1',
  'n[',
  'n]',
  'n[]',
  'n[1',
  'n[3-1]',
  'n[a-b]',
  'n[1-]',
  'n[[1]]',
  'n 1',
  'n[1,]',
])('the list of hosts %j is refused', text => expect(hostlist(text)).toBeUndefined())

test('a list of hosts that would fill the memory is refused', () => {
  expect(hostlist('n[1-65536]')).toHaveLength(65_536)
  expect(hostlist('n[1-65537]')).toBeUndefined()
  expect(hostlist('n[1-65536],m')).toBeUndefined()
  expect(hostlist('n[0-999][0-999][0-999]')).toBeUndefined()
  expect(hostlist('n[0-999999999999999]')).toBeUndefined()
})

test('ports are numbers and ranges', () => {
  expect(numbers('23000-23001')).toEqual(['23000', '23001'])
  expect(numbers('23000,23005-23006')).toEqual(['23000', '23005', '23006'])
  expect(numbers('23000-')).toBeUndefined()
})
