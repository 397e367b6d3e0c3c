import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { places, type Scope } from '../src/base/index.ts'
import type { VmSpec } from '../src/vm/index.ts'
import type { Benchmark, Case } from './benchmark.ts'
import { built } from './built.ts'

/**
 * One VM from nothing to its agent's first answer: by the clock with the default command line, and then, with
 * one thing changed at a time, as the CPU time of QEMU up to that point, which other work on the machine
 * disturbs less.
 */
const vm: Benchmark = {
  rounds: { usual: 5, quick: 1 },
  async prepare(scope) {
    const ours = await ourSpec(scope)
    const variants: Record<string, Partial<VmSpec>> = {
      ours: {},
      'machine pc': { machine: 'pc' },
      'lean q35': { extraArgs: ['-machine', 'q35,i8042=off,smbus=off,sata=off'] },
      'kernel quiet': { append: 'quiet' },
      'loglevel=7': { append: 'loglevel=7' },
      'no fast kernel flags': changed(scope, ours, '/ mitigations=off*loglevel=6/'),
      '2 vCPUs': { vcpus: 2 },
      'tcg,thread=single': changed(scope, ours, '/#tcg/tcg,thread=single'),
      'tcg,tb-size=256': changed(scope, ours, '/#tcg/tcg,tb-size=256'),
      'cpu max': { extraArgs: ['-cpu', 'max'] },
    }
    const cpu = Object.entries(variants).map(([name, change]) => {
      const spec = { ...ours, ...change }
      return [name, async () => ({ 'CPU time of QEMU': (await bootOnce(spec)).cpuMs })] as const
    })
    const against = Object.keys(variants).filter(name => name !== 'ours')
    const cases: Case[] = [
      {
        n: 1,
        units: { 'cold boot to agent': 'ms' },
        variants: { ours: async () => ({ 'cold boot to agent': (await bootOnce(ours)).ms }) },
      },
      {
        n: 1,
        units: { 'CPU time of QEMU': 'ms' },
        variants: Object.fromEntries(cpu),
        ratios: against.map(name => [name, 'ours'] as const),
      },
    ]
    return { cases, accel: 'tcg' }
  },
}
export default vm

async function ourSpec(scope: Scope): Promise<VmSpec> {
  const [{ buildImage }, { findQemu }] = [await built('image'), await built('vm')]
  const cacheDir = places({ HOME: homedir(), ...process.env }, process.getuid!()).cache
  const { vmlinux, initramfs } = await buildImage({ cacheDir, guestDir: resolve('guest') })
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-bench-'))
  scope.defer(() => rmSync(directory, { recursive: true }))
  return {
    name: 'vm-001',
    qemu: (await findQemu({ searchPath: process.env.PATH! })).path,
    kernel: vmlinux,
    initramfs,
    memoryMiB: 128,
    vcpus: 1,
    accel: 'tcg',
    nics: [0, 1].map(net => ({ args: userNic(net), fds: [] })),
    consoleLog: join(directory, 'console.log'),
  }
}

function userNic(net: number): string[] {
  const mac = `00:00:00:01:0${net}:01`
  return [
    ...['-netdev', `user,id=net${net},restrict=on`],
    ...['-device', `virtio-net-pci,netdev=net${net},id=nic${net},mac=${mac},romfile=`],
  ]
}

/** The same QEMU behind a script that edits its arguments: for changes that a spec cannot express. */
function changed(scope: Scope, { qemu }: VmSpec, edit: string): Partial<VmSpec> {
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-bench-'))
  scope.defer(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'qemu')
  writeFileSync(path, `#!/bin/bash\nargs=("$@")\nexec ${qemu} "\${args[@]${edit}}"\n`, { mode: 0o755 })
  return { qemu: path }
}

async function bootOnce(spec: VmSpec): Promise<{ ms: number; cpuMs: number }> {
  const { startVm } = await built('vm')
  await using machine = await startVm(spec)
  await machine.ready
  return { ms: machine.milestones.ready!, cpuMs: cpuMs(machine.pid) }
}

/** utime and stime of /proc/<pid>/stat, in ticks of 10 ms. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
