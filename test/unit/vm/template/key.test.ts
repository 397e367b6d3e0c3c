import { expect, test } from 'vitest'
import type { TemplateSpec } from '../../../../src/vm/index.ts'
import { hostCpu, type TemplateFacts, templateKey, templateVm } from '../../../../src/vm/template/facts.ts'

const facts: TemplateFacts = {
  format: 1,
  image: '8521c0eb87be7e44',
  qemu: { path: '/usr/bin/qemu-system-x86_64', version: '7.2.22', size: 18397984, mtimeMs: 1779741869000 },
  cpu: 'AuthenticAMD/25/17/AMD EPYC/1',
  arguments: ['-name', 'template', '-m', '128M'],
  warmUp: 'identity-1',
  added: '',
}

test("a template's key depends on nothing but its facts", () => {
  // printf '%s' '[1,"8521c0eb87be7e44",["/usr/bin/qemu-system-x86_64","7.2.22",18397984,1779741869000],
  //   "AuthenticAMD/25/17/AMD EPYC/1",["-name","template","-m","128M"],"identity-1",""]' | sha256sum (on one line)
  expect(templateKey(facts)).toBe('2242d01be8f475f9dbbbcceb9bd43167579410e4013617a3b29385b5990056f2')
  expect(templateKey({ ...facts, qemu: { ...facts.qemu } })).toBe(templateKey(facts))
})

test('everything that could break a clone changes the key, above all a new QEMU', () => {
  const others: TemplateFacts[] = [
    { ...facts, format: 2 },
    { ...facts, image: 'other' },
    { ...facts, qemu: { ...facts.qemu, path: '/opt/qemu' } },
    { ...facts, qemu: { ...facts.qemu, version: '7.2.23' } },
    { ...facts, qemu: { ...facts.qemu, build: 'Debian 1:7.2+dfsg-7+deb12u18' } },
    { ...facts, qemu: { ...facts.qemu, size: 1 } },
    { ...facts, qemu: { ...facts.qemu, mtimeMs: 1 } },
    { ...facts, cpu: 'other' },
    { ...facts, arguments: [...facts.arguments, '-s'] },
    { ...facts, warmUp: '' },
    { ...facts, added: 'files' },
  ]
  expect(new Set([facts, ...others].map(templateKey)).size).toBe(others.length + 1)
})

const spec: TemplateSpec = {
  qemu: { path: '/usr/bin/qemu-system-x86_64', version: '7.2.22' },
  image: 'image',
  kernel: '/cache/vmlinux',
  initramfs: '/cache/initramfs',
  append: 'quiet',
  memoryMiB: 128,
  vcpus: 1,
  accel: 'tcg',
  nics: [{ args: ['-netdev', 'tap,id=net0,fd={fd0}', '-device', 'x,mac=00:00:00:01:00:C9'], fds: [40] }],
}

test('a template has no trace of a node, and init is told that it has no identity', () => {
  const node = { args: ['-netdev', 'tap,id=net0,fd={fd0}', '-device', 'x,mac=00:00:00:01:00:01'], fds: [] }
  expect(templateVm({ ...spec, nics: [node] })).toEqual(templateVm(spec))
  expect(templateVm(spec)).toMatchObject({
    name: 'template',
    append: 'xcluster_template=1 quiet',
    nics: [{ args: ['-netdev', 'tap,id=net0,fd={fd0}', '-device', 'x,mac=00:00:00:01:00:00'], fds: [-1] }],
  })
})

test('a template is built with the form of the monitor that its QEMU has', () => {
  const args = templateVm({ ...spec, qemu: { ...spec.qemu, monitor: 'object' } })
  expect(args.monitor).toBe('object')
})

test('the CPU in a key is its model, with its features only where guests see them', () => {
  const cpuinfo = [
    'processor\t: 0',
    'vendor_id\t: AuthenticAMD',
    'cpu family\t: 25',
    'model\t\t: 17',
    'model name\t: AMD EPYC',
    'stepping\t: 1',
    'cpu MHz\t\t: 2596.134',
    'flags\t\t: fpu sse',
    '',
    'processor\t: 1',
  ].join('\n')
  expect(hostCpu(cpuinfo, 'tcg')).toBe('AuthenticAMD/25/17/AMD EPYC/1')
  expect(hostCpu(cpuinfo, 'kvm')).toBe('AuthenticAMD/25/17/AMD EPYC/1/fpu sse')
})
